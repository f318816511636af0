"""What a process that looks after others needs: to hear of their end, to inherit their orphans, and to end them all."""

import contextlib
import ctypes
import os
import select
import signal

import psutil

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_C = ctypes.CDLL(None, use_errno=True)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that none gets away."""
    _C.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent(parent: int, signum: int) -> None:
    """Have the system send this process a signal when its parent, which is ``parent`` now, ends."""
    _C.prctl(_PR_SET_PDEATHSIG, int(signum), 0, 0, 0)
    if os.getppid() != parent:  # it ended just before
        os.kill(os.getpid(), signum)


class Doorbell:
    """Wakes a ``poll`` when a child ends or when the process is told to end (SIGTERM)."""

    def __init__(self) -> None:
        self.told_to_end = False
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(self._writing, False)
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda signum, frame: None)
        signal.signal(signal.SIGTERM, self._told)

    def _told(self, signum: int, frame: object) -> None:
        self.told_to_end = True

    def fileno(self) -> int:
        """Return the descriptor that can be read once a signal has come."""
        return self._reading

    def silence(self) -> None:
        """Make it quiet until the next signal."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self._reading, 512):
                pass

    def close(self) -> None:
        """Give the signals back, as a fresh process has them."""
        signal.set_wakeup_fd(-1)
        for signum in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(signum, signal.SIG_DFL)
        os.close(self._reading)
        os.close(self._writing)


def end_descendants(doorbell: Doorbell) -> dict[int, int]:
    """Kill all descendants of this process, wherever they moved, until there are none; return process id → status.

    Needs ``adopt_orphans``: whatever loses its parent here becomes this process's child and is met in the next round.
    """
    statuses: dict[int, int] = {}
    bell = select.poll()
    bell.register(doorbell, select.POLLIN)
    while True:
        doorbell.silence()
        for descendant in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                descendant.kill()
        try:
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                statuses[ended[0]] = ended[1]
        except ChildProcessError:
            return statuses
        bell.poll(50)  # ms; until the next one ends, or to look again for those born meanwhile
