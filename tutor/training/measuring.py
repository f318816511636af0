"""``evaluate`` and ``predict``: how good a model is on some images, and what it takes each of them for."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tutor.data.images import Images
from tutor.training.errors import TrainingError
from tutor.training.fitting import check_images, check_model, check_output, device_for, visiting
from tutor.training.history import Result


def evaluate(
    model: nn.Module, images: Images, *, batch_size: int = 500, device: str | torch.device | None = None
) -> Result:
    """Apply the model to all the images, in evaluation mode and in float32, and return how often it is right.

    The model gets batches (B, 3, 32, 32) of float32 in [0, 1] as ``images.batches`` gives them, and is to return (B, 10):
    one number for each class, the largest for the one it chooses. Its parameters, mode and device are the same
    afterwards. Raises :class:`TrainingError` for what isn't a model or images, for an output of another shape, and for an
    output that is nan or infinite.
    """
    outputs = _outputs(model, images, batch_size, device)
    classes = len(images.classes)
    confusion = torch.zeros(classes * classes, dtype=torch.int64)
    loss = 0.0
    for output, labels in outputs:
        loss += float(F.cross_entropy(output, labels, reduction="sum"))
        confusion += torch.bincount(labels * classes + output.argmax(1), minlength=classes * classes)
    confusion = confusion.view(classes, classes)
    return Result(float(confusion.trace()) / len(images), loss / len(images), confusion)


def predict(
    model: nn.Module, images: Images, *, batch_size: int = 500, device: str | torch.device | None = None
) -> Tensor:
    """Return the class that the model takes each of the images for, int64 (N,): places in ``images.classes``.

    The model is applied as :func:`evaluate` does it, which raises the same; the images' labels play no part.
    """
    return torch.cat([output.argmax(1) for output, _ in _outputs(model, images, batch_size, device)])


def _outputs(
    model: nn.Module, images: Images, batch_size: int, device: str | torch.device | None
) -> list[tuple[Tensor, Tensor]]:
    """Return the model's output for each batch, float32 (B, classes) on the CPU, with the labels (B,)."""
    check_model(model)
    check_images(images)
    where = device_for(device)
    found = []
    with visiting(model, where, training=False), torch.no_grad():
        for pictures, labels in images.batches(batch_size):
            output = model(pictures.to(where))
            check_output(output, len(labels), len(images.classes))
            output = output.float().cpu()
            if not bool(output.isfinite().all()):
                raise TrainingError(
                    "The model's output is nan or infinite; make a new one and train it with a smaller learning rate."
                )
            found.append((output, labels))
    return found
