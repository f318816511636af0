"""Chapter 06: a net of the learner's own, measured."""

from __future__ import annotations

import contextlib
import copy
import math
import zlib
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from tutor.checking.results import LARGEST, detach


def measured(images: Tensor, value: Any, args: tuple[Any, ...]) -> dict[str, Any]:
    """Say what a net is: the shapes of its learned tensors, and its outputs once these hold known numbers.

    The numbers depend on a tensor's shape alone, and in this table no two shapes are alike, so that neither the names of
    layers nor their order in the class count. Where there is no net: "what came back" in words.
    """
    if isinstance(value, type) and issubclass(value, nn.Module):
        return {"what came back": "a class; the module is what calling it returns"}
    if not isinstance(value, nn.Module):
        return {"what came back": f"a {type(value).__name__}, not a module"}
    net = copy.deepcopy(value).cpu()
    if any(map(is_lazy, net.parameters())):
        with contextlib.suppress(Exception), torch.no_grad():  # such layers take their sizes from the first images
            net(images.float())
        if any(map(is_lazy, net.parameters())):
            return {"what came back": "a net whose lazy layers can't be applied to images of 3 x 32 x 32"}
    net = net.double()
    found: dict[str, Any] = {"learned": [tuple(parameter.shape) for parameter in net.parameters()]}
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(_numbers(tuple(parameter.shape)))
        try:
            logits = net.eval()(images)
        except Exception as error:  # whatever a net of the learner's own raises is what there is to say about it
            return found | {"given images": f"{type(error).__name__}: {str(error).splitlines()[0][:120]}"}
        if not isinstance(logits, Tensor):
            return found | {"given images": f"a {type(logits).__name__}"}
        if logits.numel() > LARGEST:
            return found | {"given images": f"more than {LARGEST} numbers"}
        return found | {"logits": detach(logits), "while training": detach(net.train()(images))}


def _numbers(shape: tuple[int, ...]) -> Tensor:
    """Return numbers for a learned tensor that depend on its shape alone: weights of the usual size, larger biases."""
    generator = torch.Generator().manual_seed(zlib.crc32(str(shape).encode()))
    inputs = max(1, math.prod(shape[1:])) if len(shape) > 1 else 4
    scale = math.sqrt(2 / inputs)
    return scale * torch.randn(shape, generator=generator, dtype=torch.float64)
