"""The challenge: what strikes one about a net of the learner's own, and what it says of pictures once it is trained."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from tutor.checking.results import STANDING

Found = TypeVar("Found")

CLASSES = 10
IMAGES, FEWER = 64, 10  # two sizes of batch
REMEMBERED = 8  # nets, and what they say of pictures


def looked(images: Tensor, value: Any, args: tuple[Any, ...]) -> Any:
    """Say what is odd about a net's rows and columns for images (64, 3, 32, 32), before it has learned anything."""
    return value if type(value) in STANDING else _odd(value, images)[0]


def listened(images: Tensor, value: Any, args: tuple[Any, ...]) -> Any:
    """Say what is odd about the numbers themselves."""
    return value if type(value) in STANDING else _odd(value, images)[1]


def said(images: Tensor, pictures: Sequence[Tensor], value: Any, args: tuple[Any, ...]) -> Any:
    """Train a net and return which class it takes each of the pictures for, int64 (N,); or in a sentence why it can't learn.

    ``pictures`` are uint8 (n, 3, 32, 32), N in all. A net about which something is odd is not trained: then it is None.
    """
    if type(value) in STANDING:
        return value
    return None if any(_odd(value, images)) else _said(value, torch.cat(list(pictures)))


def _odd(value: Any, images: Tensor) -> tuple[dict[str, str], dict[str, str]]:
    """Say what strikes one about what a net makes of images: about its rows and columns, and about its numbers."""
    shape: dict[str, str] = {}
    numbers: dict[str, str] = {}
    if not isinstance(value, nn.Module):
        is_class = isinstance(value, type) and issubclass(value, nn.Module)
        shape["what came back"] = "a class, and not one of its kind" if is_class else f"a {type(value).__name__}"
        return shape, numbers
    with torch.no_grad():
        value.eval()
        outputs = []
        for count in (IMAGES, FEWER):
            output = _applied(value, images[:count])
            if size := _size(output, count):
                shape[f"for {count} {'images' if count == IMAGES else 'of them'}"] = size
            outputs.append(output)
        all_of_them, some = outputs
        if not isinstance(all_of_them, Tensor) or all_of_them.dim() != 2 or len(all_of_them) != IMAGES:
            return shape, numbers
        if kind := _kind(all_of_them):
            numbers["numbers"] = kind
        if kind == "nan or infinite":
            return shape, numbers
        torch.manual_seed(1)
        if not _close(value(images), all_of_them):
            numbers["asked again"] = "other numbers"
        elif _close(all_of_them, all_of_them[:1].expand_as(all_of_them)):
            shape["for another image"] = "the same numbers"
        else:
            if isinstance(some, Tensor) and not _close(some, all_of_them[:FEWER]):
                shape["beside other images"] = "other numbers"
            half = IMAGES // 2
            between = value((images[:half] + images[half:]) / 2)
            if _close(between, (all_of_them[:half] + all_of_them[half:]) / 2):
                numbers["halfway between two images"] = "halfway between their numbers"
    return shape, numbers


def _applied(net: nn.Module, images: Tensor) -> Any:
    torch.manual_seed(0)
    try:
        return net(images)
    except Exception as error:  # whatever a net of the learner's own raises is what there is to say about it
        return type(error).__name__


def _size(output: Any, count: int) -> str:
    if isinstance(output, str):
        return f"it raises a {output}"
    if not isinstance(output, Tensor):
        return f"a {type(output).__name__} and no tensor"
    if output.dim() == 2 and len(output) == count:
        columns = output.shape[1]
        return "" if columns == CLASSES else f"{'fewer' if columns < CLASSES else 'more'} than {CLASSES} numbers each"
    if output.numel() == CLASSES and count != 1:
        return f"{CLASSES} numbers for all images together"
    return "a shape that isn't (images, classes)"


def _kind(output: Tensor) -> str:
    if not bool(output.isfinite().all()):
        return "nan or infinite"
    if bool((output >= 0).all()):
        if _close(output.sum(1), torch.ones(len(output))):
            return "probabilities, which add up to 1"
        # What a ReLU cuts off is exactly 0; a sigmoid comes to that for large numbers only.
        return "none below 0" if bool((output == 0).any() or (output > 1).any()) else "between 0 and 1"
    return ""


def _close(one: Tensor, other: Tensor) -> bool:
    """Tell whether two outputs differ by no more than rounding, seen against how much an output's numbers vary."""
    if one.shape != other.shape:
        return False
    vary = float((other - other.mean(0)).abs().max())
    return bool(((one - other).abs() <= 1e-4 * vary + 1e-6 * float(other.abs().max())).all())


_learned: dict[str, nn.Module | str] = {}
_answers: dict[str, Tensor | str] = {}


def _said(net: nn.Module, pictures: Tensor) -> Tensor | str:
    """Return what a trained copy of the net says, or why there is none.

    The same net is trained once, however many cases ask: training depends on nothing but the net.
    """
    from tutor import data, training  # a check of anything else does without them

    def learn() -> nn.Module | str:
        learning = copy.deepcopy(net)
        try:
            training.small_training(learning)
        except training.TrainingError as error:
            return str(error)
        return learning

    def answer() -> Tensor | str:
        learned = _remembered(_learned, key.hexdigest(), learn)
        if isinstance(learned, str):
            return learned
        unlabelled = torch.zeros(len(pictures), dtype=torch.int64)
        try:
            return training.predict(learned, data.Images(pictures, unlabelled, data.CLASSES, "sample"), device="cpu")
        except training.TrainingError as error:
            return str(error)

    key = hashlib.sha256(repr(net).encode())
    images = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for tensor in (*net.state_dict().values(), net(images)):
            key.update(tensor.detach().contiguous().numpy().tobytes())
    of_these = key.copy()
    of_these.update(pictures.numpy().tobytes())
    return _remembered(_answers, of_these.hexdigest(), answer)


def _remembered(memory: dict[str, Found], key: str, find: Callable[[], Found]) -> Found:
    if key not in memory:
        found = find()
        while len(memory) >= REMEMBERED:
            memory.pop(next(iter(memory)))
        memory[key] = found
    return memory[key]
