"""The built-in sample: the same bytes everywhere, balanced, mixed, learnable but not trivial."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from tutor.data import CLASSES, Images
from tutor.data.sample import draw

# The pictures are part of the course: solutions show numbers that come from them. Whoever changes a picture on
# purpose builds the solutions anew and writes the new sum here.
SHA256 = {
    True: "20df94b32d9d264e2e297b2476158d9970fc212ce6bdde84774a1b572d1571bf",
    False: "762144ea506ced59d81f976148354b1737a2cdc0afa162a1226cb44659fe10ee",
}
DIGEST = """
import hashlib
from tutor.data.sample import draw
test = draw(False)
print(hashlib.sha256(test.pixels.numpy().tobytes() + test.labels.numpy().tobytes()).hexdigest())
"""


@pytest.fixture(scope="module")
def drawn() -> dict[bool, Images]:
    return {train: draw(train) for train in (True, False)}


def sha256(images: Images) -> str:
    return hashlib.sha256(images.pixels.numpy().tobytes() + images.labels.numpy().tobytes()).hexdigest()


@pytest.mark.parametrize("train", [True, False])
def test_the_pictures_are_those_of_every_machine(drawn: dict[bool, Images], train: bool) -> None:
    assert sha256(drawn[train]) == SHA256[train]


def test_no_processor_feature_changes_a_byte() -> None:
    optional = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    world = {**os.environ, "NPY_DISABLE_CPU_FEATURES": ",".join(optional)}
    plain = subprocess.run([sys.executable, "-c", DIGEST], env=world, capture_output=True, text=True, check=True)
    assert plain.stdout.strip() == SHA256[False]


@pytest.mark.parametrize(("train", "size"), [(True, 5000), (False, 1000)])
def test_size_type_and_balance(drawn: dict[bool, Images], train: bool, size: int) -> None:
    images = drawn[train]
    assert (tuple(images.pixels.shape), images.pixels.dtype) == ((size, 3, 32, 32), torch.uint8)
    assert (tuple(images.labels.shape), images.labels.dtype) == ((size,), torch.int64)
    assert images.labels.bincount().tolist() == [size // 10] * 10
    assert (images.classes, images.source) == (CLASSES, "sample")


def test_every_batch_mixes_the_classes(drawn: dict[bool, Images]) -> None:
    assert all(len(labels.unique()) >= 8 for _, labels in drawn[True].batches(64, drop_last=True))


def test_no_picture_is_drawn_twice(drawn: dict[bool, Images]) -> None:
    pictures = [picture.numpy().tobytes() for images in drawn.values() for picture in images.pixels]
    assert len(set(pictures)) == len(pictures) == 6000


def test_pictures_use_the_range_of_values(drawn: dict[bool, Images]) -> None:
    pixels = drawn[True].pixels.float()
    assert pixels.min() == 0
    assert pixels.max() == 255
    assert 40 < pixels.std() < 90
    assert all(picture.std() > 5 for picture in pixels)


def test_a_small_network_learns_them_but_not_all_at_once(drawn: dict[bool, Images]) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 16, 5, stride=2), nn.ReLU(), nn.Conv2d(16, 32, 5, stride=2), nn.ReLU(),
        nn.Flatten(), nn.Linear(32 * 5 * 5, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    for epoch in range(2):
        for pixels, labels in drawn[True].batches(50, shuffle=True, seed=epoch):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(pixels), labels).backward()
            optimizer.step()
    with torch.no_grad():
        right = sum((network(pixels).argmax(1) == labels).sum().item() for pixels, labels in drawn[False].batches(500))
    assert 0.4 < right / 1000 < 0.95


def test_another_stream_has_other_pictures_of_the_same_kind(drawn: dict[bool, Images]) -> None:
    one, again, other = (draw(False, stream=stream) for stream in (7, 7, 2**31))
    assert sha256(one) == sha256(again)
    assert len({sha256(one), sha256(other), sha256(drawn[False])}) == 3
    assert one.labels.bincount().tolist() == [100] * 10
    known = {picture.numpy().tobytes() for images in (drawn[True], drawn[False], other) for picture in images.pixels}
    assert not known & {picture.numpy().tobytes() for picture in one.pixels}
