"""What the exercises of chapter 06 share: the chapter's name, targets, and what counts as the same answer."""

from __future__ import annotations

import torch
from torch import Tensor

from tutor.checking.exercise import Draw

CHAPTER = "06_cnn"


def targets(draw: Draw, number: int, classes: int) -> Tensor:
    """Return right classes, int64 (number,): the first two differ, and none of the first three is its own place."""
    found = [draw.integer(0, classes - 1) for _ in range(number)]
    found[0] = draw.integer(1, classes - 1)
    if number > 1:
        found[1] = 0
    if number > 2 and found[2] == 2:
        found[2] = 1
    return torch.tensor(found)


def one_of_each(target: Tensor, like: Tensor) -> Tensor:
    """Return zeros of the shape (N, classes), with a 1 in each row at the target's place."""
    return torch.zeros_like(like).scatter(1, target.view(-1, 1), 1.0)


def softmax(logits: Tensor, dim: int = 1, *, shifted: bool = True) -> Tensor:
    """Return probabilities along a dimension; without the shift they overflow, as they do where it is forgotten."""
    powers = (logits - logits.amax(dim, keepdim=True) if shifted else logits).exp()
    return powers / powers.sum(dim, keepdim=True)
