"""Leave everything around a call as it was: random numbers, autograd's mode, printing, warnings."""

from __future__ import annotations

import contextlib
import io
import random
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

LONGEST = 10_000  # characters of what an answer prints that are kept


@dataclass
class Said:
    """What was printed and warned inside :func:`apart`, filled in when the block is over."""

    text: str = ""
    _stream: io.StringIO = field(default_factory=io.StringIO)


@contextlib.contextmanager
def apart(seed: int) -> Iterator[Said]:
    """Run the block with seeded random numbers (torch's, Python's and numpy's), autograd on, and its output kept aside.

    Afterwards, also after an exception, random numbers, autograd's mode, the default dtype, warning filters, stdout and stderr
    are as before.
    """
    said = Said()
    with (
        _random_numbers(seed),
        torch.inference_mode(False),
        torch.enable_grad(),
        warnings.catch_warnings(record=True) as warned,
        contextlib.redirect_stdout(said._stream),
        contextlib.redirect_stderr(said._stream),
    ):
        warnings.simplefilter("always")
        dtype = torch.get_default_dtype()
        try:
            yield said
        finally:
            torch.set_default_dtype(dtype)
            # Only what a warning says: the file and line that Python would print with it are ours, not the learner's.
            told = "".join(f"{warning.category.__name__}: {warning.message}\n" for warning in warned)
            said.text = said._stream.getvalue()[:LONGEST] + told[:LONGEST]


@contextlib.contextmanager
def _random_numbers(seed: int) -> Iterator[None]:
    # Not torch.manual_seed, which also seeds the generators of accelerators: those are the learner's.
    numpy = sys.modules.get("numpy.random")
    states = random.getstate(), numpy.get_state() if numpy else None, torch.get_rng_state()
    random.seed(seed)
    if numpy:
        numpy.seed(seed)
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        if numpy:
            numpy.set_state(states[1])
        torch.set_rng_state(states[2])
