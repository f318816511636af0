"""Which outputs depend on which images: how a layer that mixes a batch gives itself away."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from tutor.checking.bank.linear.layer import CHAPTER
from tutor.checking.exercise import CORE, RIGHT, Case, Draw, Exercise

Layer = Callable[[Tensor], Tensor]


def _weight(out: int, into: int) -> Tensor:
    """Return a weight without zeros, of small whole numbers: sums with it are exact, so that equal means equal."""
    return (torch.arange(out * into) * 7 % 11 + 1).double().reshape(out, into)


def one_by_one(images: Tensor) -> Tensor:
    """A layer as it should be: each row of the output comes from one image, (N, 3)."""
    return images.flatten(1) @ _weight(3, images[0].numel()).T.to(images.dtype)


def all_in_one(images: Tensor) -> Tensor:
    """The published layer: the whole batch as one vector, (4,)."""
    return _weight(4, images.numel()).to(images.dtype) @ images.flatten()


def torn_by_reshape(images: Tensor) -> Tensor:
    """As many rows as images, but each made of pieces of several, (N, 2)."""
    return images.reshape(-1, len(images)).T @ _weight(2, images[0].numel()).T.to(images.dtype)


def minus_the_mean(images: Tensor) -> Tensor:
    """Each image's sum, minus the mean over the batch: every row depends on every image, (N, 2)."""
    rows = one_by_one(images)[:, :2]
    return rows * len(rows) - rows.sum(0)


def with_the_one_before(images: Tensor) -> Tensor:
    """Each image and half of the one before it: the dependence goes one way only, (N, 3)."""
    rows = one_by_one(images)
    return torch.cat([rows[:1], rows[1:] + rows[:-1] / 2])


def last_output_alone(images: Tensor) -> Tensor:
    """Only the last of three outputs, and only the last pixel, depends on the image, (N, 3)."""
    rows = torch.zeros(len(images), 3, dtype=images.dtype)
    return torch.cat([rows[:, :2], images.flatten(1)[:, -1:]], dim=1)


def first_output_alone(images: Tensor) -> Tensor:
    """The other way round: only the first output depends on the last pixel, (N, 3)."""
    return last_output_alone(images).flip(1)


def first_half_only(images: Tensor) -> Tensor:
    """Leaves out the second half of the batch, (N // 2, 3)."""
    return one_by_one(images[: len(images) // 2])


def _changes(layer: Layer, images: Tensor, *, wrong: frozenset[str] = RIGHT) -> Any:
    before = layer(images)
    rows = []
    changed = images.clone()
    for index in range(len(images)):
        if "changes-pile-up" not in wrong:
            changed = images.clone()
        if "one-pixel-only" in wrong:
            changed.view(len(images), -1)[index, 0] += 1
        elif "all-images-at-once" in wrong:
            changed += 1
        elif "image-blanked" in wrong:
            changed[index] = 0
        elif "image-whitened" in wrong:
            changed[index] = 1
        else:
            changed[index] += 1
        different = (layer(changed) != before).reshape(len(before), -1)
        if "first-output-only" in wrong:
            different = different[:, :1]
        if "one-for-all-rows" in wrong:
            different = different.any().expand_as(different)
        if "counted" in wrong:
            rows.append(different.sum(1))
        else:
            rows.append(different.all(1) if "every-output-asked-for" in wrong else different.any(1))
    table = torch.stack(rows)
    if "inverted" in wrong:
        table = table == 0
    return table.T if "transposed" in wrong else table


def _table(value: Any, args: tuple[Any, ...]) -> Any:
    """Take a tensor and nested lists, of bools or of 0 and 1, for the same answer: rows of yes and no."""
    try:
        table = torch.as_tensor([torch.as_tensor(row).tolist() for row in value], dtype=torch.float64)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return value
    return table


mixed_rows = Exercise("mixed_rows", CHAPTER, lambda layer, images: _changes(layer, images))


@mixed_rows.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, layer: Layer, samples: int) -> Case:
        return Case(aspect, (layer, draw.digits(samples, 2, 2, 2)), observe=_table)

    yield case(CORE, one_by_one, draw.size(3))
    yield case(CORE, with_the_one_before, draw.size(3))
    yield case(CORE, torn_by_reshape, draw.size(3))
    yield case(CORE, minus_the_mean, draw.size(3))
    yield case("fewer rows than images", all_in_one, draw.size(3))
    yield case("fewer rows than images", first_half_only, 4)
    yield case("hidden dependence", last_output_alone, draw.size(2))
    yield case("hidden dependence", first_output_alone, draw.size(3))
    plain = torch.stack([torch.zeros(1, 2, 2), torch.ones(1, 2, 2)]).double()  # one is black already, and one white
    yield Case("hidden dependence", (one_by_one, plain), observe=_table)
    yield Case("conduct", (one_by_one, draw.digits(2, 1, 2, 2).float()), observe=_table)


mixed_rows.model(
    "transposed",
    "inverted",
    "counted",
    "changes-pile-up",
    "one-pixel-only",
    "all-images-at-once",
    "first-output-only",
    "every-output-asked-for",
    "one-for-all-rows",
)(_changes)


for change in ("image-blanked", "image-whitened"):
    mixed_rows.twin(change)(lambda layer, images, wrong=change: _changes(layer, images, wrong=frozenset({wrong})))


@mixed_rows.twin("own-row-only")
def _(layer: Layer, images: Tensor) -> Tensor:
    return torch.eye(len(images), len(layer(images))) > 0
