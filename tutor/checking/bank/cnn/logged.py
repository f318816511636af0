"""Logging a training run to TensorBoard, judged by the numbers that end up in the event files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tutor.checking.apparatus.logs import written
from tutor.checking.bank.cnn.common import CHAPTER
from tutor.checking.bank.cnn.judging import curves
from tutor.checking.bank.logs import closed
from tutor.checking.exercise import CORE, RIGHT, Case, Draw, Exercise, Folder


def _log(folder: Path, losses: Sequence[float], accuracies: Sequence[float], *, wrong: frozenset[str] = RIGHT) -> None:
    """Log both curves, with the misconceptions that ``wrong`` names."""
    from torch.utils.tensorboard import SummaryWriter

    if "elsewhere" in wrong:  # where it goes is not for a check to see, nor to write to
        return
    writer = SummaryWriter(str(folder))
    pairs = list(zip(losses, accuracies, strict=True))
    if "last-epoch-only" in wrong:
        pairs = pairs[-1:]
    for number, (loss, right) in enumerate(pairs):
        step = number if "step-from-zero" in wrong else 0 if "step-forgotten" in wrong else number + 1
        if "swapped" in wrong:
            loss, right = right, loss
        if "in-percent" in wrong:
            right *= 100
        if "added-up" in wrong:
            loss = sum(losses[: number + 1])
        if "together" in wrong:
            writer.add_scalars("run", {"loss": loss, "accuracy": right}, step)
            continue
        writer.add_scalar("loss" if "tag-without-set" in wrong else "loss/train", loss, step)
        if "accuracy-left-out" not in wrong:
            tag = "loss/train" if "one-tag" in wrong else "accuracy" if "tag-without-set" in wrong else "accuracy/test"
            writer.add_scalar(tag, right, step)
    if "not-closed" not in wrong:
        writer.close()


log_training = Exercise(
    "log_training",
    CHAPTER,
    lambda folder, losses, accuracies: _log(folder, losses, accuracies),
    time_limit=10.0,
)


@log_training.cases
def _(draw: Draw) -> Iterable[Case]:
    for epochs in (3, draw.size(4)):
        losses = [round(2.3 / (1 + epoch) + draw.uniform(1).item() / 5, 3) for epoch in range(epochs)]
        accuracies = [round(0.2 + 0.1 * epoch + draw.uniform(1).item() / 20, 3) for epoch in range(epochs)]
        yield Case(CORE, (Folder(), losses, accuracies), observe=written, judge=curves)
    yield Case("closing", (Folder(), losses, accuracies), observe=written, judge=closed)


log_training.model(
    "step-from-zero",
    "step-forgotten",
    "swapped",
    "in-percent",
    "last-epoch-only",
    "accuracy-left-out",
    "not-closed",
)(_log)
log_training.alone(_log, "one-tag", "tag-without-set", "together", "added-up", "elsewhere")
