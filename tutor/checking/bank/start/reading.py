"""Reading: what a failed check's card says, and what a first event file holds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tutor.checking.apparatus.logs import written
from tutor.checking.bank.logs import closed
from tutor.checking.bank.start import judging
from tutor.checking.bank.start.neuron import CHAPTER
from tutor.checking.exercise import CORE, RIGHT, Case, Draw, Exercise, Folder

# What the card says of a ReLU that takes the absolute value; a test holds these to the card itself.
ON_THE_CARD = {"input": -1.0, "expected": 0.0, "yours": 1.0, "read again": "ReLU"}


def _reading(
    input: float = -1.0, expected: float = 0.0, yours: float = 1.0, section: Any = "ReLU"
) -> tuple[float, float, float, Any]:
    return input, expected, yours, section


read_card = Exercise("read_card", CHAPTER, lambda: _reading(), prediction=True)


@read_card.cases
def _(draw: Draw) -> Iterable[Case]:
    yield Case(CORE, (), judge=judging.as_on_a_card)


read_card.twin("expected-and-yours-swapped")(lambda: _reading(expected=1.0, yours=0.0))
read_card.twin("input-without-its-sign")(lambda: _reading(input=1.0))
read_card.twin("input-for-expected")(lambda: _reading(expected=-1.0))
read_card.twin("input-for-yours")(lambda: _reading(yours=-1.0))
read_card.twin("first-number-of-the-hint")(lambda: _reading(input=-3.0, yours=3.0))
read_card.twin("second-number-of-the-hint")(lambda: _reading(input=2.0, expected=2.0, yours=2.0))
read_card.twin("function-for-section")(lambda: _reading(section="abs"))
read_card.twin("message-for-section")(lambda: _reading(section="not right yet"))
read_card.twin("section-without-quotes")(lambda: _reading(section=torch.relu))
read_card.twin("numbers-in-quotes")(lambda: ("-1", "0", "1", "ReLU"))


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

    yield Case(CORE, (Folder(), batches(2)), observe=written, judge=judging.first_batch)
    yield Case(CORE, (Folder(), batches(3)), observe=written, judge=judging.first_batch)
    yield Case("closing", (Folder(), batches(2)), observe=written, judge=closed)


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
