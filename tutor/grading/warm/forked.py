"""From a fork of the warm process to a Jupyter kernel like any other."""

import os
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec

from tutor.grading.warm.keeper import Request


@dataclass(frozen=True)
class Warmth:
    """What the zygote notes for its forks: the number of ``threads`` that torch takes on this machine."""

    threads: int


def become_kernel(request: Request, warmth: Warmth) -> None:
    """Run ipykernel in this process, until the kernel is shut down."""
    import numpy
    import torch
    from ipykernel.kernelapp import IPKernelApp

    os.environ.clear()
    os.environ.update(request.environment)
    time.tzset()
    torch.set_num_threads(asked_threads(request.environment) or warmth.threads)
    numpy.random.seed()  # or all kernels would draw the same numbers
    torch.seed()
    launcher = find_spec("ipykernel_launcher")
    assert launcher is not None
    sys.argv = [str(launcher.origin), *request.arguments]
    # ipykernel reads the parent from the environment when it is imported, which was in the zygote.
    os.environ["JPY_PARENT_PID"] = str(os.getppid())
    IPKernelApp.launch_instance(request.arguments, parent_handle=os.getppid())


def asked_threads(environment: dict[str, str]) -> int:
    """Return the number of threads that an environment asks torch for; 0 where it doesn't."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        first = environment.get(name, "").split(",")[0].strip()
        if first.isdecimal() and int(first):
            return int(first)
    return 0
