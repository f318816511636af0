"""Chapter 02: sizes and shapes in whichever type, and the feature maps that a layer's log shows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from tutor.checking.apparatus.logs import pictures

Block = tuple[int, int]  # where a block's top left corner lies in a picture


def wholes(value: Any, args: tuple[Any, ...] = ()) -> Any:
    """Take 3, 3.0, tensor(3) and numpy's 3 for the same answer, also inside a tuple or a list."""
    if isinstance(value, tuple | list):
        return tuple(wholes(part) for part in value)
    value = _plain(value)
    return int(value) if isinstance(value, float) and value % 1 == 0 else value


def strict(value: Any, args: tuple[Any, ...] = ()) -> Any:
    """Take tensor(3) and numpy's 3 for 3, but not 3.0, which no tensor can have for a size."""
    return tuple(strict(part) for part in value) if isinstance(value, tuple | list) else _plain(value)


def _plain(value: Any) -> Any:
    if hasattr(value, "item") and (value.numel() if isinstance(value, Tensor) else getattr(value, "size", 0)) == 1:
        return value.item()
    return value


def part(index: int, value: Any, args: tuple[Any, ...]) -> Any:
    """Look at one part of the answer, so that each part can earn points of its own."""
    value = wholes(value)
    return value[index] if isinstance(value, tuple) and len(value) > index else value


def two_shapes(index: int, value: Any, args: tuple[Any, ...]) -> Any:
    """Look at one convolution's two shapes; lists, tuples and ``torch.Size`` are all the same."""
    found = part(index, value, args)
    if isinstance(found, tuple) and len(found) == 2:
        return {"weight": found[0], "output": found[1]}
    return found


def six_maps(images: Tensor) -> Tensor:
    """Return six feature maps of each image, (N, 6, H-2, W-2): the layer that the check logs.

    They hold the image's red, without its frame, fainter from map to map, so that each can be told by its pixels.
    """
    return torch.stack([images[:, 0, 1:-1, 1:-1] * (1 - step / 9) for step in range(1, 7)], dim=1)


def read_feature_maps(value: Any, args: tuple[Any, ...]) -> Any:
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
