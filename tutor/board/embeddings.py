"""Embeddings read back: the vectors that ``SummaryWriter.add_embedding`` has left for TensorBoard's projector."""

from dataclasses import dataclass
from pathlib import Path

import torch
from google.protobuf import text_format  # type: ignore[import-untyped]
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig  # type: ignore[import-untyped]
from torch import Tensor

from tutor.board.errors import BoardError

CONFIG = "projector_config.pbtxt"


@dataclass(frozen=True)
class Embedding:
    """Vectors, float64 (N, dimensions), the label of each (empty without labels), and whether each has a picture."""

    vectors: Tensor
    labels: tuple[str, ...]
    pictures: bool


def embeddings(folder: Path | str) -> dict[str, dict[int, Embedding]]:
    """Return the embeddings that were logged in a folder, by tag and step.

    Raises BoardError when the folder is missing, when no embedding was logged there, and when a file of one is missing.
    """
    folder = Path(folder)
    config = folder / CONFIG
    if not config.is_file():
        raise BoardError(f"No embedding was logged in {folder}; log one with writer.add_embedding(vectors, labels).")
    found: dict[str, dict[int, Embedding]] = {}
    message = text_format.Parse(config.read_text(encoding="utf-8"), ProjectorConfig())
    for entry in message.embeddings:
        tag, _, step = entry.tensor_name.rpartition(":")
        try:
            lines = (folder / entry.tensor_path).read_text(encoding="utf-8").splitlines()
            labels = (
                (folder / entry.metadata_path).read_text(encoding="utf-8").splitlines() if entry.metadata_path else []
            )
        except OSError as error:
            raise BoardError(
                f"The embedding {tag!r} in {folder} can't be read ({error.strerror}); log it once more."
            ) from error
        vectors = torch.tensor([[float(part) for part in line.split("\t")] for line in lines], dtype=torch.float64)
        found.setdefault(tag, {})[int(step)] = Embedding(vectors, tuple(labels), bool(entry.sprite.image_path))
    return found
