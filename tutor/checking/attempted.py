"""Tell a stub from an answer by its bytecode, which is there even where the source isn't."""

from __future__ import annotations

import dis
import traceback
from collections.abc import Sequence
from types import CodeType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tutor.checking.answering import Outcome

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


def stub(function: Any, got: Sequence[Outcome]) -> str:
    """Return "not-attempted" (nothing written), "stub-left" (written, but the stub's raise still stands), or ""."""
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        return ""
    if _bare(code) and not _globals(code) and all(outcome.nothing for outcome in got):
        return "not-attempted"
    errors = [outcome.error for outcome in got]
    if not all(error is not None and error.kind == "NotImplementedError" for error in errors):
        return ""
    if not any(error.stub for error in errors if error):
        return ""
    return "not-attempted" if _bare(code) and _globals(code) == {"NotImplementedError"} else "stub-left"


def is_stub_raise(error: BaseException, function: Any) -> bool:
    """Tell whether an error is the stub's own: raised in the answer, and not by torch, which raises such errors too."""
    code = getattr(function, "__code__", None)
    if code is None or not isinstance(error, NotImplementedError):
        return False
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    # Torch's is for an operator that lacks a dtype: an ordinary error.
    torch_raised = len(frames) > 0 and "torch" in str(frames[-1].f_globals.get("__name__", ""))
    return any(frame.f_code is code for frame in frames) and not torch_raised


def _bare(code: CodeType) -> bool:
    return all(instruction.opname in _STUB for instruction in dis.get_instructions(code))


def _globals(code: CodeType) -> set[str]:
    return {str(i.argval) for i in dis.get_instructions(code) if i.opname == "LOAD_GLOBAL"}
