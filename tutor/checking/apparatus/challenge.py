"""The challenge: what strikes one about a net of the learner's own, and what it says of pictures once it is trained."""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from tutor.checking.results import LARGEST, STANDING, detach

Found = TypeVar("Found")

CLASSES = 10
IMAGES, FEWER = 64, 10  # two sizes of batch
REMEMBERED = 8  # nets, and what they say of pictures


def shown(images: Tensor, pictures: Sequence[Tensor], value: Any, args: tuple[Any, ...]) -> Any:
    """Say what a net makes of images (64, 3, 32, 32), and, once it is trained, of pictures.

    ``pictures`` are uint8 (n, 3, 32, 32), N in all. outputs: as ``looks`` takes them; classes: which class the trained net
    takes each of the pictures for, int64 (N,), or in a sentence why it can't learn. A net about which something is odd is
    not trained, nor is one if there are no pictures: then classes are None.
    """
    if type(value) in STANDING:
        return value
    outputs = _outputs(value, images)
    sound = len(pictures) > 0 and not any(looks(outputs))
    return {"outputs": outputs, "classes": _said(value, torch.cat(list(pictures))) if sound else None}


def _outputs(value: Any, images: Tensor) -> Any:
    if not isinstance(value, nn.Module):
        is_class = isinstance(value, type) and issubclass(value, nn.Module)
        return "a class, and not one of its kind" if is_class else f"a {type(value).__name__}"
    value.eval()
    half = IMAGES // 2
    with torch.no_grad():
        return {
            "all": _applied(value, images),
            "some": _applied(value, images[:FEWER]),
            "again": _applied(value, images, seed=1),
            "between": _applied(value, (images[:half] + images[half:]) / 2),
        }


def _applied(net: nn.Module, images: Tensor, seed: int = 0) -> Any:
    """Return a net's output: a tensor, of a very large one its shape, of anything else what it is."""
    torch.manual_seed(seed)
    try:
        output = net(images)
    except Exception as error:  # whatever a net of the learner's own raises is what there is to say about it
        return f"it raises a {type(error).__name__}"
    if not isinstance(output, Tensor):
        return f"a {type(output).__name__} and no tensor"
    return detach(output) if output.numel() <= LARGEST else tuple(output.shape)


def looks(outputs: Any) -> tuple[dict[str, str], dict[str, str]]:
    """Say what strikes one about a net's outputs: about their rows and columns, and about the numbers.

    ``outputs`` are what a net makes of all images, of some of them, of all of them again, and of what lies halfway between
    the first half of them and the second: tensors, shapes, or sentences; or one sentence, where there is no net.
    """
    shape: dict[str, str] = {}
    numbers: dict[str, str] = {}
    if isinstance(outputs, str):
        return {"what came back": outputs}, numbers
    whole, some = outputs["all"], outputs["some"]
    for output, count in ((whole, IMAGES), (some, FEWER)):
        if size := _size(output, count):
            shape[f"for {count} {'images' if count == IMAGES else 'of them'}"] = size
    if not isinstance(whole, Tensor) or whole.dim() != 2 or len(whole) != IMAGES:
        return shape, numbers
    if kind := _kind(whole):
        numbers["numbers"] = kind
    if kind == "nan or infinite":
        return shape, numbers
    half = IMAGES // 2
    if not _close(outputs["again"], whole):
        numbers["asked again"] = "other numbers"
    elif _close(whole, whole[:1].expand_as(whole)):
        shape["for another image"] = "the same numbers"
    else:
        if isinstance(some, Tensor) and not _close(some, whole[:FEWER]):
            shape["beside other images"] = "other numbers"
        if _close(outputs["between"], (whole[:half] + whole[half:]) / 2):
            numbers["halfway between two images"] = "halfway between their numbers"
    return shape, numbers


def _size(output: Any, count: int) -> str:
    if isinstance(output, str):
        return output
    size = tuple(output.shape) if isinstance(output, Tensor) else output
    if len(size) == 2 and size[0] == count:
        columns = size[1]
        return "" if columns == CLASSES else f"{'fewer' if columns < CLASSES else 'more'} than {CLASSES} numbers each"
    if math.prod(size) == CLASSES and count != 1:
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


def _close(one: Any, other: Tensor) -> bool:
    """Tell whether two outputs differ by no more than rounding, seen against how much an output's numbers vary."""
    if not isinstance(one, Tensor) or one.shape != other.shape:
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
