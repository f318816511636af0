"""The owner's side: the warm processes that this program has started, and the kernels that it got from them."""

import atexit
import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from tutor.grading.warm.errors import WarmError
from tutor.grading.warm.kernel import WarmKernel
from tutor.grading.warm.wire import Wire
from tutor.grading.warm.zygote import BOOT

# Set once, at the start of Python or when a library is imported: kernels that differ in one come from different zygotes.
AT_START = ("PYTHON", "LD_", "LC_", "LANG", "MPL", "TORCH", "MALLOC_", "GLIBC_")
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
SECONDS_TO_FORK = 120.0  # importing torch from a slow disk included
_SOCKET_ROOM = 60  # characters; a Unix socket's whole path has about 100


def fixed_at_start(environment: dict[str, str]) -> dict[str, str]:
    """Return what of an environment can't be changed once a Python process runs."""
    return {name: value for name, value in environment.items() if name.startswith(AT_START)}


class Zygote:
    """A warm process of this one, with a socket in a private folder."""

    def __init__(self, python: str, fixed: dict[str, str], place: Path) -> None:
        inherited = {name: value for name, value in os.environ.items() if name not in (*fixed, *THREADS)}
        inherited = {name: value for name, value in inherited.items() if not name.startswith((*AT_START, "JPY_"))}
        ours = {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "OPENBLAS_NUM_THREADS": "1"}
        self._path = str(place.with_suffix(".sock"))
        self._log = place.with_suffix(".log")
        with socket.socket(socket.AF_UNIX) as listener, self._log.open("wb") as log:
            listener.bind(self._path)
            listener.listen(128)
            self._process = subprocess.Popen(
                [python, "-c", BOOT, str(listener.fileno()), str(os.getpid()), str(place.parent)],
                env={**inherited, **ours, **fixed},
                stdin=subprocess.PIPE,  # at its end once this process lets go of it or dies
                stdout=log,
                stderr=log,
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )
        self.pid = self._process.pid

    def running(self) -> bool:
        """Return whether the process is still there."""
        return self._process.poll() is None

    def fork(
        self, arguments: Sequence[str], environment: dict[str, str], folder: str, streams: Sequence[int]
    ) -> WarmKernel:
        """Return a new kernel, which has begun to start; waits until the process is warm.

        arguments: those of ipykernel_launcher. streams: descriptors for its standard output and error.
        Raises WarmError when there will be none.
        """
        connection = socket.socket(socket.AF_UNIX)
        wire = Wire(connection)
        connection.settimeout(SECONDS_TO_FORK)
        try:
            connection.connect(self._path)
            wire.send({"arguments": [*arguments], "environment": environment, "folder": folder}, streams)
            answer = wire.receive()
        except TimeoutError:
            wire.close()
            raise WarmError(
                f"The warm process (number {self.pid}) has not forked the kernel within {SECONDS_TO_FORK:g} s: end it"
                " and start the kernel again."
            ) from None
        except OSError:  # refused or cut off: it has ended
            answer = None
        connection.settimeout(None)
        if answer is None:
            wire.close()
            raise WarmError(self._what_happened())
        if "error" in answer:
            wire.close()
            raise WarmError(f"The kernel can't be started in {folder}: {answer['error']}.")
        return WarmKernel(wire, int(answer["pid"]))

    def _what_happened(self) -> str:
        """Return one sentence about why there is no kernel."""
        try:
            code = self._process.wait(10)
        except subprocess.TimeoutExpired:
            return "The warm process took the request for a kernel and dropped it: start the kernel again."
        lines = self._log.read_text(errors="replace").split("\n") if self._log.exists() else []
        last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
        return (
            f"The warm process ended (exit code {code}) before it had forked the kernel, and its last words were:"
            f" {last}. Starting a kernel again starts a new one."
        )

    def end(self) -> None:
        """End the process and all its kernels, and wait until they are gone."""
        assert self._process.stdin is not None
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdin.close()

    def forget(self) -> None:
        """Let go of it in a fork of the owner, to which it does not belong."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.returncode = 0  # or Popen warns that somebody else's child still runs


class Household:
    """All zygotes of this process, by what is fixed when they start, and the private folder of their sockets."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._zygotes: dict[tuple[str, frozenset[tuple[str, str]]], Zygote] = {}
        self._folder: Path | None = None
        self._numbers = itertools.count(1)

    def socket_prefix(self) -> str:
        """Return an absolute path, unique to one kernel, that the names of its sockets begin with."""
        with self._lock:
            return str(self._place("kernel"))

    def zygote(self, python: str, environment: dict[str, str]) -> Zygote:
        """Return the warm process for kernels with this environment, a new one where there is none (any more)."""
        fixed = fixed_at_start(environment)
        key = (python, frozenset(fixed.items()))
        with self._lock:
            found = self._zygotes.get(key)
            if found is None or not found.running():
                if found is not None:
                    found.end()
                found = self._zygotes[key] = Zygote(python, fixed, self._place("zygote"))
            return found

    def _place(self, kind: str) -> Path:
        if self._folder is None:
            base = tempfile.gettempdir()
            self._folder = Path(
                tempfile.mkdtemp(prefix="tutor-warm-", dir=base if len(base) < _SOCKET_ROOM else "/tmp")
            )
            atexit.register(self.end)
        return self._folder / f"{kind}{next(self._numbers)}"

    def end(self) -> None:
        """End every zygote with its kernels and remove the folder; kernels started later begin anew."""
        with self._lock:
            for zygote in self._zygotes.values():
                zygote.end()
            self._zygotes.clear()
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)  # a kernel may have been removing its own
                atexit.unregister(self.end)
                self._folder = None

    def forget(self) -> None:
        """Start with nothing, in a fork of the owner."""
        atexit.unregister(self.end)
        for zygote in self._zygotes.values():
            zygote.forget()
        self.__init__()  # type: ignore[misc]


HOUSEHOLD = Household()
os.register_at_fork(after_in_child=HOUSEHOLD.forget)
