"""A net to a table of shapes: judged by its learned tensors, and by what it computes once these hold known numbers."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from tutor.checking.apparatus.cnn import measured
from tutor.checking.bank.cnn.common import CHAPTER
from tutor.checking.bank.cnn.judging import net
from tutor.checking.exercise import CORE, RIGHT, Case, Draw, Exercise


class _Flattened(nn.Module):
    """Flattens the batch as well, or changes the shape so that rows of images mix."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, input: Tensor) -> Tensor:
        return input.permute(1, 0, 2, 3).reshape(-1, self.width)


def _build(*, wrong: frozenset[str] = RIGHT) -> Any:
    """Return the net of the table, with the misconceptions that ``wrong`` names."""
    first, second = (32, 16) if "channels-swapped" in wrong else (16, 32)
    pad = 0 if "padding-forgotten" in wrong else 1
    bias = "bias-left-out" not in wrong
    bend = nn.Sigmoid if "sigmoid-for-relu" in wrong else nn.Identity if "relu-forgotten" in wrong else nn.ReLU
    once = nn.Identity if "pooled-once" in wrong else None
    pool: type[nn.Module] = nn.AvgPool2d if "average-pooling" in wrong else nn.MaxPool2d
    side = (8 if pad else 6) * (2 if once else 1)
    width = second * side * side
    kernel, around = (5, pad + 1) if "kernel-five" in wrong else (3, pad)
    layers: list[nn.Module] = [
        nn.Conv2d(3, first, kernel, padding=around, bias=bias),
        bend(),
        pool(2),
        nn.Conv2d(first, second, kernel, padding=around, bias=bias),
        bend(),
        once() if once else pool(2),
        _Flattened(width) if "images-mixed" in wrong else nn.Flatten(0 if "flattened-whole" in wrong else 1),
    ]
    out = 9 if "nine-classes" in wrong else 10
    if "hidden-left-out" in wrong:
        layers += [nn.Linear(width, out)]
    else:
        between = nn.Identity if "last-relu-forgotten" in wrong else bend
        layers += [nn.Linear(width, 64, bias=bias), between(), nn.Linear(64, out, bias=bias)]
    if "relu-at-end" in wrong:
        layers += [nn.ReLU()]
    if "softmax-at-end" in wrong:
        layers += [nn.Softmax(dim=1)]
    if "log-softmax-at-end" in wrong:
        layers += [nn.LogSoftmax(dim=1)]
    if "dropout-added" in wrong:
        layers.insert(-1, nn.Dropout(0.5))
    return _Hidden(layers) if "layers-in-a-list" in wrong else nn.Sequential(*layers)


class _Hidden(nn.Module):
    """A module that keeps its layers in a plain list, where PyTorch doesn't find them."""

    def __init__(self, layers: list[nn.Module]) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, input: Tensor) -> Tensor:
        for layer in self.layers:
            input = layer(input)
        return input


build_cnn = Exercise("build_cnn", CHAPTER, lambda: _build())


@build_cnn.cases
def _(draw: Draw) -> Iterable[Case]:
    images = draw.normal(draw.size(2), 3, 32, 32)
    yield Case(CORE, (), observe=partial(measured, images), judge=net)


build_cnn.model(
    "padding-forgotten",
    "relu-forgotten",
    "softmax-at-end",
    "average-pooling",
    "channels-swapped",
    "hidden-left-out",
    "nine-classes",
)(_build)
build_cnn.alone(
    _build,
    "last-relu-forgotten",
    "relu-at-end",
    "log-softmax-at-end",
    "sigmoid-for-relu",
    "kernel-five",
    "pooled-once",
    "bias-left-out",
    "flattened-whole",
    "images-mixed",
    "layers-in-a-list",
    "dropout-added",
)
build_cnn.twin("class-returned")(lambda: nn.Sequential)
build_cnn.twin("list-returned")(lambda: list(_build()))


@build_cnn.twin("applied-to-images")
def _() -> Tensor:
    logits: Tensor = _build()(torch.zeros(1, 3, 32, 32))
    return logits
