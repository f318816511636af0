"""One submission in the sandbox: the connection to it, a watch over what it uses, and its end."""

import os
import select
import signal
import threading
import time
from collections.abc import Callable
from typing import Literal

from tutor.grading.den import usage
from tutor.grading.frames import Frames
from tutor.grading.job import Limits
from tutor.grading.warm.wire import Message, Wire

Why = Literal["", "memory", "time", "ended", "killed"]
_SHORTEST_ROUND = 0.05  # seconds between two looks at what it uses
_SHARE = 0.05  # of one processor's time that looking may take, if that isn't less often than
_LONGEST_ROUND = 0.25  # seconds; many processes take long to look at, and take memory fast
_SECONDS_TO_END = 20.0  # for the warm process to end everything; reached only when it hangs


class Run:
    """A submission that runs, until ``kill``, a limit, or its own end.

    frames: the connection to it, whose other end is closed at its end. why: "" as long as nothing has ended it, then
    "memory" or "time" (of ``Limits``), "ended" (by itself), or "killed". sentence: the same for the instructor. Both are
    final after ``kill``, so after ``Gone`` call that first.
    """

    def __init__(
        self, frames: Frames, limits: Limits, warm: Wire, folder: str | None, found: Callable[[], set[int]]
    ) -> None:
        """Begin to watch.

        warm: to the warm process that has forked it. folder: its file system's, where that is in memory. found: gives
        the ids of its processes.
        """
        self.frames = frames
        self.why: Why = ""
        self.sentence = ""
        self.broken = False  # the warm process can't be used any more
        self._limits = limits
        self._warm = warm
        self._folder = folder
        self._found = found
        self._reading, self._writing = os.pipe()
        self._wish: tuple[Why, str] = ("", "")
        self._watch = threading.Thread(target=self._look_after, name="watch over a submission", daemon=True)
        self._watch.start()

    def kill(self, why: Why = "killed", sentence: str = "") -> None:
        """End it, unless it has ended, and wait until all its processes are gone; ``why`` and ``sentence`` say why.

        Afterwards ``self.why`` is "ended" all the same where it ended by itself first.
        """
        if self._watch.is_alive():
            self._wish = why, sentence
            os.write(self._writing, b".")
        self._watch.join()

    def close(self) -> None:
        """End it where it still runs, and let go of everything; for the den."""
        self.kill()
        self.frames.close()
        if self._reading >= 0:
            os.close(self._reading)
            os.close(self._writing)
            self._reading = self._writing = -1

    def _look_after(self) -> None:
        """Watch, and leave nothing unwatched."""
        try:
            self._until_it_ends()
        except Exception as error:
            self._end("killed", f"It could not be watched ({type(error).__name__}: {error}), so it was ended.")

    def _until_it_ends(self) -> None:
        """Watch, until it has ended by itself or has been ended."""
        events = select.poll()
        events.register(self._warm, select.POLLIN)
        events.register(self._reading, select.POLLIN)
        end = time.monotonic() + self._limits.seconds
        pause = _SHORTEST_ROUND
        while True:
            ready = [descriptor for descriptor, _ in events.poll(min(pause, max(0.0, end - time.monotonic())) * 1000)]
            begun = time.monotonic()
            if self._warm.fileno() in ready:
                self._note(self._hear(), "", "")
            elif ready:
                self._end(*self._wish)
            elif begun >= end:
                self._end("time", f"It took longer than the {self._limits.seconds:g} s that a submission has.")
            elif (used := self._memory() / 2**20) > self._limits.memory_mb:
                most = f"more than the {self._limits.memory_mb:,} MB that a submission has"
                self._end("memory", f"Its processes and files took {used:,.0f} MB of memory, {most}.")
            else:
                pause = min(max(_SHORTEST_ROUND, (time.monotonic() - begun) / _SHARE), _LONGEST_ROUND)
                continue
            return

    def _memory(self) -> int:
        """Return the bytes that its processes and its files take."""
        pids = self._found()
        files = usage.files(pids, self._folder) if self._folder else 0
        return files + usage.memory(pids, self._limits.memory_mb * 2**20 - files)

    def _end(self, why: Why, sentence: str) -> None:
        """Have the warm process end all of it, and note why once that is done."""
        self.why, self.sentence = why, sentence  # before the other end of the frames closes
        try:
            self._warm.send({"end": True})
        except OSError:
            answer = None
        else:
            answer = self._hear()
        self._note(answer, why, sentence)

    def _hear(self) -> Message | None:
        """Return what the warm process says; None when it is gone or hangs."""
        try:
            return self._warm.receive()
        except TimeoutError:
            return None

    def _note(self, answer: Message | None, why: Why, sentence: str) -> None:
        """Set for good why it ended: at our wish, or by itself before that."""
        code = -signal.SIGKILL if answer is None else os.waitstatus_to_exitcode(answer["ended"])
        self.broken = answer is None
        if code == -signal.SIGKILL:
            other = "Something outside the sandbox killed it, perhaps because the system's memory ran short."
            if self.broken:
                other = "The sandbox's warm process ended while it ran: grade it again."
            elif why:
                other = "It was ended by the grader."
            self.why, self.sentence = why or "killed", sentence or other
        else:
            how = f"with exit code {code}" if code >= 0 else f"with the signal {signal.Signals(-code).name}"
            self.why, self.sentence = "ended", f"It ended its own process ({how})."
