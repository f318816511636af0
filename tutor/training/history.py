"""What a training run did, and what a measurement of a model found."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False, repr=False)
class History:
    """One run of :func:`tutor.training.train`.

    ``losses`` and ``rates`` are float32 of shape (steps,): each step's loss on its batch, label smoothing included, and its
    learning rate. ``epochs`` is how often each image was shown on average, ``seconds`` the wall time. ``accuracies`` are
    those on the test images after each epoch, where there were any to measure on. ``device`` and ``precision`` say
    where it ran and in what numbers ("cpu", "bfloat16").
    """

    losses: Tensor
    rates: Tensor
    epochs: float
    seconds: float
    accuracies: tuple[float, ...]
    device: str
    precision: str

    @property
    def steps(self) -> int:
        """The number of steps."""
        return len(self.losses)

    @property
    def loss(self) -> float:
        """The mean loss over the last tenth of the steps."""
        return float(self.losses[-max(1, self.steps // 10) :].mean())

    def __repr__(self) -> str:
        """Say how much was done and what the loss has become."""
        return f"History({self.steps} steps, {self.epochs:.1f} epochs, loss {self.loss:.2f})"


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """How good a model is on some images.

    ``accuracy`` is the share of images for which the right class has the largest number, from 0 to 1; ``loss`` the mean
    cross-entropy, in nats. ``confusion`` is int64 (classes, classes): row the true class, column the one the model
    chose.
    """

    accuracy: float
    loss: float
    confusion: Tensor

    def __repr__(self) -> str:
        """Say the two numbers, and of how many images."""
        return f"Result({self.accuracy:.1%} of {int(self.confusion.sum())} images right, loss {self.loss:.2f})"
