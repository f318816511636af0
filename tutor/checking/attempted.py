"""Tell a stub from an answer by its bytecode, which is there even where the source isn't."""

from __future__ import annotations

import dis
import traceback
from collections.abc import Sequence
from types import CodeType

from tutor.checking.answering import Outcome
from tutor.checking.exercise import Function

# What a body of nothing but constants, imports and one `raise` consists of, in any version of Python.
_STUB = frozenset(
    [
        "CACHE",
        "RESUME",
        "NOP",
        "LOAD_CONST",
        "LOAD_SMALL_INT",
        "LOAD_GLOBAL",
        "PUSH_NULL",
        "PRECALL",
        "CALL",
        "RAISE_VARARGS",
        "RETURN_VALUE",
        "RETURN_CONST",
        "IMPORT_NAME",
        "IMPORT_FROM",
        "STORE_FAST",
        "POP_TOP",
    ]
)


def stub(function: Function, got: Sequence[Outcome]) -> str:
    """Return "not-attempted" (nothing written), "stub-left" (written, but the stub's raise still stands), or ""."""
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        return ""
    if _bare(code) and not _globals(code) and all(outcome.nothing for outcome in got):
        return "not-attempted"
    if not all(isinstance(outcome.error, NotImplementedError) for outcome in got):
        return ""
    frames = [frame for outcome in got if outcome.error for frame, _ in traceback.walk_tb(outcome.error.__traceback__)]
    # Torch raises NotImplementedError too, for an operator that lacks a dtype: that one is an ordinary error.
    if not any(frame.f_code is code for frame in frames) or "torch" in str(frames[-1].f_globals.get("__name__", "")):
        return ""
    return "not-attempted" if _bare(code) and _globals(code) == {"NotImplementedError"} else "stub-left"


def _bare(code: CodeType) -> bool:
    return all(instruction.opname in _STUB for instruction in dis.get_instructions(code))


def _globals(code: CodeType) -> set[str]:
    return {str(i.argval) for i in dis.get_instructions(code) if i.opname == "LOAD_GLOBAL"}
