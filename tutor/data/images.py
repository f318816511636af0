"""Labelled pictures in memory, the batches made of them, and the error for data that cannot be used."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

CLASSES: Final = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)

Source: TypeAlias = Literal["original", "folder", "sample"]
Order: TypeAlias = NDArray[np.intp]

# A product takes half as long as a quotient, and 255 times this is 1 exactly.
TO_UNIT: Final = np.float32(1 / 255)


class DataError(RuntimeError):
    """CIFAR-10 cannot be had as asked: the message says in one sentence what is wrong, where, and the mend."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows in place of a traceback: the sentence alone."""
        return [f"{type(self).__name__}: {self}"]


@dataclass(frozen=True, eq=False, repr=False)
class Images:
    """Pictures with their labels, held in memory.

    ``pixels`` is uint8 of shape (N, 3, 32, 32): N pictures, red, green and blue, rows from the top, columns from
    the left, 0 dark to 255 bright. ``labels`` is int64 of shape (N,): places in ``classes``, the ten names.
    ``source`` says where they come from: ``"original"``, ``"folder"`` or ``"sample"``, of which only the last is
    not CIFAR-10. Later calls of :func:`tutor.data.cifar10` hand out the same tensors: clone before you change one.
    """

    pixels: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    source: Source

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.labels)

    def __repr__(self) -> str:
        """Say how many pictures these are and of what."""
        what = "drawn pictures, not CIFAR-10" if self.source == "sample" else "CIFAR-10 images"
        return f"Images({len(self)} {what}, {len(self.classes)} classes)"

    def batches(
        self,
        size: int = 64,
        *,
        shuffle: bool = False,
        seed: int = 0,
        drop_last: bool = False,
        limit: int | None = None,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Return an iterator over batches ``(pictures, labels)``.

        ``pictures`` is float32 of shape (B, 3, 32, 32) in [0, 1]: pixels / 255 as torchvision's ``ToTensor`` has it, to
        one unit in the last place. ``labels`` is int64 of shape (B,). Both are the caller's own, free to be changed.
        B is ``size``, but for the last batch, which has what is left or, with ``drop_last``, is left out. ``shuffle``
        takes the pictures in an order that depends on ``seed`` only (use the epoch's number), the same on every
        machine. ``limit`` is the largest number of batches. Raises ``ValueError`` for a size below 1 or a limit
        below 0.
        """
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(f"size must be a whole number of pictures, 1 or more, and not {size!r}")
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
            raise ValueError(f"limit must be None or a whole number of batches, 0 or more, and not {limit!r}")
        stop = len(self) - len(self) % size if drop_last else len(self)
        starts = range(0, stop, size)[:limit]
        return self._cut(starts, size, mixed_order(len(self), seed) if shuffle else None)

    def _cut(self, starts: range, size: int, order: Order | None) -> Iterator[tuple[Tensor, Tensor]]:
        # In numpy, which stays in this thread: torch shares so small a job out among threads that then wait for each
        # other, many times as long where other programs use the processor too.
        pixels, labels = self.pixels.numpy(), self.labels.numpy()
        for start in starts:
            span = slice(start, start + size)
            bright = (pixels[span] if order is None else pixels.take(order[span], axis=0)).astype(np.float32)
            bright *= TO_UNIT
            chosen = labels[span].copy() if order is None else labels.take(order[span])
            yield torch.from_numpy(bright), torch.from_numpy(chosen)


def mixed_order(n: int, seed: int) -> Order:
    """Return a permutation of 0 … n-1, int64 of shape (n,), that depends on ``seed`` alone.

    It ranks the raw output of numpy's PCG64, which numpy promises never to change; ``torch.randperm`` promises that
    for one version only.
    """
    raw = np.random.PCG64(seed).random_raw(n)
    return np.argsort(np.asarray(raw), kind="stable")
