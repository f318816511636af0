"""What a worker process keeps from one submission to the next: a warm sandbox, and which versions it runs."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import platform
import signal
import socket
import threading
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from distributed import Worker
from distributed.diagnostics.plugin import WorkerPlugin

import tutor
from tutor.grading.job import Graded, Job, Sandbox

if TYPE_CHECKING:
    from tutor.grading.den import Den

Grade = Callable[[Job], Graded]
MOST = 200  # characters of an error's own words
_dens: dict[Sandbox, Den] = {}
_open = ExitStack()
_one_at_a_time = threading.Lock()  # a worker started with several threads has one sandbox all the same


class FleetError(Exception):
    """No submission can be graded this way; the message is one sentence that says why and what to do."""


@dataclass(frozen=True)
class Broken:
    """Takes the place of a ``Graded`` when grading one submission raised an error; said: the traceback's last line."""

    said: str


@cache
def versions() -> dict[str, str]:
    """Return what must be the same on every machine for the points to be the same; loads no torch."""
    try:
        torch = version("torch").partition("+")[0]
    except PackageNotFoundError:
        torch = "none"
    code = hashlib.sha256()
    package = Path(tutor.__file__).parent
    for path in sorted(path for path in package.rglob("*") if path.suffix in (".py", ".toml")):
        code.update(f"{path.relative_to(package).as_posix()}\0".encode() + path.read_bytes())
    return {
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "torch": torch,
        "the course's package": code.hexdigest()[:8],
    }


def work(job: Job, grade: Grade, wanted: dict[str, str]) -> Graded | Broken:
    """Grade one submission in this process.

    wanted: the coordinator's ``versions()``. Raises FleetError when this process has others, or no sandbox can be made
    here: that would be so for every submission. Any other error concerns this one alone and is returned as words.
    """
    for name, theirs in wanted.items():
        here = versions().get(name)
        if here != theirs:
            raise FleetError(
                f"the worker on {socket.gethostname()} has {name} {here}, and this machine {theirs}: install the same on "
                "all machines and start the workers anew"
            )
    try:
        return grade(job)
    except FleetError:
        raise
    except Exception as error:
        return Broken(" ".join(traceback.format_exception_only(error)[-1].split())[:MOST])


def grade_warm(job: Job) -> Graded:
    """Grade one submission in this process' warm sandbox, which is made for the first one.

    Raises FleetError where the sandbox can't be made.
    """
    from tutor.grading.den import SandboxError
    from tutor.grading.worker import grade

    with _one_at_a_time:
        try:
            return grade(job, _den(job.sandbox))
        except SandboxError as error:
            raise FleetError(f"on {socket.gethostname()}: {error}") from error


def _den(sandbox: Sandbox) -> Den:
    """Return this process' warm sandbox, made if need be; SandboxError where it can't be made."""
    from tutor.grading.den import Den

    if sandbox not in _dens:
        _dens[sandbox] = _open.enter_context(Den(sandbox))
    return _dens[sandbox]


def _warm_up(sandbox: Sandbox) -> None:
    """Make the sandbox before the first submission comes; why it can't be made is for that one to tell."""
    from tutor.grading.den import SandboxError

    with _one_at_a_time, contextlib.suppress(SandboxError):
        _den(sandbox)


def close_sandboxes() -> None:
    """End this process' warm sandboxes; the next submission makes one anew."""
    with _one_at_a_time:
        _dens.clear()
        _open.close()


class Station(WorkerPlugin):
    """Ends a worker's sandboxes when the worker ends, or when the class is done.

    local: a worker that the coordinator started in its own terminal. Ctrl-C reaches those too, and is the
    coordinator's to act on. sandbox: which one to make ready meanwhile, if any.
    """

    name = "tutor-station"

    def __init__(self, local: bool, sandbox: Sandbox | None = None) -> None:
        self.local, self.sandbox = local, sandbox

    def setup(self, worker: Worker) -> None:
        """Prepare a worker process."""
        atexit.register(close_sandboxes)
        if self.local and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        if self.sandbox is not None:
            threading.Thread(target=_warm_up, args=(self.sandbox,), daemon=True).start()

    def teardown(self, worker: Worker) -> None:
        """Leave nothing behind in it."""
        close_sandboxes()
        atexit.unregister(close_sandboxes)
