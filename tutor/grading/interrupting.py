"""Let Ctrl-C (and SIGTERM) finish what has begun, and a second one end everything at once."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
STATUS = 130
SAID = b"\nStopping: what has been graded is recorded first; Ctrl-C again ends at once.\n"


@dataclass
class Interruption:
    """Whether somebody asked for an end; stop and kill: what is done at the first time and at the second."""

    asked: bool = False
    stop: list[Callable[[], None]] = field(default_factory=list)
    kill: list[Callable[[], None]] = field(default_factory=list)

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        """Act on a signal; at the second one this process ends here."""
        if self.asked:
            for last in self.kill:
                last()
            os._exit(STATUS)
        self.asked = True
        os.write(2, SAID)  # print could be in the middle of a line already
        for first in self.stop:
            first()


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Catch the two signals meanwhile; outside the main thread, where that can't be done, nothing changes."""
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    before = {number: signal.signal(number, interruption.handle) for number in SIGNALS}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
