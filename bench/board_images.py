"""Logging the 10,000 test images before and after a layer, against the plain loop with ``SummaryWriter.add_images``."""

import statistics
import tempfile
import time
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from bench import Row
from tutor import board, data

NAME = "logging images before and after a layer"
GOAL = ">= 3x"
IMAGES, BATCH, PAIRS = 10_000, 64, 3


def measure() -> list[Row]:
    """Log all images both ways in turn, and compare what was logged."""
    batches = _batches()
    ours, peers = [], []
    with tempfile.TemporaryDirectory() as folder:
        for pair in range(PAIRS):
            start = time.perf_counter()
            board.log_layer("sigmoid", torch.sigmoid, batches, folder=f"{folder}/ours{pair}")
            middle = time.perf_counter()
            _plain_loop("sigmoid", batches, f"{folder}/peer{pair}")
            ours.append(middle - start)
            peers.append(time.perf_counter() - middle)
        _compare(f"{folder}/ours0", f"{folder}/peer0")
    ratio = statistics.median(peer / own for own, peer in zip(ours, peers, strict=True))
    what = f"{IMAGES:,} images before and after a sigmoid"
    return [Row(what, statistics.median(ours), statistics.median(peers), "s", ratio, GOAL)]


def _batches() -> list[Tensor]:
    """Return 10,000 images in batches: the test images, repeated where there are fewer (the built-in sample)."""
    found = data.cifar10(train=False, announce=False)
    pixels = found.pixels.repeat(-(-IMAGES // len(found)), 1, 1, 1)[:IMAGES].float() / 255
    return list(pixels.split(BATCH))


def _plain_loop(name: str, batches: list[Tensor], folder: str) -> None:
    """Log as any project would."""
    writer = SummaryWriter(folder)
    with torch.no_grad():
        for step, images in enumerate(batches):
            writer.add_images(f"{name}/input", images, step)
            writer.add_images(f"{name}/output", torch.sigmoid(images), step)
    writer.close()


def _compare(ours: str, peers: str) -> None:
    """Raise AssertionError unless both folders hold the same tags, steps and pixels."""
    one, other = (board.read(Path(folder)).images for folder in (ours, peers))
    assert {tag: list(steps) for tag, steps in one.items()} == {tag: list(steps) for tag, steps in other.items()}
    assert all(torch.equal(one[tag][step], other[tag][step]) for tag in one for step in one[tag])
