"""How large a transpose convolution's output is, by the right formula and by a published wrong one."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

from tutor.checking.bank.counts import whole
from tutor.checking.bank.sides import TOGETHER
from tutor.checking.bank.transpose_convolution.geometry import CHAPTER
from tutor.checking.exercise import CORE, RIGHT, Case, Draw, Exercise


def _size(
    n: int,
    kernel_size: int,
    stride: int = 1,
    padding: int = 0,
    output_padding: int = 0,
    dilation: int = 1,
    *,
    wrong: frozenset[str] = RIGHT,
) -> int:
    return (
        _steps(n, stride, wrong)
        + _reach(kernel_size, dilation, wrong)
        - _cropped(padding, wrong)
        + _extended(output_padding, stride, wrong)
    )


def _steps(n: int, stride: int, wrong: frozenset[str]) -> int:
    if "stride-ignored" in wrong:
        return n - 1
    if "stride-many-zeros" in wrong:
        return (n - 1) * (stride + 1)
    return n * stride if "one-step-too-many" in wrong else (n - 1) * stride


def _reach(kernel_size: int, dilation: int, wrong: frozenset[str]) -> int:
    """Return how many numbers of the output one kernel covers."""
    if "dilation-ignored" in wrong:
        return kernel_size
    if "dilation-many-zeros" in wrong:
        return (dilation + 1) * (kernel_size - 1) + 1
    if "dilation-times-kernel" in wrong:
        return dilation * kernel_size
    if "kernel-not-reduced" in wrong:
        return dilation * kernel_size + 1
    return dilation * (kernel_size - 1) + (0 if "last-tap-forgotten" in wrong else 1)


def _cropped(padding: int, wrong: frozenset[str]) -> int:
    if "padding-added" in wrong:
        return -2 * padding
    if "padding-ignored" in wrong:
        return 0
    return padding if "padding-once" in wrong else 2 * padding


def _extended(output_padding: int, stride: int, wrong: frozenset[str]) -> int:
    if "output-padding-ignored" in wrong:
        return 0
    if "output-padding-subtracted" in wrong:
        return -output_padding
    if "output-padding-times-stride" in wrong:
        return output_padding * stride
    return 2 * output_padding if "output-padding-twice" in wrong else output_padding


def _right_size(
    n: int, kernel_size: int, stride: int = 1, padding: int = 0, output_padding: int = 0, dilation: int = 1
) -> int:
    return (n - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + output_padding + 1


conv_transpose_output_size = Exercise("conv_transpose_output_size", CHAPTER, _right_size)


@conv_transpose_output_size.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, n: int, kernel_size: int, **options: int) -> Case:
        return Case(aspect, (draw.size(n), kernel_size), options, judge=whole)

    for n, kernel_size in ((4, 3), (2, 3), (5, 2), (3, 1)):
        yield case(CORE, n, kernel_size)
    yield Case(CORE, (1, 3), judge=whole)
    yield Case(CORE, (1, 1), judge=whole)
    for n, kernel_size, stride in ((3, 3, 2), (4, 2, 3), (5, 4, 2), (2, 1, 3)):
        yield case("stride", n, kernel_size, stride=stride)
    for n, kernel_size, padding in ((5, 3, 1), (6, 5, 2), (7, 2, 1)):
        yield case("padding", n, kernel_size, padding=padding)
    for n, kernel_size, stride, output_padding in ((4, 3, 2, 1), (3, 5, 3, 2), (5, 2, 3, 1)):
        yield case("output padding", n, kernel_size, stride=stride, output_padding=output_padding)
    for n, kernel_size, dilation in ((4, 3, 2), (3, 2, 3), (6, 4, 2)):
        yield case("dilation", n, kernel_size, dilation=dilation)
    for stride, padding, output_padding, dilation in product((1, 2, 3), (0, 2), (0, 1), (1, 2)):
        if output_padding < max(stride, dilation):
            yield case(
                TOGETHER,
                5 + draw.integer(0, 3),
                4,
                stride=stride,
                padding=padding,
                output_padding=output_padding,
                dilation=dilation,
            )


conv_transpose_output_size.model(
    "stride-ignored",
    "stride-many-zeros",
    "one-step-too-many",
    "dilation-ignored",
    "dilation-many-zeros",
    "dilation-times-kernel",
    "kernel-not-reduced",
    "last-tap-forgotten",
    "padding-added",
    "padding-ignored",
    "padding-once",
    "output-padding-ignored",
    "output-padding-subtracted",
    "output-padding-times-stride",
    "output-padding-twice",
)(_size)


@conv_transpose_output_size.twin("ordinary-size")
def _(n: int, kernel_size: int, stride: int = 1, padding: int = 0, output_padding: int = 0, dilation: int = 1) -> int:
    return (n + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1 + output_padding


@conv_transpose_output_size.twin("only-enlarged")
def _(n: int, kernel_size: int, stride: int = 1, padding: int = 0, output_padding: int = 0, dilation: int = 1) -> int:
    return n * stride + output_padding


def _published(n: int, kernel_size: int, stride: int = 1, padding: int = 0) -> int:
    return (n - 1) * stride + kernel_size + 2 * padding


mend_transpose_size = Exercise(
    "mend_transpose_size",
    CHAPTER,
    lambda n, kernel_size, stride=1, padding=0: _right_size(n, kernel_size, stride, padding),
)


@mend_transpose_size.cases
def _(draw: Draw) -> Iterable[Case]:
    # The published formula is right without padding, so all of this is ordinary: whoever leaves it earns nothing.
    given: list[tuple[int, int, dict[str, int]]] = [
        (5, 3, {"padding": 1}),
        (4, 4, {"stride": 2, "padding": 1}),
        (6, 5, {"stride": 3, "padding": 2}),
        (3, 2, {"stride": 2}),
        (7, 1, {}),
    ]
    for n, kernel_size, options in given:
        yield Case(CORE, (draw.size(n), kernel_size), options, judge=whole)


mend_transpose_size.twin("unchanged")(_published)
mend_transpose_size.twin("padding-once")(
    lambda n, kernel_size, stride=1, padding=0: _right_size(n, kernel_size, stride) - padding
)
mend_transpose_size.twin("padding-dropped")(
    lambda n, kernel_size, stride=1, padding=0: _right_size(n, kernel_size, stride)
)
mend_transpose_size.twin("plus-one-step")(
    lambda n, kernel_size, stride=1, padding=0: _right_size(n + 2, kernel_size, stride, padding)
)
mend_transpose_size.twin("one-step-too-many")(
    lambda n, kernel_size, stride=1, padding=0: _right_size(n + 1, kernel_size, stride, padding)
)
mend_transpose_size.twin("kernel-subtracted")(
    lambda n, kernel_size, stride=1, padding=0: (n - 1) * stride - kernel_size + 2 * padding
)
mend_transpose_size.twin("one-too-few")(
    lambda n, kernel_size, stride=1, padding=0: _right_size(n, kernel_size, stride, padding) - 1
)
mend_transpose_size.twin("padding-times-stride")(
    lambda n, kernel_size, stride=1, padding=0: _right_size(n, kernel_size, stride) - 2 * padding * stride
)
mend_transpose_size.twin("ordinary-size")(
    lambda n, kernel_size, stride=1, padding=0: (n + 2 * padding - kernel_size) // stride + 1
)
