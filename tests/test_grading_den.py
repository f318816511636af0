"""The sandbox: what a submission tries in it is contained, the reason is known, and the next one runs as if nothing had been."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import tutor
from tutor.grading.den import Den, SandboxError, jail
from tutor.grading.frames import Gone, Late, Malformed, TooMuch
from tutor.grading.job import Limits

TOP = Path(__file__).resolve().parents[1]
SECONDS = 60  # for what takes a moment: reached only when something hangs
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
    pytest.mark.skipif(
        not any(Path(p, "bwrap").exists() for p in os.get_exec_path()), reason="bubblewrap is not installed"
    ),
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
    with Den(serve=serving) as den:
        yield den


@pytest.fixture
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
    with den.run(Limits(**limits)) as run, pytest.raises(Gone):
        ask(run, code)
    assert run.sentence.endswith(".")
    return run.why, run.sentence


def test_it_is_in_a_folder_of_its_own_with_nothing_of_the_graders(den: Den) -> None:
    seen = said(
        den,
        "said = [dict(os.environ), os.getcwd(), os.listdir('.'), os.environ['HOME'], os.listdir(os.environ['HOME'])]",
    )
    environment, folder, files, home, at_home = seen
    assert "SECRET" not in environment
    assert set(environment) <= {
        "PATH",
        "HOME",
        "PWD",
        "USER",
        "LOGNAME",
        "LANG",
        "LC_CTYPE",
        "TMPDIR",
        "IPYTHONDIR",
    } | {
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
    hidden = [
        tmp_path / "gradebook.db",
        TOP / "solutions",
        TOP / "tests",
        TOP / "notebooks",
        TOP / ".git",
        TOP / "Makefile",
    ]
    hidden += [package / "grading" / "worker.py", package / "grading" / "den", package / "grading" / "intake.py"]
    hidden += [
        Path(path) for path in ("/etc/passwd", "/home", "/var", "/run", "/sys", "/dev/shm/x", "/dev/zero", "/proc/1")
    ]
    seen = said(
        den,
        f"""
        said = [[path for path in {list(map(str, hidden))} if os.path.lexists(path)]]
        said += [sorted(os.listdir(path)) for path in ({str(package / "checking" / "bank")!r}, {str(package / "course")!r})]
        said += [os.listdir("/proc"), sorted(os.listdir({str(package / "grading")!r}))]
        """,
    )
    assert seen == [[], [], [], [], ["__init__.py", "frames.py", "inside", "tensors.py", "values.py", "warm"]]


def test_it_writes_only_in_its_folder(den: Den) -> None:
    code = """
        places = {"/", "/usr", "/dev", "/proc", "/etc", "/submission/..", sys.prefix, *filter(os.path.isdir, sys.path)}
        for path in list(sys.path):
            while len(path) > 1:
                path = os.path.dirname(path)
                places.add(path)
        said = [{path: refusal(os.mkdir, path + "/folder") for path in places}]
        said += [refusal(open, path, "w") for path in ("new", "/tmp/new", "/dev/shm/new", os.environ["HOME"] + "/new")]
        """
    outside, *inside = said(den, code)
    assert inside == ["no error"] * 4
    own = {
        str(folder) for path in jail.below_tmp() for folder in Path(path).parents
    }  # on the way to what is shown there
    assert {how for path, how in outside.items() if path not in own | {"/tmp"}} <= {"EROFS", "ENOENT", "EACCES"}, (
        outside
    )


def test_what_it_leaves_is_gone_for_the_next(den: Den) -> None:
    assert said(
        den, "open('mine', 'w'); open('/tmp/mine', 'w'); open('/dev/shm/mine', 'w'); said = os.listdir('.')"
    ) == ["mine"]
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
                [refusal(socket.socket, family) for family in (socket.AF_VSOCK, socket.AF_ALG, socket.AF_INET6)],
            ]
            own = socket.create_server(("127.0.0.1", 0))
            said.append(refusal(socket.create_connection, own.getsockname()))
            """
        families = ["EAFNOSUPPORT", "EAFNOSUPPORT", "no error"]
        assert said(den, code) == [
            "ECONNREFUSED",
            "ENETUNREACH",
            "ECONNREFUSED",
            "ENOENT",
            ["lo"],
            families,
            "no error",
        ]


