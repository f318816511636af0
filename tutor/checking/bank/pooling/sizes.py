"""How many windows there are, with every argument; and a published loop whose result only has the right size."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any

from torch import Tensor

from tutor.checking.bank.counts import whole
from tutor.checking.bank.pooling.windows import CHAPTER, distinct, output_size
from tutor.checking.bank.sides import TOGETHER
from tutor.checking.exercise import CONDUCT, CORE, RIGHT, Case, Draw, Exercise


def _size(
    n: int,
    kernel_size: int,
    stride: int | None = None,
    padding: int = 0,
    dilation: int = 1,
    ceil_mode: bool = False,
    *,
    wrong: frozenset[str] = RIGHT,
) -> int:
    if "stride-ignored" in wrong:
        stride = 1
    if "stride-always-kernel" in wrong:
        stride = None
    if stride is None:
        stride = 1 if "default-stride-one" in wrong else kernel_size
        if "default-stride-reach" in wrong:
            stride = dilation * (kernel_size - 1) + 1
    return output_size(n, kernel_size, stride, padding, dilation, ceil_mode, wrong)


def _right_size(
    n: int, kernel_size: int, stride: int | None = None, padding: int = 0, dilation: int = 1, ceil_mode: bool = False
) -> int:
    return _size(n, kernel_size, stride, padding, dilation, ceil_mode)


pool_output_size = Exercise("pool_output_size", CHAPTER, _right_size)


@pool_output_size.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, n: int, kernel_size: int, **options: Any) -> Case:
        return Case(aspect, (draw.size(n), kernel_size), options, judge=whole)

    for n, kernel_size in ((4, 2), (7, 2), (10, 3), (11, 4)):
        yield case(CORE, n, kernel_size)
    yield Case(CORE, (8, 3), judge=whole)  # two of eight are left over
    yield Case(CORE, (3, 3), judge=whole)
    for n, kernel_size, stride in ((8, 3, 2), (9, 2, 1), (10, 2, 3), (6, 4, 1)):
        yield case("stride", n, kernel_size, stride=stride)
    for n, kernel_size, padding in ((6, 2, 1), (8, 3, 1), (9, 4, 2)):
        yield case("padding", n, kernel_size, padding=padding)
    yield Case("padding", (5, 3, 2, 1), judge=whole)
    for n, kernel_size, dilation in ((9, 2, 2), (12, 3, 2), (13, 2, 4)):
        yield case("dilation", n, kernel_size, dilation=dilation)
    yield Case("dilation", (7, 3), {"stride": 1, "dilation": 3}, judge=whole)
    # Rounded up where a window is left over that begins in the input, and where there is nothing left over.
    for n, kernel_size, stride in ((5, 2, 2), (6, 2, 2), (6, 3, 2), (8, 3, 3), (7, 3, 3)):
        yield Case("ceil mode", (n, kernel_size), {"stride": stride, "ceil_mode": True}, judge=whole)
    # The window that is left over begins in the input, in the padding before it counts as such, at the first place
    # after the input, and beyond.
    given = (
        (4, 2, 2, 1),
        (5, 2, 2, 1),
        (6, 4, 4, 1),
        (4, 4, 4, 1),
        (4, 2, 3, 1),
        (3, 3, 3, 1),
        (9, 4, 3, 2),
        (6, 2, 3, 0),
    )
    for n, kernel_size, stride, padding in given:
        options = {"stride": stride, "padding": padding, "ceil_mode": True}
        yield Case("last window", (n, kernel_size), options, judge=whole)
    yield case(TOGETHER, 7, 3, padding=1, ceil_mode=True)
    for stride, padding, dilation, ceil_mode in product((1, 2, 3), (0, 1), (1, 2), (False, True)):
        options = {"stride": stride, "padding": padding, "dilation": dilation, "ceil_mode": ceil_mode}
        yield Case(TOGETHER, (8 + draw.integer(0, 4), 3), options, judge=whole)


pool_output_size.model(
    "default-stride-one",
    "default-stride-reach",
    "stride-ignored",
    "stride-always-kernel",
    "always-rounded-up",
    "one-too-few",
    "padding-ignored",
    "padding-once",
    "dilation-ignored",
    "dilation-times-kernel",
    "dilation-many-zeros",
    "ceil-ignored",
    "last-window-kept",
    "last-window-in-input-only",
    "last-window-edge",
)(_size)


@pool_output_size.twin("halved")
def _(
    n: int, kernel_size: int, stride: int | None = None, padding: int = 0, dilation: int = 1, ceil_mode: bool = False
) -> int:
    step = kernel_size if stride is None else stride
    return -(-n // step) if ceil_mode else n // step


def _published(image: Tensor, kernel_size: int, stride: int, *, wrong: frozenset[str] = RIGHT) -> Tensor:
    size = 1 if "size-for-stride-one" in wrong else stride
    rows, columns = ((side - kernel_size) // size + 1 for side in image.shape)
    if wrong & {"sides-swapped"}:
        rows, columns = columns, rows
    output = image.new_zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            if wrong & {"unchanged", "columns-only", "size-for-stride-one"}:
                top = i
            if wrong & {"unchanged", "rows-only", "size-for-stride-one"}:
                left = j
            if "stride-added" in wrong:
                top, left = i + stride, j + stride
            if "kernel-for-stride" in wrong:
                top, left = i * kernel_size, j * kernel_size
            wide = stride if "window-as-stride" in wrong else kernel_size
            down, across = wide, wide
            if "end-multiplied" in wrong:
                down, across = kernel_size * stride, kernel_size * stride
            window = image[top : top + down, left : left + across]
            if window.numel() == 0:
                raise RuntimeError("a window without numbers")
            output[i, j] = window.mean() if "mean-for-maximum" in wrong else window.max()
    return output


mend_pool_stride = Exercise(
    "mend_pool_stride", CHAPTER, lambda image, kernel_size, stride: _published(image, kernel_size, stride)
)


@mend_pool_stride.cases
def _(draw: Draw) -> Iterable[Case]:
    # With stride 1 the published loop is right; all of this is ordinary, so that whoever leaves it earns nothing.
    for height, width, kernel_size, stride in ((4, 6, 2, 2), (7, 5, 3, 2), (8, 9, 2, 3), (5, 4, 3, 1), (6, 7, 1, 2)):
        image = distinct(draw, 1, 1, draw.size(height), draw.size(width))[0, 0]
        yield Case(CORE, (image + (0.5 if stride == 3 else 0), kernel_size, stride))
    yield Case(CORE, (-distinct(draw, 1, 1, 4, 7)[0, 0], 2, 2))
    yield Case(CONDUCT, (distinct(draw, 1, 1, 5, 6)[0, 0].float(), 2, 2))


mend_pool_stride.model("rows-only", "columns-only", "window-as-stride", "end-multiplied", "mean-for-maximum")(
    _published
)


def _alone(identity: str) -> None:
    mend_pool_stride.twin(identity)(
        lambda image, kernel_size, stride: _published(image, kernel_size, stride, wrong=frozenset({identity}))
    )


for _name in ("unchanged", "size-for-stride-one", "stride-added", "kernel-for-stride"):
    _alone(_name)
