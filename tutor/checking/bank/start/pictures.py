"""Pictures as tensors: which dimension is which, from a file's order to PyTorch's, and normalising each channel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import Tensor

from tutor.checking.bank.start.judging import as_shapes, values_and_dtype
from tutor.checking.bank.start.neuron import CHAPTER
from tutor.checking.exercise import CORE, GRADIENT, RIGHT, Case, Draw, Exercise

Shape = tuple[int, ...]


def _shapes(*, wrong: frozenset[str] = RIGHT) -> list[Shape]:
    whole = (64, 3, 32, 32)
    one: Shape = (1, 3, 32, 32) if "index-keeps-dimension" in wrong else (3, 32, 32)
    one = (32, 32) if "index-takes-channel-too" in wrong else one
    red = (64, 1, 32, 32) if "index-keeps-dimension" in wrong else (64, 32, 32)
    red = (3, 32, 32) if "colon-taken-for-one" in wrong else red
    few = (3, 32, 32) if "slice-drops-dimension" in wrong else (8, 3, 32, 32)
    few = (9, 3, 32, 32) if "slice-end-included" in wrong else few
    last = whole if "permute-changes-nothing" in wrong else (64, 32, 32, 3)
    last = (64, 32, 3, 32) if "permute-turned-round" in wrong else last
    mean: Shape = (64, 32, 32) if "mean-keeps-what-is-named" in wrong else (3,)
    mean = (1, 3, 1, 1) if "mean-leaves-ones" in wrong else mean
    mean = () if "mean-of-all" in wrong else mean
    return [one, red, few, last, mean]


predict_shapes = Exercise("predict_shapes", CHAPTER, lambda: _shapes(), prediction=True)


@predict_shapes.cases
def _(draw: Draw) -> Iterable[Case]:
    yield Case(CORE, (), judge=as_shapes)


predict_shapes.model(
    "index-keeps-dimension",
    "index-takes-channel-too",
    "colon-taken-for-one",
    "slice-drops-dimension",
    "slice-end-included",
    "permute-changes-nothing",
    "permute-turned-round",
    "mean-keeps-what-is-named",
    "mean-leaves-ones",
    "mean-of-all",
)(_shapes)


def _nchw(images: Tensor, *, wrong: frozenset[str] = RIGHT) -> Tensor:
    n, height, width, channels = images.shape
    if "colours-reversed" in wrong:
        images = images.flip(3)
    if "reshaped" in wrong or "reshaped-to-three" in wrong:
        moved = images.reshape(n, 3 if "reshaped-to-three" in wrong else channels, height, width)
    elif "sides-swapped" in wrong:
        moved = images.permute(0, 3, 2, 1)
    elif "channels-before-batch" in wrong:
        moved = images.permute(3, 0, 1, 2)
    else:
        moved = images if "channels-left-last" in wrong else images.permute(0, 3, 1, 2)
    if "whole-division" in wrong:
        return (moved // 255).float()
    if "left-as-bytes" in wrong:
        return moved.contiguous()
    if "not-divided" in wrong:
        return moved.float()
    exact = moved.double() if "double-precision" in wrong else moved.float()
    if "divided-by-own-maximum" in wrong:
        return exact / exact.max()
    return exact / 256 if "divided-by-256" in wrong else exact / 255


to_nchw = Exercise("to_nchw", CHAPTER, lambda images: _nchw(images))


@to_nchw.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, *shape: int) -> Case:
        pixels = (draw.uniform(*shape) * 240).to(torch.uint8) + 5
        return Case(aspect, (pixels,), judge=values_and_dtype)

    yield case(CORE, 2, 2, 4, 3)
    yield case(CORE, draw.size(2), 3, 2, 3)
    yield case(CORE, 3, draw.size(3), 3, 3)
    yield case("shapes", 1, 2, draw.size(3), 3)
    yield case("shapes", 2, draw.size(3), 2, 1)
    yield case("shapes", 2, 2, draw.size(3), 4)
    ends = torch.tensor([[[[0, 255, 128]]], [[[255, 0, 1]]]], dtype=torch.uint8)
    yield Case("darkest and brightest", (ends,), judge=values_and_dtype)


to_nchw.model(
    "reshaped",
    "reshaped-to-three",
    "sides-swapped",
    "channels-left-last",
    "channels-before-batch",
    "colours-reversed",
    "left-as-bytes",
    "not-divided",
    "whole-division",
    "divided-by-256",
    "divided-by-own-maximum",
    "double-precision",
)(_nchw)


@to_nchw.twin("three-channels")
def _(images: Tensor) -> Tensor:
    return torch.stack([images[..., 0], images[..., 1], images[..., 2]], dim=1) / 255


def _normal(images: Tensor, mean: Tensor, std: Tensor, *, wrong: frozenset[str] = RIGHT) -> Tensor:
    if "own-statistics" in wrong:
        mean, std = images.mean((0, 2, 3)), images.std((0, 2, 3))
    if "one-mean-for-all" in wrong:
        mean, std = mean.mean().expand_as(mean), std.mean().expand_as(std)
    if "variance-for-deviation" in wrong:
        std = std**2
    if "mean-forgotten" in wrong:
        mean = torch.zeros_like(mean)
    if "mean-added" in wrong:
        mean = -mean
    if "deviation-forgotten" in wrong:
        std = torch.ones_like(std)
    if "deviation-multiplied" in wrong:
        std = 1 / std
    if "channels-reversed" in wrong:
        mean, std = mean.flip(0), std.flip(0)
    shape = (1, 1, -1) if "along-width" in wrong else (-1, 1, 1, 1) if "along-batch" in wrong else (-1, 1, 1)
    mean, std = mean.view(shape), std.view(shape)
    return images / std - mean if "divided-first" in wrong else (images - mean) / std


normalize = Exercise(
    "normalize",
    CHAPTER,
    lambda images, mean, std: _normal(images, mean, std),
    forbids={"native_batch_norm", "batch_norm", "_native_batch_norm_legit_no_training", "_batch_norm_no_update"},
    links=[[(0, 1), (1, 0), (2, 0)], [(0, 0)], [(0, 2)], [(0, 3)]],
)


@normalize.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, samples: int, channels: int, height: int, width: int) -> Case:
        images = draw.digits(samples, channels, height, width)
        # Deviations of 0.5, 2, 4, ..., never 1, so that a quotient, a product and a square all differ.
        deviations = 2.0 ** (draw.digits(channels).abs().remainder(3) + 1) * 0.5 + 0.25
        return Case(aspect, (images, draw.digits(channels), deviations))

    yield case(CORE, 2, 3, 2, 4)
    yield case(CORE, 2, 3, 4, 3)  # as wide as it has channels: a mean along the width fits
    yield case(CORE, 3, 3, 2, draw.size(4))  # as many images as channels
    yield case("shapes", draw.size(2), 1, 2, 3)
    yield case("shapes", 1, 4, draw.size(2), 2)
    yield replace(case(GRADIENT, 2, 3, 2, draw.size(2)), gradient=True)
    yield case("conduct", 2, 3, 2, 2).in_float32()


normalize.model(
    "along-width",
    "along-batch",
    "mean-forgotten",
    "mean-added",
    "deviation-forgotten",
    "deviation-multiplied",
    "variance-for-deviation",
    "divided-first",
    "own-statistics",
    "one-mean-for-all",
    "channels-reversed",
)(_normal)


# Whoever writes 3 into a shape gets an error for any other number of channels; these two are for loops.
@normalize.twin("three-channels-filled")
def _(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    moved = torch.zeros_like(images)
    for channel in range(3):
        moved[:, channel] = (images[:, channel] - mean[channel]) / std[channel]
    return moved


@normalize.twin("three-channels-returned")
def _(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    return torch.stack([(images[:, channel] - mean[channel]) / std[channel] for channel in range(3)], dim=1)
