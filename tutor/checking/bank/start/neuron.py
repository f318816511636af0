"""One neuron: what it computes, one step downhill by hand, and published code that goes downhill wrongly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from tutor.checking.exercise import CONDUCT, CORE, GRADIENT, RIGHT, Case, Draw, Exercise

CHAPTER = "00_start"


def _neuron(inputs: Tensor, weights: Tensor, bias: Tensor, *, wrong: frozenset[str] = RIGHT) -> Tensor:
    if "two-inputs" in wrong:
        inputs, weights = inputs[[0, 1]], weights[[0, 1]]
    if "last-input-forgotten" in wrong:
        inputs, weights = inputs[:-1], weights[:-1]
    if "weights-forgotten" in wrong:
        weights = torch.ones_like(weights)
    products = inputs + weights if "weights-added" in wrong else inputs * weights
    if "bias-every-input" in wrong:
        products, bias = products + bias, torch.zeros_like(bias)
    if "bias-forgotten" in wrong:
        bias = torch.zeros_like(bias)
    if "bias-subtracted" in wrong:
        bias = -bias
    total = products.mean() if "averaged" in wrong else products.sum()
    total = total * bias if "bias-multiplied" in wrong else total + bias
    if "cut-at-zero" in wrong:
        total = total.clamp(min=0)
    return total.reshape(1) if "dimension-left" in wrong else total


neuron = Exercise("neuron", CHAPTER, lambda inputs, weights, bias: _neuron(inputs, weights, bias))


@neuron.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, size: int) -> Case:
        return Case(aspect, (draw.digits(size), draw.digits(size), draw.digits()))

    yield Case(
        CORE, (torch.tensor([1.0, 2.0]).double(), torch.tensor([3.0, -1.0]).double(), torch.tensor(0.5).double())
    )
    yield case(CORE, 2)
    yield case(CORE, draw.size(3))
    yield case(CORE, draw.size(4))
    # Two whose result is negative, so that one cut off at 0 shows.
    yield Case(CORE, (-draw.digits(3).abs(), draw.digits(3).abs(), -draw.digits().abs()))
    yield Case(CORE, (draw.digits(2).abs(), -draw.digits(2).abs(), torch.tensor(0.5).double()))
    yield case("shapes", 1)
    yield case("shapes", draw.size(9))
    yield replace(case(GRADIENT, draw.size(3)), gradient=True)
    yield case(CONDUCT, 3).in_float32()


neuron.model(
    "bias-forgotten",
    "bias-subtracted",
    "bias-multiplied",
    "bias-every-input",
    "weights-forgotten",
    "weights-added",
    "averaged",
    "last-input-forgotten",
    "two-inputs",
    "cut-at-zero",
    "dimension-left",
)(_neuron)
neuron.twin("products-not-summed")(lambda inputs, weights, bias: inputs * weights + bias)
neuron.twin("squeezed-by-sigmoid")(lambda inputs, weights, bias: torch.sigmoid(inputs @ weights + bias))


def _step(
    weights: Tensor, bias: Tensor, inputs: Tensor, target: Tensor, lr: float, *, wrong: frozenset[str] = RIGHT
) -> tuple[Tensor, Tensor]:
    output = inputs @ weights + (torch.zeros_like(bias) if "bias-not-in-output" in wrong else bias)
    error = output - (torch.zeros_like(target) if "target-forgotten" in wrong else target)
    if "error-squared" in wrong:
        error = error * error
    slope = error if "two-forgotten" in wrong else 2 * error
    if "direction-only" in wrong:
        slope = slope.sign()
    for_weights = slope.expand_as(weights) if "inputs-forgotten" in wrong else slope * inputs
    for_bias = slope * inputs.sum() if "bias-times-inputs" in wrong else slope
    rate = 1.0 if "lr-forgotten" in wrong else lr
    rate = -rate if "uphill" in wrong else rate
    new_bias = bias if "bias-not-moved" in wrong else bias - rate * for_bias
    return (weights if "weights-not-moved" in wrong else weights - rate * for_weights), new_bias


gradient_step = Exercise(
    "gradient_step",
    CHAPTER,
    lambda weights, bias, inputs, target, lr: _step(weights, bias, inputs, target, lr),
    by_hand=True,
)


@gradient_step.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, size: int, lr: float) -> Case:
        return Case(aspect, (draw.digits(size), draw.digits(), draw.digits(size), 10 * draw.digits(), lr))

    yield case(CORE, 2, 0.5)
    yield case(CORE, draw.size(3), 0.1)
    yield case(CORE, draw.size(2), 0.25)
    yield case(CORE, 4, 0.01)
    # Two for which only the direction changes: without the bias (the output is 13), and without the target (it is 4).
    for bias, target in ((8, draw.integer(7, 11)), (-1, draw.integer(6, 9))):
        yield Case(
            CORE,
            (
                torch.tensor([1.0, 2.0]).double(),
                torch.tensor(bias).double(),
                torch.tensor([3.0, 1.0]).double(),
                torch.tensor(target).double(),
                0.5,
            ),
        )
    yield case("shapes", 1, 0.5)
    yield case("shapes", draw.size(7), 0.2)
    yield case(CONDUCT, 3, 0.1).in_float32()


gradient_step.model(
    "uphill",
    "two-forgotten",
    "inputs-forgotten",
    "bias-times-inputs",
    "bias-not-moved",
    "weights-not-moved",
    "lr-forgotten",
    "target-forgotten",
    "bias-not-in-output",
    "error-squared",
    "direction-only",
)(_step)


@gradient_step.twin("gradient-returned")
def _(weights: Tensor, bias: Tensor, inputs: Tensor, target: Tensor, lr: float) -> tuple[Tensor, Tensor]:
    slope = 2 * (inputs @ weights + bias - target)
    return slope * inputs, slope


@gradient_step.twin("one-after-the-other")
def _(weights: Tensor, bias: Tensor, inputs: Tensor, target: Tensor, lr: float) -> tuple[Tensor, Tensor]:
    moved = weights - lr * 2 * (inputs @ weights + bias - target) * inputs
    return moved, bias - lr * 2 * (inputs @ moved + bias - target)


def _descent(
    weights: Tensor,
    bias: Tensor,
    inputs: Tensor,
    target: Tensor,
    lr: float,
    steps: int,
    *,
    wrong: frozenset[str] = RIGHT,
) -> Any:
    if "one-step-only" in wrong:
        steps = 1
    if "one-step-too-many" in wrong:
        steps += 1
    piled = [torch.zeros_like(weights), torch.zeros_like(bias)]
    for step in range(steps):
        slope = 2 * (inputs @ weights + bias - target)
        now = [slope * inputs, slope]
        if "gradients-pile-up" in wrong:
            piled = [before + new for before, new in zip(piled, now, strict=True)]
        elif "pile-averaged" in wrong:
            piled = [(step * before + new) / (step + 1) for before, new in zip(piled, now, strict=True)]
        elif "first-gradient-kept" not in wrong or step == 0:
            piled = now
        rate = -lr if "uphill" in wrong else lr
        weights = weights - rate * piled[0]
        bias = bias if "bias-not-moved" in wrong else bias - rate * piled[1]
    return weights, bias


mend_descent = Exercise(
    "mend_descent",
    CHAPTER,
    lambda weights, bias, inputs, target, lr, steps: _descent(weights, bias, inputs, target, lr, steps),
)


@mend_descent.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, size: int, lr: float, steps: int) -> Case:
        tensors = draw.digits(size), draw.digits(), draw.off_zero(size, low=0.5, high=1.5), draw.digits()
        return Case(aspect, (*tensors, lr, steps))

    yield case(CORE, 2, 0.1, 3)
    yield case(CORE, draw.size(3), 0.05, 2)
    yield case(CORE, 2, 0.02, draw.size(5))
    yield case("shapes", 1, 0.1, 4)
    yield case("shapes", 3, 0.1, 1)
    yield case(CONDUCT, 3, 0.05, 3).in_float32()


mend_descent.model(
    "gradients-pile-up",
    "pile-averaged",
    "first-gradient-kept",
    "uphill",
    "bias-not-moved",
    "one-step-only",
    "one-step-too-many",
)(_descent)


@mend_descent.twin("one-step-too-few")
def _(weights: Tensor, bias: Tensor, inputs: Tensor, target: Tensor, lr: float, steps: int) -> Any:
    return _descent(weights, bias, inputs, target, lr, steps - 1)


@mend_descent.twin("zeroed-before-the-step")
def _(weights: Tensor, bias: Tensor, inputs: Tensor, target: Tensor, lr: float, steps: int) -> Any:
    return weights.clone(), bias.clone()


@mend_descent.twin("divided-by-steps")
def _(weights: Tensor, bias: Tensor, inputs: Tensor, target: Tensor, lr: float, steps: int) -> Any:
    return _descent(weights, bias, inputs, target, lr / steps, steps)
