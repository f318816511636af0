"""Pictures of what convolutions do: edges of photos, feature maps side by side, and a published reshape to mend."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.checking.bank.convolution.sizes import CHAPTER
from tutor.checking.exercise import CONDUCT, CORE, GRADIENT, Case, Draw, Exercise

# Sobel's two kernels, as a cross-correlation takes them: positive where it gets brighter to the right, and downwards.
# Source: I. Sobel and G. Feldman, "A 3x3 Isotropic Gradient Operator for Image Processing", 1968.
SOBEL = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
PREWITT = torch.tensor([[-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]])
LUMA = torch.tensor([0.299, 0.587, 0.114])  # ITU-R BT.601


def _edges(images: Tensor, *, wrong: frozenset[str] = frozenset()) -> Tensor:
    if images.shape[1] != 3:
        raise ValueError("edges takes colour pictures, (N, 3, H, W)")
    if "first-channel-only" in wrong:
        grey = images[:, :1]
    elif "weighted-grey" in wrong:
        grey = (images * LUMA.to(images.dtype).view(3, 1, 1)).sum(1, keepdim=True)
    else:
        grey = images.sum(1, keepdim=True) if "sum-for-mean" in wrong else images.mean(1, keepdim=True)
    across = PREWITT if "prewitt" in wrong else SOBEL
    across = across.to(images.dtype) / (8 if "divided-by-eight" in wrong else 1)
    kernels = torch.stack([across.T, across] if "x-and-y-swapped" in wrong else [across, across.T]).unsqueeze(1)
    if "signs-reversed" in wrong:
        kernels = -kernels
    if "no-padding" not in wrong:
        grey = F.pad(grey, (1, 1, 1, 1), mode="replicate" if "edge-repeated" in wrong else "constant")
    result = F.conv2d(grey, kernels)
    return result.abs() if "absolute" in wrong else result


edges = Exercise("edges", CHAPTER, lambda images: _edges(images), links=[[(0, 0)], [(0, 1)], [(0, 2)], [(0, 3)]])


@edges.cases
def _(draw: Draw) -> Iterable[Case]:
    yield Case(CORE, (draw.uniform(2, 3, draw.size(3), draw.size(4), low=0.6, high=9.0),))
    yield Case(CORE, (draw.uniform(1, 3, draw.size(5), draw.size(3), low=0.6, high=9.0),))
    yield Case(GRADIENT, (draw.uniform(1, 3, 3, draw.size(4)),), gradient=True)
    yield Case(CONDUCT, (draw.uniform(2, 3, 4, draw.size(5)).float(),))


edges.model(
    "first-channel-only",
    "sum-for-mean",
    "weighted-grey",
    "prewitt",
    "divided-by-eight",
    "x-and-y-swapped",
    "signs-reversed",
    "no-padding",
    "edge-repeated",
    "absolute",
)(_edges)
edges.twin("magnitude")(lambda images: _edges(images).square().sum(1, keepdim=True).sqrt())
edges.twin("y-forgotten")(lambda images: _edges(images)[:, :1])
edges.twin("x-twice")(lambda images: _edges(images)[:, :1].expand(-1, 2, -1, -1))
edges.twin("colours-apart")(
    lambda images: F.conv2d(
        images, torch.stack([SOBEL, SOBEL.T] * 3).unsqueeze(1).to(images.dtype), padding=1, groups=3
    )
)
edges.twin("two-differences")(lambda images: _differences(images.mean(1)))


def _differences(grey: Tensor) -> Tensor:
    """Take one difference in each direction, without smoothing along the other."""
    wide = F.pad(grey, (1, 1, 1, 1))
    return torch.stack([wide[:, 1:-1, 2:] - wide[:, 1:-1, :-2], wide[:, 2:, 1:-1] - wide[:, :-2, 1:-1]], 1)


def tiled(maps: Tensor) -> Tensor:
    """Return (N, 1, H, C*W): the maps of each image (N, C, H, W) side by side."""
    n, channels, height, width = maps.shape
    return maps.permute(0, 2, 1, 3).reshape(n, 1, height, channels * width)


tile_maps = Exercise("tile_maps", CHAPTER, lambda maps: tiled(maps), links=[[(0, 0)], [(0, 1)], [(0, 2)], [(0, 3)]])


def _maps(draw: Draw, *shape: int) -> Tensor:
    return draw.off_zero(*shape, low=0.6, high=20.0)


@tile_maps.cases
def _(draw: Draw) -> Iterable[Case]:
    yield Case(CORE, (_maps(draw, 2, 3, draw.size(2), draw.size(4)),))
    yield Case(CORE, (_maps(draw, draw.size(3), 6, draw.size(3), 2),))
    yield Case("other shapes", (_maps(draw, 1, 4, draw.size(2), draw.size(3)),))
    yield Case("other shapes", (_maps(draw, draw.size(2), 1, draw.size(3), 2),))
    yield Case(CONDUCT, (_maps(draw, 2, 3, 2, draw.size(3)).float(),))


def _reshaped(
    order: tuple[int, ...] | None, shape: Callable[[int, int, int, int], tuple[int, ...]]
) -> Callable[[Tensor], Tensor]:
    """Return a function that moves the axes into an order (None: leaves them) and reshapes."""

    def reshape(maps: Tensor) -> Tensor:
        moved = maps if order is None else maps.permute(order)
        return moved.reshape(shape(*maps.shape))

    return reshape


_tiled = tile_maps.twin
_tiled("reshaped-directly")(_reshaped(None, lambda n, c, h, w: (n, 1, h, c * w)))
_tiled("images-mixed")(_reshaped((2, 0, 1, 3), lambda n, c, h, w: (n, 1, h, c * w)))
_tiled("maps-mixed")(_reshaped((0, 2, 3, 1), lambda n, c, h, w: (n, 1, h, c * w)))
_tiled("stacked")(_reshaped(None, lambda n, c, h, w: (n, 1, c * h, w)))
_tiled("turned")(_reshaped((0, 3, 1, 2), lambda n, c, h, w: (n, 1, w, c * h)))
_tiled("by-map")(_reshaped((1, 2, 0, 3), lambda n, c, h, w: (c, 1, h, n * w)))
_tiled("batch-in-one-row")(_reshaped((2, 0, 1, 3), lambda n, c, h, w: (1, 1, h, n * c * w)))
_tiled("batch-flattened")(_reshaped(None, lambda n, c, h, w: (n * c * h * w,)))
_tiled("channel-axis-missing")(_reshaped((0, 2, 1, 3), lambda n, c, h, w: (n, h, c * w)))
_tiled("three-channels")(_reshaped(None, lambda n, c, h, w: (-1, 3, h, w)))
_tiled("single-maps")(_reshaped(None, lambda n, c, h, w: (n * c, 1, h, w)))
_tiled("first-three-as-colours")(lambda maps: maps[:, :3])
_tiled("mean-of-maps")(lambda maps: maps.mean(1, keepdim=True))
_tiled("first-map-only")(lambda maps: maps[:, :1])
_tiled("first-image-only")(lambda maps: tiled(maps[:1]))
_tiled("last-map-first")(lambda maps: tiled(maps.flip(1)))
_tiled("rescaled")(lambda maps: tiled((maps - maps.amin()) / (maps.amax() - maps.amin())))

mend_reshape = Exercise(
    "mend_reshape",
    CHAPTER,
    lambda maps: maps.reshape(-1, 1, *maps.shape[2:]),
    links=[[(0, 0)], [(0, 1)], [(0, 2)], [(0, 3)]],
)


@mend_reshape.cases
def _(draw: Draw) -> Iterable[Case]:
    yield Case(CORE, (_maps(draw, 2, 6, 30, 30),))
    yield Case(CORE, (_maps(draw, draw.size(3), 6, 30, 30),))
    yield Case("other shapes", (_maps(draw, draw.size(2), 6, 15, 20),))  # 1800 numbers an image: two of 30 x 30 fit
    yield Case("other shapes", (_maps(draw, 2, 6, draw.size(2), draw.size(3)),))
    yield Case("other shapes", (_maps(draw, draw.size(1), 6, 4, draw.size(2)),))
    yield Case(CONDUCT, (_maps(draw, 1, 6, 30, 30).float(),))


_mended = mend_reshape.twin
_mended("unchanged")(lambda maps: torch.reshape(maps, (-1, 3, 30, 30)))
_mended("three-channels")(_reshaped(None, lambda n, c, h, w: (-1, 3, h, w)))
_mended("thirty-by-thirty")(lambda maps: torch.reshape(maps, (-1, 1, 30, 30)))
_mended("by-map")(_reshaped((1, 0, 2, 3), lambda n, c, h, w: (n * c, 1, h, w)))
_mended("rows-first")(_reshaped((0, 2, 1, 3), lambda n, c, h, w: (n * c, 1, h, w)))
_mended("channels-last")(_reshaped((0, 2, 3, 1), lambda n, c, h, w: (n * c, 1, h, w)))
_mended("turned")(lambda maps: maps.transpose(2, 3).reshape(-1, 1, maps.shape[3], maps.shape[2]))
_mended("one-tall-picture")(_reshaped(None, lambda n, c, h, w: (n, 1, c * h, w)))
_mended("channel-axis-missing")(_reshaped(None, lambda n, c, h, w: (n * c, h, w)))
_mended("three-maps-dropped")(lambda maps: maps[:, :3])
_mended("first-map-only")(lambda maps: maps[:, :1])
_mended("mean-of-maps")(lambda maps: maps.mean(1, keepdim=True))
_mended("colours-repeated")(lambda maps: maps.reshape(-1, 1, *maps.shape[2:]).repeat(1, 3, 1, 1))
_mended("not-reshaped")(lambda maps: maps)
