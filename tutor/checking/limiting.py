"""Stop an answer that takes too long, even one that catches every exception."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

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
    before = signal.signal(signal.SIGALRM, _stop)
    began = time.monotonic()
    # Again and again after the first time: an answer may catch everything and go on, but sooner or later
    # an attempt strikes where nothing catches it.
    others, others_interval = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL if before is None else before)
        if others:
            signal.setitimer(
                signal.ITIMER_REAL, max(AGAIN, others - (time.monotonic() - began)), others_interval
            )


def _stop(_: int, frame: FrameType | None) -> None:
    # Not in the middle of our own bookkeeping or torch's, which would be left half done: the next attempt follows soon.
    if frame is None or str(frame.f_globals.get("__name__", "")).startswith(_BOOKKEEPERS):
        return
    raise TooSlow


_BOOKKEEPERS = ("tutor.checking.limiting", "tutor.checking.answering", "tutor.checking.watching", "contextlib", "torch.")


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
