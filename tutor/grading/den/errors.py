"""What can be wrong with the sandbox."""

INSTEAD = "`--sandbox none` grades without protection"


class SandboxError(RuntimeError):
    """There is no sandbox here; the message is one sentence that says what is missing and what to do."""
