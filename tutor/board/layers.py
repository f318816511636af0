"""What goes into a layer and what comes out, batch by batch, as pictures in an event file.

The same pictures as a loop with ``SummaryWriter.add_images`` would write, several times faster: the grid is one
permutation of the whole batch, all cores compress (``png``), and a checksum costs next to nothing (``records``).
"""

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import torch
from tensorboard.compat.proto.event_pb2 import Event  # type: ignore[import-untyped]
from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[import-untyped]
from torch import Tensor
from tqdm import tqdm

from tutor.board import png, records
from tutor.board.errors import BoardError
from tutor.board.folders import usable
from tutor.board.grids import Scale, pictures
from tutor.board.runs import check_name, run
from tutor.frontend import someone_watches

LONG = 2.0  # seconds after which a progress bar appears
THREADS = min(4, os.cpu_count() or 1)  # compression is fast enough that more would wait for the layer

Batch = Tensor | tuple[Tensor, Any] | list[Any]


class Step(NamedTuple):
    """The two pictures of one batch, uint8 (channels, height, width)."""

    number: int
    before: Tensor
    after: Tensor


def log_layer(
    name: str,
    layer: Callable[[Tensor], Tensor],
    batches: Iterable[Batch],
    *,
    folder: Path | str | None = None,
    limit: int | None = None,
    scale: Scale = "unit",
    input_scale: Scale = "unit",
) -> Path:
    """Log each batch before and after a layer, under the tags ``<name>/input`` and ``<name>/output``.

    The step is the number of the batch, from 0. A batch with 1 or 3 channels becomes a grid of images, as
    ``SummaryWriter.add_images`` writes it; any other number of channels becomes feature maps, one row an image.

    layer: a module or function from (N, C, H, W) to (N', C', H', W'); called without gradients, in the mode it is in.
    batches: image tensors, or (images, labels, ...); float from 0 to 1, or uint8. limit: at most so many batches.
    folder: logs are added to it; without one, a fresh ``board.run(name)``.
    scale, input_scale: which values of the output and the input become black and white. ``"unit"``: 0 and 1, and other
    values are refused; ``"clip"``: 0 and 1, and others are cut off there; ``"batch"``: the lowest and highest of each
    batch; ``"tile"``: those of each picture or map; ``(low, high)``: these.

    Returns the folder. What the layer raises is passed on; steps that were logged before it are kept.
    Raises BoardError for arguments of another kind, when there is no batch, when a batch or what the layer returns is
    not a tensor of images or has values that its scale doesn't allow, and when the folder can't be written. The earlier
    run of that name is only replaced once the first batch has gone through the layer.
    """
    check_name(name)
    if limit is not None and limit < 1:
        raise BoardError(f"limit={limit} logs nothing; give the number of batches to log, or leave limit out for all.")
    if not callable(layer):
        raise BoardError(
            f"The layer is of type {type(layer).__name__}; give a module or a function, such as nn.ReLU()."
        )
    if isinstance(batches, Tensor) or not isinstance(batches, Iterable):
        raise BoardError(
            f"batches is of type {type(batches).__name__}; give a list of batches, such as [images], "
            "or images.batches(64)."
        )
    total = len(batches) if isinstance(batches, Sized) else limit
    steps = _steps(layer, islice(batches, limit), scale, input_scale)
    first = next(steps, None)
    if first is None:
        raise BoardError(f"There are no batches to log for {name!r}: give a list of tensors, or images.batches(64).")
    folder = run(name) if folder is None else usable(folder)
    bar = tqdm(
        chain([first], steps),
        desc=f"Logging {name}",
        total=total if limit is None or total is None else min(total, limit),
        unit="batch",
        delay=LONG,
        leave=False,
        file=sys.stdout,  # nbgrader gives no points to a cell that writes to stderr
        disable=not someone_watches(),
    )
    with records.EventFile(folder) as file:
        file.append(records.framed(Event(wall_time=time.time(), file_version="brain.Event:2").SerializeToString()))
        for record in _compressed(name, bar):
            file.append(record)
    return folder


def _steps(
    layer: Callable[[Tensor], Tensor], batches: Iterable[Batch], scale: Scale, input_scale: Scale
) -> Iterator[Step]:
    """Yield the pictures of each batch; the input's are taken before the layer can change it in place."""
    for number, batch in enumerate(batches):
        images: Any = batch[0] if isinstance(batch, tuple | list) and batch else batch
        what = f"the input, batch {number},"
        before = pictures(images, scale=input_scale, what=what)
        with torch.no_grad():
            output = layer(images)
        yield Step(number, before, pictures(output, scale=scale, what=f"the layer's output for batch {number}"))


def _compressed(name: str, steps: Iterable[Step]) -> Iterator[bytes]:
    """Yield the records of all steps in order, made by several threads; before what a layer raises, those it left."""
    waiting: deque[Future[bytes]] = deque()
    trouble: Exception | None = None
    with ThreadPoolExecutor(THREADS) as pool:
        try:
            for number, before, after in steps:
                for tag, picture in ((f"{name}/input", before), (f"{name}/output", after)):
                    waiting.append(pool.submit(_record, tag, number, picture, time.time()))
                while len(waiting) > 4 * THREADS:  # every thread stays busy, and memory small
                    yield waiting.popleft().result()
        except Exception as error:
            trouble = error
        while waiting:
            yield waiting.popleft().result()
    if trouble is not None:
        raise trouble


def _record(tag: str, step: int, picture: Tensor, now: float) -> bytes:
    """Return one picture, uint8 (1 or 3, height, width), as a record of an event file."""
    channels, height, width = picture.shape
    image = Summary.Image(height=height, width=width, colorspace=channels, encoded_image_string=png.encoded(picture))
    event = Event(wall_time=now, step=step, summary=Summary(value=[Summary.Value(tag=tag, image=image)]))
    return records.framed(event.SerializeToString())
