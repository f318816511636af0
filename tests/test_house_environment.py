"""`make environment`, which `make lab` and `make test` begin with, on a tiny project that needs no network.

The Makefile, the tools, venv and pip are the real ones; only what is installed is small: a package without
dependencies and with a build backend of its own, which holds still or fails when a test asks it to.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[1]
PYTHON = str(Path(sys.base_prefix) / "bin" / "python{}.{}".format(*sys.version_info[:2]))

PROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "tiny"
version = "1"
dependencies = []
[project.optional-dependencies]
dev = []
"""

BACKEND = """\
import os, time, zipfile
from pathlib import Path

def get_requires_for_build_editable(config_settings=None):
    return []

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    if os.environ.get("FAIL"):
        raise OSError(28, "No space left on device")
    if os.environ.get("HOLD"):
        Path("holding").touch()
        while not Path("go").exists():
            time.sleep(0.05)
    name = "tiny-1-py3-none-any.whl"
    with zipfile.ZipFile(Path(wheel_directory) / name, "w") as wheel:
        wheel.writestr("tiny.py", "")
        about = "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1\\nProvides-Extra: dev\\n"
        wheel.writestr("tiny-1.dist-info/METADATA", about)
        wheel.writestr("tiny-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("tiny-1.dist-info/RECORD", "")
    return name
"""


class Checkout:
    """A small checkout with the real Makefile and tools, in a folder with a space in its name."""

    def __init__(self, folder: Path) -> None:
        self.top = folder / "a course"
        shutil.copytree(TOP / "tools", self.top / "tools", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(TOP / "Makefile", self.top)
        (self.top / "pyproject.toml").write_text(PROJECT)
        (self.top / "constraints.txt").write_text("nothing==1\n")
        (self.top / "backend.py").write_text(BACKEND)
        self.venv = self.top / ".venv"
        self.stamp = self.venv / "course.json"

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start make in a process group of its own, with what could lead it astray taken out."""
        astray = ("PIP_", "MAKE", "PYTHON", "VIRTUAL_ENV", "COURSE_GOAL", "PYTEST")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(astray)}
        kept |= {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PYTHONUNBUFFERED": "1"} | variables
        python = [] if any(a.startswith("PYTHON=") for a in arguments) else [f"PYTHON={PYTHON}"]
        return subprocess.Popen(
            ["make", *(arguments or ["environment"]), *python],
            cwd=self.top,
            env=kept,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def make(self, *arguments: str, **variables: str) -> tuple[int, str]:
        """Run make to its end; return its exit status and all it printed."""
        process = self.start(*arguments, **variables)
        output, _ = process.communicate(timeout=120)
        return process.returncode, output

    def start_and_hold(self) -> subprocess.Popen[str]:
        """Start make and return once its pip is at work on the package, where it stays."""
        process = self.start(HOLD="1")
        deadline = time.monotonic() + 120
        while not (self.top / "holding").exists():
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline, "pip never came to the package"
            time.sleep(0.05)
        return process

    def works(self) -> bool:
        """Return whether the environment is stamped as whole and has the package."""
        python = self.venv / "bin" / "python"
        return self.stamp.exists() and subprocess.run([python, "-c", "import tiny"], cwd=self.venv).returncode == 0


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """One checkout with an environment for all tests that break it and see it mended."""
    checkout = Checkout(tmp_path_factory.mktemp("shared"))
    status, output = checkout.make()
    assert status == 0, output
    return checkout


@contextlib.contextmanager
def cleaned_up(process: subprocess.Popen[str]) -> Iterator[None]:
    """End whatever is left of a process group."""
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout
        process.stdout.close()


def processes(group: int, part: str) -> list[int]:
    """Return the ids of a group's processes that have ``part`` among the words of their command line."""
    listed = subprocess.run(["ps", "-ww", "-eo", "pid=,pgid=,args="], capture_output=True, text=True, check=True).stdout
    found = [line.split(None, 2) for line in listed.splitlines()]
    return [int(pid) for pid, of, command in found if int(of) == group and f" {part} " in f" {command} "]


def test_a_fresh_checkout_is_installed_and_the_second_time_nothing_is_done(checkout: Checkout) -> None:
    status, output = checkout.make()
    assert status == 0, output
    assert checkout.works()
    assert "1/2  Making .venv" in output and "2/2  Installing" in output
    assert "it is quiet for up to three minutes" in output
    assert not (checkout.venv / "tmp").exists()
    status, output = checkout.make()
    assert status == 0
    assert output.splitlines() == [".venv is ready (Python {}.{}).".format(*sys.version_info[:2])]


def test_killed_halfway_leaves_no_stamp_and_the_next_call_mends_it(checkout: Checkout) -> None:
    process = checkout.start_and_hold()
    with cleaned_up(process):
        os.killpg(process.pid, signal.SIGKILL)
    assert checkout.venv.exists() and not checkout.stamp.exists()
    status, output = checkout.make()
    assert status == 0, output
    assert output.count("half-made") == 1
    assert checkout.works()


def test_interrupted_says_so_in_a_sentence_and_leaves_no_stamp(checkout: Checkout) -> None:
    process = checkout.start_and_hold()
    with cleaned_up(process):
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Interrupted before .venv was whole: `make environment` begins it anew" in output
    assert "environment.py" not in output, "a traceback"
    assert not checkout.stamp.exists()


def test_a_second_make_waits_for_a_pip_whose_make_was_killed(checkout: Checkout) -> None:
    process = checkout.start_and_hold()
    with cleaned_up(process):
        for pid in processes(process.pid, "make") + processes(process.pid, "tools/environment.py"):
            os.kill(pid, signal.SIGKILL)  # pip goes on alone
        second = checkout.start()
        with cleaned_up(second):
            assert second.stdout
            assert second.stdout.readline().startswith("Another `make` is at work on .venv")
            (checkout.top / "go").touch()
            output, _ = second.communicate(timeout=120)
    assert second.returncode == 0, output
    assert checkout.works()


def no_pip(checkout: Checkout) -> None:
    for package in checkout.venv.glob("lib/python*/site-packages/pip"):
        shutil.rmtree(package)
    (checkout.top / "constraints.txt").write_text("nothing==2\n")  # so that pip is wanted


def no_python(checkout: Checkout) -> None:
    for name in (checkout.venv / "bin").glob("python*"):
        name.unlink()
        name.symlink_to("/nowhere/python")


def empty(checkout: Checkout) -> None:
    shutil.rmtree(checkout.venv)
    checkout.venv.mkdir()


def from_another_place(checkout: Checkout) -> None:
    checkout.stamp.write_text(checkout.stamp.read_text().replace("a course", "another course"))


def from_another_python(checkout: Checkout) -> None:
    version = '"{}.{}"'.format(*sys.version_info[:2])
    checkout.stamp.write_text(checkout.stamp.read_text().replace(version, '"3.1"'))


def garbled_stamp(checkout: Checkout) -> None:
    checkout.stamp.write_text("{")


def package_in_pieces(checkout: Checkout) -> None:
    (record,) = checkout.venv.glob("lib/python*/site-packages/tiny-1.dist-info/RECORD")
    record.unlink()
    (checkout.top / "constraints.txt").write_text("nothing==3\n")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (no_pip, "there is no pip in it that runs"),
        (no_python, "there is no Python in it that runs"),
        (empty, "there is no Python in it that runs"),
        (from_another_place, "it was made for"),
        (from_another_python, "its Python was 3.1 and is now"),
        (garbled_stamp, "course.json in it can't be read"),
        (package_in_pieces, "tiny in it is only half installed"),
    ],
)
def test_a_broken_environment_is_recognised_said_and_mended(shared: Checkout, damage, reason) -> None:
    assert shared.works(), "what the test before this one left behind"
    damage(shared)
    status, output = shared.make()
    assert status == 0, output
    assert [line for line in output.splitlines() if "half-made or stale" in line and reason in line], output
    assert shared.works()
    assert not list(shared.top.glob(".venv.[!l]*")), "the broken one is still there"


