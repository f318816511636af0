"""The gradients of four activations by hand; the oracle is autograd through torch's own function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.checking.bank.activations.forward import CHAPTER, SLOPES, around_zero
from tutor.checking.exercise import CORE, Case, Draw, Exercise


def gradient_of(forward: Callable[..., Tensor]) -> Callable[..., tuple[Tensor]]:
    """Return the oracle of a backward exercise: ``(grad_output, input, **options)`` -> ``(grad_input,)`` by autograd."""

    def oracle(grad_output: Tensor, input: Tensor, **options: Any) -> tuple[Tensor]:
        with torch.enable_grad():
            leaf = input.detach().requires_grad_()
            (gradient,) = torch.autograd.grad((forward(leaf, **options) * grad_output.detach()).sum(), leaf)
        return (gradient,)

    return oracle


def _elementwise(draw: Draw) -> Iterable[Case]:
    for shape in ((draw.size(2), draw.size(3)), (2, draw.size(3), 2, draw.size(2))):
        yield Case(CORE, (draw.off_zero(*shape), draw.off_zero(*shape)))
    yield Case("shapes", (draw.off_zero(5), draw.off_zero(5)))
    yield Case("conduct", (draw.off_zero(2, 3).float(), draw.off_zero(2, 3).float()))
    yield Case("large", (draw.off_zero(1, 4), torch.tensor([[-800.0, -40.0, 40.0, 800.0]], dtype=torch.float64)))


def _with_zero(draw: Draw) -> Iterable[Case]:
    yield from _elementwise(draw)
    yield Case("zero", (draw.off_zero(1, 5), around_zero(draw)))


def _backward(name: str, forward: Callable[..., Tensor], forbids: Iterable[str]) -> Exercise:
    # The forward function is not what the exercise is about: torch's own may be used there.
    return Exercise(name, CHAPTER, gradient_of(forward), forbids=forbids, by_hand=True)


relu_backward = _backward("relu_backward", F.relu, SLOPES)


@relu_backward.cases
def _(draw: Draw) -> Iterable[Case]:
    yield from _elementwise(draw)
    yield Case("zero", (draw.off_zero(1, 4), around_zero(draw)[:, 1:]))  # without the bend itself


relu_backward.twin("mask-forgotten")(lambda grad_output, input: (grad_output,))
relu_backward.twin("grad-output-forgotten")(lambda grad_output, input: ((input > 0).to(input.dtype),))
relu_backward.twin("mask-of-grad-output")(lambda grad_output, input: (grad_output * (grad_output > 0),))
relu_backward.twin("mask-reversed")(lambda grad_output, input: (grad_output * (input < 0),))
relu_backward.twin("input-for-mask")(lambda grad_output, input: (grad_output * input.clamp(min=0),))
relu_backward.twin("forward-again")(lambda grad_output, input: (input.clamp(min=0),))
relu_backward.twin("both-masks")(lambda grad_output, input: (grad_output.clamp(min=0) * (input > 0),))
relu_backward.twin("sign-for-mask")(lambda grad_output, input: (grad_output * input.sign(),))

sigmoid_backward = _backward("sigmoid_backward", torch.sigmoid, {"sigmoid_backward", "log_sigmoid_backward"})
sigmoid_backward.cases(_with_zero)
sigmoid_backward.twin("sigmoid-twice")(
    lambda grad_output, input: (grad_output * _slope(torch.sigmoid(torch.sigmoid(input))),)
)
sigmoid_backward.twin("input-as-output")(lambda grad_output, input: (grad_output * _slope(input),))
sigmoid_backward.twin("grad-output-forgotten")(lambda grad_output, input: (_slope(torch.sigmoid(input)),))
sigmoid_backward.twin("forward-as-slope")(lambda grad_output, input: (grad_output * torch.sigmoid(input),))
sigmoid_backward.twin("first-factor-forgotten")(lambda grad_output, input: (grad_output * (1 - torch.sigmoid(input)),))
sigmoid_backward.twin("tanh-slope")(lambda grad_output, input: (grad_output * (1 - torch.sigmoid(input) ** 2),))
sigmoid_backward.twin("grad-output-as-output")(lambda grad_output, input: (_slope(grad_output),))
sigmoid_backward.twin("wrong-sign")(lambda grad_output, input: (-grad_output * _slope(torch.sigmoid(input)),))
sigmoid_backward.twin("overflow")(lambda grad_output, input: (grad_output * input.exp() / (1 + input.exp()) ** 2,))


def _slope(s: Tensor) -> Tensor:
    return s * (1 - s)


tanh_backward = _backward("tanh_backward", torch.tanh, {"tanh_backward"})
tanh_backward.cases(_with_zero)
tanh_backward.twin("input-as-output")(lambda grad_output, input: (grad_output * (1 - input**2),))
tanh_backward.twin("square-forgotten")(lambda grad_output, input: (grad_output * (1 - torch.tanh(input)),))
tanh_backward.twin("square-of-difference")(lambda grad_output, input: (grad_output * (1 - torch.tanh(input)) ** 2,))
tanh_backward.twin("grad-output-forgotten")(lambda grad_output, input: (1 - torch.tanh(input) ** 2,))
tanh_backward.twin("sigmoid-slope")(lambda grad_output, input: (grad_output * _slope(torch.tanh(input)),))
tanh_backward.twin("tanh-twice")(lambda grad_output, input: (grad_output * (1 - torch.tanh(torch.tanh(input)) ** 2),))
tanh_backward.twin("wrong-sign")(lambda grad_output, input: (grad_output * (torch.tanh(input) ** 2 - 1),))
tanh_backward.twin("plus-for-minus")(lambda grad_output, input: (grad_output * (1 + torch.tanh(input) ** 2),))
tanh_backward.twin("overflow")(lambda grad_output, input: (grad_output * (1 - _naive_tanh(input) ** 2),))


def _naive_tanh(input: Tensor) -> Tensor:
    return (input.exp() - (-input).exp()) / (input.exp() + (-input).exp())


softmax_backward = _backward(
    "softmax_backward", lambda input, *, dim: F.softmax(input, dim), {"_softmax_backward_data"}
)


@softmax_backward.cases
def _(draw: Draw) -> Iterable[Case]:
    for shape, dim in (((2, draw.size(3)), 1), ((3, 3), 1)):
        yield Case(CORE, (draw.normal(*shape), draw.normal(*shape)), {"dim": dim})
    others: list[tuple[tuple[int, ...], int]] = [
        ((3, draw.size(4)), 0),
        ((2, 3, 2, draw.size(2)), 1),
        ((2, 2, draw.size(3)), -1),
    ]
    for sizes, dim in others:
        yield Case("arguments", (draw.normal(*sizes), draw.normal(*sizes)), {"dim": dim})
    yield Case("conduct", (draw.normal(2, 3).float(), draw.normal(2, 3).float()), {"dim": 1})
    large = torch.tensor([[1000.0, 1001.0], [-1000.0, -999.0]], dtype=torch.float64)
    yield Case("large", (draw.normal(2, 2), large), {"dim": 1})
    apart = torch.tensor([[0.0, 200.0], [-900.0, 900.0]], dtype=torch.float64)
    yield Case("large", (draw.normal(2, 2), apart), {"dim": 1})


@softmax_backward.model(
    "diagonal-only",
    "no-correction",
    "correction-not-weighted",
    "mean-for-sum",
    "dim-zero",
    "always-dim-one",
    "last-dim",
    "overflow",
    "grad-output-forgotten",
    "wrong-sign",
)
def _(grad_output: Tensor, input: Tensor, dim: int = 1, *, wrong: frozenset[str]) -> tuple[Tensor]:
    over = 0 if "dim-zero" in wrong else 1 if "always-dim-one" in wrong else -1 if "last-dim" in wrong else dim
    shifted = input if "overflow" in wrong else input - input.amax(over, keepdim=True)
    s = shifted.exp() / shifted.exp().sum(over, keepdim=True)
    g = torch.ones_like(s) if "grad-output-forgotten" in wrong else grad_output
    if "diagonal-only" in wrong:
        gradient = g * s * (1 - s)
    elif "no-correction" in wrong:
        gradient = g * s
    else:
        weighted = g if "correction-not-weighted" in wrong else g * s
        total = weighted.mean(over, keepdim=True) if "mean-for-sum" in wrong else weighted.sum(over, keepdim=True)
        gradient = s * (g - total)
    return (-gradient if "wrong-sign" in wrong else gradient,)


EXERCISES = (relu_backward, sigmoid_backward, tanh_backward, softmax_backward)
