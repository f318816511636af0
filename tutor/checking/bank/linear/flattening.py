"""Flattening: which dimensions become one, the way back, and published code that flattens a whole batch."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.checking.bank.linear.layer import CHAPTER
from tutor.checking.exercise import CONDUCT, CORE, GRADIENT, RIGHT, Case, Draw, Exercise


def _flat(input: Tensor, start_dim: int = 0, end_dim: int = -1, *, wrong: frozenset[str] = RIGHT) -> Tensor:
    if input.dim() == 0:
        return input if "single-number-kept" in wrong else input.reshape(1)
    if "ones-dropped" in wrong:
        input = input.squeeze()
    start = start_dim % input.dim()
    end = end_dim % input.dim()
    if "across-batch" in wrong:
        start = 0
    if "batch-always-kept" in wrong:
        start = min(1, end)
    if "start-one-late" in wrong:
        start += 1
    if "end-ignored" in wrong:
        end = input.dim() - 1
    if "end-left-out" in wrong:
        end -= 1
    before, after = input.shape[:start], input.shape[end + 1 :]
    merged = input.shape[start : end + 1]
    if "columns-first" in wrong:
        order = [*range(start), *range(end, start - 1, -1), *range(end + 1, input.dim())]
        input = input.permute(order)
    if "memory-order" in wrong:
        input = input.as_strided((input.numel(),), (1,))
    ones = [1] * (len(merged) - 1) if "ones-left" in wrong else []
    return input.reshape(*before, *ones, math.prod(merged), *after)


flatten = Exercise(
    "flatten",
    CHAPTER,
    lambda input, start_dim=0, end_dim=-1: torch.flatten(input, start_dim, end_dim),
    forbids={"flatten"},
)


@flatten.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, *shape: int, **options: int) -> Case:
        return Case(aspect, (draw.digits(*shape),), options)

    yield case(CORE, 2, 3, draw.size(2))
    yield case(CORE, 2, draw.size(3), 2, 4, start_dim=1)
    yield case(CORE, 3, 2, draw.size(4), start_dim=1)
    yield case(CORE, draw.size(2), 3)
    yield case("end_dim", 2, 3, draw.size(2), 3, start_dim=1, end_dim=2)
    yield case("end_dim", draw.size(3), 2, 4, end_dim=1)
    yield case("end_dim", 2, draw.size(3), 2, end_dim=0)
    yield case("counted from the end", 2, draw.size(2), 3, 4, start_dim=-3, end_dim=-2)
    yield case("counted from the end", 2, 4, draw.size(3), start_dim=-2)
    yield case("counted from the end", 2, draw.size(3), 2, start_dim=-1)
    yield case("counted from the end", 3, 2, draw.size(2), 2, start_dim=-3, end_dim=3)
    yield case("shapes", draw.size(4))
    yield case("shapes", 1, draw.size(2), 3, start_dim=1)
    yield case("shapes")
    # The batch's memory holds channels last, as pictures from files do.
    yield Case("any layout in memory", (draw.digits(2, 2, draw.size(3), 3).permute(0, 3, 1, 2),), {"start_dim": 1})
    yield Case("any layout in memory", (draw.digits(3, draw.size(2)).T,))
    yield replace(case(GRADIENT, 2, 3, draw.size(2), start_dim=1), gradient=True)
    yield case(CONDUCT, 2, 3, draw.size(2), start_dim=1).in_float32()


flatten.model(
    "across-batch",
    "batch-always-kept",
    "start-one-late",
    "end-ignored",
    "end-left-out",
    "columns-first",
    "memory-order",
    "ones-left",
    "ones-dropped",
    "single-number-kept",
)(_flat)


@flatten.twin("last-dim-kept")
def _(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    return input.reshape(-1, input.shape[-1])


@flatten.twin("features-first")
def _(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    flat = _flat(input, start_dim, end_dim)
    return flat.permute(*reversed(range(flat.dim())))


@flatten.twin("batch-last-reshaped")
def _(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    flat = _flat(input, start_dim, end_dim)
    return flat.reshape(*reversed(flat.shape))


def _by_autograd(grad_output: Tensor, input: Tensor, start_dim: int = 0, end_dim: int = -1) -> tuple[Tensor, ...]:
    with torch.enable_grad():
        leaf = input.detach().requires_grad_()
        return torch.autograd.grad(torch.flatten(leaf, start_dim, end_dim), leaf, grad_output.detach())


flatten_backward = Exercise("flatten_backward", CHAPTER, _by_autograd, by_hand=True)


@flatten_backward.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, *shape: int, **options: int) -> Case:
        images = draw.digits(*shape)
        flat = torch.flatten(images, **options)
        return Case(aspect, (draw.digits(*flat.shape), images), options)

    yield case(CORE, 2, 3, 2, draw.size(2), start_dim=1)
    yield case(CORE, 2, 2, draw.size(3), 4, start_dim=1)
    yield case(CORE, draw.size(2), 3)
    yield case("end_dim", 2, 3, draw.size(2), 3, start_dim=1, end_dim=2)
    yield case("end_dim", 2, draw.size(3), 3, end_dim=-2)
    yield case("shapes", 1, draw.size(2), 3, start_dim=1)
    yield case(CONDUCT, 2, 3, draw.size(2), start_dim=1).in_float32()


@flatten_backward.model(
    "grad-output-forgotten", "input-multiplied", "divided", "wrong-sign", "columns-first", "left-flat"
)
def _(
    grad_output: Tensor, input: Tensor, start_dim: int = 0, end_dim: int = -1, *, wrong: frozenset[str] = RIGHT
) -> tuple[Tensor]:
    if "grad-output-forgotten" in wrong:
        grad_output = torch.ones_like(grad_output)
    if "divided" in wrong:
        grad_output = grad_output / grad_output.shape[-1]
    if "wrong-sign" in wrong:
        grad_output = -grad_output
    grad = grad_output.reshape(input.shape)
    if "columns-first" in wrong and input.dim() > 1:
        turned = (*input.shape[:-2], input.shape[-1], input.shape[-2])
        grad = grad_output.reshape(turned).transpose(-1, -2)
    if "input-multiplied" in wrong:
        grad = grad * input
    return (grad.reshape(grad_output.shape) if "left-flat" in wrong else grad,)


@flatten_backward.twin("sides-swapped")
def _(grad_output: Tensor, input: Tensor, start_dim: int = 0, end_dim: int = -1) -> tuple[Tensor]:
    return (grad_output.reshape(*input.shape[:-2], input.shape[-1], input.shape[-2]),)


@flatten_backward.twin("batch-last")
def _(grad_output: Tensor, input: Tensor, start_dim: int = 0, end_dim: int = -1) -> tuple[Tensor]:
    return (grad_output.reshape(*input.shape[1:], len(input)).movedim(-1, 0),)


@flatten_backward.twin("input-returned")
def _(grad_output: Tensor, input: Tensor, start_dim: int = 0, end_dim: int = -1) -> tuple[Tensor]:
    return (input.clone(),)


mend_flatten = Exercise(
    "mend_flatten",
    CHAPTER,
    lambda images, weight, bias: F.linear(images.flatten(1), weight, bias),
    links=[[(0, 0)], [(1, 0), (2, 0)]],
)


@mend_flatten.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, samples: int, channels: int, height: int, width: int, out: int) -> Case:
        features = channels * height * width
        shapes = (samples, channels, height, width), (out, features), (out,)
        return Case(aspect, tuple(draw.digits(*shape) for shape in shapes))

    yield case(CORE, 2, 2, 2, 3, 3)
    yield case(CORE, draw.size(3), 3, 2, 2, 2)
    yield case(CORE, 1, 2, 3, 2, draw.size(4))  # only here does the published line run at all
    yield case("batches of any size", 4, 1, draw.size(2), 3, 3)
    yield case("batches of any size", 1, 3, 2, 2, 1)
    yield replace(case(GRADIENT, 2, 2, 2, draw.size(2), 2), gradient=True)
    yield case(CONDUCT, 2, 2, 2, 2, 2).in_float32()


@mend_flatten.model(
    "images-summed",
    "torn-by-reshape",
    "channels-last",
    "columns-first",
    "ones-left",
    "bias-forgotten",
)
def _(images: Tensor, weight: Tensor, bias: Tensor, *, wrong: frozenset[str] = RIGHT) -> Any:
    if "channels-last" in wrong:
        images = images.permute(0, 2, 3, 1)
    if "columns-first" in wrong:
        images = images.transpose(-1, -2)
    flat = images.flatten(1)
    if "torn-by-reshape" in wrong:
        flat = images.reshape(-1, len(images)).T
    if "ones-left" in wrong:
        flat = flat[:, None, None]
    if "images-summed" in wrong:
        flat = flat.sum(0)
    return flat @ weight.T + (0 if "bias-forgotten" in wrong else bias)


mend_flatten.twin("whole-batch")(lambda images, weight, bias: F.linear(images.flatten(), weight, bias))
mend_flatten.twin("images-averaged")(lambda images, weight, bias: F.linear(images.flatten(1).mean(0), weight, bias))
mend_flatten.twin("first-image-only")(lambda images, weight, bias: F.linear(images[0].flatten(), weight, bias))
