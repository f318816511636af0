"""Leave everything around a check as it was: random numbers, autograd's mode, printing, warnings."""

from __future__ import annotations

import contextlib
import io
import random
import re
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

_INSIDE = re.compile(r" \(Triggered internally at [^)]*\)\.?")  # where in torch's own C++
LONGEST = 10_000  # characters of what an answer prints that are kept


@dataclass
class Said:
    """What was printed and warned inside :func:`apart`, filled in when the block is over."""

    text: str = ""
    stream: io.StringIO = field(default_factory=io.StringIO)


@contextlib.contextmanager
def untouched() -> Iterator[None]:
    """Put random numbers (torch's, Python's, numpy's) and the default dtype back after the block, whatever happens in it.

    In the block, new tensors are made on the CPU, whatever the default device.
    """
    numpy = sys.modules.get("numpy.random")  # who hasn't imported it has no random numbers of it to lose
    states = random.getstate(), torch.get_rng_state(), numpy.get_state() if numpy else None
    dtype = torch.get_default_dtype()
    elsewhere = torch.get_default_device().type != "cpu"
    try:
        with torch.device("cpu") if elsewhere else contextlib.nullcontext():
            yield
    finally:
        random.setstate(states[0])
        torch.set_rng_state(states[1])
        if numpy:
            numpy.set_state(states[2])
        torch.set_default_dtype(dtype)


@contextlib.contextmanager
def apart(seed: int) -> Iterator[Said]:
    """Run the block with seeded random numbers and autograd on, and keep its output aside.

    Afterwards, also after an exception, autograd's mode, the default dtype, warning filters, stdout and stderr are as
    before; :func:`untouched` does the same for random numbers, once for many blocks.
    """
    said = Said()
    random.seed(seed)
    if numpy := sys.modules.get("numpy.random"):
        numpy.seed(seed)
    torch.default_generator.manual_seed(seed)  # torch.manual_seed would also seed accelerators, which are the learner's
    with (
        torch.inference_mode(False),
        torch.enable_grad(),
        warnings.catch_warnings(record=True) as warned,
        contextlib.redirect_stdout(said.stream),
        contextlib.redirect_stderr(said.stream),
    ):
        warnings.simplefilter("always")
        dtype = torch.get_default_dtype()
        try:
            yield said
        finally:
            torch.set_default_dtype(dtype)
            # Only what a warning says: the file and line that Python would print with it are ours, not the learner's.
            told = "".join(
                f"{warning.category.__name__}: {_INSIDE.sub('', str(warning.message))}\n" for warning in warned
            )
            said.text = said.stream.getvalue()[:LONGEST] + told[:LONGEST]
