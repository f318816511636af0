"""How far training has come, for those who wait: a progress bar, and scalars for TensorBoard."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from tqdm import tqdm

from tutor.frontend import someone_watches
from tutor.training.schedule import Pace

BAR = "{l_bar}{bar}| {elapsed}<{remaining}{postfix}"


class Log:
    """The bar and the scalars of one run, for use in a ``with`` statement.

    The tags are train/loss, train/lr and test/accuracy; the step is the number of steps taken so far, so that the first
    is 1. Raises BoardError for a folder that can't be written.
    """

    def __init__(self, pace: Pace, folder: Path | str | None, *, bar: bool) -> None:
        self.pace, self.folder = pace, folder
        self.accuracies: list[float] = []
        self._shown = bar and someone_watches()
        self._stack = ExitStack()
        self._writer: Any = None
        self._bar: Any = None

    def __enter__(self) -> Self:
        """Begin."""
        if self.folder is not None:
            from tutor import board  # not at the top: TensorBoard takes longer to import than torch

            self._writer = self._stack.enter_context(board.writer(self.folder))
        self._bar = self._stack.enter_context(
            tqdm(
                desc="Training",
                total=100,
                bar_format=BAR,
                leave=False,
                file=sys.stdout,  # nbgrader gives no points to a cell that writes to stderr
                disable=not self._shown,
            )
        )
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away and write what is left to write."""
        self._stack.close()

    def step(self, loss: float, rate: float) -> None:
        """Show the loss and the learning rate of the last step."""
        self._bar.update(100 * self.pace.progress() - self._bar.n)
        self._bar.set_postfix(self._facts(loss), refresh=False)
        if self._writer is not None:
            self._writer.add_scalar("train/loss", loss, self.pace.taken)
            self._writer.add_scalar("train/lr", rate, self.pace.taken)

    def accuracy(self, accuracy: float) -> None:
        """Show and keep an accuracy on the test images."""
        self.accuracies.append(accuracy)
        if self._writer is not None:
            self._writer.add_scalar("test/accuracy", accuracy, self.pace.taken)

    def _facts(self, loss: float) -> dict[str, str]:
        facts = {"loss": f"{loss:.2f}"}
        if self.accuracies:
            facts["accuracy"] = f"{self.accuracies[-1]:.1%}"
        return facts
