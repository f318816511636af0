"""The one exception of ``tutor.training``."""


class TrainingError(RuntimeError):
    """A model can't be trained or measured as asked: the message says in one sentence what is wrong and the mend."""

    def _render_traceback_(self) -> list[str]:
        """Show the sentence alone in a notebook: the lines of this package would not help."""
        return [f"{type(self).__name__}: {self}"]
