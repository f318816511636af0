"""``train``: the course's one training loop, for any model and any number of epochs or seconds."""

import math
from contextlib import ExitStack
from itertools import chain, count
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tutor.data.images import Images
from tutor.training.arithmetic import Arithmetic
from tutor.training.errors import TrainingError
from tutor.training.feed import Feed
from tutor.training.fitting import check_images, check_model, device_for, try_out, visiting
from tutor.training.history import History
from tutor.training.measuring import evaluate
from tutor.training.schedule import Pace, one_cycle
from tutor.training.showing import Log

MOMENTUM = 0.9
GROWN = 0.65  # of the training: from there on images are shown in full size
LOOK = 20  # a GPU is asked for the loss only so often: each time it has to finish what it is doing


def train(
    model: nn.Module,
    images: Images,
    *,
    epochs: float | None = None,
    seconds: float | None = None,
    batch_size: int = 256,
    lr: float = 0.2,
    weight_decay: float = 5e-4,
    label_smoothing: float = 0.1,
    crop: int = 2,
    flip: bool = True,
    grow_from: int | None = None,
    seed: int = 0,
    test: Images | None = None,
    progress: bool = True,
    folder: Path | str | None = None,
    device: str | torch.device | None = None,
    precision: str = "auto",
) -> History:
    """Train the model on the images, and return how it went; the model's own parameters are changed.

    ``model`` takes (B, 3, 32, 32), float32 in [0, 1], and returns logits (B, 10): one number for each class, without a softmax.
    Give ``epochs`` (it may be a fraction), or ``seconds`` of wall time, within which training ends and into which the
    schedule is fitted whatever the machine, or both: then what comes first. With neither it is one epoch.

    Stochastic gradient descent with Nesterov's momentum of 0.9 on the cross-entropy; ``lr`` is the highest point of a
    one-cycle schedule ("Super-Convergence", Smith and Topin, 2017). It suits models with batch normalization;
    without, take a tenth of it. ``weight_decay`` acts on weights and not on biases and normalization. ``label_smoothing``
    moves that share of the target to all classes ("Rethinking the Inception Architecture for Computer Vision", Szegedy
    et al., 2015). ``crop`` moves images by up to so many pixels, and ``flip`` mirrors half of them.
    ``grow_from`` = 24 shows the images at 24 x 24 pixels, with about half the work, until 65 % of the training is over,
    to a model that takes images of any size ("EfficientNetV2: Smaller Models and Faster Training", Tan and Le, 2021).

    ``test``: images to measure the accuracy on after each epoch; of that, only the last time is on top of ``seconds``.
    ``progress``: a bar, for people only. ``folder``: logs the scalars train/loss, train/lr and test/accuracy there for
    TensorBoard. ``device``: a GPU where there is one;
    ``precision``: "float32", "bfloat16", "float16", or "auto", the fastest on a GPU, and on a CPU with
    ``seconds`` alone; a CPU with ``epochs`` calculates in float32.

    The same ``seed`` and ``epochs`` give the same numbers on the same machine. Random numbers outside are left as they
    were, as are the model's mode and device. Raises :class:`TrainingError` for a model without parameters, one that can't be
    applied or whose output has another shape, for arguments that make no sense, and when the loss becomes nan.
    """
    check_model(model)
    check_images(images)
    if test is not None:
        check_images(test, "test")
    _check_above_zero(epochs=epochs, seconds=seconds, lr=lr)
    _check_whole(batch_size=batch_size, crop=crop, seed=seed, grow_from=grow_from)
    _check_in_reach(label_smoothing, weight_decay, crop, images)
    if epochs is None and seconds is None:
        epochs = 1
    where = device_for(device)
    pace = Pace(None, seconds)
    numbers = Arithmetic(precision, where, measure=epochs is None)
    with ExitStack() as stack:
        stack.callback(torch.set_num_threads, torch.get_num_threads())
        stack.enter_context(torch.random.fork_rng([where] if where.type == "cuda" else []))
        torch.manual_seed(seed)
        if epochs is not None:
            stack.enter_context(torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True))
        stack.enter_context(visiting(model, where, training=True))
        layout = try_out(model, images, where, size=grow_from)
        optimizer = torch.optim.SGD(_groups(model, weight_decay), lr=lr, momentum=MOMENTUM, nesterov=True)
        feed = Feed(images, batch_size, crop=crop, flip=flip, seed=seed, device=where)
        if epochs is not None:
            pace.steps = max(1, round(epochs * feed.steps))
        log = stack.enter_context(Log(pace, folder, bar=progress))
        losses: list[Tensor] = []
        rates: list[float] = []
        for pictures, labels in chain.from_iterable(map(feed.epoch, count())):
            done = pace.progress()
            if grow_from is not None and done < GROWN:
                pictures = F.interpolate(pictures, size=(grow_from, grow_from), mode="bilinear")
            rates.append(lr * one_cycle(done))
            for group in optimizer.param_groups:
                group["lr"] = rates[-1]
            with numbers.autocast():
                output = model(pictures.to(memory_format=layout))
                loss = F.cross_entropy(output, labels, label_smoothing=label_smoothing)
            _descend(optimizer, loss, numbers)
            losses.append(loss.detach())
            numbers.step_ended()
            pace.step()
            over = pace.over()
            if over or where.type == "cpu" or pace.taken % LOOK == 0:
                _check_loss(losses, rates)
                log.step(float(losses[-1]), rates[-1])
            if test is not None and (over or pace.taken % feed.steps == 0):
                log.accuracy(evaluate(model, test, device=where).accuracy)
                model.to(memory_format=layout)
            if over:
                break
        optimizer.zero_grad()
    return History(
        torch.stack(losses).float().cpu(),
        torch.tensor(rates),
        pace.taken / feed.steps,
        pace.elapsed,
        tuple(log.accuracies),
        str(where),
        numbers.precision,
    )


