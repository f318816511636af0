"""Logging weights as histograms to TensorBoard, judged by what the event files hold."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from torch import Tensor

from tutor.checking.apparatus.logs import written
from tutor.checking.bank.linear.judging import Snapshots, logged_weights
from tutor.checking.bank.linear.layer import CHAPTER
from tutor.checking.bank.logs import closed
from tutor.checking.exercise import CORE, Case, Draw, Exercise, Folder


def _log(folder: Path, name: str, snapshots: Snapshots, *, wrong: frozenset[str]) -> None:
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(folder))
    for index, (weight, bias) in enumerate(snapshots):
        if "last-only" in wrong and index < len(snapshots) - 1:
            continue
        if "first-weights-each-time" in wrong:
            weight, bias = snapshots[0]
        if "tags-swapped" in wrong:
            weight, bias = bias, weight
        step = 0 if "step-forgotten" in wrong else index + 1 if "step-from-one" in wrong else index
        stem = "" if "name-forgotten" in wrong else f"{name}/"
        if "mean-as-a-number" in wrong:
            writer.add_scalar(f"{stem}weight", float(weight.mean()), step)
            writer.add_scalar(f"{stem}bias", float(bias.mean()), step)
            continue
        writer.add_histogram(f"{stem}weight", weight, step)
        if "bias-not-logged" not in wrong:
            writer.add_histogram(f"{stem}weight" if "one-tag" in wrong else f"{stem}bias", bias, step)
        if "first-only" in wrong:
            break
    if "not-closed" not in wrong:
        writer.close()


log_weights = Exercise(
    "log_weights",
    CHAPTER,
    lambda folder, name, snapshots: _log(folder, name, snapshots, wrong=frozenset()),
    time_limit=10.0,
)


@log_weights.cases
def _(draw: Draw) -> Iterable[Case]:
    def snapshots(count: int) -> list[tuple[Tensor, Tensor]]:
        return [
            (draw.normal(3, draw.size(4)).float() + index, draw.normal(3).float() - index) for index in range(count)
        ]

    yield Case(CORE, (Folder(), "linear", snapshots(2)), observe=written, judge=logged_weights)
    yield Case(CORE, (Folder(), "fc1", snapshots(3)), observe=written, judge=logged_weights)
    yield Case("closing", (Folder(), "linear", snapshots(2)), observe=written, judge=closed)


log_weights.model(
    "step-forgotten",
    "step-from-one",
    "first-only",
    "last-only",
    "first-weights-each-time",
    "tags-swapped",
    "one-tag",
    "bias-not-logged",
    "not-closed",
)(_log)
log_weights.twin("name-forgotten")(
    lambda folder, name, snapshots: _log(folder, name, snapshots, wrong=frozenset({"name-forgotten"}))
)
log_weights.twin("mean-as-a-number")(
    lambda folder, name, snapshots: _log(folder, name, snapshots, wrong=frozenset({"mean-as-a-number"}))
)
