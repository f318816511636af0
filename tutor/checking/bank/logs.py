"""What the exercises that log to TensorBoard have in common: how to read what was found in the event files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from tutor.checking.apparatus.logs import MOST, STEPS


def steps(entries: Any, tag: str) -> list[Any]:
    """Return what stands under a tag, in the order of the steps: a step each, and what was logged then."""
    return sorted((entry[1:] for entry in entries if entry[0] == tag), key=lambda entry: entry[0])[:STEPS]


def tags(written: Any) -> list[str]:
    """Return the tags of all that was logged, sorted."""
    return sorted({entry[0] for kind in ("pictures", "numbers", "histograms") for entry in written[kind]})


def pictures(written: Any, expected: Sequence[str], shown: Callable[[Tensor], str]) -> dict[str, Any]:
    """Say what each expected tag shows at each step, in the words of ``shown`` for a picture (H, W, 3)."""

    def said(picture: Tensor | None) -> str:
        return "something else" if picture is None or picture.numel() > MOST else shown(picture)

    found = written["pictures"]
    facts: dict[str, Any] = {
        tag: {f"step {step}": said(picture) for step, picture in steps(found, tag)} or "no pictures" for tag in expected
    }
    if "no pictures" in facts.values():
        facts["other tags"] = ", ".join(sorted({entry[0] for entry in found} - set(facts))) or "none"
    return facts


def closed(value: Any, args: tuple[Any, ...]) -> Any:
    """Say whether the writer was closed, which is what puts everything into the file."""
    return {"writer": "still open" if value["busy"] else "closed"}
