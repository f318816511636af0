"""Chapter 01: lists of numbers, and the images that a layer's log holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from tutor.checking.apparatus.logs import pictures


def as_numbers(value: Any, args: tuple[Any, ...]) -> Any:
    """Take a list of floats, a list of tensors and a tensor for the same answer."""
    try:
        if hasattr(value, "__len__") and len(value) > 1000:  # not a number for each layer
            return value
        return torch.as_tensor([float(part) for part in value], dtype=torch.float64)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return value


def as_lists(value: Any, args: tuple[Any, ...]) -> Any:
    """Take tensors, tuples and whole numbers for the lists of floats that were asked for."""
    try:
        return tuple([float(number) for number in part] for part in value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return value


def read_layer_images(value: Any, args: tuple[Any, ...]) -> Any:
    """Say what stands in the event files: which batch each tag shows at each step, before or after the layer."""
    folder, name, batches = args[0], args[1], args[3]
    return pictures(folder.path, (f"{name}/input", f"{name}/output"), lambda picture: _shown(picture, batches))


def _shown(picture: Tensor, batches: Sequence[Any]) -> str:
    """Say which batch a picture shows, from either side of the layer: whole images, wherever they lie in it.

    Each batch has a brightness of its own, each image its own noise, and the layer's output is its negative.
    """
    size = batches[0][0].shape[-1]
    if min(picture.shape[:2]) < size:
        return "something else"
    windows = picture.double().div(255).unfold(0, size, 1).unfold(1, size, 1)  # (rows, columns, 3, size, size)
    sides = [(f"batch {index} before the layer", images) for index, (images, _) in enumerate(batches)]
    sides += [(f"batch {index} after the layer", negative(images)) for index, (images, _) in enumerate(batches)]
    for side, images in sides:
        # Grey levels are whole numbers of 1/255, and they may be rounded either way.
        found = [bool(((windows - image).abs() < 0.006).flatten(2).all(-1).any()) for image in images]
        if any(found):
            return side if all(found) else f"a part of {side}"
    return "something else"


def negative(images: Tensor) -> Tensor:
    """Return the photographic negative of images in [0, 1]: the layer that the check logs."""
    return 1 - images
