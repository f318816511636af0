"""The training batches: every image once an epoch, moved and mirrored as asked."""

import pytest
import torch
import torch.nn.functional as F
from test_training import coloured
from torch import Tensor

from tutor.data import CLASSES, Images
from tutor.training.feed import PARTS, Feed

CPU = torch.device("cpu")


def numbered(count: int, side: int = 32) -> Images:
    """Return pictures that all differ, each pixel from its neighbours too; the label is the picture's number modulo 10."""
    made = torch.Generator().manual_seed(1)
    pixels = torch.randint(0, 256, (count, 3, side, side), generator=made, dtype=torch.uint8)
    return Images(pixels, torch.arange(count) % 10, CLASSES, "sample")


def whole(feed: Feed, number: int) -> tuple[Tensor, Tensor]:
    pictures, labels = zip(*feed.epoch(number), strict=True)
    return torch.cat(pictures), torch.cat(labels)


def test_an_epoch_shows_every_image_once_with_its_label_in_another_order_each_time() -> None:
    images = numbered(60)
    feed = Feed(images, 20, crop=0, flip=False, seed=0, device=CPU)
    orders = []
    for number in range(2):
        pictures, labels = whole(feed, number)
        assert pictures.dtype == torch.float32 and labels.dtype == torch.int64
        found = [int((images.pixels / 255 - picture).abs().flatten(1).amax(1).argmin()) for picture in pictures]
        assert sorted(found) == list(range(60))
        assert torch.allclose(pictures, images.pixels[found] / 255, rtol=0, atol=1e-6)
        assert torch.equal(labels, images.labels[found])
        orders.append(found)
    assert orders[0] != orders[1] and orders[0] != list(range(60))


def test_the_same_seed_and_number_give_the_same_batches_and_others_others() -> None:
    images = numbered(40)
    first, again, other = (whole(Feed(images, 20, crop=2, flip=True, seed=s, device=CPU), 3)[0] for s in (5, 5, 6))
    assert torch.equal(first, again) and not torch.equal(first, other)


@pytest.mark.parametrize(("crop", "flip"), [(2, False), (0, True), (3, True)])
def test_each_picture_is_a_crop_of_its_mirrored_border_flipped_or_not(crop: int, flip: bool) -> None:
    images = numbered(8 * PARTS, side=12)
    feed = Feed(images, 8 * PARTS, crop=crop, flip=flip, seed=0, device=CPU)
    plain = Feed(images, 8 * PARTS, crop=0, flip=False, seed=0, device=CPU)
    seen = set()
    for number in range(12):
        moved, straight = whole(feed, number)[0], whole(plain, number)[0]
        for part, before in zip(moved.chunk(PARTS), straight.chunk(PARTS), strict=True):
            wide = F.pad(before, (crop,) * 4, mode="reflect")
            ways = {
                (top, left, mirrored): wide[:, :, top : top + 12, left : left + 12].flip(3 if mirrored else ())
                for top in range(2 * crop + 1)
                for left in range(2 * crop + 1)
                for mirrored in (False, True)
            }
            found = [way for way, pictures in ways.items() if torch.equal(pictures, part)]
            assert len(found) == 1
            seen.add(found[0])
    assert {way[0] for way in seen} == {way[1] for way in seen} == set(range(2 * crop + 1))
    assert {way[2] for way in seen} == ({False, True} if flip else {False})


def test_batches_lie_channels_last_in_memory() -> None:
    pictures, _ = next(Feed(coloured(), 20, crop=2, flip=True, seed=0, device=CPU).epoch(0))
    assert pictures.shape == (20, 3, 32, 32)
    assert pictures.is_contiguous(memory_format=torch.channels_last)
