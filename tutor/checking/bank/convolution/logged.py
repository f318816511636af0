"""Logging a layer's feature maps to TensorBoard, judged by the pictures that end up in the event files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tutor.checking.bank.convolution.maps import tiled
from tutor.checking.bank.convolution.sizes import CHAPTER
from tutor.checking.bank.logs import closed, pictures
from tutor.checking.exercise import CORE, Case, Draw, Exercise, Folder

Block = tuple[int, int]  # where a block's top left corner lies in a picture


def six_maps(images: Tensor) -> Tensor:
    """Return six feature maps of each image, (N, 6, H-2, W-2): the layer that the check logs.

    They hold the image's red, without its frame, fainter from map to map, so that each can be told by its pixels.
    """
    return torch.stack([images[:, 0, 1:-1, 1:-1] * (1 - step / 9) for step in range(1, 7)], dim=1)


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


def _read(value: Any, args: tuple[Any, ...]) -> Any:
    """Say what stands in the event files: what each tag shows at each step."""
    folder, name, batches = args[0], args[1], args[3]
    return pictures(folder.path, (f"{name}/input", f"{name}/maps"), lambda picture: _shown(picture, batches))


def _shown(picture: Tensor, batches: Sequence[Any]) -> str:
    """Say which batch a picture (H, W, 3) shows and how, however it is laid out."""
    planes = [plane.double() for plane in picture.unbind(-1)]
    grey = torch.equal(planes[0], planes[1]) and torch.equal(planes[0], planes[2])
    for index, (images, _) in enumerate(batches):
        what = "" if grey else _as_images(planes, images)
        for maps in (six_maps(images), images):
            what = what or (_as_grey_maps(planes[0], maps) if grey else _as_colours(planes, maps))
        if what:
            return f"batch {index}: {what}"
    return "something else"


def _as_images(planes: Sequence[Tensor], images: Tensor) -> str:
    found = []
    for image in images:
        red, green, blue = (_places(plane, colour) for plane, colour in zip(planes, image, strict=True))
        found.append(any(place in green and place in blue for place in red))
    return "the images" if all(found) else "some of the images" if any(found) else ""


def _as_colours(planes: Sequence[Tensor], maps: Tensor) -> str:
    """Say whether maps serve as the red, green or blue of a picture, or "" where they don't."""
    found = [any(_places(plane, each) for plane in planes) for image in maps for each in image]
    return f"{'all' if all(found) else 'some'} maps as the colours of pictures" if any(found) else ""


def _as_grey_maps(plane: Tensor, maps: Tensor) -> str:
    """Say how maps (N, C, h, w) are laid out in a grey picture, or "" where there is none of them."""
    whose = "maps" if maps.shape[1] == 6 else "colours"
    places = [[_places(plane, each) for each in image] for image in maps]
    if all(all(row) for row in places):
        if all(_in_a_row(row) for row in places):
            return f"each image's {whose} side by side"
        if all(_in_a_row([[(left, top) for top, left in here] for here in row]) for row in places):
            return f"each image's {whose} one under the other"
        return f"whole {whose}, but not one image's side by side"
    if any(any(row) for row in places):
        if all(all(row) or not any(row) for row in places):
            return f"the {whose} of some of the images"
        return f"some of the {whose}"
    first_lines = any(_places(plane, each[:1]) for image in maps for each in image)
    return f"{whose} torn into lines" if first_lines else ""


def _in_a_row(places: Sequence[Sequence[Block]]) -> bool:
    """Tell whether blocks lie at one height, from left to right, with nothing but a gap between them."""
    tops, lefts = {block[0][0] for block in places}, [block[0][1] for block in places]
    steps = {after - before for before, after in pairwise(lefts)}
    return len(tops) == 1 and len(steps) <= 1 and min(steps, default=1) > 0


def _places(plane: Tensor, block: Tensor) -> list[Block]:
    """Return where a block of numbers in [0, 1] stands in a plane of grey levels; rounding may go either way."""
    height, width = block.shape
    rows, columns = plane.shape[0] - height + 1, plane.shape[1] - width + 1
    if rows < 1 or columns < 1:
        return []
    block = block.double() * 255
    corner = (plane[:rows, :columns] - block[0, 0]).abs() <= 1
    other = (plane[height - 1 :, width - 1 :] - block[-1, -1]).abs() <= 1
    return [
        (top, left)
        for top, left in (corner & other).nonzero().tolist()
        if bool(((plane[top : top + height, left : left + width] - block).abs() <= 1).all())
    ]


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
    yield Case(CORE, (Folder(), "layer", six_maps, batches[:2]), observe=_read)
    yield Case(CORE, (Folder(), "conv", six_maps, batches), observe=_read)
    yield Case("closing", (Folder(), "layer", six_maps, batches[:1]), observe=closed)


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
