"""How many images a second the batches give, against torchvision's dataset, ``ToTensor`` and ``DataLoader``."""

import hashlib
import pickle
import statistics
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torchvision.datasets import CIFAR10
from torchvision.transforms import ToTensor

from bench import Row
from tutor.data import CLASSES, Images, sample
from tutor.data.original import read

NAME = "images a second from batches"
GOAL = ">= 50x"
IMAGES = 10_000
SIZE = 64
PAIRS = 9


def write_original(root: Path) -> type[CIFAR10]:
    """Write 10,000 drawn pictures as CIFAR-10's own test batch, and return the class that has its checksums."""
    drawn = sample.draw(train=True)
    pixels, labels = (torch.cat([part, part])[:IMAGES] for part in (drawn.pixels, drawn.labels))
    files = {
        "test_batch": {"data": pixels.reshape(IMAGES, -1).numpy(), "labels": labels.tolist()},
        "batches.meta": {"label_names": list(CLASSES)},
    }
    folder = root / CIFAR10.base_folder
    folder.mkdir()
    md5 = {}
    for name, content in files.items():
        raw = pickle.dumps(content)
        (folder / name).write_bytes(raw)
        md5[name] = hashlib.md5(raw, usedforsecurity=False).hexdigest()
    own = {
        "train_list": [],
        "test_list": [["test_batch", md5["test_batch"]]],
        "meta": {"filename": "batches.meta", "key": "label_names", "md5": md5["batches.meta"]},
    }
    return type("Drawn", (CIFAR10,), own)


def images_a_second(batches: Iterable[tuple[Tensor, Tensor]]) -> float:
    """Return the speed of one pass over the batches."""
    start = time.perf_counter()
    count = sum(len(labels) for _, labels in batches)
    seconds = time.perf_counter() - start
    assert count == IMAGES, f"{count} images instead of {IMAGES}"
    return count / seconds


def check_equal(images: Images, loader: DataLoader[tuple[Tensor, Tensor]]) -> None:
    """Stop unless both give the same values in the same order."""
    for ours, theirs in zip(images.batches(SIZE), loader, strict=True):
        same = torch.allclose(ours[0], theirs[0], rtol=2**-23, atol=0) and torch.equal(ours[1], theirs[1])
        assert same, "ours and the peer's differ"


def measure() -> list[Row]:
    """Run both over the same images in turns, after one unmeasured pass of each that also compares them."""
    with tempfile.TemporaryDirectory() as name:
        dataset = write_original(Path(name))
        images = read(Path(name), False, dataset, announce=False)
        loaders = {
            shuffle: DataLoader(dataset(name, train=False, transform=ToTensor()), SIZE, shuffle=shuffle)
            for shuffle in (False, True)
        }
    check_equal(images, loaders[False])
    rows = []
    for shuffle, loader in loaders.items():
        pairs = [
            (images_a_second(images.batches(SIZE, shuffle=shuffle)), images_a_second(loader)) for _ in range(PAIRS)
        ]
        ours, peer = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(ours / peer for ours, peer in pairs)
        what = f"batches of {SIZE}{', shuffled' if shuffle else ''} / ToTensor + DataLoader"
        rows.append(Row(what, ours, peer, "images/s", ratio, "" if shuffle else GOAL))
    return rows
