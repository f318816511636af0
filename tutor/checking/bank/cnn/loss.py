"""Cross-entropy, its gradient by hand, and what it is for a net that guesses."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.checking.bank.cnn.common import CHAPTER, one_of_each, softmax, targets
from tutor.checking.bank.cnn.judging import number
from tutor.checking.exercise import CORE, RIGHT, Case, Draw, Exercise

# What F.cross_entropy comes to for torch's dispatcher, whether its targets are classes or probabilities.
LOSSES = frozenset(["_log_softmax", "nll_loss_forward", "nll_loss2d_forward", "cross_entropy_loss", "nll_loss"])
LINKS = [[(0, 0), (1, 0)]]

LARGE = torch.tensor([[1000.0, 1001.0, 998.0], [-1000.0, -999.0, -1002.0]], dtype=torch.float64)
# Here a shift by the mean is not enough; the right class is the likely one.
WIDE = torch.tensor([[2000.0, -1000.0, 0.0], [0.0, -1200.0, 2400.0]], dtype=torch.float64)
# Here the right class is so unlikely that its probability is rounded to 0.
APART = torch.tensor([[0.0, 900.0, 1.0], [-800.0, 2.0, 300.0]], dtype=torch.float64)


def _loss(logits: Tensor, target: Tensor, *, wrong: frozenset[str] = RIGHT) -> Tensor:
    """Return the mean cross-entropy, with the misconceptions that ``wrong`` names."""
    dim = 0 if "along-batch" in wrong else 1
    if "softmax-twice" in wrong:
        logits = softmax(logits, dim)
    if "log-of-softmax" in wrong or "no-maximum" in wrong:
        logs = softmax(logits, dim, shifted="no-maximum" not in wrong).log()
    else:
        shifted = logits - logits.amax(dim, keepdim=True)
        logs = shifted - shifted.exp().sum(dim, keepdim=True).log()
    if "base-ten" in wrong:
        logs = logs / math.log(10)
    rows = torch.arange(len(target))
    picked = logs[rows, target]
    if "log-forgotten" in wrong:
        picked = softmax(logits)[rows, target]
    if "logits-picked" in wrong:
        picked = logits[rows, target]
    if "columns-picked" in wrong:
        picked = logs[:, target]
    if "zeros-averaged" in wrong:
        picked = logs * one_of_each(target, logs)
    if "first-image-only" in wrong:
        picked = picked[:1]
    if "other-classes-too" in wrong:
        ones = one_of_each(target, logs)
        p = softmax(logits)
        picked = (ones * p.log() + (1 - ones) * (1 - p).log()).sum(1)
    if "target-ignored" in wrong:
        picked = logs
    if "entropy-of-answer" in wrong:
        picked = (logs.exp() * logs).sum(1)
    if "likeliest-class" in wrong:
        picked = logs.amax(1)
    total = picked if "wrong-sign" in wrong else -picked
    if "not-averaged" in wrong:
        return total
    return total.sum() if "sum-for-mean" in wrong else total.mean()


cross_entropy = Exercise(
    "cross_entropy",
    CHAPTER,
    lambda logits, target: F.cross_entropy(logits, target),
    forbids=LOSSES,
    links=LINKS,
)


@cross_entropy.cases
def _(draw: Draw) -> Iterable[Case]:
    for images, classes in ((draw.size(3), 4), (3, 3), (draw.size(2), 5)):
        yield Case(CORE, (draw.normal(images, classes, scale=2.0), targets(draw, images, classes)))
    images = draw.size(3)
    yield Case("gradient", (draw.normal(images, 4, scale=2.0), targets(draw, images, 4)), gradient=True)
    yield Case("conduct", (draw.normal(4, 3).float(), targets(draw, 4, 3)))
    yield Case("large", (LARGE[:1] + draw.normal(1, 3), torch.tensor([draw.integer(0, 2)])))
    yield Case("large", (LARGE + draw.normal(2, 3), targets(draw, 2, 3)))
    yield Case("large", (WIDE + draw.normal(2, 3), WIDE.argmax(1)))
    yield Case("unlikely classes", (APART + draw.normal(2, 3), torch.tensor([0, 0])))


cross_entropy.model(
    "along-batch",
    "softmax-twice",
    "no-maximum",
    "log-of-softmax",
    "wrong-sign",
    "sum-for-mean",
)(_loss)
cross_entropy.alone(
    _loss,
    "base-ten",
    "log-forgotten",
    "logits-picked",
    "columns-picked",
    "zeros-averaged",
    "first-image-only",
    "other-classes-too",
    "likeliest-class",
    "target-ignored",
    "entropy-of-answer",
    "not-averaged",
)


@cross_entropy.twin("squared-error")
def _(logits: Tensor, target: Tensor) -> Tensor:
    return ((softmax(logits) - one_of_each(target, logits)) ** 2).sum(1).mean()


def _slope(logits: Tensor, target: Tensor, *, wrong: frozenset[str] = RIGHT) -> tuple[Tensor]:
    """Return the gradient of the mean cross-entropy, with the misconceptions that ``wrong`` names."""
    ones = one_of_each(target, logits)
    p = softmax(logits, 0 if "along-batch" in wrong else 1, shifted="no-maximum" not in wrong)
    if "logits-for-probabilities" in wrong:
        p = logits
    if "softmax-forgotten" in wrong:
        p = torch.zeros_like(logits)
    if "columns-changed" in wrong:
        ones = torch.zeros_like(logits)
        ones[:, target] = 1.0
    gradient = p if "one-forgotten" in wrong else p - ones
    if "only-target-class" in wrong:
        gradient = gradient * ones
    if "softmax-slope-again" in wrong:
        gradient = gradient * p * (1 - p)
    if "divided-by-probability" in wrong:
        gradient = -ones / p
    if "wrong-sign" in wrong:
        gradient = -gradient
    if "divided-by-classes" in wrong:
        return (gradient / logits.shape[1],)
    if "divided-by-all" in wrong:
        return (gradient / logits.numel(),)
    return (gradient if "not-divided" in wrong else gradient / len(logits),)


def _by_autograd(logits: Tensor, target: Tensor) -> tuple[Tensor]:
    with torch.enable_grad():
        leaf = logits.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(F.cross_entropy(leaf, target), leaf)
    return (gradient,)


cross_entropy_backward = Exercise(
    "cross_entropy_backward",
    CHAPTER,
    _by_autograd,
    forbids={"nll_loss_backward", "_log_softmax_backward_data", "_softmax_backward_data"},
    by_hand=True,
    links=LINKS,
)


@cross_entropy_backward.cases
def _(draw: Draw) -> Iterable[Case]:
    for images, classes in ((draw.size(3), 4), (3, 3), (draw.size(2), 5)):
        yield Case(CORE, (draw.normal(images, classes, scale=2.0), targets(draw, images, classes)))
    yield Case("conduct", (draw.normal(4, 3).float(), targets(draw, 4, 3)))
    yield Case("large", (LARGE + draw.normal(2, 3), targets(draw, 2, 3)))
    yield Case("large", (WIDE + draw.normal(2, 3), targets(draw, 2, 3)))


cross_entropy_backward.model(
    "along-batch",
    "no-maximum",
    "one-forgotten",
    "wrong-sign",
    "not-divided",
)(_slope)
cross_entropy_backward.alone(
    _slope,
    "softmax-forgotten",
    "logits-for-probabilities",
    "columns-changed",
    "only-target-class",
    "softmax-slope-again",
    "divided-by-probability",
    "divided-by-classes",
    "divided-by-all",
)

loss_of_guessing = Exercise("loss_of_guessing", CHAPTER, lambda classes: math.log(classes))


@loss_of_guessing.cases
def _(draw: Draw) -> Iterable[Case]:
    for classes in (10, draw.size(3), 100 + draw.integer(0, 9)):
        yield Case(CORE, (classes,), judge=number)


loss_of_guessing.twin("chance")(lambda classes: 1 / classes)
loss_of_guessing.twin("chance-of-error")(lambda classes: 1 - 1 / classes)
loss_of_guessing.twin("wrong-sign")(lambda classes: -math.log(classes))
loss_of_guessing.twin("base-two")(lambda classes: math.log2(classes))
loss_of_guessing.twin("base-ten")(lambda classes: math.log10(classes))
loss_of_guessing.twin("number-of-classes")(lambda classes: float(classes))
loss_of_guessing.twin("log-forgotten")(lambda classes: -1 / classes)
loss_of_guessing.twin("times-chance")(lambda classes: math.log(classes) / classes)
loss_of_guessing.twin("one-more")(lambda classes: math.log(classes + 1))
loss_of_guessing.twin("one-less")(lambda classes: math.log(classes - 1))
loss_of_guessing.twin("always-ten")(lambda classes: math.log(10))
