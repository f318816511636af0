"""A step of gradient descent, and the gradients of a whole small net by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.checking.bank.cnn.common import CHAPTER, one_of_each, softmax, targets
from tutor.checking.exercise import CORE, RIGHT, Case, Draw, Exercise


def _step(
    parameters: Sequence[Tensor], gradients: Sequence[Tensor], lr: float, *, wrong: frozenset[str] = RIGHT
) -> list[Tensor]:
    """Return the parameters after one step, with the misconceptions that ``wrong`` names."""
    new = []
    for place, (parameter, gradient) in enumerate(zip(parameters, gradients, strict=True)):
        rate = 1.0 if "rate-forgotten" in wrong else lr**2 if "rate-squared" in wrong else lr
        step = gradient.sign() if "sign-only" in wrong else gradient
        if "unit-length" in wrong:
            step = gradient / gradient.norm()
        if "averaged-over-rows" in wrong:
            step = gradient.mean(0, keepdim=True).expand_as(gradient)
        step = step / rate if "divided-by-rate" in wrong else step * rate
        if "weights-multiplied" in wrong:
            step = parameter * step
        if "uphill" in wrong:
            step = -step
        start = torch.zeros_like(parameter) if "step-only" in wrong else parameter
        if "weights-scaled" in wrong:
            start = start * lr
        stays = ("first-only" in wrong and place > 0) or ("weights-only" in wrong and parameter.dim() == 1)
        new.append(parameter if stays else start - step)
    return new


sgd_step = Exercise("sgd_step", CHAPTER, lambda parameters, gradients, lr: _step(parameters, gradients, lr))


@sgd_step.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, lr: float, *shapes: tuple[int, ...]) -> Case:
        return Case(aspect, ([draw.normal(*s) for s in shapes], [draw.normal(*s) for s in shapes], lr))

    yield case(CORE, 0.1, (draw.size(2), 3), (3,))
    yield case(CORE, 0.5, (2, draw.size(2), 2, 3), (2,), (4, 2))
    yield case(CORE, 0.02, (draw.size(4),))
    single = case("conduct", 0.1, (2, 3), (2,))
    yield Case("conduct", ([p.float() for p in single.args[0]], [g.float() for g in single.args[1]], 0.1))


sgd_step.model("uphill", "rate-forgotten", "step-only", "first-only")(_step)
sgd_step.alone(
    _step,
    "divided-by-rate",
    "rate-squared",
    "sign-only",
    "unit-length",
    "averaged-over-rows",
    "weights-multiplied",
    "weights-scaled",
    "weights-only",
)


def _net(images: Tensor, cw: Tensor, cb: Tensor, lw: Tensor, lb: Tensor) -> Tensor:
    return F.linear(F.max_pool2d(F.relu(F.conv2d(images, cw, cb)), 2).flatten(1), lw, lb)


def _by_autograd(
    input: Tensor, target: Tensor, conv_weight: Tensor, conv_bias: Tensor, linear_weight: Tensor, linear_bias: Tensor
) -> tuple[Tensor, ...]:
    with torch.enable_grad():
        leaves = [p.detach().requires_grad_() for p in (conv_weight, conv_bias, linear_weight, linear_bias)]
        return torch.autograd.grad(F.cross_entropy(_net(input, *leaves), target), leaves)


cnn_gradients = Exercise(
    "cnn_gradients",
    CHAPTER,
    _by_autograd,
    forbids={
        "convolution_backward",
        "max_pool2d_with_indices_backward",
        "threshold_backward",
        "nll_loss_backward",
        "_log_softmax_backward_data",
        "_softmax_backward_data",
    },
    by_hand=True,
    links=[[(0, 0), (1, 0)], [(2, 0), (3, 0), (4, 1)], [(0, 1), (2, 1)]],
)


@cnn_gradients.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(
        aspect: str, images: int, channels: int, size: tuple[int, int], maps: int, kernel: tuple[int, int], classes: int
    ) -> Case:
        inner = maps * ((size[0] - kernel[0] + 1) // 2) * ((size[1] - kernel[1] + 1) // 2)
        bias = draw.normal(maps)
        bias[0] = -1.5 - draw.uniform(1).item()  # windows without a positive number: nothing comes back through them
        net = (
            draw.normal(maps, channels, *kernel, scale=0.7),
            bias,
            draw.normal(classes, inner),
            draw.normal(classes),
        )
        return Case(aspect, (draw.normal(images, channels, *size), targets(draw, images, classes), *net))

    yield case(CORE, 3, 1, (3, 3), 2, (2, 2), 2)  # one window for each map: small enough for paper
    yield case(CORE, draw.size(2), 2, (6, 8), 3, (3, 3), 4)
    yield case(CORE, draw.size(3), 1, (5, 8), 2, (2, 3), 3)
    yield case(CORE, draw.size(3), 3, (6, 5), 2, (3, 2), 2)
    yield case(
        "odd sizes in the pooling", 2, 2, (draw.size(1) * 2 + 5, 5), 2, (3, 3), 3
    )  # pooling leaves a row and a column out
    yield case("conduct", 2, 1, (4, 4), 2, (3, 3), 3).in_float32()


def _gradients(
    input: Tensor,
    target: Tensor,
    conv_weight: Tensor,
    conv_bias: Tensor,
    linear_weight: Tensor,
    linear_bias: Tensor,
    *,
    wrong: frozenset[str],
) -> tuple[Tensor, ...]:
    """Return the four gradients, with the misconceptions that ``wrong`` names."""
    sums = F.conv2d(input, conv_weight, conv_bias)
    active = F.relu(sums)
    pooled, places = F.max_pool2d(active, 2, return_indices=True)
    features = pooled.flatten(1)
    p = softmax(features @ linear_weight.T + linear_bias)
    gradient = p if "one-forgotten" in wrong else p - one_of_each(target, p)
    if "softmax-slope-again" in wrong:
        gradient = gradient * p * (1 - p)
    if "wrong-sign" in wrong:
        gradient = -gradient
    if "not-divided" not in wrong:
        gradient = gradient / len(input)
    into_weight, into_bias = gradient.T @ features, gradient.sum(0)
    back = (gradient @ linear_weight).view_as(pooled)
    if wrong & {"pool-everywhere", "pool-shared-out"}:
        wide = back.repeat_interleave(2, 2).repeat_interleave(2, 3)
        back = torch.zeros_like(active)
        back[:, :, : wide.shape[2], : wide.shape[3]] = wide / 4 if "pool-shared-out" in wrong else wide
    else:
        back = F.max_unpool2d(back, places, (2, 2), output_size=active.shape[2:])
    if "mask-forgotten" not in wrong:
        back = back * (sums > 0)
    if "first-image-only" in wrong:
        back, input = back[:1], input[:1]
    patches = F.unfold(input, conv_weight.shape[2:])
    into_kernel = torch.einsum("nol,nkl->ok", back.flatten(2), patches).view_as(conv_weight)
    if "kernel-flipped" in wrong:
        into_kernel = into_kernel.flip(2, 3)
    into_offset = back.mean((0, 2, 3)) if "bias-averaged" in wrong else back.sum((0, 2, 3))
    if "places-averaged" in wrong:
        into_kernel, into_offset = (part / (sums.shape[2] * sums.shape[3]) for part in (into_kernel, into_offset))
    if "linear-transposed" in wrong:
        into_weight = into_weight.T
    if "linear-first" in wrong:
        return into_weight, into_bias, into_kernel, into_offset
    return into_kernel, into_offset, into_weight, into_bias


cnn_gradients.model(
    "one-forgotten",
    "not-divided",
    "mask-forgotten",
    "pool-everywhere",
    "bias-averaged",
    "kernel-flipped",
)(_gradients)
cnn_gradients.alone(
    _gradients,
    "pool-shared-out",
    "wrong-sign",
    "softmax-slope-again",
    "first-image-only",
    "places-averaged",
    "linear-transposed",
    "linear-first",
)
