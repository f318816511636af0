"""TensorBoard for the course: log what layers do to batches, read it back, and look at it inside the notebook.

``run`` names a fresh run folder; ``log_layer`` logs batches before and after a layer; ``writer`` is PyTorch's own
SummaryWriter, for scalars, histograms and all else; ``feature_maps`` lays maps side by side; ``read`` gives back what a
folder holds; ``log_graph`` logs a net's graph, ``graph`` and ``embeddings`` read back graphs and embeddings; ``show``
opens TensorBoard. Whatever goes wrong is a ``BoardError`` with one sentence.
"""

from tutor.board.embeddings import Embedding, embeddings
from tutor.board.errors import BoardError
from tutor.board.events import Events, Histogram, read
from tutor.board.folders import writer
from tutor.board.frame import View, show
from tutor.board.graphs import Node, graph, log_graph
from tutor.board.grids import feature_maps
from tutor.board.layers import log_layer
from tutor.board.runs import run

__all__ = [
    "BoardError",
    "Embedding",
    "Events",
    "Histogram",
    "Node",
    "View",
    "embeddings",
    "feature_maps",
    "graph",
    "log_graph",
    "log_layer",
    "read",
    "run",
    "show",
    "writer",
]
