"""A net's graph: which operation's result goes into which other one, logged for TensorBoard and read back."""

import warnings
from pathlib import Path
from typing import NamedTuple

from tensorboard.compat.proto.event_pb2 import Event  # type: ignore[import-untyped]
from tensorboard.compat.proto.graph_pb2 import GraphDef  # type: ignore[import-untyped]
from torch import Tensor, nn

from tutor.board import records
from tutor.board.errors import BoardError
from tutor.board.events import check_run
from tutor.board.folders import writer

OPERATORS = "aten::"  # how a trace calls what computes something; the rest are constants, weights and lists


class Node(NamedTuple):
    """An operation of a net: the path of the module that it belongs to, its name, and the shape of its result."""

    module: str
    operator: str
    shape: tuple[int, ...]


def log_graph(model: nn.Module, images: Tensor, *, folder: Path | str) -> None:
    """Log the graph of a net, as it is for these images, with PyTorch's own ``SummaryWriter.add_graph``.

    model: a module. images: a batch that it takes; the shapes in the graph are those for this batch. folder: where to log.
    What the model raises is passed on. Raises BoardError for anything but a module, and when the folder can't be written.
    """
    if not isinstance(model, nn.Module):
        raise BoardError(f"The model is of type {type(model).__name__}; give a module, such as nn.Sequential(...).")
    training = model.training
    with writer(folder) as log, warnings.catch_warnings():
        # add_graph traces the model with a function that PyTorch has come to advise against, and has no other way.
        warnings.simplefilter("ignore")
        try:
            log.add_graph(model.eval(), images)
        finally:
            model.train(training)


def graph(folder: Path | str) -> list[Node]:
    """Return the operations of the graph that was logged in a folder, in the order in which they were traced.

    Of several graphs the last one counts. Raises BoardError when the folder is missing, holds no event file or no graph.
    """
    folder = check_run(folder)
    found = None
    for path in records.event_files(folder):
        for data in records.records(path):
            event = Event.FromString(data)
            found = event.graph_def or found
    if found is None:
        raise BoardError(
            f"No graph was logged in {folder}; log one with board.log_graph(model, images, folder=folder)."
        )
    nodes = []
    for node in GraphDef.FromString(found).node:
        if node.op.startswith(OPERATORS):
            shapes = node.attr["_output_shapes"].list.shape
            shape = tuple(int(size.size) for size in shapes[0].dim) if shapes else ()
            nodes.append(Node(node.name.rpartition("/")[0], node.op.removeprefix(OPERATORS).strip("_"), shape))
    return nodes
