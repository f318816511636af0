"""How much of the input one number of a deep layer has seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod

from tutor.checking.bank.convolution.judging import wholes
from tutor.checking.bank.convolution.sizes import CHAPTER
from tutor.checking.bank.sides import TOGETHER
from tutor.checking.exercise import CORE, Case, Draw, Exercise


def _field(
    kernel_sizes: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    *,
    wrong: frozenset[str] = frozenset(),
) -> int:
    layers = list(zip(kernel_sizes, strides, dilations, strict=True))
    if "last-layer-first" in wrong:
        layers.reverse()
    field, jump = (0 if "one-forgotten" in wrong else 1), 1
    for kernel_size, stride, dilation in layers:
        stride = 1 if "strides-ignored" in wrong else stride
        dilation = 1 if "dilations-ignored" in wrong else dilation
        if "stride-too-early" in wrong:
            jump *= stride
        span = dilation * kernel_size - 1 if "dilation-times-kernel" in wrong else dilation * (kernel_size - 1)
        field += (kernel_size if "kernels-added" in wrong else span) * jump
        if "stride-too-early" not in wrong:
            jump = stride if "last-stride-only" in wrong else jump * stride
        if "dilations-pile-up" in wrong:
            jump *= dilation
    return field


receptive_field = Exercise(
    "receptive_field", CHAPTER, lambda kernel_sizes, strides, dilations: _field(kernel_sizes, strides, dilations)
)


@receptive_field.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, *layers: tuple[int, int, int]) -> Case:
        return Case(aspect, tuple(list(column) for column in zip(*layers, strict=True)), judge=wholes)

    k = draw.size(3)
    yield case(CORE, (k, 1, 1))
    yield case(CORE, (k, 1, 1), (5, 1, 1))
    yield case(CORE, (2, 1, 1), (k, 1, 1), (1, 1, 1), (4, 1, 1))
    yield case("stride", (3, 2, 1), (k, 1, 1))
    yield case("stride", (2, 2, 1), (k, 3, 1), (5, 2, 1), (3, 1, 1))
    yield case("stride", (k, 3, 1), (1, 2, 1), (2, 2, 1))
    yield case("dilation", (3, 1, 2), (k, 1, 1))
    yield case("dilation", (2, 1, 3), (k, 1, 2), (1, 1, 2), (3, 1, 1))
    yield case(TOGETHER, (k, 2, 2), (2, 3, 1), (4, 1, 3), (3, 2, 2))
    yield case(TOGETHER, (1, 2, 1), (5, 2, 3), (k, 3, 2))


receptive_field.model(
    "strides-ignored",
    "dilations-ignored",
    "one-forgotten",
    "kernels-added",
    "stride-too-early",
    "last-stride-only",
    "last-layer-first",
    "dilation-times-kernel",
    "dilations-pile-up",
)(_field)
receptive_field.twin("largest-kernel")(lambda kernel_sizes, strides, dilations: max(kernel_sizes))
receptive_field.twin("kernels-multiplied")(lambda kernel_sizes, strides, dilations: prod(kernel_sizes))
receptive_field.twin("last-layer-only")(
    lambda kernel_sizes, strides, dilations: dilations[-1] * (kernel_sizes[-1] - 1) + 1
)
