"""Counting: batches and what is left over, and the parameters of a convolution and of a linear layer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tutor.checking.bank.linear.judging import whole_numbers
from tutor.checking.bank.linear.layer import CHAPTER
from tutor.checking.exercise import CORE, RIGHT, Case, Draw, Exercise


def _batches(samples: int, batch_size: int, drop_last: bool = False, *, wrong: frozenset[str] = RIGHT) -> Any:
    full, rest = divmod(samples, batch_size)
    if "drop-last-turned-round" in wrong:
        drop_last = not drop_last
    if "drop-last-ignored" in wrong:
        drop_last = False
    if "rest-always-dropped" in wrong:
        drop_last = True
    number = full if drop_last or not rest else full + 1
    if "one-too-many-when-exact" in wrong and not drop_last:
        number = full + 1
    last = batch_size if full else 0
    if not drop_last and rest:
        last = rest
    if "last-taken-for-full" in wrong:
        last = batch_size if number else 0
    if "rest-of-zero" in wrong and not rest and not drop_last:
        last = 0
    if "rest-though-dropped" in wrong and drop_last:
        last = rest
    if "rounded" in wrong and not drop_last:
        number = round(samples / batch_size)
    return (last, number) if "order-swapped" in wrong else (number, last)


count_batches = Exercise(
    "count_batches",
    CHAPTER,
    lambda samples, batch_size, drop_last=False: _batches(samples, batch_size, drop_last),
)


@count_batches.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, samples: int, batch_size: int, **options: bool) -> Case:
        return Case(aspect, (samples, batch_size), options, judge=whole_numbers)

    more = draw.integer(0, 3) if draw.hidden else 0  # none of which leaves nothing over, but where that is asked
    yield case(CORE, 10000, 64 + more)
    yield case(CORE, 23 + more, 9)
    yield case(CORE, 7 + 3 * more, 2 + more)
    yield case(CORE, 9 + 3 * more, 4 + more)
    yield case(CORE, 31 + more, 29)
    yield case("nothing left over", 8 * (4 + more), 8)
    yield case("nothing left over", 6 + more, 6 + more)
    yield case("drop_last", 10000, 64 + more, drop_last=True)
    yield case("drop_last", 11 + more, 7 + more, drop_last=True)
    yield case("drop_last", 10 * (3 + more), 10, drop_last=True)
    yield case("a batch size larger than all samples", 5 + more, 9 + more)
    yield case("a batch size larger than all samples", 5 + more, 9 + more, drop_last=True)


count_batches.model(
    "drop-last-ignored",
    "drop-last-turned-round",
    "rest-always-dropped",
    "one-too-many-when-exact",
    "last-taken-for-full",
    "rest-of-zero",
    "rest-though-dropped",
    "rounded",
    "order-swapped",
)(_batches)


@count_batches.twin("rest-for-the-last")
def _(samples: int, batch_size: int, drop_last: bool = False) -> tuple[int, int]:
    number = samples // batch_size if drop_last else -(-samples // batch_size)
    return number, samples % batch_size


def _parameters(
    in_channels: int, height: int, width: int, out_channels: int, kernel_size: int, *, wrong: frozenset[str] = RIGHT
) -> Any:
    side = kernel_size if "kernel-side-once" in wrong else kernel_size * kernel_size
    convolution = (1 if "in-channels-forgotten" in wrong else in_channels) * out_channels * side
    if "convolution-at-every-place" in wrong:
        convolution *= height * width
    if "convolution-bias-forgotten" not in wrong:
        convolution += in_channels * out_channels if "bias-for-each-kernel" in wrong else out_channels
    places = height * height if "height-twice" in wrong else height * width
    into = in_channels if "channels-as-features" in wrong else in_channels * places
    out = out_channels if wrong & {"channels-as-features", "one-output-a-channel"} else out_channels * places
    bias = out_channels if "bias-for-each-channel" in wrong else out
    linear = into * out + (0 if "linear-bias-forgotten" in wrong else bias)
    return (linear, convolution) if "order-swapped" in wrong else (convolution, linear)


parameter_counts = Exercise(
    "parameter_counts",
    CHAPTER,
    lambda in_channels, height, width, out_channels, kernel_size: _parameters(
        in_channels, height, width, out_channels, kernel_size
    ),
)


@parameter_counts.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(*args: int) -> Case:
        return Case(CORE, tuple(args), judge=whole_numbers)

    yield case(2, 3, 4, draw.size(3), 3)
    yield case(3, 32, 32, draw.size(6), 3)
    yield case(draw.size(4), 5, 2, 3, 5)
    yield case(1, draw.size(6), 7, 2, 5)
    yield case(draw.size(3), 4, 6, 1, 1)


parameter_counts.model(
    "kernel-side-once",
    "in-channels-forgotten",
    "convolution-at-every-place",
    "convolution-bias-forgotten",
    "bias-for-each-kernel",
    "height-twice",
    "channels-as-features",
    "one-output-a-channel",
    "bias-for-each-channel",
    "linear-bias-forgotten",
    "order-swapped",
)(_parameters)


@parameter_counts.twin("without-padding")
def _(in_channels: int, height: int, width: int, out_channels: int, kernel_size: int) -> tuple[int, int]:
    convolution = in_channels * out_channels * kernel_size**2 + out_channels
    out = out_channels * (height - kernel_size + 1) * (width - kernel_size + 1)
    return convolution, in_channels * height * width * out + out
