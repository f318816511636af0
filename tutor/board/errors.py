"""The one exception of ``tutor.board``."""


class BoardError(Exception):
    """Something could not be logged, read or shown; the message says what, where, and what to do."""

    def _render_traceback_(self) -> list[str]:
        """Show the sentence alone in a notebook: the lines of this package would not help."""
        return [f"{type(self).__name__}: {self}"]
