"""Event files read back: every image, scalar and histogram at every step."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from tensorboard.compat.proto.event_pb2 import Event  # type: ignore[import-untyped]
from tensorboard.util.tensor_util import make_ndarray  # type: ignore[import-untyped]
from torch import Tensor

from tutor.board import records
from tutor.board.errors import BoardError


@dataclass(frozen=True)
class Histogram:
    """The histogram of one tag at one step.

    edges: the right edge of each bin; counts: how many values fell into it (both float64, (bins,)). number, total,
    lowest, highest: of all values, their count, sum, least and greatest.
    """

    edges: Tensor
    counts: Tensor
    number: int
    total: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class Events:
    """What was logged in a run, by tag and step. Of two logged under the same tag and step, the later one.

    images: uint8 (H, W, 3) each; scalars: float each; histograms: ``Histogram`` each.
    """

    images: dict[str, dict[int, Tensor]] = field(default_factory=dict)
    scalars: dict[str, dict[int, float]] = field(default_factory=dict)
    histograms: dict[str, dict[int, Histogram]] = field(default_factory=dict)

    @property
    def tags(self) -> list[str]:
        """The tags of everything logged, sorted."""
        return sorted({*self.images, *self.scalars, *self.histograms})

    def __repr__(self) -> str:
        """Name the tags and count their steps."""
        kinds: list[tuple[str, Mapping[str, Mapping[int, object]]]] = [
            ("images", self.images),
            ("scalars", self.scalars),
            ("histograms", self.histograms),
        ]
        told = [f"{kind} {tag!r}: {_steps(tags[tag])}" for kind, tags in kinds for tag in sorted(tags)]
        return f"Events({', '.join(told) or 'empty'})"


def read(folder: Path | str) -> Events:
    """Return what was logged in the folder, all steps of it.

    Raises BoardError when the folder is missing or holds no event file, when nothing was logged in those it holds, and
    when one of them is cut off or damaged.
    """
    folder = check_run(folder)
    events = Events()
    for value, step, _ in logged(folder):
        kind = value.WhichOneof("value")
        plugin = value.metadata.plugin_data.plugin_name
        if kind == "image":
            events.images.setdefault(value.tag, {})[step] = _pixels(value.image.encoded_image_string)
        elif kind == "simple_value":
            events.scalars.setdefault(value.tag, {})[step] = float(value.simple_value)
        elif kind == "tensor" and plugin == "scalars":  # add_scalar(..., new_style=True)
            events.scalars.setdefault(value.tag, {})[step] = float(make_ndarray(value.tensor).item())
        elif kind == "histo":
            events.histograms.setdefault(value.tag, {})[step] = _histogram(value.histo)
    if not events.tags:
        raise BoardError(f"Nothing was logged in {folder}; log something, and close the writer before you read.")
    return events


def logged(folder: Path, *, partial: bool = False) -> Iterator[tuple[Any, int, float]]:
    """Yield each logged value (a ``Summary.Value`` message), its step and its time, in the order of logging."""
    for path in records.event_files(folder):
        for data in records.records(path, partial=partial):
            event = Event.FromString(data)
            for value in event.summary.value:
                yield value, int(event.step), float(event.wall_time)


def check_run(folder: Path | str) -> Path:
    """Return the folder if it is one that holds event files, else raise BoardError."""
    folder = Path(folder)
    if not folder.exists():
        raise BoardError(f"There is no log folder {folder}; log something into it first.")
    if not folder.is_dir():
        raise BoardError(f"{folder} is a file; name the folder that it lies in.")
    if not records.event_files(folder):
        inner = sorted({path.parent.relative_to(folder).as_posix() for path in folder.rglob(f"*{records.MARK}*")})
        advice = f"name one of the runs inside it: {', '.join(inner)}" if inner else "log something into it first"
        raise BoardError(f"The log folder {folder} holds no event file; {advice}.")
    return folder


def _steps(steps: Mapping[int, object]) -> str:
    """Return how many steps there are, in words."""
    return f"{len(steps)} step{'s' * (len(steps) != 1)}"


def _pixels(encoded: bytes) -> Tensor:
    """Return the pixels of a PNG file, uint8 (H, W, 3)."""
    with Image.open(io.BytesIO(encoded)) as image:
        return torch.from_numpy(np.array(image.convert("RGB")))


def _histogram(message: Any) -> Histogram:
    """Return a ``HistogramProto`` message as a Histogram."""
    return Histogram(
        edges=torch.tensor(list(message.bucket_limit), dtype=torch.float64),
        counts=torch.tensor(list(message.bucket), dtype=torch.float64),
        number=int(message.num),
        total=float(message.sum),
        lowest=float(message.min),
        highest=float(message.max),
    )
