"""The worked example on paper, and how much a layer's output changes when its images move a little."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.checking.apparatus.pooling import blurred, brighter, largest, signed
from tutor.checking.bank.pooling.judging import as_float, grid
from tutor.checking.bank.pooling.windows import CHAPTER
from tutor.checking.exercise import CORE, RIGHT, Case, Draw, Exercise

predict_pooling = Exercise("predict_pooling", CHAPTER, lambda: ([[6.0, 4.0], [7.0, 9.0]], [[3.75, 2.25], [4.5, 5.0]]))


@predict_pooling.cases
def _(draw: Draw) -> Iterable[Case]:
    yield Case(CORE, (), judge=partial(grid, "maximum"))
    yield Case("average", (), judge=partial(grid, "average"))


MAXIMA, MEANS = [[6.0, 4.0], [7.0, 9.0]], [[3.75, 2.25], [4.5, 5.0]]
predict_pooling.twin("stride-one")(
    lambda: (
        [[6.0, 6.0, 4.0], [7.0, 8.0, 8.0], [7.0, 9.0, 9.0]],
        [[3.75, 3.0, 2.25], [5.0, 4.25, 3.5], [4.5, 6.0, 5.0]],
    )
)
predict_pooling.twin("two-swapped")(lambda: (MEANS, MAXIMA))
predict_pooling.twin("columns-first")(lambda: ([[6.0, 7.0], [4.0, 9.0]], [[3.75, 4.5], [2.25, 5.0]]))
predict_pooling.twin("every-second-number")(lambda: ([[1.0, 2.0], [7.0, 8.0]], [[1.0, 2.0], [7.0, 8.0]]))
predict_pooling.twin("sums")(lambda: (MAXIMA, [[15.0, 9.0], [18.0, 20.0]]))
predict_pooling.twin("rounded-down")(lambda: (MAXIMA, [[3.0, 2.0], [4.0, 5.0]]))
predict_pooling.twin("rounded")(lambda: (MAXIMA, [[4.0, 2.0], [4.0, 5.0]]))
predict_pooling.twin("medians")(lambda: (MAXIMA, [[4.0, 1.5], [4.5, 5.5]]))
predict_pooling.twin("smallest-and-largest")(lambda: (MAXIMA, [[3.5, 2.5], [4.5, 4.5]]))
predict_pooling.twin("divided-by-two")(lambda: (MAXIMA, [[7.5, 4.5], [9.0, 10.0]]))
predict_pooling.twin("minimum")(lambda: ([[1.0, 1.0], [2.0, 0.0]], MEANS))
predict_pooling.twin("rows-pooled")(
    lambda: ([[3.0, 4.0], [6.0, 2.0], [7.0, 8.0], [5.0, 9.0]], [[2.0, 3.0], [5.5, 1.5], [4.5, 5.5], [4.5, 4.5]])
)


def _change(layer: Callable[[Tensor], Tensor], images: Tensor, shift: int, *, wrong: frozenset[str] = RIGHT) -> Tensor:
    dim = 2 if "moved-down" in wrong else 1 if "channels-moved" in wrong else 0 if "batch-moved" in wrong else 3
    far = -shift if "moved-left" in wrong else 1 if "always-one" in wrong else shift
    if "zeros-moved-in" in wrong:
        moved = F.pad(images, (far, 0))[..., : images.shape[-1]]
    elif "edge-repeated" in wrong:
        moved = torch.cat([images[..., :1].expand(*images.shape[:-1], far), images], -1)[..., : images.shape[-1]]
    else:
        moved = torch.roll(images, far, dim)
    before = layer(images)
    after = torch.roll(before, far, dim) if "output-moved" in wrong else layer(moved)
    if "layer-forgotten" in wrong:
        before, after = images, moved
    difference = after - before
    size = after if "relative-to-moved" in wrong else before
    if "signs-cancel" in wrong:
        return (difference.mean() / size.mean()).abs()
    if "sizes-cancel" in wrong:
        return difference.abs().mean() / size.mean()
    if "squared" in wrong:
        return difference.square().mean() / size.square().mean()
    if "root-of-squares" in wrong:
        return (difference.square().mean() / size.square().mean()).sqrt()
    if "each-ratio" in wrong:
        return (difference.abs() / size.abs()).mean()
    if "not-divided" in wrong:
        return difference.abs().mean()
    if "divided-by-largest" in wrong:
        return difference.abs().mean() / size.abs().max()
    if "relative-to-images" in wrong:
        return difference.abs().mean() / images.abs().mean()
    return difference.abs().mean() / size.abs().mean()


shift_change = Exercise("shift_change", CHAPTER, lambda layer, images, shift: _change(layer, images, shift))


@shift_change.cases
def _(draw: Draw) -> Iterable[Case]:
    for layer, shift in ((largest, 1), (blurred, 2), (signed, 1), (brighter, 3)):
        images = draw.uniform(2, 3, draw.size(6), draw.size(7), low=0.1) ** 2
        yield Case(CORE, (layer, images, shift), judge=as_float)
    yield Case("a single channel", (largest, draw.uniform(1, 1, 4, draw.size(5), low=0.1), 2), judge=as_float)


shift_change.model(
    "moved-down",
    "moved-left",
    "batch-moved",
    "zeros-moved-in",
    "edge-repeated",
    "always-one",
    "output-moved",
    "layer-forgotten",
    "relative-to-moved",
    "relative-to-images",
    "signs-cancel",
    "sizes-cancel",
    "squared",
    "root-of-squares",
    "each-ratio",
    "not-divided",
    "divided-by-largest",
)(_change)
