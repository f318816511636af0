"""What the exercises that log to TensorBoard look at: the event files in the folder that an answer has written to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tutor import board


def logged(folder: Path) -> board.Events | None:
    """Return what the event files hold; None where there is none, or one that is only half written."""
    from tutor import board  # only now: it takes a while

    try:
        return board.read(folder)
    except board.BoardError:
        return None


def closed(value: Any, args: tuple[Any, ...]) -> Any:
    """Look (as ``observe``) at whether the writer was closed, which is what puts everything into the file."""
    return {"writer": "still open" if args[0].busy else "closed"}
