"""The sandbox: what a submission tries in it is contained, the reason is known, and the next one runs as if nothing had been."""

import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import tutor
from tutor.grading.den import Den, SandboxError
from tutor.grading.frames import Frames, Gone, Late, Malformed, TooMuch
from tutor.grading.job import Limits

TOP = Path(__file__).resolve().parents[1]
SECONDS = 60  # for what takes a moment: reached only when something hangs
ROOT = os.getuid() == 0
ORDINARY = 1000  # user and group

# Stands in for what serves a submission: runs Python text beside which nothing is protected.
SERVE = """
    import ctypes, errno, gc, mmap, os, signal, socket, subprocess, sys, threading, time

    C = ctypes.CDLL(None, use_errno=True)

    def refusal(function, *arguments):
        "Return the name of the error that a call ends with."
        try:
            function(*arguments)
        except OSError as error:
            return errno.errorcode[error.errno]
        return "no error"

    def call(name, *arguments):
        if getattr(C, name)(*arguments) == -1:
            raise OSError(ctypes.get_errno(), "")

    def serve(frames):
        names = {**globals(), "frames": frames}
        while True:
            message, _ = frames.receive(most=10**6)
            exec(message["code"], names)
            frames.send({"said": names.pop("said", None)})
    """

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is for Linux"),
    pytest.mark.skipif(not any(Path(p, "bwrap").exists() for p in os.get_exec_path()), reason="bubblewrap is not installed"),
]


@pytest.fixture(scope="module")
def serving(tmp_path_factory) -> Iterator[str]:
    """Make the stand-in importable, and hold something that is nobody's business."""
    packages = tmp_path_factory.mktemp("probe") / "site-packages"
    packages.mkdir()
    (packages / "probe.py").write_text(textwrap.dedent(SERVE))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(packages)
        patch.setenv("SECRET", "of the instructor's")
        yield "probe:serve"


@pytest.fixture(scope="module")
def light(serving: str) -> Iterator[Den]:
    """A den whose warm process has nothing imported, so that it starts in no time."""
    with Den(serve=serving, imports=()) as den:
        yield den


@pytest.fixture(params=["light"])
def den(light: Den) -> Iterator[Den]:
    """The den for one test, after which it must be as it was before: nothing left over, and ready."""
    before = descendants(light)
    yield light
    assert descendants(light) == before
    assert said(light, "said = os.listdir('.')") == []
    assert descendants(light) == before


def descendants(den: Den) -> set[int]:
    return {child.pid for child in psutil.Process(den.pid).children(recursive=True)}


def ask(run: Any, code: str, deadline: float = SECONDS) -> Any:
    run.frames.send({"code": textwrap.dedent(code)})
    return run.frames.receive(most=10**6, deadline=time.monotonic() + deadline)[0]["said"]


def said(den: Den, code: str, **limits: Any) -> Any:
    """Run code as a submission of its own and return what it set ``said`` to."""
    with den.run(Limits(**limits)) as run:
        return ask(run, code)


def ending(den: Den, code: str, **limits: Any) -> tuple[str, str]:
    """Run code that ends, one way or the other, and return why and the sentence."""
    with den.run(Limits(**limits)) as run:
        with pytest.raises(Gone):
            ask(run, code)
    assert run.sentence.endswith(".")
    return run.why, run.sentence


