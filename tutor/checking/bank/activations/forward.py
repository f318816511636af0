"""The nine activation functions, forward: torch is the oracle, each twin is one way to get it wrong."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.checking.bank.activations.judging import slopes
from tutor.checking.exercise import CORE, Case, Draw, Exercise

CHAPTER = "01_activations"

# What torch has ready made is forbidden under all its names, and so is whatever is the same thing with an argument set
# (leaky_relu with slope 0 is relu). Building on another function is fine: relu(x) - slope * relu(-x) is one's own work.
RANDOM = frozenset({"rrelu", "rrelu_with_noise", "rrelu_with_noise_functional", "rrelu_with_noise_backward"})
LEAKY = RANDOM | {"leaky_relu", "leaky_relu_backward", "prelu", "_prelu_kernel", "_prelu_kernel_backward"}
EXPONENTIAL = frozenset({"elu", "celu", "selu", "elu_backward"})
SLOPES = frozenset({"threshold_backward", "leaky_relu_backward", "hardtanh_backward", "elu_backward"})
RECTIFIERS = (
    LEAKY
    | EXPONENTIAL
    | SLOPES
    | {"relu", "relu6", "threshold", "hardtanh", "_addmm_activation"}
    | {"gelu", "silu", "mish", "softplus", "hardswish", "hardsigmoid"}
)
SIGMOIDS = frozenset({"sigmoid", "log_sigmoid_forward", "log_sigmoid_backward", "silu", "glu", "sigmoid_backward"})
SOFTMAXES = frozenset(
    {
        "_softmax",
        "_log_softmax",
        "_safe_softmax",
        "_masked_softmax",
        "_softmax_backward_data",
        "_log_softmax_backward_data",
        "_sparse_softmax",
    }
    | {
        f"_scaled_dot_product_{kind}"
        for kind in (
            "flash_attention_for_cpu",
            "flash_attention",
            "attention_math",
            "efficient_attention",
            "cudnn_attention",
            "fused_attention_overrideable",
        )
    }
)


def elementwise(
    draw: Draw, high: float = 3.0, large: Iterable[float] = (-1000.0, -30.0, 30.0, 1000.0)
) -> Iterable[Case]:
    """Yield the cases that every elementwise activation shares; ``large`` holds the values of the large-input case."""
    yield Case(CORE, (draw.off_zero(draw.size(2), draw.size(3), high=high),))
    yield Case(CORE, (draw.off_zero(draw.size(2), 3, draw.size(2), draw.size(4), high=high),))
    yield Case("shapes", (draw.off_zero(draw.size(5), high=high),))
    yield Case("gradient", (draw.off_zero(draw.size(2), draw.size(3), high=high),), gradient=True)
    yield Case("conduct", (draw.off_zero(2, draw.size(3), high=high).float(),))
    yield Case("large", (torch.tensor([list(large)], dtype=torch.float64) * (1 + draw.integer(0, 9) / 100),))
    yield Case("zero", (around_zero(draw),))


def around_zero(draw: Draw) -> Tensor:
    """Return zero itself, where a formula may divide 0 by 0 or a choice leave it out, and numbers close by."""
    return torch.tensor([[0.0, -0.001, 0.001, -0.5, 4.0]], dtype=torch.float64) * (1 + draw.integer(0, 9) / 10)


relu = Exercise("relu", CHAPTER, lambda input: F.relu(input), forbids=RECTIFIERS)


@relu.cases
def _(draw: Draw) -> Iterable[Case]:
    yield from elementwise(draw)
    yield Case("beyond", (torch.tensor([[-math.inf, 1.0]], dtype=torch.float64),), required=False)


relu.twin("absolute-value")(lambda input: input.abs())
relu.twin("negative-part")(lambda input: input.clamp(max=0))
relu.twin("identity")(lambda input: input)
relu.twin("mask-only")(lambda input: (input > 0).to(input.dtype))
relu.twin("leaks")(lambda input: torch.where(input > 0, input, 0.01 * input))
relu.twin("whole-maximum")(lambda input: input.max().clamp(min=0))
relu.twin("capped")(lambda input: input.clamp(0, 1))
relu.twin("shifted")(lambda input: input.clamp(min=1))
relu.twin("drops-elements")(lambda input: input[input > 0])
relu.twin("times-mask-at-infinity")(lambda input: input * (input > 0))

sigmoid = Exercise("sigmoid", CHAPTER, lambda input: torch.sigmoid(input), forbids=SIGMOIDS)


@sigmoid.cases
def _(draw: Draw) -> Iterable[Case]:
    yield from elementwise(draw)


@sigmoid.model("minus-forgotten", "overflow", "minus-for-plus")
def _(input: Tensor, *, wrong: frozenset[str]) -> Tensor:
    input = -input if "minus-forgotten" in wrong else input
    sign = -1 if "minus-for-plus" in wrong else 1
    return input.exp() / (input.exp() + sign) if "overflow" in wrong else 1 / (1 + sign * (-input).exp())


sigmoid.twin("brackets-forgotten")(lambda input: 1 / 1 + (-input).exp())
sigmoid.twin("half-stable")(lambda input: 1 / (1 + (-input.abs()).exp()))
sigmoid.twin("derivative")(lambda input: _sigmoid(input) * (1 - _sigmoid(input)))
sigmoid.twin("tanh-instead")(lambda input: torch.tanh(input))
sigmoid.twin("straight-line")(lambda input: (input / 6 + 0.5).clamp(0, 1))
sigmoid.twin("rounded")(lambda input: (input > 0).to(input.dtype))


# Not torch's own, so that a twin can stand in for a learner's answer: that may not call what the exercise asks for.
def _sigmoid(input: Tensor) -> Tensor:
    return 1 / (1 + (-input).exp())


tanh = Exercise("tanh", CHAPTER, lambda input: torch.tanh(input), forbids={"tanh", "tanh_backward", "gelu", "mish"})


@tanh.cases
def _(draw: Draw) -> Iterable[Case]:
    yield from elementwise(draw)


tanh.twin("overflow")(lambda input: (input.exp() - (-input).exp()) / (input.exp() + (-input).exp()))
tanh.twin("overflow-above")(lambda input: ((2 * input).exp() - 1) / ((2 * input).exp() + 1))
tanh.twin("overflow-below")(lambda input: (1 - (-2 * input).exp()) / (1 + (-2 * input).exp()))
tanh.twin("sine-over-cosine")(lambda input: input.sin() / input.cos())
tanh.twin("plus-one")(lambda input: 2 / (1 + (-2 * input).exp()) + 1)
tanh.twin("two-forgotten")(lambda input: 2 * torch.sigmoid(input) - 1)
tanh.twin("upside-down")(lambda input: 1 / _tanh(input))
tanh.twin("wrong-sign")(lambda input: -_tanh(input))
tanh.twin("sigmoid-instead")(lambda input: torch.sigmoid(input))
tanh.twin("numerator-only")(lambda input: (input.exp() - (-input).exp()) / 2)
tanh.twin("derivative")(lambda input: 1 - _tanh(input) ** 2)


def _tanh(input: Tensor) -> Tensor:
    return 2 / (1 + (-2 * input).exp()) - 1


leaky_relu = Exercise(
    "leaky_relu", CHAPTER, lambda input, negative_slope=0.01: F.leaky_relu(input, negative_slope), forbids=LEAKY
)


@leaky_relu.cases
def _(draw: Draw) -> Iterable[Case]:
    yield from elementwise(draw)
    for slope in (0.2, 0.0, 2.0):
        slope *= 1 + draw.integer(0, 5) / 10 if draw.hidden else 1
        yield Case("arguments", (draw.off_zero(2, draw.size(3)),), {"negative_slope": slope})
    yield Case("gradient", (draw.off_zero(2, draw.size(3)),), {"negative_slope": 0.3}, gradient=True)


leaky_relu.twin("slope-ignored")(lambda input, negative_slope=0.01: torch.where(input > 0, input, 0.01 * input))
leaky_relu.twin("maximum-of-both")(lambda input, negative_slope=0.01: torch.maximum(negative_slope * input, input))
leaky_relu.twin("relu-first")(lambda input, negative_slope=0.01: F.relu(input))
leaky_relu.twin("slope-on-positives")(
    lambda input, negative_slope=0.01: torch.where(input > 0, negative_slope * input, input)
)
leaky_relu.twin("slope-everywhere")(lambda input, negative_slope=0.01: negative_slope * input)
leaky_relu.twin("constant-leak")(
    lambda input, negative_slope=0.01: torch.where(input > 0, input, torch.full_like(input, negative_slope))
)
leaky_relu.twin("slope-divides")(
    lambda input, negative_slope=0.01: torch.where(input > 0, input, input / negative_slope)
)
leaky_relu.twin("leak-upwards")(lambda input, negative_slope=0.01: F.relu(input) + negative_slope * F.relu(-input))
leaky_relu.twin("slope-added-on-positives")(lambda input, negative_slope=0.01: F.relu(input) + negative_slope * input)

prelu = Exercise(
    "prelu",
    CHAPTER,
    lambda input, weight: F.prelu(input, weight),
    forbids=LEAKY - {"leaky_relu"},
    links=[[(0, 1), (1, 0)]],
)


@prelu.cases
def _(draw: Draw) -> Iterable[Case]:
    weight = draw.uniform(2, low=0.1, high=0.9)
    yield Case(CORE, (draw.off_zero(2, 2, draw.size(3), 2), weight))
    yield Case(CORE, (draw.off_zero(draw.size(2), 2, 2, 2), weight))
    yield Case("arguments", (draw.off_zero(2, 3, draw.size(2), draw.size(2)), draw.uniform(1, low=0.1, high=0.9)))
    yield Case("arguments", (draw.off_zero(2, 3, 4, draw.size(2)), draw.uniform(3, low=1.1, high=2.0)))
    yield Case("shapes", (draw.off_zero(draw.size(3), 4), draw.uniform(4, low=0.1, high=0.9)))
    yield Case("gradient", (draw.off_zero(2, 2, 2, 2), weight), gradient=True)
    yield Case("conduct", (draw.off_zero(2, 2, 2, 2).float(), weight.float()))
    yield Case("zero", (around_zero(draw)[:, [[[0, 1]], [[2, 4]]]], weight))


def _per_channel(input: Tensor, weight: Tensor) -> Tensor:
    return weight.view(1, -1, *[1] * (input.dim() - 2))


prelu.twin("slope-along-width")(lambda input, weight: torch.where(input > 0, input, weight * input))
prelu.twin("first-slope-only")(lambda input, weight: torch.where(input > 0, input, weight[0] * input))
prelu.twin("mean-slope")(lambda input, weight: torch.where(input > 0, input, weight.mean() * input))
prelu.twin("slope-along-batch")(
    lambda input, weight: torch.where(input > 0, input, weight.view(-1, *[1] * (input.dim() - 1)) * input)
)
prelu.twin("slope-on-positives")(
    lambda input, weight: torch.where(input > 0, _per_channel(input, weight) * input, input)
)
prelu.twin("weight-ignored")(lambda input, weight: F.leaky_relu(input, 0.25))
prelu.twin("maximum-of-both")(lambda input, weight: torch.maximum(input, _per_channel(input, weight) * input))
prelu.twin("weight-detached")(
    lambda input, weight: torch.where(input > 0, input, _per_channel(input, weight.detach()) * input)
)


def _rrelu(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Tensor:
    return F.rrelu(input, lower, upper, training=training)


rrelu = Exercise("rrelu", CHAPTER, _rrelu, forbids=RANDOM, weights={"random": 2.0}, rtol=1e-5)


@rrelu.cases
def _(draw: Draw) -> Iterable[Case]:
    still = partial(slopes, 1 / 8, 1 / 3, False)
    yield Case(CORE, (draw.off_zero(draw.size(2), draw.size(3)),), judge=still)
    yield Case(CORE, (draw.off_zero(2, draw.size(3), 2, 2),), judge=still)
    yield Case(
        "arguments",
        (draw.off_zero(2, draw.size(3)),),
        {"lower": 0.1, "upper": 0.3},
        judge=partial(slopes, 0.1, 0.3, False),
    )
    # Marked as random because the gradients of an answer that (wrongly) draws numbers here can't be compared with a twin's.
    yield Case("gradient", (draw.off_zero(2, draw.size(3)),), gradient=True, judge=still, random=True)
    yield Case("conduct", (draw.off_zero(2, draw.size(3)).float(),), judge=still)
    yield Case("zero", (around_zero(draw),), judge=still)
    limits, moving = {"lower": 0.2, "upper": 0.8, "training": True}, partial(slopes, 0.2, 0.8, True)
    sample = draw.off_zero(20, 100)
    yield Case("random", (sample,), limits, judge=moving, random=True)
    # Of one sign here and mixed above, so that a slope drawn once a row, a column or a call shows either way.
    yield Case("random", (-sample.abs(),), limits, judge=moving, random=True)
    yield Case("random", (sample.float(),), limits, judge=moving, random=True)
    # Next to nothing is left to chance here, so that gradients can be compared in training too.
    fixed = {"lower": 0.4, "upper": 0.400001, "training": True}
    yield Case(
        "random",
        (draw.off_zero(2, draw.size(3)),),
        fixed,
        gradient=True,
        judge=partial(slopes, 0.4, 0.400001, True),
        random=True,
    )


def _slopes(input: Tensor, lower: float, upper: float, drawn: bool) -> Tensor:
    return lower + (upper - lower) * (torch.rand_like(input) if drawn else torch.full_like(input, 0.5))


@rrelu.twin("random-in-evaluation")
def _(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Tensor:
    return torch.where(input > 0, input, _slopes(input, lower, upper, True) * input)


@rrelu.twin("one-slope-for-all")
def _(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Tensor:
    return torch.where(input > 0, input, _slopes(input.new_zeros(()), lower, upper, training) * input)


@rrelu.twin("never-random")
def _(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Tensor:
    return torch.where(input > 0, input, _slopes(input, lower, upper, False) * input)


@rrelu.twin("modes-swapped")
def _(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Tensor:
    return torch.where(input > 0, input, _slopes(input, lower, upper, not training) * input)


@rrelu.twin("lower-in-evaluation")
def _(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Tensor:
    return torch.where(input > 0, input, _slopes(input, lower, upper if training else lower, training) * input)


@rrelu.twin("bounds-ignored")
def _(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Tensor:
    return torch.where(input > 0, input, _slopes(input, 1 / 8, 1 / 3, training) * input)


@rrelu.twin("slope-from-zero-to-one")
def _(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Tensor:
    slopes = torch.rand_like(input) if training else _slopes(input, lower, upper, training)
    return torch.where(input > 0, input, slopes * input)


@rrelu.twin("positives-too")
def _(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Tensor:
    return _slopes(input, lower, upper, training) * input


elu = Exercise("elu", CHAPTER, lambda input, alpha=1.0: F.elu(input, alpha), forbids=EXPONENTIAL)


@elu.cases
def _(draw: Draw) -> Iterable[Case]:
    yield from elementwise(draw)
    for alpha in (2.0, 0.5):
        alpha *= 1 + draw.integer(1, 5) / 10 if draw.hidden else 1
        yield Case("arguments", (draw.off_zero(2, draw.size(3)),), {"alpha": alpha})
    yield Case("gradient", (draw.off_zero(3, draw.size(4)),), {"alpha": 1.7}, gradient=True)
    yield Case("large", (torch.tensor([[-1000.0, 1000.0]], dtype=torch.float64),), gradient=True)


@elu.model(
    "alpha-ignored",
    "alpha-on-everything",
    "alpha-in-exponent",
    "minus-one-forgotten",
    "minus-one-outside",
    "nan-gradient",
)
def _(input: Tensor, alpha: float = 1.0, *, wrong: frozenset[str]) -> Tensor:
    alpha = 1.0 if "alpha-ignored" in wrong else alpha
    # where() also differentiates the branch it doesn't take: unclamped, exp overflows there and 0 * inf gives nan.
    below = input if "nan-gradient" in wrong else input.clamp(max=0)
    outer, inner = (1.0, alpha) if "alpha-in-exponent" in wrong else (alpha, 1.0)
    if "minus-one-forgotten" in wrong:
        below = outer * (inner * below).exp()
    elif "minus-one-outside" in wrong:
        below = outer * (inner * below).exp() - 1
    else:
        below = outer * torch.expm1(inner * below)
    return torch.where(input > 0, alpha * input if "alpha-on-everything" in wrong else input, below)


elu.twin("exponential-everywhere")(lambda input, alpha=1.0: alpha * torch.expm1(input))
elu.twin("branches-swapped")(lambda input, alpha=1.0: torch.where(input > 0, alpha * torch.expm1(input), input))
elu.twin("overflow")(lambda input, alpha=1.0: (input > 0) * input + (input <= 0) * alpha * (input.exp() - 1))
elu.twin("negatives-cut")(lambda input, alpha=1.0: F.relu(input))
elu.twin("sign-of-exponent")(
    lambda input, alpha=1.0: torch.where(input > 0, input, alpha * ((-input.clamp(max=0)).exp() - 1))
)


def _rows(draw: Draw) -> Iterable[Case]:
    """Yield the cases that softmax and log_softmax share."""
    yield Case(CORE, (draw.normal(2, draw.size(3)),), {"dim": 1})
    yield Case(CORE, (draw.normal(3, 3),), {"dim": 1})
    yield Case("arguments", (draw.normal(3, draw.size(3)),), {"dim": 0})
    yield Case("arguments", (draw.normal(2, 3, draw.size(2), 3),), {"dim": 1})
    yield Case("arguments", (draw.normal(2, 3, draw.size(4)),), {"dim": -1})
    yield Case("gradient", (draw.normal(2, draw.size(3)),), {"dim": 1}, gradient=True)
    yield Case("gradient", (draw.normal(2, 3, 2),), {"dim": 1}, gradient=True)
    yield Case("conduct", (draw.normal(2, draw.size(3)).float(),), {"dim": 1})
    shift = float(draw.integer(0, 50))
    yield Case(
        "large", (torch.tensor([[1000.0 + shift, 1001.0 + shift], [1.0, 2.0]], dtype=torch.float64),), {"dim": 1}
    )
    yield Case("large", (torch.tensor([[1e3, 1e3 + 1], [-1e3, -1e3 - shift / 9]], dtype=torch.float64),), {"dim": 1})
    yield Case("large", (torch.tensor([[0.0, 200.0], [-900.0, 900.0]], dtype=torch.float64),), {"dim": 1})
    # Here the mean would do for a shift, and the minimum would not.
    yield Case("large", (torch.tensor([[0.0, 0.0, 0.0, 800.0 + shift]], dtype=torch.float64),), {"dim": 1})


# No default for dim here, so that no case is ever shown without it: torch then guesses, and says that it shouldn't.
softmax = Exercise("softmax", CHAPTER, lambda input, dim: F.softmax(input, dim), forbids=SOFTMAXES)
softmax.cases(_rows)


def _over(input: Tensor, dim: int, wrong: frozenset[str]) -> Any:
    """Return the dimensions that a softmax with these misconceptions sums over."""
    if "whole-tensor" in wrong:
        return tuple(range(input.dim()))
    return 0 if "dim-zero" in wrong else 1 if "always-dim-one" in wrong else -1 if "last-dim" in wrong else dim


DIMS = ("dim-zero", "always-dim-one", "last-dim", "whole-tensor")


@softmax.model(
    "global-maximum", *DIMS, "overflow", "minimum-subtracted", "minus-sign", "not-normalised", "mean-for-sum"
)
def _(input: Tensor, dim: int = 1, *, wrong: frozenset[str]) -> Tensor:
    over = _over(input, dim, wrong)
    input = -input if "minus-sign" in wrong else input
    if "overflow" not in wrong:
        shift = input.amin(over, keepdim=True) if "minimum-subtracted" in wrong else input.amax(over, keepdim=True)
        input = input - (input.max() if "global-maximum" in wrong else shift)
    powers = input.exp()
    if "not-normalised" in wrong:
        return powers
    return powers / (powers.mean(over, keepdim=True) if "mean-for-sum" in wrong else powers.sum(over, keepdim=True))


softmax.twin("no-exponential")(lambda input, dim=None: input / input.sum(dim, keepdim=True))
softmax.twin("log-softmax-instead")(lambda input, dim=None: input - torch.logsumexp(input, dim, keepdim=True))
softmax.twin("sigmoid-instead")(lambda input, dim=None: torch.sigmoid(input))
softmax.twin("one-hot-of-maximum")(lambda input, dim=None: (input == input.amax(dim, keepdim=True)).to(input.dtype))

log_softmax = Exercise("log_softmax", CHAPTER, lambda input, dim: F.log_softmax(input, dim), forbids=SOFTMAXES)
log_softmax.cases(_rows)


@log_softmax.model(
    *DIMS, "overflow", "global-maximum", "log-of-softmax", "base-two", "base-ten", "log-forgotten", "wrong-sign"
)
def _(input: Tensor, dim: int = 1, *, wrong: frozenset[str]) -> Tensor:
    over = _over(input, dim, wrong)
    if "overflow" not in wrong:
        input = input - (input.max() if "global-maximum" in wrong else input.amax(over, keepdim=True))
    total = input.exp().sum(over, keepdim=True)
    if "log-forgotten" in wrong:
        return input.exp() / total
    result = (input.exp() / total).log() if "log-of-softmax" in wrong else input - total.log()
    result = result / math.log(2 if "base-two" in wrong else 10 if "base-ten" in wrong else math.e)
    return -result if "wrong-sign" in wrong else result


log_softmax.twin("maximum-only")(lambda input, dim=None: input - input.amax(dim, keepdim=True))
log_softmax.twin("sum-not-logged")(
    lambda input, dim=None: input - (input - input.amax(dim, keepdim=True)).exp().sum(dim, keepdim=True)
)

EXERCISES = (relu, sigmoid, tanh, leaky_relu, prelu, rrelu, elu, softmax, log_softmax)
