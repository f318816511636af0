"""An epoch of training: judged by the loss it tells, and by what has become of the model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from tutor.checking.apparatus import epochs as apparatus
from tutor.checking.apparatus.epochs import Batch, epoch
from tutor.checking.bank.cnn import judging
from tutor.checking.bank.cnn.common import CHAPTER
from tutor.checking.exercise import CORE, RIGHT, Case, Draw, Exercise


def _epoch(
    model: nn.Module, optimizer: torch.optim.Optimizer, batches: Iterable[Batch], *, wrong: frozenset[str] = RIGHT
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
        shapes: list[tuple[int, ...]] = [(5, 8), (5,), *([(5,), (5,)] if normalised else []), (3, 5), (3,)]
        parameters = [draw.normal(*shape, scale=0.7) for shape in shapes]
        batches = [
            (draw.normal(size, 2, 2, 2), torch.tensor([draw.integer(0, 2) for _ in range(size)])) for size in sizes
        ]
        return Case(
            aspect,
            (parameters, mode, 0.3, momentum, batches, once),
            build=epoch,
            observe=apparatus.trained,
            judge=judging.trained,
        )

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
