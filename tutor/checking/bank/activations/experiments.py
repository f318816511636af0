"""Chapter 01's experiments: linear layers collapse, units die, gradients vanish, ``inplace`` bites, and layers are logged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.checking.apparatus.activations import negative
from tutor.checking.apparatus.logs import written
from tutor.checking.bank.activations.forward import CHAPTER, around_zero
from tutor.checking.bank.activations.judging import as_lists, as_numbers, sides
from tutor.checking.bank.counts import whole
from tutor.checking.bank.logs import before_and_after, closed
from tutor.checking.exercise import CORE, Case, Draw, Exercise, Folder

mend_tanh = Exercise("mend_tanh", CHAPTER, lambda input: torch.tanh(input), forbids={"tanh", "gelu", "mish"})


@mend_tanh.cases
def _(draw: Draw) -> Iterable[Case]:
    for shape in ((draw.size(2), 3), (2, draw.size(2), 2, 2)):
        yield Case(CORE, (draw.off_zero(*shape),))
    yield Case("large", (torch.tensor([[-1000.0, -30.0, 30.0, 1000.0]], dtype=torch.float64),))
    yield Case("zero", (around_zero(draw),))
    yield Case("conduct", (draw.off_zero(2, draw.size(3)).float(),))


mend_tanh.twin("unchanged")(lambda input: 2 / (1 + (-2 * input).exp()) + 1)
mend_tanh.twin("one-removed")(lambda input: 2 / (1 + (-2 * input).exp()))
mend_tanh.twin("two-removed")(lambda input: 1 / (1 + (-2 * input).exp()))
mend_tanh.twin("sign-in-exponent")(lambda input: 2 / (1 + (2 * input).exp()) - 1)
mend_tanh.twin("minus-two")(lambda input: 2 / (1 + (-2 * input).exp()) - 2)
mend_tanh.twin("exponent-halved")(lambda input: 2 / (1 + (-input).exp()) - 1)
mend_tanh.twin("sine-over-cosine")(lambda input: input.sin() / input.cos())


def _collapse(weights: Sequence[Tensor], biases: Sequence[Tensor], *, wrong: frozenset[str] = frozenset()) -> Any:
    ordered = list(zip(weights, biases, strict=True))
    weight = torch.eye(ordered[0][0].size(1), dtype=ordered[0][0].dtype)
    bias = torch.zeros(ordered[0][0].size(1), dtype=weight.dtype)
    for w, b in ordered:
        weight = weight @ w if "order-reversed" in wrong else w @ weight
        bias = bias + b if "biases-only-added" in wrong else b if "last-bias-only" in wrong else w @ bias + b
    return (weight.T if "weight-transposed" in wrong else weight), bias


collapse_linear = Exercise("collapse_linear", CHAPTER, lambda weights, biases: _collapse(weights, biases))


@collapse_linear.cases
def _(draw: Draw) -> Iterable[Case]:
    def stack(*sizes: int) -> tuple[list[Tensor], list[Tensor]]:
        weights = [draw.normal(out, into) for into, out in pairwise(sizes)]
        return weights, [draw.normal(out) for out in sizes[1:]]

    yield Case(CORE, stack(2, 2, 2, 2))
    yield Case(CORE, stack(3, 3, 3, 3))
    yield Case("shapes", stack(draw.size(3), draw.size(4), 2, draw.size(3)))


collapse_linear.model("order-reversed", "biases-only-added", "last-bias-only", "weight-transposed")(_collapse)


@collapse_linear.twin("weights-added")
def _(weights: Sequence[Tensor], biases: Sequence[Tensor]) -> Any:
    return torch.stack(list(weights)).sum(0), _collapse(weights, biases)[1]


@collapse_linear.twin("elementwise-product")
def _(weights: Sequence[Tensor], biases: Sequence[Tensor]) -> Any:
    return weights[2] * weights[1] * weights[0], _collapse(weights, biases)[1]


count_dead_units = Exercise(
    "count_dead_units",
    CHAPTER,
    lambda activations: int((activations == 0).all(dim=0).sum()),
    links=[[(0, 0)], [(0, 1)]],
)


@count_dead_units.cases
def _(draw: Draw) -> Iterable[Case]:
    for samples, units in ((draw.size(6), draw.size(5)), (draw.size(4), draw.size(7)), (9, 9)):
        activations = draw.uniform(samples, units, low=0.1) * (draw.uniform(samples, units) < 0.5)
        activations[:, draw.integer(0, 1) :: 3] = 0  # dead in every sample
        activations[draw.integer(0, samples - 1), :] = 0  # one picture in which every unit is silent
        activations[0, -1], activations[-1, -1] = 0.7, 0.0  # alive once is alive
        yield Case(CORE, (activations,), judge=whole)
    # Dead, always alive, silent in one picture of three, in two of three: as many as there are units of each kind.
    kinds = torch.tensor([[0, 0, 0], [1, 1, 1], [0, 1, 1], [1, 0, 0]], dtype=torch.float64).repeat_interleave(
        torch.tensor([draw.size(1), draw.size(2), 3, 2]), dim=0
    )
    yield Case(CORE, (kinds.T * draw.uniform(3, len(kinds), low=0.1),), judge=whole)
    yield Case("arguments", (draw.uniform(3, 4, low=0.1),), judge=whole)
    yield Case("arguments", (torch.zeros(3, 4, dtype=torch.float64),), judge=whole)


count_dead_units.twin("zeros-counted")(lambda activations: int((activations == 0).sum()))
count_dead_units.twin("silent-once")(lambda activations: int((activations == 0).any(dim=0).sum()))
count_dead_units.twin("samples-for-units")(lambda activations: int((activations == 0).all(dim=1).sum()))
count_dead_units.twin("alive-counted")(lambda activations: int((activations != 0).any(dim=0).sum()))
count_dead_units.twin("first-sample-only")(lambda activations: int((activations[0] == 0).sum()))
count_dead_units.twin("fraction")(lambda activations: float((activations == 0).all(dim=0).double().mean()))


def _norms(
    activation: Callable[[Tensor], Tensor], input: Tensor, weights: Sequence[Tensor], *, wrong: frozenset[str]
) -> Any:
    hidden = input.detach()
    leaves = [weight.detach().clone().requires_grad_() for weight in weights]
    for weight in leaves:
        if "activation-first" in wrong:
            hidden = activation(hidden) @ weight.T
        else:
            hidden = hidden @ weight.T if "activation-forgotten" in wrong else activation(hidden @ weight.T)
    total = hidden.mean() if "mean-for-sum" in wrong else hidden.sum()
    found = leaves if "weights-not-gradients" in wrong else torch.autograd.grad(total, leaves)
    measure = torch.sum if "sum-for-norm" in wrong else torch.linalg.vector_norm
    norms = torch.stack([measure(gradient.detach()) for gradient in found])
    return norms.flip(0) if "order-reversed" in wrong else norms


gradient_norms = Exercise(
    "gradient_norms",
    CHAPTER,
    lambda activation, input, weights: _norms(activation, input, weights, wrong=frozenset()),
)


@gradient_norms.cases
def _(draw: Draw) -> Iterable[Case]:
    for activation, depth in ((torch.sigmoid, 3), (torch.tanh, draw.size(4)), (F.relu, 2)):
        width = draw.size(3)
        weights = [draw.normal(width, width) for _ in range(depth)]
        yield Case(CORE, (activation, draw.normal(draw.size(2), width), weights), judge=as_numbers)


gradient_norms.model(
    "activation-forgotten",
    "activation-first",
    "mean-for-sum",
    "sum-for-norm",
    "weights-not-gradients",
    "order-reversed",
)(_norms)

predict_inplace = Exercise("predict_inplace", CHAPTER, lambda: ([0.0, 2.0], [0.0, 2.0], [0.0, 4.0]), prediction=True)


@predict_inplace.cases
def _(draw: Draw) -> Iterable[Case]:
    yield Case(CORE, (), judge=as_lists)


predict_inplace.twin("input-kept")(lambda: ([-1.0, 2.0], [0.0, 2.0], [-1.0, 4.0]))
predict_inplace.twin("sum-before-edit")(lambda: ([0.0, 2.0], [0.0, 2.0], [-1.0, 4.0]))
predict_inplace.twin("result-unchanged")(lambda: ([-1.0, 2.0], [-1.0, 2.0], [-2.0, 4.0]))
predict_inplace.twin("only-input-changed")(lambda: ([0.0, 2.0], [-1.0, 2.0], [-1.0, 4.0]))
predict_inplace.twin("absolute-value")(lambda: ([1.0, 2.0], [1.0, 2.0], [2.0, 4.0]))


def _log(
    folder: Path, name: str, layer: Callable[[Tensor], Tensor], batches: Iterable[Any], *, wrong: frozenset[str]
) -> None:
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(folder))
    for step, (images, _) in enumerate(batches):
        before = layer(images) if "output-twice" in wrong else images
        after = images if "layer-forgotten" in wrong else layer(images)
        if "tags-swapped" in wrong:
            before, after = after, before
        step = 0 if "step-forgotten" in wrong else step + 1 if "step-from-one" in wrong else step
        if "input-not-logged" not in wrong:
            writer.add_images(f"{name}/input", before, step)
        tag = "input" if "one-tag" in wrong else "output"
        writer.add_images(f"{name}/{tag}", after, step)
        if "first-batch-only" in wrong:
            break
    if "not-closed" not in wrong:
        writer.close()


log_layer_images = Exercise(
    "log_layer_images",
    CHAPTER,
    lambda folder, name, layer, batches: _log(folder, name, layer, batches, wrong=frozenset()),
    time_limit=10.0,
)


@log_layer_images.cases
def _(draw: Draw) -> Iterable[Case]:
    for count in (2, 3):
        size = draw.size(2)
        batches = [
            (draw.uniform(size, 3, 8, 8, low=low, high=low + 0.05).float(), torch.zeros(size, dtype=torch.int64))
            for low in (0.1, 0.2, 0.3)[:count]
        ]
        yield Case(
            CORE, (Folder(), "negative", negative, batches), observe=written, judge=partial(before_and_after, sides)
        )
    yield Case("closing", (Folder(), "negative", negative, batches), observe=written, judge=closed)


log_layer_images.model(
    "step-forgotten",
    "step-from-one",
    "layer-forgotten",
    "output-twice",
    "tags-swapped",
    "one-tag",
    "input-not-logged",
    "first-batch-only",
    "not-closed",
)(_log)

EXERCISES = (mend_tanh, collapse_linear, count_dead_units, gradient_norms, predict_inplace, log_layer_images)
