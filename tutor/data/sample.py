"""The built-in sample: 6,000 small drawn pictures of CIFAR-10's ten classes, for where CIFAR-10 is not to be had.

They are drawn when they are first asked for, in about a second, and are the same bytes on every machine
(see :mod:`tutor.data.shapes`). They are not CIFAR-10 and no substitute for it in any measurement.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Final

import numpy as np
import torch

from tutor.data import animals, mammals, scenery, vehicles
from tutor.data.images import CLASSES, Images
from tutor.data.shapes import Draws, Sheet

TRAIN_SIZE: Final = 5_000
TEST_SIZE: Final = 1_000
PAINTED_AT_ONCE: Final = 125

PAINTERS: Final[dict[str, tuple[Callable[[Sheet], None], ...]]] = {
    "airplane": (vehicles.airplane_from_the_side, vehicles.airplane_from_below),
    "automobile": (vehicles.automobile_from_the_side, vehicles.automobile_from_the_front),
    "bird": (animals.bird_on_a_branch, animals.bird_on_the_wing),
    "cat": (mammals.cat_face, mammals.cat_sitting),
    "deer": (mammals.deer_standing, mammals.deer_face),
    "dog": (mammals.dog_face, mammals.dog_standing),
    "frog": (animals.frog_face, animals.frog_sitting),
    "horse": (mammals.horse_standing, mammals.horse_head),
    "ship": (vehicles.steamer, vehicles.sailing_ship),
    "truck": (vehicles.truck_from_the_side, vehicles.truck_from_the_front),
}


def draw(train: bool = True, *, stream: int | None = None) -> Images:
    """Draw the sample's 5,000 training or 1,000 test pictures, or for a ``stream`` (0 or more) as many others of their kind.

    Each class has the same number of them, in an order that mixes the classes. Training and test pictures come from
    different random streams, so none is in both; nor is one in those of any other stream.
    """
    drawn = _drawn(train, stream)
    return replace(drawn, pixels=drawn.pixels.clone(), labels=drawn.labels.clone())


@lru_cache(maxsize=4)  # 18 MB for the sample's own two; whoever asks gets a copy, to do with it as he likes
def _drawn(train: bool, stream: int | None) -> Images:
    size = TRAIN_SIZE if train else TEST_SIZE
    split = (0 if train else 1,) if stream is None else (2 if train else 3, stream)
    pixels = np.empty((size, 3, 32, 32), dtype=np.uint8)
    labels = np.empty(size, dtype=np.int64)
    # A fixed permutation of the places: the ranks of raw random numbers, the same on every machine.
    order = np.argsort(Draws(size, *split, len(CLASSES)).unit(), kind="stable")
    start = 0
    each = size // len(CLASSES)
    for label, name in enumerate(CLASSES):
        painters = PAINTERS[name]
        share = each // len(painters)
        for which, painter in enumerate(painters):
            for first in range(0, share, PAINTED_AT_ONCE):
                sheet = Sheet(Draws(min(PAINTED_AT_ONCE, share - first), *split, label, which, first))
                painter(sheet)
                places = order[start : start + sheet.draws.n]
                pixels[places] = scenery.finish(sheet)
                labels[places] = label
                start += sheet.draws.n
    return Images(torch.from_numpy(pixels), torch.from_numpy(labels), CLASSES, "sample")
