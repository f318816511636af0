"""Chapter 06: single numbers, what a net is, and the curves that a log of a training holds."""

from __future__ import annotations

import contextlib
import copy
import math
import zlib
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from tutor.checking.apparatus.logs import logged


def number(value: Any, args: tuple[Any, ...]) -> Any:
    """Take 0.5, a tensor of one element and numpy's number for the same answer."""
    if hasattr(value, "item") and (value.numel() if isinstance(value, Tensor) else getattr(value, "size", 0)) == 1:
        value = value.item()
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def net_facts(images: Tensor, value: Any, args: tuple[Any, ...]) -> Any:
    """Say what a net is: its learned tensors, and the logits that it gives once these hold known numbers.

    The numbers depend on a tensor's shape alone, and in this table no two shapes are alike, so that neither the names of
    layers nor their order in the class count.
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
    shapes = sorted((tuple(parameter.shape) for parameter in net.parameters()), key=lambda shape: (-len(shape), shape))
    found: dict[str, Any] = {"learned tensors": ", ".join(" x ".join(map(str, s)) for s in shapes) or "none"}
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(_numbers(tuple(parameter.shape)))
        try:
            logits = net.eval()(images)
        except Exception as error:  # whatever a net of the learner's own raises is what there is to say about it
            return found | {"given images": f"{type(error).__name__}: {str(error).splitlines()[0][:120]}"}
        if not isinstance(logits, Tensor):
            return found | {"given images": f"a {type(logits).__name__}"}
        found["output for the images"] = " x ".join(map(str, logits.shape))
        if shapes and logits.numel() <= 10_000:  # with known numbers in all tensors
            found["logits of the first image"] = [round(n, 6) + 0.0 for n in logits[:1].flatten().tolist()]
            found["all logits, summed"] = round(float(logits.sum()), 6) + 0.0
        again = net.train()(images)
        found["the same while training"] = bool(torch.equal(again, logits))
    return found


def _numbers(shape: tuple[int, ...]) -> Tensor:
    """Return numbers for a learned tensor that depend on its shape alone: weights of the usual size, larger biases."""
    generator = torch.Generator().manual_seed(zlib.crc32(str(shape).encode()))
    inputs = max(1, math.prod(shape[1:])) if len(shape) > 1 else 4
    scale = math.sqrt(2 / inputs)
    return scale * torch.randn(shape, generator=generator, dtype=torch.float64)


def read_training(value: Any, args: tuple[Any, ...]) -> Any:
    """Say what stands in the event files: the numbers under each tag, step by step."""
    events = logged(args[0].path)
    scalars = events.scalars if events else {}
    facts: dict[str, Any] = {}
    for tag in ("loss/train", "accuracy/test"):
        steps = sorted(scalars.get(tag, {}).items())
        facts[tag] = {f"step {step}": round(number, 4) + 0.0 for step, number in steps} or "no numbers"
    if "no numbers" in facts.values():
        facts["other tags"] = ", ".join(sorted(tag for tag in scalars if tag not in facts)) or "none"
        facts["folders below"] = (
            ", ".join(sorted(path.name for path in args[0].path.iterdir() if path.is_dir())) or "none"
        )
    return facts
