"""Training batches out of memory: shuffled, cropped and flipped a whole part of a batch at a time."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tutor.data.images import TO_UNIT, Images, mixed_order

PARTS: Final = 8  # a batch is cut into so many parts, each moved and mirrored as a whole


class Feed:
    """The training images, and the batches made of them.

    Each epoch shows every image once, in another order, but for the few left over when the last batch would be
    smaller than the rest: batch normalization would weigh those images more. With ``crop`` = c the image is moved by up
    to c pixels either way, its border mirrored; with ``flip`` it is mirrored left to right half of the time. Both
    stay the same within an eighth of a batch, whose images are others in each epoch.

    All of it is done in numpy, in this thread: torch shares so small a job out among threads that then wait for each other,
    many times as long where other programs use the processor too.
    """

    def __init__(
        self, images: Images, batch_size: int, *, crop: int, flip: bool, seed: int, device: torch.device
    ) -> None:
        # Channels last, as the batches are to be: then a row of a crop is one piece of memory.
        self.pixels = np.ascontiguousarray(images.pixels.numpy().transpose(0, 2, 3, 1))
        self.labels = images.labels.numpy()
        self.batch_size = min(batch_size, len(images))
        self.steps = len(images) // self.batch_size  # in an epoch
        self.crop, self.flip, self.seed, self.device = crop, flip, seed, device

    def epoch(self, number: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the batches of an epoch: float32 (B, 3, H, W) in [0, 1], channels last, and int64 (B,)."""
        seed = 2**16 * self.seed + number
        order = mixed_order(len(self.labels), seed)
        chance = np.random.Generator(np.random.PCG64(seed))
        for step in range(self.steps):
            chosen = order[step * self.batch_size : (step + 1) * self.batch_size]
            pictures = torch.from_numpy(self._moved(self.pixels.take(chosen, axis=0), chance)).permute(0, 3, 1, 2)
            labels = torch.from_numpy(self.labels.take(chosen))
            yield pictures.to(self.device, non_blocking=True), labels.to(self.device, non_blocking=True)

    def _moved(self, pixels: NDArray[np.uint8], chance: np.random.Generator) -> NDArray[np.float32]:
        height, width = pixels.shape[1:3]
        moved = np.empty(pixels.shape, np.float32)
        border = ((0, 0), (self.crop, self.crop), (self.crop, self.crop), (0, 0))
        wide: NDArray[Any] = np.pad(pixels, border, mode="reflect") if self.crop else pixels
        for before, after in zip(np.array_split(wide, PARTS), np.array_split(moved, PARTS), strict=True):
            top, left = chance.integers(0, 2 * self.crop + 1, 2)
            part = before[:, top : top + height, left : left + width]
            np.multiply(part[:, :, ::-1] if self.flip and chance.random() < 0.5 else part, TO_UNIT, out=after)
        return moved
