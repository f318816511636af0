"""What can be wrong with a warm kernel."""


class WarmError(RuntimeError):
    """A warm kernel could not be started; the message is one sentence that says why and what to do."""
