"""The challenge: the best accuracy within a budget, of time or of multiplications."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from tutor.data import cifar10
from tutor.data.images import Images
from tutor.training.cost import multiplications
from tutor.training.errors import TrainingError
from tutor.training.fitting import check_images, check_model
from tutor.training.history import History, Result
from tutor.training.loop import train
from tutor.training.measuring import evaluate

# The accuracies at which tiers begin. The drawn sample is easier: a single linear layer gets three quarters of it right.
CIFAR10_TIERS: Final = (0.40, 0.50, 0.60, 0.70, 0.75, 0.80)
SAMPLE_TIERS: Final = (0.60, 0.75, 0.85, 0.95)
SECONDS: Final = 60.0
WORK: Final = 6e10  # multiplications: one to four seconds on one core
MOST_EPOCHS: Final = 20.0  # with a budget of multiplications: a tiny model would see the same images without end


@dataclass(frozen=True, eq=False, repr=False)
class Score(Result):
    """What a model reached in the challenge: the result on the test images, and the tier that it makes.

    ``tier`` runs from 0 (none) to the number of ``tiers``, the accuracies at which they begin. ``epochs`` and ``seconds``
    are what the training took.
    """

    tier: int
    tiers: tuple[float, ...]
    epochs: float
    seconds: float

    def __repr__(self) -> str:
        """Say the tier, the accuracy, and what the next tier needs."""
        found = f"tier {self.tier} of {len(self.tiers)}, with {self.accuracy:.1%} of the test images right"
        left = f"; tier {self.tier + 1} begins at {self.tiers[self.tier]:.0%}" if self.tier < len(self.tiers) else ""
        return f"Score({found}{left})"


def challenge(
    model: nn.Module,
    *,
    seconds: float | None = None,
    work: float | None = None,
    images: Images | None = None,
    test: Images | None = None,
    seed: int = 0,
    progress: bool = True,
    folder: Path | str | None = None,
    device: str | torch.device | None = None,
    **settings: Any,
) -> Score:
    """Train the model within a budget, measure it on the test images, and return which tier that makes.

    The budget is ``seconds`` of wall time (60 when nothing is given), or ``work``, a number of multiplications, with which a
    model that costs twice as many sees each image half as often, 20 times at most: the same on every machine. Given
    both, training ends with what is used up first. ``images`` and ``test`` are CIFAR-10's where it is to be had, else
    the built-in sample's, which is easier and has tiers of its own. ``settings`` and the rest go to
    :func:`tutor.training.train`: ``lr``, ``batch_size``, ``crop``, ... Raises :class:`TrainingError` as ``train`` does.
    """
    check_model(model)
    images = cifar10(True) if images is None else images
    test = cifar10(False) if test is None else test
    check_images(images)
    check_images(test, "test")
    epochs = None if work is None else affordable(model, images, work)
    if epochs is None and seconds is None:
        seconds = SECONDS
    history = train(
        model,
        images,
        epochs=epochs,
        seconds=seconds,
        seed=seed,
        progress=progress,
        folder=folder,
        device=device,
        **settings,
    )
    return _scored(model, test, history, device)


def small_challenge(model: nn.Module, *, seconds: float = 40.0) -> Score:
    """Run the challenge in its small form, which is graded: the built-in sample, and 60 thousand million multiplications.

    It takes a few seconds and gives the same score on every machine, up to rounding: one thread of the CPU, float32, batches
    of 50, a learning rate of 0.03, so that models without batch normalization learn as well. On a machine so slow
    that ``seconds`` are over first, training ends there. Raises :class:`TrainingError` as ``train`` does.
    """
    test = cifar10(False, source="sample", announce=False)
    history = small_training(model, seconds=seconds)
    with _one_thread():
        return _scored(model, test, history, "cpu")


def small_training(model: nn.Module, *, seconds: float = 40.0) -> History:
    """Train the model as the small challenge does (see :func:`small_challenge`) without measuring it."""
    check_model(model)
    images = cifar10(True, source="sample", announce=False)
    with _one_thread():
        return train(
            model,
            images,
            epochs=affordable(model, images, WORK),
            seconds=seconds,
            progress=False,
            device="cpu",
            batch_size=50,
            lr=0.03,
        )


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _scored(model: nn.Module, test: Images, history: History, device: str | torch.device | None) -> Score:
    result = evaluate(model, test, device=device)
    tiers = SAMPLE_TIERS if test.source == "sample" else CIFAR10_TIERS
    tier = sum(result.accuracy >= begin for begin in tiers)
    return Score(result.accuracy, result.loss, result.confusion, tier, tiers, history.epochs, history.seconds)


def affordable(model: nn.Module, images: Images, work: float) -> float:
    """Return how many epochs of training a budget of multiplications pays for, 20 at most."""
    if not work > 0:
        raise TrainingError(f"work={work!r} makes no sense; give a number of multiplications above 0, such as 6e10.")
    return min(MOST_EPOCHS, work / max(1, 3 * multiplications(model, images) * len(images)))
