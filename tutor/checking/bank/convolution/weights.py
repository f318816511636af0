"""How many weights a convolution has, and in which shape: one, two and three dimensions, ordinary and separable."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from tutor.checking.bank.convolution.judging import part, two_shapes
from tutor.checking.bank.convolution.sizes import CHAPTER
from tutor.checking.exercise import CORE, Case, Draw, Exercise

separable_parameters = Exercise(
    "separable_parameters",
    CHAPTER,
    lambda in_channels, out_channels, kernel_size: (
        out_channels * in_channels * kernel_size**2,
        in_channels * kernel_size**2 + out_channels * in_channels,
    ),
)


@separable_parameters.cases
def _(draw: Draw) -> Iterable[Case]:
    for aspect, index in ((CORE, 0), ("the separable one", 1)):
        for in_channels, out_channels, kernel_size in (
            (3, draw.size(6), 3),
            (draw.size(16), 32, 5),
            (8, draw.size(5), 1),
        ):
            yield Case(aspect, (in_channels, out_channels, kernel_size), judge=partial(part, index))


def _counts(ordinary: Callable[[int, int, int], int], separable: Callable[[int, int, int], int]) -> Any:
    def both(in_channels: int, out_channels: int, kernel_size: int) -> tuple[int, int]:
        sizes = in_channels, out_channels, kernel_size
        return ordinary(*sizes), separable(*sizes)

    return both


def _ordinary(i: int, o: int, k: int) -> int:
    return o * i * k * k


def _separable(i: int, o: int, k: int) -> int:
    return i * k * k + o * i


_twin = separable_parameters.twin
_twin("kernel-not-squared")(_counts(lambda i, o, k: o * i * k, lambda i, o, k: i * k + o * i))
_twin("biases-counted")(_counts(lambda i, o, k: _ordinary(i, o, k) + o, lambda i, o, k: _separable(i, o, k) + i + o))
_twin("swapped")(_counts(_separable, _ordinary))
_twin("in-channels-forgotten")(_counts(lambda i, o, k: o * k * k, _separable))
_twin("pointwise-forgotten")(_counts(_ordinary, lambda i, o, k: i * k * k))
_twin("depthwise-per-output")(_counts(_ordinary, lambda i, o, k: o * k * k + o * i))
_twin("depthwise-mixes-channels")(_counts(_ordinary, lambda i, o, k: i * i * k * k + o * i))
_twin("depthwise-shared")(_counts(_ordinary, lambda i, o, k: k * k + o * i))
_twin("multiplied")(_counts(_ordinary, lambda i, o, k: i * k * k * o * i))
_twin("pointwise-with-kernel")(_counts(_ordinary, lambda i, o, k: i * k * k + o * i * k * k))
_twin("row-and-column")(_counts(_ordinary, lambda i, o, k: o * i * 2 * k))

# Conv1d(2, 4, kernel_size=3) on (8, 2, 10); Conv2d(3, 6, kernel_size=3) on a batch of 64 pictures, (64, 3, 32, 32);
# Conv3d(3, 6, kernel_size=3) on one clip of 16 frames, (1, 3, 16, 32, 32). For each: the weight's shape, the output's.
ONE = (4, 2, 3), (8, 4, 8)
TWO = (6, 3, 3, 3), (64, 6, 30, 30)
THREE = (6, 3, 3, 3, 3), (1, 6, 14, 30, 30)

predict_conv_shapes = Exercise("predict_conv_shapes", CHAPTER, lambda: (ONE, TWO, THREE), prediction=True)


@predict_conv_shapes.cases
def _(draw: Draw) -> Iterable[Case]:
    yield Case(CORE, (), judge=partial(two_shapes, 1))
    yield Case("one dimension", (), judge=partial(two_shapes, 0))
    yield Case("three dimensions", (), judge=partial(two_shapes, 2))


_predicted = predict_conv_shapes.twin
_predicted("weight-without-channels")(lambda: (((4, 3), ONE[1]), ((6, 3, 3), TWO[1]), ((6, 3, 3, 3), THREE[1])))
_predicted("in-channels-first")(lambda: (((2, 4, 3), ONE[1]), ((3, 6, 3, 3), TWO[1]), ((3, 6, 3, 3, 3), THREE[1])))
_predicted("size-kept")(lambda: ((ONE[0], (8, 4, 10)), (TWO[0], (64, 6, 32, 32)), (THREE[0], (1, 6, 16, 32, 32))))
_predicted("kernel-subtracted-whole")(
    lambda: ((ONE[0], (8, 4, 7)), (TWO[0], (64, 6, 29, 29)), (THREE[0], (1, 6, 13, 29, 29)))
)
_predicted("channels-kept")(lambda: ((ONE[0], (8, 2, 8)), (TWO[0], (64, 3, 30, 30)), (THREE[0], (1, 3, 14, 30, 30))))
_predicted("every-pair-of-channels")(
    lambda: ((ONE[0], (8, 8, 8)), (TWO[0], (64, 18, 30, 30)), (THREE[0], (1, 18, 14, 30, 30)))
)
_predicted("batch-forgotten")(lambda: ((ONE[0], (4, 8)), (TWO[0], (6, 30, 30)), (THREE[0], (6, 14, 30, 30))))
_predicted("channels-last")(lambda: ((ONE[0], (8, 8, 4)), (TWO[0], (64, 30, 30, 6)), (THREE[0], (1, 14, 30, 30, 6))))
_predicted("weight-and-output-swapped")(lambda: (ONE[::-1], TWO[::-1], THREE[::-1]))
_predicted("colours-as-depth")(lambda: (ONE, ((6, 1, 3, 3, 3), (64, 6, 1, 30, 30)), THREE))
_predicted("colours-kept-apart")(lambda: (ONE, (TWO[0], (64, 6, 3, 30, 30)), THREE))
_predicted("frames-as-channels")(lambda: (ONE, TWO, ((6, 16, 3, 3), (1, 6, 30, 30))))
_predicted("frames-kept")(lambda: (ONE, TWO, (THREE[0], (1, 6, 16, 30, 30))))
_predicted("frames-used-up")(lambda: (ONE, TWO, (THREE[0], (1, 6, 30, 30))))
_predicted("kernel-flat-in-time")(lambda: (ONE, TWO, ((6, 3, 3, 3), (1, 6, 16, 30, 30))))
_predicted("square-kernel-for-one")(lambda: (((4, 2, 3, 3), ONE[1]), TWO, THREE))
_predicted("one-convolved-over-channels")(lambda: ((ONE[0], (8, 4, 1, 8)), TWO, THREE))
