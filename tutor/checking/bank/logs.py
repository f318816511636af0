"""What the exercises that log to TensorBoard have in common: how to read what was found in the event files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from torch import Tensor

from tutor.checking.apparatus.logs import MOST, STEPS


def steps(entries: Any, tag: str) -> list[Any]:
    """Return what stands under a tag, in the order of the steps: a step each, and what was logged then."""
    return sorted((entry[1:] for entry in entries if entry[0] == tag), key=lambda entry: entry[0])[:STEPS]


def tags(written: Any) -> list[str]:
    """Return the tags of all that was logged, sorted."""
    return sorted({entry[0] for kind in ("pictures", "numbers", "histograms") for entry in written[kind]})


def pictures(written: Any, expected: Sequence[str], say: Callable[[Tensor], str]) -> dict[str, Any]:
    """Say what each expected tag shows at each step, in the words of ``say`` for a picture (H, W, 3)."""

    def said(picture: Tensor | None) -> str:
        return "something else" if picture is None or picture.numel() > MOST else say(picture)

    found = written["pictures"]
    facts: dict[str, Any] = {
        tag: {f"step {step}": said(picture) for step, picture in steps(found, tag)} or "no pictures" for tag in expected
    }
    if "no pictures" in facts.values():
        facts["other tags"] = ", ".join(sorted({entry[0] for entry in found} - set(facts))) or "none"
    return facts


def before_and_after(sides: Callable[[Any], Iterable[tuple[str, Tensor]]], value: Any, args: tuple[Any, ...]) -> Any:
    """Say which batch the tags of a layer's input and output show at each step, before or after the layer.

    sides: yields, of the batches among the arguments, all that a picture may show, as ``shown`` takes it.
    """
    _, name, _, batches = args
    return pictures(value, (f"{name}/input", f"{name}/output"), lambda picture: shown(picture, sides(batches)))


def shown(picture: Tensor, sides: Iterable[tuple[str, Tensor]]) -> str:
    """Say which of several batches a picture (H, W, 3) shows: whole images, wherever they lie in it.

    sides: in words, and its images (N, 3, h, w) in [0, 1].
    """
    exact = picture.double().div(255)
    for words, images in sides:
        found = [_holds(exact, image) for image in images]
        if any(found):
            return words if all(found) else f"a part of {words}"
    return "something else"


def _holds(picture: Tensor, image: Tensor) -> bool:
    """Tell whether an image (3, h, w) stands anywhere in a picture (H, W, 3); grey levels may be rounded either way."""
    height, width = image.shape[-2:]
    if picture.shape[0] < height or picture.shape[1] < width:
        return False
    windows = picture.unfold(0, height, 1).unfold(1, width, 1)  # (rows, columns, 3, h, w)
    corner = (windows[..., 0, 0, 0] - image[0, 0, 0]).abs() < 0.006
    return bool(((windows[corner] - image).abs() < 0.006).flatten(1).all(1).any())


def closed(value: Any, args: tuple[Any, ...]) -> Any:
    """Say whether the writer was closed, which is what puts everything into the file."""
    return {"writer": "still open" if value["busy"] else "closed"}
