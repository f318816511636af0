"""Logging batches before and after a pooling layer, judged by the pictures that end up in the event files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.checking.bank.logs import closed, pictures
from tutor.checking.bank.pooling.shifts import largest
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


def _read(value: Any, args: tuple[Any, ...]) -> Any:
    """Say what stands in the event files: which batch each tag shows at each step, before or after the layer."""
    folder, name, batches = args[0], args[1], args[3]
    return pictures(folder.path, (f"{name}/input", f"{name}/output"), lambda picture: _shown(picture, batches))


def _shown(picture: Tensor, batches: Sequence[Any]) -> str:
    """Say which batch a picture (H, W, 3) shows, from either side of the layer: whole images, wherever they lie in it."""
    for side, images in _sides(batches):
        found = [_holds(picture, image) for image in images]
        if any(found):
            return side if all(found) else f"a part of {side}"
    return "something else"


def _sides(batches: Sequence[Any]) -> Iterator[tuple[str, Tensor]]:
    """Yield all that a picture may show. An image that was pooled and enlarged again holds the pooled one nowhere."""
    for index, (images, _) in enumerate(batches):
        yield f"batch {index} before the layer", images
        yield f"batch {index} after the layer", largest(images)
        yield f"batch {index} after the layer, enlarged", F.interpolate(largest(images), scale_factor=2, mode="nearest")


def _holds(picture: Tensor, image: Tensor) -> bool:
    """Tell whether an image (3, h, w) stands anywhere in a picture; grey levels may be rounded either way."""
    height, width = image.shape[-2:]
    if picture.shape[0] < height or picture.shape[1] < width:
        return False
    windows = picture.double().div(255).unfold(0, height, 1).unfold(1, width, 1)  # (rows, columns, 3, h, w)
    corner = (windows[..., 0, 0, 0] - image[0, 0, 0]).abs() < 0.006
    return bool(((windows[corner] - image).abs() < 0.006).flatten(1).all(1).any())


log_pooling = Exercise(
    "log_pooling", CHAPTER, lambda folder, name, layer, batches: _log(folder, name, layer, batches), time_limit=10.0
)


@log_pooling.cases
def _(draw: Draw) -> Iterable[Case]:
    sizes = [draw.size(2) for _ in range(3)]
    batches = [(draw.uniform(size, 3, 8, 6).float(), torch.zeros(size, dtype=torch.int64)) for size in sizes]
    yield Case(CORE, (Folder(), "max", largest, batches[:2]), observe=_read)
    yield Case(CORE, (Folder(), "pool", largest, batches), observe=_read)
    yield Case("closing", (Folder(), "max", largest, batches[:1]), observe=closed)


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
