"""What an answer raised, as words: taken down where it happened, since errors and their tracebacks don't travel."""

from __future__ import annotations

import inspect
import linecache
import sysconfig
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import sep
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from tutor.checking.attempted import is_stub_raise

_LIBRARIES = (
    *(sysconfig.get_path(name) + sep for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    str(Path(torch.__file__).parent),
    str(Path(__file__).parents[1]),
    "<frozen",
)


@dataclass(frozen=True)
class Failure:
    """An error that an answer raised.

    kind: the name of its class. text: the class and the first line of its message. where: in words, the last line
    outside libraries that it went through, or "". mismatch: what about the call doesn't fit the answer's signature, or "".
    signed: whether the answer has a signature at all (a built-in may have none). stub: it is the raise of an answer
    that isn't written yet.
    """

    kind: str
    text: str
    where: str = ""
    mismatch: str = ""
    signed: bool = True
    stub: bool = False


def failure(
    error: BaseException, function: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
) -> Failure:
    """Take down what ``function`` raised when it was called with these arguments."""
    kind = type(error).__name__
    try:
        lines = str(error).strip().splitlines()
    except Exception:  # an exception class of the learner's own may not even be printable
        lines = []
    mismatch, signed = "", True
    try:
        inspect.signature(function).bind(*args, **(kwargs or {}))
    except TypeError as misfit:
        mismatch = str(misfit)
    except ValueError:
        signed = False
    return Failure(
        kind=kind,
        text=f"{kind}: {lines[0][:300]}" if lines else kind,
        where=_where(error, function) if signed else "",
        mismatch=mismatch,
        signed=signed,
        stub=is_stub_raise(error, function),
    )


def own_frames(error: BaseException) -> Iterator[tuple[FrameType, int]]:
    """Yield the frames that an error went through, with line numbers, without those of Python, its libraries and ours."""
    for frame, number in traceback.walk_tb(error.__traceback__):
        if not frame.f_code.co_filename.startswith(_LIBRARIES):
            yield frame, number


def _where(error: BaseException, function: Any) -> str:
    own = getattr(function, "__code__", None)
    found = ""
    for frame, number in own_frames(error):
        code = frame.f_code
        # In the answer itself, lines are counted from its `def`; in a function it calls, from the top of that cell.
        line = number - own.co_firstlineno + 1 if code is own and own else number
        text = linecache.getline(code.co_filename, number).strip()
        found = f"It happened in line {line} of `{code.co_name}`" + (f": `{text}`" if text else ".")
    return found
