"""Counting before computing: output sizes, 'same' padding, receptive fields, numbers of weights, shapes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tutor.checking.bank.convolution.judging import strict, wholes
from tutor.checking.bank.sides import TOGETHER
from tutor.checking.exercise import CONDUCT, CORE, Case, Draw, Exercise

CHAPTER = "02_convolution"


def _size(
    n: int,
    kernel_size: int,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    *,
    wrong: frozenset[str] = frozenset(),
) -> Any:
    padding = 0 if "padding-ignored" in wrong else padding
    padding = -padding if "padding-subtracted" in wrong else padding
    stride = 1 if "stride-ignored" in wrong else stride
    dilation = 1 if "dilation-ignored" in wrong else dilation + 1 if "dilation-zeros-between" in wrong else dilation
    span = dilation * kernel_size if "dilation-times-kernel" in wrong else dilation * (kernel_size - 1) + 1
    room = n + (padding if "padding-once" in wrong else 2 * padding) - (0 if "kernel-not-subtracted" in wrong else span)
    if "plus-one-inside" in wrong:
        return (room + 1) // stride
    steps = -(-room // stride) if "rounded-up" in wrong else room // stride
    return steps if "plus-one-forgotten" in wrong else steps + 1


conv_output_size = Exercise(
    "conv_output_size",
    CHAPTER,
    lambda n, kernel_size, stride=1, padding=0, dilation=1: _size(n, kernel_size, stride, padding, dilation),
)


@conv_output_size.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, n: int, kernel_size: int, **options: int) -> Case:
        return Case(aspect, (n, kernel_size), options, judge=wholes)

    n = draw.size(7)
    yield case(CORE, n, 3)
    yield case(CORE, n + 4, 4)
    yield case(CORE, 5, 5)
    yield case(CORE, draw.size(6), 1)
    # Remainders of a third and a quarter on either side, but no halves: Python rounds those to even, people don't.
    for stride, steps, rest in ((3, 2, 1), (3, 1, 2), (4, draw.size(2), 3), (5, 2, 1), (2, 3, 0)):
        yield case("stride", 3 + steps * stride + rest, 3, stride=stride)
    yield case("stride", 5, 4, stride=3)
    for kernel_size, padding in ((3, 1), (5, 2), (4, 1), (2, 3)):
        yield case("padding", draw.size(8), kernel_size, padding=padding)
    for kernel_size, dilation in ((3, 2), (2, 3), (1, 2), (4, 2)):
        yield case("dilation", draw.size(13), kernel_size, dilation=dilation)
    for kernel_size, stride, padding, dilation, rest in (
        (3, 3, 1, 2, 1),
        (4, 4, 3, 1, 3),
        (2, 2, 2, 3, 0),
        (5, 3, 1, 2, 2),
    ):
        span = dilation * (kernel_size - 1) + 1
        n = span + draw.size(2) * stride + rest - 2 * padding
        yield case(TOGETHER, n, kernel_size, stride=stride, padding=padding, dilation=dilation)
    yield Case(CONDUCT, (draw.size(9), 3), judge=strict)


conv_output_size.model(
    "plus-one-forgotten",
    "kernel-not-subtracted",
    "rounded-up",
    "stride-ignored",
    "padding-ignored",
    "padding-once",
    "dilation-ignored",
    "dilation-times-kernel",
    "dilation-zeros-between",
    "plus-one-inside",
)(_size)
conv_output_size.alone(_size, "padding-subtracted")


def _room(n: int, kernel_size: int, padding: int, dilation: int) -> int:
    return n + 2 * padding - dilation * (kernel_size - 1) - 1


conv_output_size.twin("rounded-to-nearest")(
    lambda n, kernel_size, stride=1, padding=0, dilation=1: round(_room(n, kernel_size, padding, dilation) / stride) + 1
)
conv_output_size.twin("not-rounded")(
    lambda n, kernel_size, stride=1, padding=0, dilation=1: _room(n, kernel_size, padding, dilation) / stride + 1
)
conv_output_size.twin("float-for-int")(
    lambda n, kernel_size, stride=1, padding=0, dilation=1: float(_size(n, kernel_size, stride, padding, dilation))
)
conv_output_size.twin("brackets-forgotten")(
    lambda n, kernel_size, stride=1, padding=0, dilation=1: (
        n + 2 * padding - dilation * (kernel_size - 1) - 1 // stride + 1
    )
)
conv_output_size.twin("only-divided")(lambda n, kernel_size, stride=1, padding=0, dilation=1: n // stride)
conv_output_size.twin("other-direction")(
    lambda n, kernel_size, stride=1, padding=0, dilation=1: (
        (n - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + 1
    )
)


def _same(kernel_size: int, dilation: int = 1, *, wrong: frozenset[str] = frozenset()) -> Any:
    dilation = 1 if "dilation-ignored" in wrong else dilation + 1 if "dilation-zeros-between" in wrong else dilation
    total = dilation * (kernel_size - (0 if "one-not-subtracted" in wrong else 1))
    if "total-on-each-side" in wrong:
        return total, total
    if "span-halved" in wrong:
        return (total + 1) // 2, (total + 1) // 2
    if "remainder-dropped" in wrong:
        return total // 2, total // 2
    before, after = total // 2, total - total // 2
    return (after, before) if "odd-one-before" in wrong else (before, after)


same_padding = Exercise("same_padding", CHAPTER, lambda kernel_size, dilation=1: _same(kernel_size, dilation))


@same_padding.cases
def _(draw: Draw) -> Iterable[Case]:
    for kernel_size in (3, 5, 1, 2 * draw.size(4) + 1):
        yield Case(CORE, (kernel_size,), judge=wholes)
    for kernel_size in (2, 4, 2 * draw.size(3)):
        yield Case("even kernels", (kernel_size,), judge=wholes)
    for kernel_size, dilation in ((3, 2), (3, 3), (1, 2), (2, 2), (4, 2), (2, 3), (4, 3)):
        yield Case("dilation", (kernel_size,), {"dilation": dilation + 2 * (draw.size(0) > 0)}, judge=wholes)
    yield Case(CONDUCT, (5,), judge=strict)


same_padding.model(
    "odd-one-before",
    "remainder-dropped",
    "span-halved",
    "total-on-each-side",
    "one-not-subtracted",
    "dilation-ignored",
    "dilation-zeros-between",
)(_same)
same_padding.twin("everything-before")(lambda kernel_size, dilation=1: (dilation * (kernel_size - 1), 0))
same_padding.twin("everything-after")(lambda kernel_size, dilation=1: (0, dilation * (kernel_size - 1)))
same_padding.twin("one-number")(lambda kernel_size, dilation=1: dilation * (kernel_size - 1))
same_padding.twin("half-a-number")(lambda kernel_size, dilation=1: dilation * (kernel_size - 1) // 2)
same_padding.twin("not-rounded")(lambda kernel_size, dilation=1: (dilation * (kernel_size - 1) / 2,) * 2)
same_padding.twin("float-for-int")(lambda kernel_size, dilation=1: tuple(map(float, _same(kernel_size, dilation))))
