"""Batches as pictures: the pixels of SummaryWriter.add_images, feature maps that don't mix, scales that are said."""

import io

import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.utils.tensorboard.summary import image as summary_image

from tutor.board import BoardError, feature_maps
from tutor.board.grids import IMAGE_GAP, MAP_GAP, levels, pictures


def as_add_images(batch: Tensor) -> Tensor:
    """Return what SummaryWriter.add_images stores for a batch, uint8 (3, H, W)."""
    encoded = summary_image("tag", batch).value[0].image.encoded_image_string
    with Image.open(io.BytesIO(encoded)) as png:
        return torch.tensor(list(png.convert("RGB").tobytes())).view(*png.size[::-1], 3).permute(2, 0, 1).byte()


@pytest.mark.parametrize("number", [1, 5, 8, 9, 24])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_lie_as_add_images_puts_them(number: int, channels: int) -> None:
    batch = torch.rand(number, channels, 6, 4)
    assert torch.equal(pictures(batch).expand(3, -1, -1), as_add_images(batch))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_every_level_of_grey_is_rounded_as_add_images_does(dtype: torch.dtype) -> None:
    around = torch.arange(256, dtype=torch.float64).div(255)
    values = torch.cat([around, around.nextafter(torch.tensor(1.0, dtype=torch.float64)), torch.rand(488).double()])
    batch = values.to(dtype).clamp(0, 1).view(1, 1, 40, 25)
    assert torch.equal(pictures(batch).expand(3, -1, -1), as_add_images(batch))


def test_bytes_stay_as_they_are_and_are_copied() -> None:
    batch = torch.randint(0, 256, (3, 3, 4, 4), dtype=torch.uint8)
    assert torch.equal(pictures(batch), as_add_images(batch))
    assert levels(batch, "unit", "it").data_ptr() != batch.data_ptr()


def test_each_map_keeps_to_its_own_tile() -> None:
    maps = torch.rand(3, 5, 4, 6)
    picture = feature_maps(maps)
    assert picture.dtype == torch.uint8
    assert picture.shape == (1, 3 * 4 + 2 * IMAGE_GAP, 5 * 6 + 4 * MAP_GAP)
    seen = torch.zeros_like(picture[0], dtype=torch.bool)
    for n in range(3):
        for c in range(5):
            tile = (
                slice(n * (4 + IMAGE_GAP), n * (4 + IMAGE_GAP) + 4),
                slice(c * (6 + MAP_GAP), c * (6 + MAP_GAP) + 6),
            )
            assert torch.equal(picture[0][tile], (maps[n, c] * 255).byte())
            seen[tile] = True
    assert (picture[0][~seen] == 128).all()


def test_other_channel_counts_become_feature_maps() -> None:
    maps = torch.rand(2, 6, 4, 4)
    assert torch.equal(pictures(maps), feature_maps(maps))


def test_scales() -> None:
    values = torch.tensor([[[[-1.0, 0.0], [1.0, 3.0]], [[10.0, 10.0], [15.0, 20.0]]]])  # two maps

    def grey(scale: object) -> list[list[int]]:
        return levels(values, scale, "it").flatten(2)[0].tolist()  # type: ignore[arg-type]

    assert grey("clip") == [[0, 0, 255, 255], [255, 255, 255, 255]]
    assert grey((-1, 3)) == [[0, 63, 127, 255], [255, 255, 255, 255]]
    assert grey("batch") == [[0, 12, 24, 48], [133, 133, 194, 255]]
    assert grey("tile") == [[0, 63, 127, 255], [0, 0, 127, 255]]
    photo = values.expand(1, 2, 2, 2)[:, :1].repeat(1, 3, 1, 1) * torch.tensor([1.0, 2.0, 4.0]).view(1, 3, 1, 1)
    assert levels(photo, "tile", "it")[0, 2].flatten().tolist() == [0, 63, 127, 255]  # its colours share a range
    assert int(levels(photo, "tile", "it")[0, 0].max()) < 128


def test_one_value_alone_is_black() -> None:
    assert levels(torch.full((1, 2, 2, 2), 7.0), "tile", "it").max() == 0


def test_values_outside_are_never_cut_off_silently() -> None:
    batch = torch.zeros(1, 3, 2, 2)
    batch[0, 0, 0, 0] = -0.25
    with pytest.raises(
        BoardError, match=r"It has values from -0.25 to 0, and a picture shows 0 to 1; say how .*'batch'"
    ):
        levels(batch, "unit", "it")
    assert levels(torch.full((1, 3, 2, 2), 1 + 1e-7), "unit", "it").min() == 255  # rounding only


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([1, 2], "The output is of type list, not a tensor; "),
        (None, "The output is of type NoneType, not a tensor; "),
        (
            torch.rand(3, 4, 4),
            r"The output has shape \(3, 4, 4\), so it has no batch axis; add one with .*unsqueeze\(0\)",
        ),
        (torch.rand(64, 10), r"The output has shape \(64, 10\), which is no batch of images; .*add_histogram"),
        (torch.rand(0, 3, 4, 4), r"The output has shape \(0, 3, 4, 4\), so there is nothing in it"),
        (torch.zeros(1, 3, 2, 2, dtype=torch.int64), "The output is int64; give floats from 0 to 1"),
        (torch.tensor([[[[0.0]]], [[[torch.nan]]]]), "The output holds NaN or infinite values, first in image 1;"),
        (torch.full((1, 1, 1, 1), torch.inf), "The output holds NaN or infinite values, first in image 0;"),
    ],
)
def test_what_is_no_picture_is_told_in_a_sentence(values: object, sentence: str) -> None:
    with pytest.raises(BoardError, match=sentence):
        pictures(values, what="the output")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scale", "sentence"),
    [
        ("bright", "scale='bright' is unknown; it is 'unit'"),
        ((1, 0), r"scale=\(1, 0\) is no pair of a lower and a higher"),
    ],
)
def test_a_scale_that_is_none(scale: object, sentence: str) -> None:
    with pytest.raises(BoardError, match=sentence):
        feature_maps(torch.rand(1, 2, 2, 2), scale=scale)  # type: ignore[arg-type]
