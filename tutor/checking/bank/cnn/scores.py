"""How good a net is: the share that is right, and what is taken for what."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from tutor.checking.bank.cnn.common import CHAPTER, softmax
from tutor.checking.bank.cnn.judging import number
from tutor.checking.bank.counts import counted
from tutor.checking.exercise import CORE, RIGHT, Case, Draw, Exercise


def answers(draw: Draw, images: int, classes: int, *, right: int) -> tuple[Tensor, Tensor]:
    """Return logits (images, classes) and targets (images,) of which so many are right: neither all sure nor all close."""
    logits = draw.normal(images, classes, scale=1.5)
    target = logits.argmax(1)
    for place in range(right, images):
        target[place] = (target[place] + draw.integer(1, classes - 1)) % classes
    if right < images:  # the second choice is the right one somewhere
        target[right] = logits[right].topk(2).indices[1]
    order = torch.tensor([draw.integer(0, 10**6) for _ in range(images)]).argsort()
    return logits[order], target[order]


accuracy = Exercise(
    "accuracy",
    CHAPTER,
    lambda logits, target: float((logits.argmax(1) == target).double().mean()),
    links=[[(0, 0), (1, 0)]],
)


@accuracy.cases
def _(draw: Draw) -> Iterable[Case]:
    logits, target = answers(draw, draw.size(8), 4, right=5)
    logits[0, target[0]] += 10.0  # the largest number of all is in the first row
    yield Case(CORE, (logits, target), judge=number)
    square = answers(draw, 5, 5, right=2)
    while int((square[0].argmax(0) == square[1]).sum()) == 2:  # the best in each column would do as well
        square = answers(draw, 5, 5, right=2)
    yield Case(CORE, square, judge=number)
    yield Case(CORE, answers(draw, 9, 3, right=draw.integer(6, 7)), judge=number)
    yield Case("all or none right", answers(draw, draw.size(4), 3, right=0), judge=number)
    yield Case("all or none right", answers(draw, 4, 3, right=4), judge=number)


accuracy.twin("percent")(lambda logits, target: 100 * float((logits.argmax(1) == target).double().mean()))
accuracy.twin("counted-only")(lambda logits, target: int((logits.argmax(1) == target).sum()))
accuracy.twin("share-of-errors")(lambda logits, target: float((logits.argmax(1) != target).double().mean()))
accuracy.twin("along-batch")(lambda logits, target: float((logits.argmax(0) == target).double().mean()))
accuracy.twin("least-likely")(lambda logits, target: float((logits.argmin(1) == target).double().mean()))
accuracy.twin("divided-by-classes")(
    lambda logits, target: int((logits.argmax(1) == target).sum()) / logits.shape[1],
)
accuracy.twin("whole-division")(lambda logits, target: int((logits.argmax(1) == target).sum()) // len(target))
accuracy.twin("place-in-whole-tensor")(lambda logits, target: float((logits.argmax() == target).double().mean()))
accuracy.twin("not-averaged")(lambda logits, target: logits.argmax(1) == target)


@accuracy.twin("one-of-two")
def _(logits: Tensor, target: Tensor) -> float:
    return float((logits.topk(2, 1).indices == target.view(-1, 1)).any(1).double().mean())


@accuracy.twin("only-if-sure")
def _(logits: Tensor, target: Tensor) -> float:
    return float((softmax(logits)[torch.arange(len(target)), target] > 0.5).double().mean())


@accuracy.twin("probability-of-right")
def _(logits: Tensor, target: Tensor) -> float:
    return float(softmax(logits)[torch.arange(len(target)), target].mean())


@accuracy.twin("every-pair")
def _(logits: Tensor, target: Tensor) -> float:
    return float((logits.argmax(1, keepdim=True) == target).double().mean())


def _confusion(logits: Tensor, target: Tensor, classes: int = 10, *, wrong: frozenset[str] = RIGHT) -> Tensor:
    """Return the counts, with the misconceptions that ``wrong`` names."""
    guess = logits.argmin(1) if "least-likely" in wrong else logits.argmax(1)
    if "always-ten" in wrong:
        classes = 10
    if "classes-that-occur" in wrong:
        classes = int(torch.maximum(guess, target).max()) + 1
    counts = torch.zeros(classes, classes, dtype=torch.float64)
    for true, said in zip(target.tolist(), guess.tolist(), strict=True):
        row, column = (said, true) if "transposed" in wrong else (true, said)
        if "errors-only" in wrong and row == column:
            continue
        if "right-only" in wrong and row != column:
            continue
        if "counted-once" in wrong:
            counts[row, column] = 1
        else:
            counts[row, column] += 1
    if "shares-of-rows" in wrong:
        return counts / counts.sum(1, keepdim=True).clamp(min=1)
    if "shares-of-all" in wrong:
        return counts / counts.sum()
    return counts


def _right(logits: Tensor, target: Tensor, classes: int = 10) -> Tensor:
    if logits.shape[1] != classes:  # a failing case that is made small keeps its classes
        raise ValueError(f"{logits.shape[1]} logits for {classes} classes")
    return _confusion(logits, target, classes)


confusion = Exercise("confusion", CHAPTER, _right, links=[[(0, 0), (1, 0)]])


@confusion.cases
def _(draw: Draw) -> Iterable[Case]:
    for images, classes, right in ((24, 3, 13), (draw.size(20), 4, 8)):
        yield Case(CORE, answers(draw, images, classes, right=right), {"classes": classes}, judge=counted)
    yield Case("ten classes", answers(draw, draw.size(40), 10, right=25), judge=counted)
    logits, target = answers(draw, draw.size(6), 5, right=4)
    logits[:, 4] -= 100.0  # the last class is there, but nobody says it and nothing is it
    yield Case("classes that do not occur", (logits, target % 4), {"classes": 5}, judge=counted)


confusion.model(
    "transposed",
    "counted-once",
    "least-likely",
    "errors-only",
    "shares-of-rows",
)(_confusion)
confusion.alone(_confusion, "right-only", "shares-of-all", "classes-that-occur", "always-ten")


@confusion.twin("target-counted")
def _(logits: Tensor, target: Tensor, classes: int = 10) -> Tensor:
    return torch.diag(torch.bincount(target, minlength=classes).double())


@confusion.twin("probabilities-added")
def _(logits: Tensor, target: Tensor, classes: int = 10) -> Tensor:
    return torch.zeros(classes, classes, dtype=logits.dtype).index_add(0, target, softmax(logits))
