"""The linear layer, forwards and backwards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.checking.exercise import CONDUCT, CORE, GRADIENT, RIGHT, Case, Draw, Exercise

CHAPTER = "05_linear"


def _linear(input: Tensor, weight: Tensor, bias: Tensor | None = None, *, wrong: frozenset[str] = RIGHT) -> Tensor:
    if "bias-before" in wrong and bias is not None:
        input = input + bias
    if "first-sample-only" in wrong and input.dim() > 1:
        input = input[:1]
    if "last-feature-forgotten" in wrong:
        input, weight = input[..., :-1], weight[..., :-1]
    output = input @ _turned(weight, wrong)
    if "averaged" in wrong:
        output = output / weight.shape[1]
    if bias is not None and not wrong & {"bias-forgotten", "bias-before"}:
        if "bias-along-batch" in wrong:
            bias = bias.view(-1, 1)
        if "bias-summed" in wrong:
            bias = bias.sum()
        if "bias-every-product" in wrong:
            bias = bias * weight.shape[1]
        output = output - bias if "bias-subtracted" in wrong else output + bias
    if "cut-at-zero" in wrong:
        output = output.clamp(min=0)
    if "output-transposed" in wrong:
        return output.T if output.dim() < 3 else output.transpose(-1, -2)
    return output.reshape(-1, output.shape[-1]) if "leading-dims-merged" in wrong else output


def _turned(weight: Tensor, wrong: frozenset[str]) -> Tensor:
    if "not-transposed" in wrong:
        return weight
    return weight.reshape(weight.shape[1], weight.shape[0]) if "weight-reshaped" in wrong else weight.T


linear = Exercise(
    "linear",
    CHAPTER,
    lambda input, weight, bias=None: F.linear(input, weight, bias),
    forbids={"linear"},
    links=[[(0, -1), (1, 1)], [(1, 0), (2, 0)]],  # whatever comes before the features
)


@linear.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, before: tuple[int, ...], into: int, out: int, bias: bool = True) -> Case:
        args = draw.digits(*before, into), draw.digits(out, into)
        return Case(aspect, (*args, draw.digits(out)) if bias else args)

    yield case(CORE, (2,), 2, 2)  # a square weight fits either way round
    yield case(CORE, (draw.size(2),), 3, 4)
    yield case(CORE, (3,), 4, 3)  # as many samples as outputs: a bias along the batch fits, too
    yield case(CORE, (4,), draw.size(2), 3)
    yield case(CORE, (1,), 3, 2)
    yield case("without a bias", (2,), 3, draw.size(3), bias=False)
    yield case("without a bias", (3,), 3, 3, bias=False)
    yield case("shapes", (), 3, draw.size(2))
    yield case("shapes", (2, 3), 3, 3)
    yield case("shapes", (2, 2, 3), 3, 4, bias=False)
    yield case("shapes", (3,), 1, 2)
    yield replace(case(GRADIENT, (draw.size(2),), 3, 2), gradient=True)
    yield replace(case(GRADIENT, (3,), draw.size(2), 3, bias=False), gradient=True)
    yield case(CONDUCT, (2,), 3, 4).in_float32()


linear.model(
    "not-transposed",
    "weight-reshaped",
    "bias-forgotten",
    "bias-along-batch",
    "bias-subtracted",
    "bias-summed",
    "bias-every-product",
    "bias-before",
    "averaged",
    "cut-at-zero",
    "last-feature-forgotten",
    "first-sample-only",
    "output-transposed",
    "leading-dims-merged",
)(_linear)
linear.twin("summed-over-batch")(
    lambda input, weight, bias=None: _linear(input.reshape(-1, input.shape[-1]).sum(0), weight, bias)
)
linear.twin("products-not-summed")(
    lambda input, weight, bias=None: (
        input.unsqueeze(-2) * weight + (0 if bias is None else bias.unsqueeze(-1))  # (..., out, in)
    )
)


def _by_autograd(grad_output: Tensor, input: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, ...]:
    with torch.enable_grad():
        leaves = [tensor.detach().requires_grad_() for tensor in (input, weight, bias)]
        return torch.autograd.grad(F.linear(*leaves), leaves, grad_output.detach())


linear_backward = Exercise(
    "linear_backward",
    CHAPTER,
    _by_autograd,
    forbids={"linear_backward"},
    by_hand=True,
    links=[[(0, 0), (1, 0)], [(0, 1), (2, 0), (3, 0)], [(1, 1), (2, 1)]],
)


@linear_backward.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, samples: int, into: int, out: int) -> Case:
        shapes = (samples, out), (samples, into), (out, into), (out,)
        return Case(aspect, tuple(draw.digits(*shape) for shape in shapes))

    yield case(CORE, 2, 2, 2)
    yield case(CORE, draw.size(3), 2, 4)
    yield case(CORE, 3, 3, 3)
    yield case(CORE, 2, draw.size(4), 3)
    yield case("shapes", 1, 2, 3)
    yield case("shapes", 3, 1, 2)
    yield case("shapes", 2, 3, 1)
    yield case(CONDUCT, 2, 3, 2).in_float32()


@linear_backward.model(
    "weight-transposed",
    "weight-gradient-transposed",
    "weight-gradient-averaged",
    "first-sample-only",
    "bias-averaged",
    "bias-not-summed",
    "bias-over-outputs",
    "bias-of-ones",
    "grad-output-forgotten",
    "wrong-sign",
    "weight-first",
)
def _(grad_output: Tensor, input: Tensor, weight: Tensor, bias: Tensor, *, wrong: frozenset[str] = RIGHT) -> Any:
    if "grad-output-forgotten" in wrong:
        grad_output = torch.ones_like(grad_output)
    grad_input = grad_output @ (weight.T if "weight-transposed" in wrong else weight)
    rows = slice(1) if "first-sample-only" in wrong else slice(None)
    grad_weight = grad_output[rows].T @ input[rows]
    if "weight-gradient-averaged" in wrong:
        grad_weight = grad_weight / len(input)
    if "weight-gradient-transposed" in wrong:
        grad_weight = grad_weight.T
    grad_bias = grad_output.sum(1 if "bias-over-outputs" in wrong else 0)
    if "bias-averaged" in wrong:
        grad_bias = grad_output.mean(0)
    if "bias-not-summed" in wrong:
        grad_bias = grad_output
    if "bias-of-ones" in wrong:
        grad_bias = torch.ones_like(bias)
    sign = -1 if "wrong-sign" in wrong else 1
    gradients = (grad_weight, grad_input) if "weight-first" in wrong else (grad_input, grad_weight)
    return tuple(sign * gradient for gradient in (*gradients, grad_bias))
