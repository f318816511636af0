"""One writer to a course at a time: a lock that vanishes with the process that holds it."""

import fcntl
import os
from pathlib import Path

from tutor.grading.record.durable import make_folder
from tutor.grading.record.errors import RecordError


class OneWriter:
    """The right to record submissions of a course, from when it is made until ``close``.

    folder: ``build/grading`` of the course.

    Raises RecordError while another process has it.
    """

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        self._handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            who = os.read(self._handle, 20).decode().strip()
            os.close(self._handle)
            raise RecordError(
                f"another tutor grade (process {who}) is recording submissions of this course: wait until it is done"
            ) from error
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        """Let others write."""
        os.close(self._handle)