def _check_above_zero(**numbers: float | None) -> None:
    for name, value in numbers.items():
        if value is not None and not (isinstance(value, int | float) and 0 < value < math.inf):
            raise TrainingError(f"{name}={value!r} makes no sense; give a number above 0.")


_LEAST = {"batch_size": (1, "images"), "crop": (0, "pixels"), "seed": (0, "any kind"), "grow_from": (1, "pixels")}


def _check_whole(**numbers: int | None) -> None:
    for name, value in numbers.items():
        least, unit = _LEAST[name]
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= least
        if not whole and not (value is None and name == "grow_from"):
            raise TrainingError(f"{name}={value!r} makes no sense; give a whole number of {unit}, {least} or more.")


def _check_in_reach(label_smoothing: float, weight_decay: float, crop: int, images: Images) -> None:
    if not 0 <= label_smoothing < 1:
        raise TrainingError(f"label_smoothing={label_smoothing!r} makes no sense; give a share from 0 to below 1.")
    if not 0 <= weight_decay < math.inf:
        raise TrainingError(f"weight_decay={weight_decay!r} makes no sense; give 0 or more, such as 0.0005.")
    smallest = min(images.pixels.shape[2:])
    if crop >= smallest:
        raise TrainingError(f"crop={crop} moves images of {smallest} pixels out of sight; give {smallest - 1} at most.")


def _groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Return the parameters to be trained, in two groups: those that decay, and biases and the like, which don't."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not trained:
        raise TrainingError(
            "The model has no parameters to train; give it layers with weights, such as nn.Linear, and assign them in "
            "__init__ after super().__init__() (in a plain list they are overlooked: use nn.ModuleList)."
        )
    groups = [
        {"params": [parameter for parameter in trained if parameter.dim() > 1], "weight_decay": weight_decay},
        {"params": [parameter for parameter in trained if parameter.dim() <= 1], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def _descend(optimizer: torch.optim.Optimizer, loss: Tensor, numbers: Arithmetic) -> None:
    if not loss.requires_grad:
        raise TrainingError(
            "The model's output is cut off from its parameters, so that nothing can be learned; look in its forward for "
            "detach(), .data, torch.no_grad() or a new tensor made of numbers."
        )
    optimizer.zero_grad()
    numbers.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
    numbers.scaler.step(optimizer)
    numbers.scaler.update()


def _check_loss(losses: list[Tensor], rates: list[float]) -> None:
    """Raise TrainingError if one of the last losses is nan or infinite."""
    recent = torch.stack(losses[-LOOK:])
    if bool(torch.isfinite(recent).all()):
        return
    wrong = int((~torch.isfinite(recent)).nonzero()[0]) + len(losses) - len(recent)
    if wrong == 0:
        raise TrainingError(
            "The loss of the very first step is nan or infinite; look in the model's forward for a division by 0, a "
            "log of 0, or weights that nothing has initialized."
        )
    raise TrainingError(
        f"The loss became nan or infinite at step {wrong + 1}, at a learning rate of {rates[wrong]:.2g}; make a new model and "
        f"train it with a smaller lr, such as lr={max(rates) / 10:.2g}, or put nn.BatchNorm2d after its convolutions."
    )
