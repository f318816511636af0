"""Reading: what a failed check's card says, and what a first event file holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from tutor.checking.bank.logs import closed, logged
from tutor.checking.bank.start.neuron import CHAPTER
from tutor.checking.exercise import CORE, RIGHT, Case, Draw, Exercise, Folder

if TYPE_CHECKING:
    pass

# What the card says of a ReLU that takes the absolute value; a test holds these to the card itself.
ON_THE_CARD = {"input": -1.0, "expected": 0.0, "yours": 1.0, "read again": "ReLU"}


def _said(value: Any, args: tuple[Any, ...]) -> Any:
    """Take 1, 1.0 and a tensor of it for the same number, and a text in any case and with blanks around it."""
    if not isinstance(value, tuple | list) or len(value) != 4:
        return value
    facts: dict[str, Any] = {}
    for key, part in zip(ON_THE_CARD, value, strict=True):
        if isinstance(part, str):
            facts[key] = part.strip(" \"'*.").lower()
        elif isinstance(part, Tensor) and part.numel() == 1:
            facts[key] = float(part)
        else:
            facts[key] = float(part) if isinstance(part, int | float) and not isinstance(part, bool) else part
    return facts


def _reading(
    input: float = -1.0, expected: float = 0.0, yours: float = 1.0, section: str = "ReLU"
) -> tuple[float, float, float, str]:
    return input, expected, yours, section


read_card = Exercise("read_card", CHAPTER, lambda: _reading(), prediction=True)


@read_card.cases
def _(draw: Draw) -> Iterable[Case]:
    yield Case(CORE, (), observe=_said)


read_card.twin("expected-and-yours-swapped")(lambda: _reading(expected=1.0, yours=0.0))
read_card.twin("input-without-its-sign")(lambda: _reading(input=1.0))
read_card.twin("input-for-expected")(lambda: _reading(expected=-1.0))
read_card.twin("input-for-yours")(lambda: _reading(yours=-1.0))
read_card.twin("first-number-of-the-hint")(lambda: _reading(input=-3.0, yours=3.0))
read_card.twin("second-number-of-the-hint")(lambda: _reading(input=2.0, expected=2.0, yours=2.0))
read_card.twin("function-for-section")(lambda: _reading(section="abs"))
read_card.twin("message-for-section")(lambda: _reading(section="not right yet"))


def _log(folder: Path, batches: Iterable[Any], *, wrong: frozenset[str] = RIGHT) -> None:
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(folder))
    for number, (images, _) in enumerate(batches):
        step = 0 if "step-forgotten" in wrong else number + 1 if "step-from-one" in wrong else number
        first = number == 0
        if "first-image-only" in wrong and first:
            writer.add_image("input", images[0], step)
        elif "images-not-logged" not in wrong and (first or "every-batch" in wrong):
            writer.add_images("pictures" if "another-tag" in wrong else "input", images, step)
        mean = images.sum() if "sum-for-mean" in wrong else images.mean()
        if "brightness-of-first-image" in wrong:
            mean = images[0].mean()
        if first or "first-brightness-only" not in wrong:
            writer.add_scalar("brightness", float(mean), step)
    if "not-closed" not in wrong:
        writer.close()


def _read(value: Any, args: tuple[Any, ...]) -> Any:
    """Say what stands in the event files: what each tag holds at each step."""
    folder, batches = args[0], args[1]
    events = logged(folder.path)
    pictures = sorted(events.images.get("input", {}).items()) if events else []
    numbers = sorted(events.scalars.get("brightness", {}).items()) if events else []
    facts: dict[str, Any] = {
        "input": {f"step {step}": _shown(picture, batches) for step, picture in pictures} or "no pictures",
        "brightness": {f"step {step}": _whose(number, batches) for step, number in numbers} or "no numbers",
    }
    others = [tag for tag in (events.tags if events else ()) if tag not in ("input", "brightness")]
    return facts | {"other tags": ", ".join(others) or "none"}


def _shown(picture: Tensor, batches: Sequence[Any]) -> str:
    """Say which batch a picture (H, W, 3) shows, wherever its images lie in it."""
    for number, (images, _) in enumerate(batches):
        height, width = images.shape[2:]
        if picture.shape[0] < height or picture.shape[1] < width:
            continue
        windows = picture.double().div(255).unfold(0, height, 1).unfold(1, width, 1)
        # Grey levels are whole numbers of 1/255, and they may be rounded either way.
        found = [bool(((windows - image).abs() < 0.006).flatten(2).all(-1).any()) for image in images]
        if any(found):
            return f"batch {number}" if all(found) else f"a part of batch {number}"
    return "something else"


def _whose(found: float, batches: Sequence[Any]) -> str:
    """Say what a number measures: which batch's mean it is."""
    for number, (images, _) in enumerate(batches):
        for what, value in (
            (f"the mean of batch {number}", images.mean()),
            (f"the mean of the first image of batch {number}", images[0].mean()),
            (f"the sum of batch {number}", images.sum()),
        ):
            if abs(found - float(value)) < 1e-4 * max(1.0, abs(float(value))):
                return what
    return "another number"


log_first_batch = Exercise("log_first_batch", CHAPTER, lambda folder, batches: _log(folder, batches), time_limit=10.0)


@log_first_batch.cases
def _(draw: Draw) -> Iterable[Case]:
    def batches(count: int) -> list[tuple[Tensor, Tensor]]:
        size = draw.size(2)
        made = []
        for number in range(count):
            images = draw.uniform(size, 3, 6, 5, high=0.15).float() + 0.2 * number
            images = images + torch.linspace(0, 0.1, size).view(-1, 1, 1, 1)  # each image has a brightness of its own
            made.append((images, torch.zeros(size, dtype=torch.int64)))
        return made

    yield Case(CORE, (Folder(), batches(2)), observe=_read)
    yield Case(CORE, (Folder(), batches(3)), observe=_read)
    yield Case("closing", (Folder(), batches(2)), observe=closed)


log_first_batch.model(
    "every-batch",
    "first-image-only",
    "images-not-logged",
    "step-forgotten",
    "step-from-one",
    "sum-for-mean",
    "brightness-of-first-image",
    "first-brightness-only",
    "not-closed",
)(_log)
log_first_batch.twin("another-tag")(lambda folder, batches: _log(folder, batches, wrong=frozenset({"another-tag"})))
