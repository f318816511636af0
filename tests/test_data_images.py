"""Batches of images in memory: what is in them, in which order, and whose they are."""

import pytest
import torch
from torchvision.transforms import ToTensor
from torchvision.transforms.functional import to_pil_image

from tutor.data import CLASSES, Images


@pytest.fixture
def images() -> Images:
    pixels = torch.randint(0, 256, (100, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))
    pixels[0, 0].flatten()[:256] = torch.arange(256, dtype=torch.uint8)
    return Images(pixels, torch.arange(100) % 10, CLASSES, "original")


def test_batches_hold_every_image_once_in_order(images: Images) -> None:
    batches = list(images.batches(32))
    assert [tuple(pixels.shape) for pixels, _ in batches] == [(32, 3, 32, 32)] * 3 + [(4, 3, 32, 32)]
    assert torch.equal(torch.cat([labels for _, labels in batches]), images.labels)
    assert {pixels.dtype for pixels, _ in batches} == {torch.float32}


def test_values_are_those_of_totensor(images: Images) -> None:
    expected = torch.stack([ToTensor()(to_pil_image(picture)) for picture in images.pixels])
    pixels = torch.cat([pixels for pixels, _ in images.batches(32)])
    assert torch.allclose(pixels, expected, rtol=2**-23, atol=0)
    assert (pixels.min(), pixels.max()) == (0, 1)
    assert torch.equal(pixels == 1, images.pixels == 255)


def test_drop_last_and_limit(images: Images) -> None:
    assert [len(labels) for _, labels in images.batches(32, drop_last=True)] == [32, 32, 32]
    assert [len(labels) for _, labels in images.batches(50, drop_last=True)] == [50, 50]
    assert [len(labels) for _, labels in images.batches(32, limit=2)] == [32, 32]
    assert [len(labels) for _, labels in images.batches(32, limit=9)] == [32, 32, 32, 4]
    assert list(images.batches(32, limit=0)) == []
    assert list(images.batches(101, drop_last=True)) == []


def test_shuffling_keeps_image_and_label_together(images: Images) -> None:
    numbered = Images(images.pixels, torch.arange(100), images.classes, images.source)
    batches = list(numbered.batches(32, shuffle=True))
    order = torch.cat([labels for _, labels in batches])
    assert sorted(order.tolist()) == list(range(100))
    assert not torch.equal(order, torch.arange(100))
    assert torch.equal(torch.cat([pixels for pixels, _ in batches]), images.pixels[order] * torch.tensor(1 / 255))


def test_the_seed_alone_decides_the_order(images: Images) -> None:
    def order(seed: int) -> list[int]:
        numbered = Images(images.pixels, torch.arange(100), images.classes, images.source)
        return [int(k) for _, labels in numbered.batches(7, shuffle=True, seed=seed) for k in labels]

    first = order(5)
    torch.manual_seed(99)
    assert order(5) == first
    assert order(6) != first


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_batch_is_the_callers_own(images: Images, shuffle: bool) -> None:
    before = images.pixels.clone(), images.labels.clone()
    for pixels, labels in images.batches(32, shuffle=shuffle):
        pixels.zero_()
        labels.fill_(-1)
    assert torch.equal(images.pixels, before[0])
    assert torch.equal(images.labels, before[1])


@pytest.mark.parametrize("size", [0, -1, 2.5, True, "64"])
def test_a_wrong_size_is_refused_at_the_call(images: Images, size: object) -> None:
    with pytest.raises(ValueError, match="size must be a whole number of pictures, 1 or more, and not"):
        images.batches(size)  # type: ignore[arg-type]


@pytest.mark.parametrize("limit", [-1, 0.5, True])
def test_a_wrong_limit_is_refused_at_the_call(images: Images, limit: object) -> None:
    with pytest.raises(ValueError, match="limit must be None or a whole number of batches, 0 or more, and not"):
        images.batches(limit=limit)  # type: ignore[arg-type]


def test_its_repr_tells_the_sample_from_cifar10(images: Images) -> None:
    assert repr(images) == "Images(100 CIFAR-10 images, 10 classes)"
    drawn = Images(images.pixels, images.labels, images.classes, "sample")
    assert repr(drawn) == "Images(100 drawn pictures, not CIFAR-10, 10 classes)"