def test_it_can_not_become_more_than_it_is(den: Den) -> None:
    code = """
        data, root = ctypes.create_string_buffer(24), ctypes.c_ulong(0)
        call("capget", (0x20080522).to_bytes(4, "little") + bytes(4), data)
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
    refusals = said(den, code.replace("{clone}", str(clone)))
    assert refusals == [True, [1, 0], ["EINVAL"] * 3, *["EPERM"] * 5, "ENOSYS", *["EPERM"] * 6]


def test_it_reaches_no_other_process(den: Den) -> None:
    code = f"""
        said = [os.getpid(), os.getppid(), refusal(os.kill, -1, 0), refusal(os.kill, {os.getpid()}, 0)]
        said += [refusal(open, f"/proc/{{pid}}/mem", "rb") for pid in (1, {den.pid})]
        place = (ctypes.c_ulong * 2)(id(said), 8)
        said += [refusal(call, "process_vm_readv", 1, place, 1, place, 1, 0)]
        """
    assert said(den, code) == [1, 0, "ESRCH", "ESRCH", "ENOENT", "ENOENT", "EPERM"]


def test_it_starts_only_so_many_processes_and_threads(den: Den) -> None:
    code = """
        def start():
            if os.fork() == 0:
                signal.pause()
        count = 1
        while refusal(start) == "no error":
            count += 1
        said = [count, refusal(start)]
        """
    assert said(den, code, processes=20) == [20, "EAGAIN"]
    code = """
        count, event = 1, threading.Event()
        try:
            while True:
                threading.Thread(target=event.wait, daemon=True).start()
                count += 1
        except RuntimeError:
            said = count
        """
    assert said(den, code, processes=20) == 20


def test_a_fork_bomb_ends_with_its_time(den: Den) -> None:
    code = """
        while True:
            try:
                os.fork()
            except OSError:
                pass
        """
    assert ending(den, code, seconds=0.5) == ("time", "It took longer than the 0.5 s that a submission has.")


def test_more_memory_than_there_is_for_it_is_an_error_in_it(den: Den) -> None:
    code = """
        kept = []
        try:
            while True:
                kept.append(bytearray(10**7))
        except MemoryError:
            said = len(kept) // 10
        """
    assert said(den, code, memory_mb=300) == 2


@pytest.mark.parametrize(
    "code",
    [
        """
        for _ in range(8):
            if os.fork() == 0:
                kept = bytearray(10**8)
        signal.pause()
        """,
        """
        for number in range(8):
            with open(f"/dev/shm/{number}", "wb") as file:
                file.write(bytes(10**8))
        signal.pause()
        """,
    ],
    ids=["processes", "files"],
)
def test_more_memory_than_there_is_for_all_of_it_together_is_its_end(den: Den, code: str) -> None:
    why, sentence = ending(den, code, memory_mb=400, disk_mb=2000)
    assert why == "memory"
    assert sentence.endswith("more than the 400 MB that a submission has.")


def test_memory_that_nobody_would_count_is_refused(den: Den) -> None:
    code = """
        said = [
            refusal(mmap.mmap, -1, 4096),
            refusal(mmap.mmap, -1, 4096, mmap.MAP_PRIVATE),
            refusal(os.memfd_create, "memory"),
            refusal(call, "shmget", 0, 4096, 0o1600),
            refusal(open, "/dev/zero"),
        ]
        """
    assert said(den, code) == ["EPERM", "no error", "EPERM", "EPERM", "ENOENT"]


def test_its_files_together_have_only_so_much_room(den: Den) -> None:
    code = """
        def fill(name):
            nonlocal_written = 0
            with open(name, "wb", buffering=0) as file:
                while True:
                    written[0] += file.write(bytes(2**20))
        written = [0]
        said = [refusal(fill, name) for name in ("one", "/tmp/two", "/dev/shm/three")] + [written[0] // 2**20]
        """
    assert said(den, code, disk_mb=20) == ["EFBIG", "ENOSPC", "ENOSPC", 20]


def test_an_endless_loop_that_blocks_signals_ends_with_its_time(den: Den) -> None:
    code = """
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(signum, signal.SIG_IGN)
        while True:
            try:
                while True:
                    pass
            except BaseException:
                pass
        """
    assert ending(den, code, seconds=0.2)[0] == "time"


DETACHED = """
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
            signal.pause()
        os._exit(0)
    os.wait()
    """


@pytest.mark.parametrize("end", ["os._exit(3)", "said = 1"])
def test_a_detached_process_does_not_outlive_it(den: Den, end: str) -> None:
    before = descendants(den)
    with den.run(Limits()) as run:
        ask(run, DETACHED)
        assert len(descendants(den) - before) == 2
        run.frames.send({"code": end})
    assert descendants(den) == before


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("os._exit(3)", "with exit code 3"),
        ("sys.exit()", "with exit code 1"),
        ("ctypes.string_at(0)", "with the signal SIGSEGV"),
        ("os.abort()", "with the signal SIG"),
    ],
)
def test_its_own_end_is_told(den: Den, code: str, words: str) -> None:
    why, sentence = ending(den, code)
    assert why == "ended"
    assert words in sentence


def test_it_has_no_input_no_output_and_no_open_file_but_its_connection(den: Den) -> None:
    code = """
        opened = [number for number in range(1000) if refusal(os.fstat, number) == "no error"]
        nowhere = [os.fstat(number).st_rdev == os.stat(os.devnull).st_rdev for number in range(3)]
        said = [nowhere, opened == [0, 1, 2, frames.fileno()]]
        """
    assert said(den, code) == [[True] * 3, True]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("raw.sendall(bytes((255, 255, 255, 255, 0, 0, 0, 0)))", TooMuch),
        ("raw.sendall(bytes((0, 0, 0, 4, 0, 0, 0, 0)) + b'null')", Malformed),
        ("raw.sendall(b'half')", Late),
        ("raw.shutdown(socket.SHUT_RDWR)", Gone),
    ],
)
def test_what_is_no_message_hurts_nobody(den: Den, code: str, error: type[Exception]) -> None:
    with den.run(Limits()) as run:
        run.frames.send({"code": f"raw = socket.socket(fileno=os.dup(frames.fileno()))\n{code}\nsignal.pause()"})
        with pytest.raises(error):
            run.frames.receive(most=100, deadline=time.monotonic() + (0.1 if error is Late else SECONDS))
        assert run.why == ""
        run.kill("killed", "It sent no message.")
        assert (run.why, run.sentence) == ("killed", "It sent no message.")
        with pytest.raises(Gone):
            run.frames.send({}, [bytes(10**7)])


def test_there_is_one_run_at_a_time(den: Den) -> None:
    with den.run(Limits()), pytest.raises(RuntimeError, match="one run at a time"), den.run(Limits()):
        pass


def test_the_course_runs_in_the_sandbox(serving: str) -> None:
    """With everything imported: torch's answers, a learner's pictures, the sample, TensorBoard's writer with its threads."""
    code = """
        import IPython, matplotlib.pyplot, torch
        from tutor import board, data
        torch.manual_seed(0)
        total = torch.nn.functional.conv2d(torch.ones(1, 3, 32, 32), torch.ones(2, 3, 3, 3)).sum()
        with board.writer("scalars") as writer:
            writer.add_scalar("loss", 1.0, 0)
        figure, axes = matplotlib.pyplot.subplots()
        axes.plot([1, 2])
        figure.savefig("plot.png")
        loader = torch.utils.data.DataLoader(list(range(8)), num_workers=2)
        said = [total.item(), sorted(os.listdir()), len(data.cifar10(train=False)), sum(map(int, loader))]
        said += [torch.get_num_threads(), [name for name in sys.modules if name.startswith("tutor.checking.bank.")]]
        """
    with Den(serve=serving) as den:
        assert said(den, code) == [48600.0, ["plot.png", "scalars"], 1000, 28, 1, []]
        bomb = "try:\n    torch.ones(10**9)\nexcept RuntimeError as error:\n    said = 'memory' in str(error)"
        assert said(den, f"import torch\n{bomb}") is True


def test_a_warm_process_that_dies_is_replaced(serving: str) -> None:
    with Den(serve=serving) as den:
        first = descendants(den)
        with den.run(Limits()) as run:
            assert ask(run, "said = 1") == 1
            for pid in first:
                os.kill(pid, signal.SIGKILL)
            with pytest.raises(Gone):
                ask(run, "signal.pause()")
        assert run.why == "killed"
        assert "warm process ended while it ran" in run.sentence
        assert said(den, "said = 2") == 2
        for pid in descendants(den):
            os.kill(pid, signal.SIGKILL)
        assert said(den, "said = 3") == 3
        assert not first & descendants(den)


def test_without_a_sandbox_runs_end_all_the_same(serving: str, tmp_path: Path) -> None:
    with Den("none", serve=serving) as den:
        assert said(den, f"said = os.path.exists({str(tmp_path)!r})") is True
        assert descendants(den) == set()
        folder = Path(said(den, "open('new', 'w'); os.mkdir('shut', 0); said = os.getcwd()"))
        assert not folder.parent.exists()
        with den.run(Limits()) as run:
            ask(run, DETACHED)
            assert len(descendants(den)) == 2
        assert descendants(den) == set()
        assert ending(den, DETACHED + "\n    os._exit(3)")[0] == "ended"
        assert descendants(den) == set()
        assert ending(den, "while True: pass", seconds=0.2)[0] == "time"
        bomb = "kept = [os.fork() or bytearray(10**8) for _ in range(3)]\nsignal.pause()"
        assert ending(den, bomb, memory_mb=300)[0] == "memory"
        home = Path(said(den, "said = os.environ['HOME']"))
    assert not home.exists()


OWNER = """
    import os, signal, sys
    from tutor.grading.den import Den
    from tutor.grading.job import Limits
    import psutil
    den = Den(sys.argv[1], serve="probe:serve")
    with den, den.run(Limits()) as run:
        run.frames.send({"code": DETACHED + "frames.send({})"})
        run.frames.receive(most=1000)
        heir = os.fork()  # holds all its open files
        if heir:
            print(heir, den.pid, *(child.pid for child in psutil.Process(den.pid).children(recursive=True)), flush=True)
        signal.pause()
    """


@pytest.mark.parametrize("sandbox", ["bubblewrap", "none"])
def test_nothing_outlives_a_killed_owner(serving: str, sandbox: str, tmp_path: Path) -> None:
    code = textwrap.dedent(OWNER).replace("DETACHED", repr(textwrap.dedent(DETACHED)))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", code, sandbox]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        heir, *processes = [psutil.Process(int(pid)) for pid in owner.stdout.readline().split()]
        owner.kill()
        try:
            _, left = psutil.wait_procs(processes, timeout=SECONDS)
        finally:
            heir.kill()
    assert len(processes) >= 3
    assert not left
    assert not list(tmp_path.iterdir())


def test_where_there_is_no_sandbox_a_sentence_says_what_to_do(serving: str, tmp_path: Path, monkeypatch) -> None:
    def refusal() -> str:
        with pytest.raises(SandboxError) as caught, Den(serve=serving):
            pass
        return str(caught.value)

    monkeypatch.setenv("PATH", str(tmp_path))
    instead = "`--sandbox none` grades without protection."
    assert "install it (`apt install bubblewrap`" in (said := refusal()) and said.endswith(instead)
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    assert "(bwrap: No permissions to create new namespace)" in (said := refusal()) and said.endswith(instead)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "darwin")
        assert "needs Linux, and this is darwin" in refusal()
    with monkeypatch.context() as patch:
        patch.setattr(os, "uname", lambda: os.uname_result(("Linux", "host", "5.4.0-99-generic", "", "x86_64")))
        assert "needs Linux 5.14 or younger, and this is 5.4.0-99-generic" in (said := refusal()) and said.endswith(
            instead
        )