def test_it_is_in_a_folder_of_its_own_with_nothing_of_the_graders(den: Den) -> None:
    seen = said(den, "said = [dict(os.environ), os.getcwd(), os.listdir('.'), os.environ['HOME'], os.listdir(os.environ['HOME'])]")
    environment, folder, files, home, at_home = seen
    assert "SECRET" not in environment
    assert set(environment) <= {"PATH", "HOME", "PWD", "USER", "LOGNAME", "LANG", "LC_CTYPE", "TMPDIR", "IPYTHONDIR"} | {
        *("TUTOR_DATA", "TUTOR_BUILD", "MPLBACKEND", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE"),
        *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"),
    }
    assert environment["TUTOR_DATA"] == "sample"
    assert (files, at_home) == ([], [])
    assert not Path(folder).exists()
    assert not Path(home).exists()


def test_it_sees_only_what_python_needs(den: Den, tmp_path: Path) -> None:
    (tmp_path / "gradebook.db").write_text("points")
    package = Path(tutor.__file__).parent
    hidden = [tmp_path / "gradebook.db", TOP / "solutions", TOP / "tests", TOP / "notebooks", TOP / ".git", TOP / "Makefile"]
    hidden += [package / "grading" / "worker.py", package / "grading" / "den", package / "grading" / "intake.py"]
    hidden += [Path(path) for path in ("/etc/passwd", "/home", "/var", "/run", "/sys", "/dev/shm/x", "/dev/zero", "/proc/1")]
    seen = said(
        den,
        f"""
        said = [[path for path in {list(map(str, hidden))} if os.path.lexists(path)]]
        said += [sorted(os.listdir(path)) for path in ({str(package / 'checking' / 'bank')!r}, {str(package / 'course')!r})]
        said += [os.listdir("/proc"), sorted(os.listdir({str(package / 'grading')!r}))]
        """,
    )
    assert seen == [[], [], [], [], ["__init__.py", "frames.py", "inside", "warm"]]


def test_it_writes_only_in_its_folder(den: Den) -> None:
    code = """
        places = {"/", "/usr", "/dev", "/proc", "/etc", "/submission/..", sys.prefix, *filter(os.path.isdir, sys.path)}
        for path in list(sys.path):
            while len(path) > 1:
                path = os.path.dirname(path)
                places.add(path)
        said = [{path: refusal(os.mkdir, path + "/new") for path in places}]
        said += [refusal(open, path, "w") for path in ("new", "/tmp/new", "/dev/shm/new", os.environ["HOME"] + "/new")]
        """
    outside, *inside = said(den, code)
    assert inside == ["no error"] * 4
    assert outside.pop("/tmp", "no error") == "no error"  # a folder on the way to something below it may be its own
    assert all(how in ("EROFS", "ENOENT", "EACCES") or path.startswith("/tmp/") for path, how in outside.items()), outside


def test_what_it_leaves_is_gone_for_the_next(den: Den) -> None:
    assert said(den, "open('mine', 'w'); open('/tmp/mine', 'w'); open('/dev/shm/mine', 'w'); said = os.listdir('.')") == ["mine"]
    code = "said = [os.path.exists(path) for path in ('mine', '/tmp/mine', '/dev/shm/mine')]"
    assert said(den, code) == [False] * 3


def test_it_reaches_no_network_and_nobodys_socket(den: Den, tmp_path: Path) -> None:
    name = f"\0tutor-test-{os.getpid()}"
    with (
        socket.create_server(("127.0.0.1", 0)) as internet,
        socket.socket(socket.AF_UNIX) as abstract,
        socket.socket(socket.AF_UNIX) as path,
    ):
        abstract.bind(name)
        abstract.listen()
        path.bind(str(tmp_path / "s"))
        path.listen()
        code = f"""
            said = [
                refusal(socket.create_connection, {internet.getsockname()}),
                refusal(socket.create_connection, ("192.0.2.1", 80)),
                refusal(socket.socket(socket.AF_UNIX).connect, {name!r}),
                refusal(socket.socket(socket.AF_UNIX).connect, {str(tmp_path / "s")!r}),
                [name for _, name in socket.if_nameindex()],
            ]
            own = socket.create_server(("127.0.0.1", 0))
            said.append(refusal(socket.create_connection, own.getsockname()))
            """
        assert said(den, code) == ["ECONNREFUSED", "ENETUNREACH", "ECONNREFUSED", "ENOENT", ["lo"], "no error"]


def test_it_can_not_become_more_than_it_is(den: Den) -> None:
    code = """
        header, data = bytes((0x22, 5, 8, 0x20)[::-1]), ctypes.create_string_buffer(24)
        call("capget", (0x20080522).to_bytes(4, "little") + bytes(4), data)
        user, group, root = os.getuid(), os.getgid(), ctypes.c_ulong(0)
        said = [
            data.raw == bytes(24),
            [C.prctl(39, 0, 0, 0, 0), C.prctl(23, 21, 0, 0, 0)],  # no new privileges; CAP_SYS_ADMIN not in the bounds
            [refusal(function, 0) for function in (os.setuid, os.setgid, os.seteuid)],
            refusal(os.setgroups, [0]),
            refusal(call, "umount2", b"/proc", 2),
            refusal(call, "mount", b"tmpfs", b"/tmp", b"tmpfs", root, None),
            refusal(call, "unshare", 0x10000000),
            refusal(call, "syscall", {clone}, 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0),
            refusal(call, "syscall", 435, bytes(88), 88),
            refusal(call, "setns", 0, 0),
            refusal(os.chroot, "/tmp"),
            refusal(os.mknod, "device", 0o60600, os.makedev(254, 0)),
            refusal(call, "ptrace", 16, os.getpid(), 0, 0),
            refusal(call, "sethostname", b"a", 1),
            refusal(os.nice, -1),
        ]
        """
    clone = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
    assert said(den, code.replace("{clone}", str(clone))) == [
        True,
        [1, 0],
        ["EINVAL"] * 3 if not ROOT or True else None,
        "EPERM",
        *["EPERM"] * 4,
        "ENOSYS",
        *["EPERM"] * 5,
        "EPERM",
    ]
