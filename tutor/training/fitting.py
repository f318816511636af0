"""What training and measuring need of a model and of images, found out before any work is lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tutor.data.images import Images
from tutor.training.errors import TrainingError


def device_for(name: str | torch.device | None) -> torch.device:
    """Return the device of that name; for None a GPU where there is one (CUDA, or Apple's), else the CPU.

    Raises TrainingError for a name that torch doesn't know or a device that isn't here.
    """
    if name is None:
        found = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        return torch.device(found)
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise TrainingError(
            f"There is no device {str(name)!r} here that can be used; leave device out to take the best there is."
        ) from error
    return device


def check_images(images: object, name: str = "images") -> None:
    """Raise TrainingError for what isn't images, or none at all."""
    if not isinstance(images, Images):
        raise TrainingError(f"{name} is of type {type(images).__name__}; give what data.cifar10() returns.")
    if len(images) == 0:
        raise TrainingError(f"{name} has no pictures in it; give at least one.")


def check_model(model: object) -> None:
    """Raise TrainingError for what isn't a module."""
    if isinstance(model, type):
        raise TrainingError(f"The model is the class {model.__name__} itself; make one of it: {model.__name__}().")
    if not isinstance(model, nn.Module):
        raise TrainingError(
            f"The model is of type {type(model).__name__}; give an nn.Module, such as nn.Sequential(...)."
        )


def check_output(output: object, count: int, classes: int) -> None:
    """Raise TrainingError unless a model's output for ``count`` images has one number for each class: (count, classes)."""
    if not isinstance(output, Tensor):
        raise TrainingError(
            f"The model returns a {type(output).__name__}; it should return one tensor of shape (N, {classes})."
        )
    if output.shape != (count, classes):
        raise TrainingError(
            f"The model turns {count} images into shape {tuple(output.shape)}; it should be ({count}, {classes}), "
            f"{classes} numbers for each image, one a class."
        )
    if not output.is_floating_point():
        raise TrainingError(f"The model returns {output.dtype}; it should return floating-point numbers, the logits.")


def apply(model: nn.Module, batch: Tensor) -> object:
    """Return the model's output for a batch; raise TrainingError, with what the model raised, where it can't be had."""
    try:
        return model(batch)
    except Exception as error:
        what = str(error).splitlines()[0] if str(error) else "no further words"
        raise TrainingError(
            f"The model can't be applied to a batch of shape {tuple(batch.shape)}: {type(error).__name__}: {what}"
        ) from error


def home_of(model: nn.Module) -> torch.device:
    """Return the device that a model is on: that of its first parameter or buffer, else the CPU."""
    return next((tensor.device for tensor in chain(model.parameters(), model.buffers())), torch.device("cpu"))


@contextmanager
def visiting(model: nn.Module, device: torch.device, *, training: bool) -> Iterator[None]:
    """Take the model to a device and into a mode, and put both back afterwards, whatever happens."""
    home, modes = home_of(model), {module: module.training for module in model.modules()}
    try:
        model.to(device)
        model.train(training)
        yield
    finally:
        model.to(home)
        model.to(memory_format=torch.contiguous_format)
        for module, mode in modes.items():
            module.training = mode


def try_out(model: nn.Module, images: Images, device: torch.device, *, size: int | None = None) -> torch.memory_format:
    """Apply the model, which is on the device, to two images, and return the memory format in which to train it.

    With ``size``, to two that are scaled to so many pixels a side as well.

    channels_last keeps an image's channels side by side in memory, which convolutions are faster with, up to twice. A model that
    can't have it (``view`` in its forward, say) gets torch's ordinary format. Raises TrainingError when the model
    raises, or when what it returns doesn't fit the images' classes.
    """
    batch = images.pixels[:2].to(device).float() / 255
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            for given in [batch] if size is None else [batch, F.interpolate(batch, size=(size, size))]:
                check_output(apply(model, given), len(batch), len(images.classes))
            try:
                model.to(memory_format=torch.channels_last)
                model(batch.to(memory_format=torch.channels_last))
            except RuntimeError:
                model.to(memory_format=torch.contiguous_format)
                return torch.contiguous_format
    finally:
        for module, mode in modes.items():
            module.training = mode
    return torch.channels_last
