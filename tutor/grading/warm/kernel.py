"""A kernel that a warm process forked, with the methods that ``subprocess.Popen`` would have."""

import contextlib
import select
import signal
import subprocess
import time

from tutor.grading.warm.wire import Wire

KEEPER_ENDED = "the process that kept it has been ended"


class WarmKernel:
    """The owner's end of the connection to a kernel's keeper; when it is closed the kernel ends.

    ``why`` says, once the kernel has ended, what else than itself or the owner ended it ("" otherwise).
    """

    stdin = stdout = stderr = None

    def __init__(self, wire: Wire, pid: int) -> None:
        self._wire = wire
        self.pid = pid
        self.returncode: int | None = None
        self.why = ""

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, or None while the kernel or a descendant of it runs."""
        if self.returncode is None:
            for message in self._wire.waiting():
                self.returncode, self.why = int(message["exit"]), str(message["why"])
            if self.returncode is None and self._wire.closed:
                self.returncode, self.why = -signal.SIGKILL, KEEPER_ENDED
            if self.returncode is not None:
                self._wire.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code once there is one; raises subprocess.TimeoutExpired after ``timeout`` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                raise subprocess.TimeoutExpired("a warm kernel", timeout or 0.0)
            select.select([self._wire], [], [], left)
        return code

    def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel's process group; nothing happens once it has ended."""
        if self.poll() is None:
            with contextlib.suppress(OSError):  # ending this very moment
                self._wire.send({"signal": int(signum)})

    def terminate(self) -> None:
        """Ask it to end (SIGTERM)."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it (SIGKILL)."""
        self.send_signal(signal.SIGKILL)
