"""What the exercises that log to TensorBoard look at: the event files in the folder that an answer has written to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

if TYPE_CHECKING:
    from tutor import board


def logged(folder: Path) -> board.Events | None:
    """Return what the event files hold; None where there is none, or one that is only half written."""
    from tutor import board  # only now: it takes a while

    try:
        return board.read(folder)
    except board.BoardError:
        return None


def pictures(folder: Path, tags: Sequence[str], shown: Callable[[Tensor], str]) -> dict[str, Any]:
    """Say what each tag shows at each step, in the words of ``shown`` for a picture (H, W, 3)."""
    events = logged(folder)
    images = events.images if events else {}
    facts: dict[str, Any] = {
        tag: {f"step {step}": shown(picture) for step, picture in sorted(images.get(tag, {}).items())} or "no pictures"
        for tag in tags
    }
    if "no pictures" in facts.values():
        facts["other tags"] = ", ".join(sorted(tag for tag in images if tag not in facts)) or "none"
    return facts


def closed(value: Any, args: tuple[Any, ...]) -> Any:
    """Look (as ``observe``) at whether the writer was closed, which is what puts everything into the file."""
    return {"writer": "still open" if args[0].busy else "closed"}
