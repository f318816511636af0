"""Chapter 05: layers that mix a batch or don't."""

from __future__ import annotations

import torch
from torch import Tensor


def _weight(out: int, into: int) -> Tensor:
    """Return a weight without zeros, of small whole numbers: sums with it are exact, so that equal means equal."""
    return (torch.arange(out * into) * 7 % 11 + 1).double().reshape(out, into)


def one_by_one(images: Tensor) -> Tensor:
    """A layer as it should be: each row of the output comes from one image, (N, 3)."""
    return images.flatten(1) @ _weight(3, images[0].numel()).T.to(images.dtype)


def all_in_one(images: Tensor) -> Tensor:
    """The published layer: the whole batch as one vector, (4,)."""
    return _weight(4, images.numel()).to(images.dtype) @ images.flatten()


def torn_by_reshape(images: Tensor) -> Tensor:
    """As many rows as images, but each made of pieces of several, (N, 2)."""
    return images.reshape(-1, len(images)).T @ _weight(2, images[0].numel()).T.to(images.dtype)


def minus_the_mean(images: Tensor) -> Tensor:
    """Each image's sum, minus the mean over the batch: every row depends on every image, (N, 2)."""
    rows = one_by_one(images)[:, :2]
    return rows * len(rows) - rows.sum(0)


def with_the_one_before(images: Tensor) -> Tensor:
    """Each image and half of the one before it: the dependence goes one way only, (N, 3)."""
    rows = one_by_one(images)
    return torch.cat([rows[:1], rows[1:] + rows[:-1] / 2])


def last_output_alone(images: Tensor) -> Tensor:
    """Only the last of three outputs, and only the last pixel, depends on the image, (N, 3)."""
    rows = torch.zeros(len(images), 3, dtype=images.dtype)
    return torch.cat([rows[:, :2], images.flatten(1)[:, -1:]], dim=1)


def first_output_alone(images: Tensor) -> Tensor:
    """The other way round: only the first output depends on the last pixel, (N, 3)."""
    return last_output_alone(images).flip(1)


def first_half_only(images: Tensor) -> Tensor:
    """Leaves out the second half of the batch, (N // 2, 3)."""
    return one_by_one(images[: len(images) // 2])
