"""What the pictures of a log show of feature maps, however they are laid out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from tutor.checking.apparatus.convolution import six_maps
from tutor.checking.bank.logs import pictures

Block = tuple[int, int]  # where a block's top left corner lies in a picture


def feature_maps(value: Any, args: tuple[Any, ...]) -> Any:
    """Say what stands in the event files: what each tag shows at each step."""
    _, name, _, batches = args
    return pictures(value, (f"{name}/input", f"{name}/maps"), lambda picture: _shown(picture, batches))


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
