"""What answers of chapter 06 come to: single numbers, what a net is, what an epoch learned, and the curves of a log."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from tutor.checking.bank.logs import steps


def number(value: Any, args: tuple[Any, ...]) -> Any:
    """Take 0.5, a tensor of one element and numpy's number for the same answer."""
    if hasattr(value, "item") and (value.numel() if isinstance(value, Tensor) else getattr(value, "size", 0)) == 1:
        value = value.item()
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def net(value: Any, args: tuple[Any, ...]) -> Any:
    """Say what a net is: its learned tensors, and the logits that it gives once these hold known numbers."""
    if "what came back" in value:
        return {"what came back": str(value["what came back"])}
    shapes = sorted(value["learned"], key=lambda shape: (-len(shape), shape))
    found: dict[str, Any] = {"learned tensors": ", ".join(" x ".join(map(str, s)) for s in shapes) or "none"}
    if "given images" in value:
        return found | {"given images": str(value["given images"])}
    logits = value["logits"]
    found["output for the images"] = " x ".join(map(str, logits.shape))
    if shapes and logits.numel() <= 10_000:  # with known numbers in all tensors
        found["logits of the first image"] = rounded(logits[:1])
        found["all logits, summed"] = round(float(logits.sum()), 6) + 0.0
    found["the same while training"] = torch.equal(value["while training"], logits)
    return found


def trained(value: Any, args: tuple[Any, ...]) -> Any:
    """Say what an epoch told and what it did: the loss, the parameters, and the averages that were gathered on the way."""
    facts: dict[str, Any] = {"mean loss": number(value["told"], args)}
    if "step" not in value["trace"]:
        facts["what was learned"] = _nothing(value["trace"])
    parameters = torch.cat([parameter.flatten() for parameter in value["parameters"]])
    facts["last bias afterwards"] = rounded(value["last bias"])
    facts["all parameters afterwards, summed"] = rounded(parameters.sum())[0]
    facts["their squares, summed"] = rounded((parameters**2).sum())[0]
    return facts | {f"{name} afterwards": rounded(average) for name, average in value["averages"]}


def rounded(values: Tensor) -> list[float]:
    """Return numbers to six decimals, without a minus before 0."""
    return [round(value, 6) + 0.0 for value in values.flatten().tolist()]


def _nothing(trace: list[str]) -> str:
    """Say why nothing was learned."""
    if "backward" not in trace:
        return "nothing: there was no backward pass"
    if "step without gradients" not in trace:
        return "nothing: the optimizer was never asked for a step"
    if trace.index("step without gradients") < trace.index("backward"):
        return "nothing: each step came before the backward pass"
    return "nothing: when the optimizer stepped, the gradients had been cleared"


def curves(value: Any, args: tuple[Any, ...]) -> Any:
    """Say what stands in the event files: the numbers under each tag, step by step."""
    found = value["numbers"]
    facts: dict[str, Any] = {}
    for tag in ("loss/train", "accuracy/test"):
        told = {f"step {step}": round(number, 4) + 0.0 for step, number in steps(found, tag)}
        facts[tag] = told or "no numbers"
    if "no numbers" in facts.values():
        facts["other tags"] = ", ".join(sorted({entry[0] for entry in found} - set(facts))) or "none"
        facts["folders below"] = ", ".join(value["folders"]) or "none"
    return facts