def test_a_warm_process_that_can_not_import_says_what(serving: str) -> None:
    with pytest.raises(SandboxError, match="No module named 'nothing'"), Den(serve="nothing:serve"):
        pass


if os.getuid() == 0:  # an ordinary user's run of this file holds it already

    def test_all_this_holds_for_an_ordinary_user() -> None:
        """The same tests again, as a user who may enter the folders that Python, its packages and this checkout lie in."""
        needed = sorted({Path(os.path.realpath(path)) for path in (sys.base_prefix, sys.prefix, TOP)})
        options = []
        for path in needed:
            on_the_way = [folder for folder in reversed(path.parents) if folder != Path("/")]
            shut = next((folder for folder in on_the_way if not folder.stat().st_mode & 0o001), None)
            if shut is not None:
                options += ["--tmpfs", str(shut)]
                options += [
                    word for folder in on_the_way if folder.is_relative_to(shut) for word in ("--dir", str(folder))
                ]
                options += ["--ro-bind", str(path), str(path)]
        world = ["bwrap", "--dev-bind", "/", "/", *options, "--"]
        become = ["setpriv", f"--reuid={ORDINARY}", f"--regid={ORDINARY}", "--clear-groups"]
        with tempfile.TemporaryDirectory(prefix="ordinary-", dir="/tmp") as base:
            os.chown(base, ORDINARY, ORDINARY)
            command = [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                f"--basetemp={base}/tests",
                __file__,
            ]
            done = subprocess.run(
                [*world, *become, *command, "-k", "test_it_ or bomb or together or detached"],
                env={**os.environ, "HOME": base, "TMPDIR": base, "PYTHONPATH": str(TOP)},
                cwd=TOP,
                capture_output=True,
                text=True,
            )
        assert done.returncode == 0, done.stdout + done.stderr
