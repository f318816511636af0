"""The published mistake of chapter 06: a Softmax before a loss that already contains one."""

from __future__ import annotations

from collections.abc import Iterable

import torch.nn.functional as F
from torch import Tensor

from tutor.checking.bank.cnn.common import CHAPTER, one_of_each, targets
from tutor.checking.exercise import CORE, Case, Draw, Exercise


def _scores(features: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return features @ weight.T + bias


mend_softmax_loss = Exercise(
    "mend_softmax_loss",
    CHAPTER,
    lambda features, weight, bias, target: F.cross_entropy(_scores(features, weight, bias), target),
    links=[[(0, 0), (3, 0)]],
)


@mend_softmax_loss.cases
def _(draw: Draw) -> Iterable[Case]:
    for images, inputs, classes in ((draw.size(3), 4, 3), (3, draw.size(2), 5)):
        net = draw.normal(images, inputs), draw.normal(classes, inputs), draw.normal(classes)
        yield Case(CORE, (*net, targets(draw, images, classes)))
    images = draw.size(3)
    net = draw.normal(images, 3), draw.normal(4, 3), draw.normal(4)
    yield Case("gradient", (*net, targets(draw, images, 4)), gradient=True)
    far = draw.normal(2, 3) + 10, 100 * draw.normal(3, 3).abs(), draw.normal(3)
    far[1][1] += 200.0
    far[1][0] = -far[1][0]
    far[1][2] = -2 * far[1][2]
    yield Case("unlikely classes", (*far, (_scores(*far)).argmin(1)))


@mend_softmax_loss.twin("unchanged")
def _(features: Tensor, weight: Tensor, bias: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(_scores(features, weight, bias).softmax(1), target)


@mend_softmax_loss.twin("log-of-softmax")
def _(features: Tensor, weight: Tensor, bias: Tensor, target: Tensor) -> Tensor:
    return F.nll_loss(_scores(features, weight, bias).softmax(1).log(), target)


@mend_softmax_loss.twin("nll-of-probabilities")
def _(features: Tensor, weight: Tensor, bias: Tensor, target: Tensor) -> Tensor:
    return F.nll_loss(_scores(features, weight, bias).softmax(1), target)


@mend_softmax_loss.twin("nll-of-scores")
def _(features: Tensor, weight: Tensor, bias: Tensor, target: Tensor) -> Tensor:
    return F.nll_loss(_scores(features, weight, bias), target)


@mend_softmax_loss.twin("softmax-along-batch")
def _(features: Tensor, weight: Tensor, bias: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(_scores(features, weight, bias).softmax(0), target)


@mend_softmax_loss.twin("log-softmax-along-batch")
def _(features: Tensor, weight: Tensor, bias: Tensor, target: Tensor) -> Tensor:
    return F.nll_loss(_scores(features, weight, bias).log_softmax(0), target)


@mend_softmax_loss.twin("sigmoid-for-softmax")
def _(features: Tensor, weight: Tensor, bias: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(_scores(features, weight, bias).sigmoid(), target)


@mend_softmax_loss.twin("relu-for-softmax")
def _(features: Tensor, weight: Tensor, bias: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(_scores(features, weight, bias).relu(), target)


@mend_softmax_loss.twin("bias-removed")
def _(features: Tensor, weight: Tensor, bias: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(features @ weight.T, target)


@mend_softmax_loss.twin("squared-error")
def _(features: Tensor, weight: Tensor, bias: Tensor, target: Tensor) -> Tensor:
    p = _scores(features, weight, bias).softmax(1)
    return F.mse_loss(p, one_of_each(target, p))


@mend_softmax_loss.twin("sum-for-mean")
def _(features: Tensor, weight: Tensor, bias: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(_scores(features, weight, bias), target, reduction="sum")
