"""Logging batches before and after a pooling layer, judged by the pictures that end up in the event files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.checking.apparatus.logs import written
from tutor.checking.apparatus.pooling import largest
from tutor.checking.bank.logs import before_and_after, closed
from tutor.checking.bank.pooling.judging import sides
from tutor.checking.bank.pooling.windows import CHAPTER
from tutor.checking.exercise import CORE, RIGHT, Case, Draw, Exercise, Folder


def _log(
    folder: Path, name: str, layer: Callable[[Tensor], Tensor], batches: Iterable[Any], *, wrong: frozenset[str] = RIGHT
) -> None:
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(folder))
    for step, (images, _) in enumerate(batches):
        before = layer(images) if "output-twice" in wrong else images
        after = images if "layer-forgotten" in wrong else layer(images)
        if "enlarged" in wrong:
            after = F.interpolate(after, images.shape[-2:], mode="nearest")
        if "tags-swapped" in wrong:
            before, after = after, before
        if "first-image-only" in wrong:
            before, after = before[:1], after[:1]
        step = 0 if "step-forgotten" in wrong else step + 1 if "step-from-one" in wrong else step
        head = "pooling" if "name-ignored" in wrong else name
        if "input-not-logged" not in wrong:
            writer.add_images(f"{head}/input", before, step)
        tag = "input" if "one-tag" in wrong else "output"
        writer.add_images(f"{head}/{tag}", after, step)
        if "first-batch-only" in wrong:
            break
    if "not-closed" not in wrong:
        writer.close()


log_pooling = Exercise(
    "log_pooling", CHAPTER, lambda folder, name, layer, batches: _log(folder, name, layer, batches), time_limit=10.0
)


@log_pooling.cases
def _(draw: Draw) -> Iterable[Case]:
    sizes = [draw.size(2) for _ in range(3)]
    batches = [(draw.uniform(size, 3, 8, 6).float(), torch.zeros(size, dtype=torch.int64)) for size in sizes]
    judge = partial(before_and_after, sides)
    yield Case(CORE, (Folder(), "max", largest, batches[:2]), observe=written, judge=judge)
    yield Case(CORE, (Folder(), "pool", largest, batches), observe=written, judge=judge)
    yield Case("closing", (Folder(), "max", largest, batches[:1]), observe=written, judge=closed)


log_pooling.model(
    "step-forgotten",
    "step-from-one",
    "layer-forgotten",
    "output-twice",
    "tags-swapped",
    "one-tag",
    "enlarged",
    "first-image-only",
    "first-batch-only",
    "not-closed",
)(_log)
log_pooling.alone(_log, "input-not-logged", "name-ignored")
