"""Stop an answer that takes too long, even one that catches every exception."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

AGAIN = 0.002  # seconds between two attempts to stop an answer that has caught the first


class TooSlow(BaseException):
    """Raised inside an answer that has used up its time (a BaseException, so that ``except Exception`` lets it pass)."""


@contextlib.contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raise :class:`TooSlow` in the block after ``seconds``; None sets no limit.

    Off the main thread, where Python can't be interrupted, there is no limit. A timer and a handler that somebody else has set
    are put back afterwards.
    """
    if seconds is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    if not hasattr(signal, "setitimer"):
        with _by_interrupt(seconds):
            yield
        return
    stop = _Stop()
    before = signal.signal(signal.SIGALRM, stop)
    began = time.monotonic()
    others, others_interval = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        stop.over()
        signal.signal(signal.SIGALRM, signal.SIG_DFL if before is None else before)
        if others:
            signal.setitimer(signal.ITIMER_REAL, max(AGAIN, others - (time.monotonic() - began)), others_interval)


def within(seconds: float | None, function: Callable[..., Any], *args: Any) -> Any:
    """Return ``function(*args)``, or raise :class:`TooSlow` after ``seconds``; nothing above this call is struck."""
    with time_limit(seconds):
        return function(*args)


class _Stop:
    """The handler of the alarm.

    An answer may catch everything and go on. Each further alarm therefore strikes twice: at once, and again at the next line
    that runs, which is in the very handler that has caught the first. Sooner or later nothing is left that catches.
    """

    def __init__(self) -> None:
        self._alarms = 0
        self._tracer = sys.gettrace()

    def __call__(self, _: int, frame: FrameType | None) -> None:
        # Not in the middle of our own bookkeeping or torch's, nor of an import (torch has late ones), which would be left
        # half done for good: the next alarm follows soon.
        if frame is None or frame.f_globals.get("__name__") in _BOOKKEEPERS or _importing(frame):
            return
        self._alarms += 1
        if self._alarms > 1:
            sys.settrace(_strike)
            above: FrameType | None = frame
            while above is not None and above.f_globals.get("__name__") not in _BOOKKEEPERS:
                above.f_trace = _strike
                above = above.f_back
        raise TooSlow

    def over(self) -> None:
        if self._alarms > 1:
            sys.settrace(self._tracer)


def _importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _strike(frame: FrameType, event: str, argument: object) -> Any:
    if event == "line":
        raise TooSlow
    return _strike


_BOOKKEEPERS = frozenset(
    (
        "tutor.checking.limiting",
        "tutor.checking.answering",
        "tutor.checking.watching",
        "contextlib",
        "torch.overrides",
        "torch.utils._python_dispatch",
    )
)


@contextlib.contextmanager
def _by_interrupt(seconds: float) -> Iterator[None]:
    """The same on systems without interval timers, by what Ctrl-C does."""
    import _thread

    timer = threading.Timer(seconds, _thread.interrupt_main)
    timer.start()
    try:
        yield
    except KeyboardInterrupt:
        raise (KeyboardInterrupt if timer.is_alive() else TooSlow) from None
    finally:
        timer.cancel()
