"""How a fork of the warm process becomes the place where one submission runs: everything is left behind that isn't its own."""

import math
import os
import resource
import tempfile
from typing import Any

from tutor.grading.inside.isolation import mounts, other_namespaces
from tutor.grading.inside.privileges import become, give_up_capabilities, refuse_system_calls

NOBODY = 65534  # what root becomes
_PLACES = ("work", "home", "build", "tmp", "shm")  # in the folder
_MOST_OPEN = 256  # files at a time
_LEAST_MEMORY = 32 * 2**20  # bytes, to say at least what is wrong


def take_place(settings: dict[str, Any], request: dict[str, Any], kept: list[int], used: dict[str, int]) -> None:
    """Leave everything behind that isn't this submission's, for good.

    settings, request: what the warm process was started with and is asked; without limits in it this is a trial.
    kept: descriptors that stay open. used: what ``memory`` returned. Raises OSError where the system doesn't allow it.
    """
    os.setsid()
    _only(kept)
    with open("/proc/self/oom_score_adj", "w", encoding="utf-8") as file:
        file.write("1000")  # the first to go where the system's memory runs short
    limits = request.get("run") or {"disk_mb": 1}
    folder = request.get("folder") or settings["folder"]
    if settings["isolated"]:
        if os.getuid() == 0:
            become(NOBODY)
        other_namespaces()
        mounts(folder, limits["disk_mb"], settings["below_tmp"])
        give_up_capabilities()
        refuse_system_calls()
    for place in _PLACES:
        os.makedirs(f"{folder}/{place}", exist_ok=True)
    homes = {"HOME": "home", "IPYTHONDIR": "home/.ipython", "TMPDIR": "tmp", "TUTOR_BUILD": "build", "PWD": "work"}
    os.environ.update({name: f"{folder}/{place}" for name, place in homes.items()})
    tempfile.tempdir = None  # it may have been asked for while things were imported
    os.chdir(f"{folder}/work")
    if "run" in request:
        _limit(limits, used)


def memory() -> dict[str, int]:
    """Return what this process has of memory, in bytes, under the system's names: VmRSS, VmData."""
    with open("/proc/self/status", encoding="utf-8") as file:
        lines = (line.split() for line in file)
        return {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines if words[-1] == "kB"}


def _only(kept: list[int]) -> None:
    """Close all descriptors but those kept and the standard ones, which lead nowhere from now on."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    first = 3
    for descriptor in sorted(kept):
        os.closerange(first, descriptor)
        first = descriptor + 1
    os.closerange(first, os.sysconf("SC_OPEN_MAX"))


def _limit(limits: dict[str, Any], used: dict[str, int]) -> None:
    """Set what one process may use; all of them together are watched from outside."""
    # What may still be had beyond what is in memory now. Not the address space: torch's CUDA builds reserve far more.
    more = max(limits["memory_mb"] * 2**20 - used["VmRSS"], _LEAST_MEMORY)
    for what, limit in (
        (resource.RLIMIT_DATA, used["VmData"] + more),
        (resource.RLIMIT_FSIZE, limits["disk_mb"] * 2**20),
        (resource.RLIMIT_CORE, 1),  # 0 would still start the program that a system may have for core dumps
        (resource.RLIMIT_CPU, math.ceil(limits["seconds"]) + 1),
        (resource.RLIMIT_NOFILE, _MOST_OPEN),
        (resource.RLIMIT_NPROC, limits["processes"]),
    ):
        resource.setrlimit(what, (limit, limit))
