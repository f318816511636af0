"""An epoch of training: judged by the loss it tells, and by what has become of the model."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tutor.checking.bank.cnn.common import CHAPTER, number
from tutor.checking.exercise import CORE, RIGHT, Case, Draw, Exercise

Batches = Iterable[tuple[Tensor, Tensor]]


class SmallNet(nn.Sequential):
    """A small net for images of 2 by 2 pixels and three classes, with known numbers in it; it computes in float64.

    Its normalisation behaves in one way while training and in another while it is judged. ``trace`` is told when
    something comes back through it.
    """

    def __init__(self, draw: Draw, channels: int, *, normalised: bool = True) -> None:
        inner = nn.BatchNorm1d(5) if normalised else nn.Identity()
        super().__init__(nn.Flatten(), nn.Linear(4 * channels, 5), inner, nn.Tanh(), nn.Linear(5, 3))
        self.trace: list[str] = []
        self.double()
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(draw.normal(*parameter.shape, scale=0.7))

    def forward(self, input: Tensor) -> Tensor:
        """Return logits (N, 3) for images (N, C, 2, 2)."""
        logits: Tensor = super().forward(input)  # type: ignore[no-untyped-call]
        if logits.requires_grad:
            logits.register_hook(self._back)  # type: ignore[no-untyped-call]
        return logits

    def _back(self, gradient: Tensor) -> None:
        self.trace.append("backward")


class TracedSGD(torch.optim.SGD):
    """SGD that tells the net's ``trace`` of each step, and whether there was a gradient to go by."""

    def __init__(self, model: SmallNet, lr: float, momentum: float) -> None:
        super().__init__(model.parameters(), lr=lr, momentum=momentum)
        self.trace = model.trace

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "trace": self.trace}

    def step(self, closure: Any = None) -> Any:
        """Take a step, as SGD does, and note it."""
        loss = super().step(closure)  # a closure makes the gradients only now
        found = any(parameter.grad is not None for parameter in self.param_groups[0]["params"])
        self.trace.append("step" if found else "step without gradients")
        return loss


def _epoch(
    model: nn.Module, optimizer: torch.optim.Optimizer, batches: Batches, *, wrong: frozenset[str] = RIGHT
) -> Any:
    """Train for one epoch and return the mean loss, with the misconceptions that ``wrong`` names."""
    if "mode-forgotten" not in wrong:
        model.train()
    if "judged-while-training" in wrong:
        model.eval()
    total, images_seen, losses = 0.0, 0, []
    for images, labels in batches:
        if "gradients-kept" not in wrong and "one-step-an-epoch" not in wrong:
            optimizer.zero_grad()
        logits = model(images)
        loss = F.cross_entropy(logits.softmax(1) if "softmax-before-loss" in wrong else logits, labels)
        told = loss.detach()
        if "step-on-sum" in wrong:
            loss = loss * len(labels)
        if "step-before-backward" in wrong:
            optimizer.step()
        if "backward-forgotten" not in wrong:
            loss.backward()  # type: ignore[no-untyped-call]
        if "cleared-before-step" in wrong:
            optimizer.zero_grad()
        if not wrong & {"step-forgotten", "one-step-an-epoch", "step-before-backward"}:
            optimizer.step()
        if "stepped-twice" in wrong:
            optimizer.step()
        if "loss-after-step" in wrong:
            told = F.cross_entropy(model(images), labels).detach()
        if "accuracy-for-loss" in wrong:
            told = (logits.argmax(1) == labels).double().mean()
        losses.append(told)
        total, images_seen = total + float(told) * len(labels), images_seen + len(labels)
        if "first-batch-only" in wrong:
            break
    if "one-step-an-epoch" in wrong:
        optimizer.step()
    if "nothing-returned" in wrong:
        return None
    if "last-loss" in wrong:
        return losses[-1]
    if "sum-of-losses" in wrong:
        return sum(losses)
    if "batches-counted" in wrong:
        return torch.stack(losses).sum() / len(batches)  # type: ignore[arg-type]  # where it has a length
    return torch.stack(losses).mean() if "mean-of-batches" in wrong else total / images_seen


train_one_epoch = Exercise(
    "train_one_epoch", CHAPTER, lambda model, optimizer, batches: _epoch(model, optimizer, batches)
)


def _trained(value: Any, args: tuple[Any, ...]) -> Any:
    """Say what an epoch told and what it did: the loss, the parameters, and the averages that were gathered on the way."""
    model = args[0]
    facts: dict[str, Any] = {"mean loss": number(value, args)}
    if "step" not in model.trace:
        facts["what was learned"] = _nothing(model.trace)
    parameters = torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
    facts["last bias afterwards"] = _rounded(model[-1].bias.detach())
    facts["all parameters afterwards, summed"] = _rounded(parameters.sum().view(1))[0]
    facts["their squares, summed"] = _rounded((parameters**2).sum().view(1))[0]
    for name, tensor in model.named_buffers():
        if tensor.is_floating_point():
            facts[f"{name.split('.')[-1]} afterwards"] = _rounded(tensor)
    return facts


def _rounded(values: Tensor) -> list[float]:
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


def _anew(*args: Any) -> tuple[Any, ...]:
    return copy.deepcopy(args)


@train_one_epoch.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(
        aspect: str,
        sizes: tuple[int, ...],
        *,
        normalised: bool = False,
        mode: bool = False,
        once: bool = False,
        momentum: float = 0.0,
    ) -> Case:
        model = SmallNet(draw, 2, normalised=normalised).train(mode)
        optimizer = TracedSGD(model, 0.3, momentum)
        batches = [
            (draw.normal(size, 2, 2, 2), torch.tensor([draw.integer(0, 2) for _ in range(size)])) for size in sizes
        ]
        return Case(aspect, (model, optimizer, iter(batches) if once else batches), observe=_trained, build=_anew)

    yield case(CORE, (draw.size(4), 4, 4))
    yield case(CORE, (5, draw.size(3)), momentum=0.9)
    yield case("a smaller last batch", (draw.size(5), 5, 2))
    yield case("training mode", (draw.size(5), 4), normalised=True)
    yield case("training mode", (4, draw.size(5)), normalised=True, mode=True)
    yield case("batches that come only once", (4, draw.size(4)), once=True)


train_one_epoch.model(
    "mode-forgotten",
    "gradients-kept",
    "softmax-before-loss",
    "mean-of-batches",
    "sum-of-losses",
    "last-loss",
    "step-forgotten",
)(_epoch)
train_one_epoch.alone(
    _epoch,
    "batches-counted",
    "step-on-sum",
    "judged-while-training",
    "one-step-an-epoch",
    "step-before-backward",
    "backward-forgotten",
    "cleared-before-step",
    "stepped-twice",
    "loss-after-step",
    "accuracy-for-loss",
    "first-batch-only",
    "nothing-returned",
)
