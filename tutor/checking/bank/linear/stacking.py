"""Several affine layers in a row, with nothing in between."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.checking.bank.linear.layer import CHAPTER
from tutor.checking.exercise import CONDUCT, CORE, GRADIENT, RIGHT, Case, Draw, Exercise


def _stack(
    input: Tensor, weights: Sequence[Tensor], biases: Sequence[Tensor], *, wrong: frozenset[str] = RIGHT
) -> Tensor:
    layers = list(zip(weights, biases, strict=True))
    if "order-reversed" in wrong:
        layers.reverse()
    if "first-only" in wrong:
        layers = layers[:1]
    if "last-only" in wrong:
        layers = layers[-1:]
    if "always-two" in wrong:
        layers = layers[:2]
    hidden = input
    for index, (weight, bias) in enumerate(layers):
        last = index == len(layers) - 1
        added = bias
        if "biases-forgotten" in wrong or ("last-bias-only" in wrong and not last):
            added = torch.zeros_like(bias)
        if "first-bias-only" in wrong and index:
            added = torch.zeros_like(bias)
        hidden = hidden @ (weight if "not-transposed" in wrong else weight.T) + added
        if "relu-between" in wrong and not last:
            hidden = hidden.clamp(min=0)
    return hidden.clamp(min=0) if "relu-at-the-end" in wrong else hidden


affine_stack = Exercise("affine_stack", CHAPTER, lambda input, weights, biases: _stack(input, weights, biases))


@affine_stack.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, samples: int, *sizes: int) -> Case:
        weights = [draw.digits(out, into) for into, out in pairwise(sizes)]
        biases = [10 * draw.digits(out) for out in sizes[1:]]
        return Case(aspect, (draw.digits(samples, sizes[0]), weights, biases))

    yield case(CORE, 3, 2, 2, 2)
    yield case(CORE, 2, 2, 2, 2, 2)
    yield case(CORE, draw.size(2), 3, draw.size(2), 4)
    yield case(CORE, 4, 2, 3, draw.size(2), 3)
    yield case("any number of layers", 3, 3, 2)
    yield case("any number of layers", 4, 3, 3, 3, 3, 3)
    yield replace(case(GRADIENT, 2, 3, draw.size(2), 2), gradient=True)
    plain = case(CONDUCT, 2, 3, 2, 3)
    images, weights, biases = plain.args
    yield replace(plain, args=(images.float(), [w.float() for w in weights], [b.float() for b in biases]))


affine_stack.model(
    "order-reversed",
    "first-only",
    "last-only",
    "always-two",
    "biases-forgotten",
    "last-bias-only",
    "first-bias-only",
    "not-transposed",
    "relu-between",
    "relu-at-the-end",
)(_stack)


@affine_stack.twin("biases-at-the-end")
def _(input: Tensor, weights: Sequence[Tensor], biases: Sequence[Tensor]) -> Tensor:
    for weight in weights:
        input = input @ weight.T
    return input + torch.stack(list(biases)).sum(0)


@affine_stack.twin("input-added")
def _(input: Tensor, weights: Sequence[Tensor], biases: Sequence[Tensor]) -> Tensor:
    hidden = input
    for weight, bias in zip(weights, biases, strict=True):
        hidden = hidden + F.linear(hidden, weight, bias)
    return hidden
