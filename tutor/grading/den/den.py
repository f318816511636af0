"""The warm process's owner: starts it, gets one run after the other from it, and starts it anew when it has died."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from types import TracebackType

from tutor.grading.den import jail, usage
from tutor.grading.den.errors import INSTEAD, SandboxError
from tutor.grading.den.run import Run
from tutor.grading.frames import Frames
from tutor.grading.inside.warm import BOOT
from tutor.grading.job import Limits, Sandbox
from tutor.grading.warm.wire import Wire

SERVING = "tutor.grading.inside.serving:serve"
_SECONDS_TO_WARM_UP = 120.0  # importing torch from a slow disk included
_SECONDS_TO_ANSWER = 20.0  # reached only when the warm process hangs
_SECONDS_TO_END = 10.0
_PIDFD_OPEN = 434  # the system call


class Den:
    """One warm process, for one submission after the other.

    sandbox: "none" isolates nothing and protects nobody: the same limits of each process, an own folder, and an end of
    all that was started. serve: the function that runs beside the submission, as ``module:function``; it is given the
    ``Frames``, and its module's ``prepare``, if there is one, is called in the warm process.

    A context manager; entering it takes seconds and raises SandboxError where there is no sandbox. For one thread at a time.
    """

    def __init__(self, sandbox: Sandbox = "bubblewrap", *, serve: str = SERVING) -> None:
        self._isolated = sandbox != "none"
        self._serve = serve
        self._place: str | None = None  # where everything is that is written without a sandbox
        self._open = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self._running = False

    def __enter__(self) -> "Den":
        jail.refuse_elsewhere(self._isolated)
        with contextlib.ExitStack() as opened:
            if not self._isolated:
                self._place = opened.enter_context(_folder(None))
            self._start()
            opened.callback(lambda: self._open.close())  # that of the warm process there is by then
            self._whole = opened.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._whole.close()

    @property
    def pid(self) -> int:
        """The process id, out here, of what all runs descend from."""
        assert self._process is not None, "use it in a `with`"
        return self._process.pid

    @contextlib.contextmanager
    def run(self, limits: Limits) -> Iterator[Run]:
        """Give a run, and end it with everything it made on leaving.

        Raises SandboxError when the system refuses, and RuntimeError while another run of this den goes on.
        """
        if self._running:
            raise RuntimeError("A den has one run at a time: end the one before, or use another den.")
        self._running = True
        try:
            with contextlib.ExitStack() as opened:
                folder = None if self._isolated else opened.enter_context(_folder(self._place))
                run = self._begin(limits, folder)
                try:
                    yield run
                finally:
                    run.close()
                    if run.broken:
                        self._open.close()
        finally:
            self._running = False

    def _begin(self, limits: Limits, folder: str | None) -> Run:
        """Have the warm process fork a run; once more with a new one where it has died."""
        for _ in range(2):
            if self._process is None or self._process.poll() is not None:
                self._open.close()
                self._start()
            ours, theirs = socket.socketpair()
            try:
                self._wire.send({"run": asdict(limits), "folder": folder}, [theirs.fileno()])
                answer = self._wire.receive()
            except OSError:  # it has just died, or hangs
                answer = None
            finally:
                theirs.close()
            if answer is not None and "started" in answer:
                in_memory = jail.FOLDER if self._isolated else None
                return Run(Frames(ours), limits, self._wire, in_memory, self._descendants)
            ours.close()
            if answer is not None:
                raise SandboxError(f"The system refuses what the sandbox needs ({answer['error']}): {INSTEAD}.")
            self._open.close()
        raise SandboxError(
            f"The sandbox's warm process died twice while a submission was to start: {self._last_words()}."
        )

    def _start(self) -> None:
        """Start a warm process and wait until it is warm; what belongs to it ends with ``_open``."""
        with contextlib.ExitStack() as opened:
            ours, theirs = socket.socketpair()
            opened.callback(ours.close)
            ours.settimeout(_SECONDS_TO_WARM_UP)
            self._log = opened.enter_context(tempfile.TemporaryFile())
            home = jail.FOLDER if self._isolated else opened.enter_context(_folder(self._place))
            with theirs:
                self._process = self._popen(theirs.fileno(), home)
            self._wire = Wire(ours)
            opened.callback(_end, self._process, self._wire)
            try:
                answer = self._wire.receive()
            except TimeoutError:
                answer = {"error": f"the warm process was not ready within {_SECONDS_TO_WARM_UP:g} s"}
            if answer is None:
                self._process.wait()
                answer = {"error": self._last_words()}
            if "error" in answer:
                raise SandboxError(f"The sandbox can't be started here ({answer['error']}): {INSTEAD}.")
            ours.settimeout(_SECONDS_TO_ANSWER)
            self._idle = usage.family(self.pid)
            self._open = opened.pop_all()

    def _popen(self, control: int, home: str) -> subprocess.Popen[bytes]:
        owner = _descriptor_of_this_process()  # readable once it has ended, from whichever thread it started this
        settings = {
            **{"control": control, "owner": owner, "path": jail.modules(), "serve": self._serve},
            **{"isolated": self._isolated, "folder": home, "below_tmp": jail.below_tmp(), "place": self._place},
        }
        before = jail.bubblewrap(root=os.getuid() == 0) if self._isolated else []
        try:
            return subprocess.Popen(
                [*before, *jail.python(BOOT, settings)],
                env=jail.environment(home),
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                pass_fds=[control, owner],
                start_new_session=True,  # a Ctrl-C is this process's to act on
            )
        finally:
            os.close(owner)

    def _descendants(self) -> set[int]:
        """Return the ids of the processes of the run."""
        return usage.family(self.pid) - self._idle

    def _last_words(self) -> str:
        """Return the last line that bubblewrap or the warm process wrote."""
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def _descriptor_of_this_process() -> int:
    """Return a descriptor that can be read once this process has ended; raises SandboxError.

    Not ``os.pidfd_open``, which conda's Python lacks, nor bubblewrap's ``--die-with-parent``, which is the end of the thread.
    """
    descriptor: int = ctypes.CDLL(None).syscall(_PIDFD_OPEN, os.getpid(), 0)
    if descriptor < 0:
        raise SandboxError(f"Grading needs Linux 5.3 or younger, and this is {os.uname().release}.")
    return descriptor


def _folder(where: str | None) -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="tutor-grading-", dir=where, ignore_cleanup_errors=True)


def _end(process: subprocess.Popen[bytes], wire: Wire) -> None:
    """Tell a warm process to end, and wait; kill it with all that belongs to it if it doesn't."""
    with contextlib.suppress(OSError):  # it has ended
        wire.send({"goodbye": True})
    wire.close()
    try:
        process.wait(_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        for pid in (process.pid, *usage.family(process.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
