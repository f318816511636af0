"""Which outputs depend on which images: how a layer that mixes a batch gives itself away."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from tutor.checking.apparatus.linear import (
    all_in_one,
    first_half_only,
    first_output_alone,
    last_output_alone,
    minus_the_mean,
    one_by_one,
    torn_by_reshape,
    with_the_one_before,
)
from tutor.checking.bank.linear.judging import yes_and_no
from tutor.checking.bank.linear.layer import CHAPTER
from tutor.checking.exercise import CORE, RIGHT, Case, Draw, Exercise

Layer = Callable[[Tensor], Tensor]


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


mixed_rows = Exercise("mixed_rows", CHAPTER, lambda layer, images: _changes(layer, images))


@mixed_rows.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, layer: Layer, samples: int) -> Case:
        return Case(aspect, (layer, draw.digits(samples, 2, 2, 2)), judge=yes_and_no)

    yield case(CORE, one_by_one, draw.size(3))
    yield case(CORE, with_the_one_before, draw.size(3))
    yield case(CORE, torn_by_reshape, 3)  # of more images, a row has single pixels, which may be white already
    yield case(CORE, minus_the_mean, draw.size(3))
    yield case("fewer rows than images", all_in_one, draw.size(3))
    yield case("fewer rows than images", first_half_only, 4)
    yield case("hidden dependence", last_output_alone, draw.size(2))
    yield case("hidden dependence", first_output_alone, draw.size(3))
    plain = torch.stack([torch.zeros(1, 2, 2), torch.ones(1, 2, 2)]).double()  # one is black already, and one white
    yield Case("hidden dependence", (one_by_one, plain), judge=yes_and_no)
    yield Case("conduct", (one_by_one, draw.digits(2, 1, 2, 2).float()), judge=yes_and_no)


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
