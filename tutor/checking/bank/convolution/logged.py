"""Logging a layer's feature maps to TensorBoard, judged by the pictures that end up in the event files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tutor.checking.apparatus.convolution import six_maps
from tutor.checking.apparatus.logs import written
from tutor.checking.bank.convolution.laid_out import feature_maps
from tutor.checking.bank.convolution.maps import tiled
from tutor.checking.bank.convolution.sizes import CHAPTER
from tutor.checking.bank.logs import closed
from tutor.checking.exercise import CORE, Case, Draw, Exercise, Folder


def _log(
    folder: Path, name: str, layer: Callable[[Tensor], Tensor], batches: Iterable[Any], *, wrong: frozenset[str]
) -> None:
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(folder))
    for step, (images, _) in enumerate(batches):
        before, after = images, _pictures(images if "layer-forgotten" in wrong else layer(images), wrong)
        if "images-for-maps" in wrong:
            after = images
        if "tags-swapped" in wrong:
            before, after = after, before
        step = 0 if "step-forgotten" in wrong else step + 1 if "step-from-one" in wrong else step
        if "input-not-logged" not in wrong:
            writer.add_images(f"{name}/input", before, step)
        tag = "input" if "one-tag" in wrong else "output" if "tag-of-outputs" in wrong else "maps"
        writer.add_images(f"{name}/{tag}", after, step)
        if "first-batch-only" in wrong:
            break
    if "not-closed" not in wrong:
        writer.close()


def _pictures(maps: Tensor, wrong: frozenset[str]) -> Tensor:
    """Return maps as pictures that ``add_images`` takes, laid out rightly or wrongly."""
    n, channels, height, width = maps.shape
    if "three-channels" in wrong:
        return maps.reshape(-1, 3, height, width)
    if "reshaped-directly" in wrong:
        return maps.reshape(n, 1, height, channels * width)
    if "single-maps" in wrong:
        return maps.reshape(-1, 1, height, width)
    if "stacked" in wrong:
        return maps.reshape(n, 1, channels * height, width)
    if "first-three-as-colours" in wrong:
        return maps[:, :3]
    if "first-map-only" in wrong:
        return maps[:, :1]
    return tiled(maps[:1] if "first-image-only" in wrong else maps)


log_feature_maps = Exercise(
    "log_feature_maps",
    CHAPTER,
    lambda folder, name, layer, batches: _log(folder, name, layer, batches, wrong=frozenset()),
    time_limit=10.0,
)


@log_feature_maps.cases
def _(draw: Draw) -> Iterable[Case]:
    sizes = [draw.size(2) for _ in range(3)]
    batches = [(draw.uniform(size, 3, 9, 10, low=0.2).float(), torch.zeros(size, dtype=torch.int64)) for size in sizes]
    yield Case(CORE, (Folder(), "layer", six_maps, batches[:2]), observe=written, judge=feature_maps)
    yield Case(CORE, (Folder(), "conv", six_maps, batches), observe=written, judge=feature_maps)
    yield Case("closing", (Folder(), "layer", six_maps, batches[:1]), observe=written, judge=closed)


log_feature_maps.model(
    "three-channels",
    "reshaped-directly",
    "single-maps",
    "step-forgotten",
    "step-from-one",
    "tags-swapped",
    "input-not-logged",
)(_log)
log_feature_maps.alone(
    _log,
    "first-batch-only",
    "not-closed",
    "layer-forgotten",
    "images-for-maps",
    "one-tag",
    "tag-of-outputs",
    "stacked",
    "first-three-as-colours",
    "first-map-only",
    "first-image-only",
)