def test_changed_dependencies_are_installed_into_the_same_environment(shared: Checkout) -> None:
    kept = shared.venv / "kept"
    kept.touch()
    project = shared.top / "pyproject.toml"
    project.write_text(project.read_text() + "[tool.other]\nname = 1\n")
    assert "brought up to date" not in shared.make()[1], "a setting of a tool is no dependency"
    project.write_text(project.read_text().replace("dev = []", "dev = []\nmore = []"))
    status, output = shared.make()
    assert status == 0, output
    assert ".venv is brought up to date (the dependencies have changed)." in output
    assert kept.exists() and shared.works()


def test_an_environment_of_someone_else_is_used_where_it_works(checkout: Checkout) -> None:
    subprocess.run([PYTHON, "-m", "venv", checkout.venv], check=True)
    (checkout.venv / "mine").touch()
    status, output = checkout.make()
    assert status == 0, output
    assert "it was not made by `make`" in output
    assert (checkout.venv / "mine").exists() and checkout.works()


def test_an_environment_of_someone_else_is_kept_where_it_does_not_work(checkout: Checkout) -> None:
    checkout.venv.mkdir()
    (checkout.venv / "mine").touch()
    status, output = checkout.make()
    assert status == 0, output
    assert "it is kept as .venv.old" in output
    assert (checkout.top / ".venv.old" / "mine").exists() and checkout.works()


def test_a_file_in_the_way_is_left_and_named(checkout: Checkout) -> None:
    checkout.venv.write_text("mine")
    status, output = checkout.make()
    assert status != 0
    assert "is not a folder" in output and checkout.venv.read_text() == "mine"


def test_a_full_disk_is_said_in_a_sentence(checkout: Checkout) -> None:
    status, output = checkout.make(FAIL="1")
    assert status != 0
    assert "The disk is full: free some" in output and "Then `make environment` again." in output
    assert not checkout.stamp.exists()


def test_a_pip_that_is_killed_is_said_in_a_sentence(checkout: Checkout) -> None:
    process = checkout.start_and_hold()
    with cleaned_up(process):
        (pip,) = processes(process.pid, "-m pip")
        os.kill(pip, signal.SIGKILL)
        output, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "pip was killed (signal 9), perhaps because memory ran out" in output
    assert not checkout.stamp.exists()


def test_no_network_is_said_in_a_sentence(checkout: Checkout) -> None:
    project = checkout.top / "pyproject.toml"
    project.write_text(project.read_text().replace("requires = []", 'requires = ["something"]'))
    closed = "http://127.0.0.1:9/simple"
    status, output = checkout.make(PIP_NO_INDEX="0", PIP_INDEX_URL=closed, PIP_RETRIES="1")
    assert status != 0
    assert "The package index can't be reached: check the network" in output
    assert not checkout.stamp.exists()
