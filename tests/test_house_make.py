"""What the Makefile, its Python and `.ci/run` say and pass on, with stand-ins for what they start."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[1]
MAKEFILE = (TOP / "Makefile").read_text(encoding="utf-8")
OLD_READABLE = ("environment.py", "failures.py")


def make(*arguments: str, top: Path = TOP, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run make with nothing inherited from a make around the tests."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith("MAKE") and n not in ("PYTHON", "COURSE_GOAL")}
    return subprocess.run(["make", *arguments], cwd=top, env=kept | variables, capture_output=True, text=True)


def stand_in(folder: Path, name: str, script: str) -> Path:
    """Write a small program into a folder and return its path."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


def test_make_alone_lists_every_target() -> None:
    listed = re.findall(r"^  ([a-z-]+) ", make().stdout, flags=re.M)
    declared = re.findall(r"^([a-z-]+):(?!=)", MAKEFILE, flags=re.M)
    phony = re.search(r"^\.PHONY: (.*)", MAKEFILE, flags=re.M)
    assert phony
    assert listed == declared
    assert sorted(listed) == sorted(phony[1].split())


def test_lab_passes_options_on_and_allows_root_only_to_root() -> None:
    shown = make("-n", "lab", "LAB_ARGS=--no-browser --port 8899").stdout
    assert "--ServerApp.root_dir=notebooks" in shown
    assert "--no-browser --port 8899" in shown
    assert "open the address" in shown and "http://127.0.0.1:.../lab?token=... that it prints." in shown
    assert ("--allow-root" in shown) == (os.geteuid() == 0)


def test_hub_starts_what_its_tests_start_and_passes_options_on() -> None:
    shown = make("-n", "hub", "HUB_ARGS=--folder /data/course").stdout
    assert ".venv/bin/python deploy/jupyterhub/start.py --folder /data/course\n" in shown


def test_test_passes_options_on_and_has_the_environments_programs_first_on_path() -> None:
    shown = make("-n", "test", "TEST_ARGS=-k relu").stdout
    assert 'PATH="$PWD/.venv/bin:$PATH" .venv/bin/python -m pytest' in shown
    assert "-k relu" in shown


@pytest.mark.parametrize("name", OLD_READABLE)
def test_the_tools_that_refuse_an_old_python_can_be_read_by_it(name: str) -> None:
    ast.parse((TOP / "tools" / name).read_text(encoding="utf-8"), feature_version=(3, 6))


@pytest.mark.parametrize(
    ("pretend", "sentence"),
    [
        ("sys.version_info = (3, 9, 2)", "Python 3.11 or newer is needed, and "),
        ("sys.modules['ensurepip'] = None", "can't make virtual environments: install its venv module"),
    ],
)
def test_a_python_that_does_not_do_is_refused_with_the_mend(tmp_path: Path, pretend: str, sentence: str) -> None:
    run = f"import runpy, sys; {pretend}; sys.path.insert(0, 'tools'); runpy.run_path(sys.argv[1], run_name='__main__')"
    old = stand_in(tmp_path, "python3.old", f'exec "{sys.executable}" -c "{run}" "$@"')
    shutil.copytree(TOP / "tools", tmp_path / "tools")
    shutil.copy(TOP / "Makefile", tmp_path)
    done = make("lab", f"PYTHON={old}", top=tmp_path)
    assert done.returncode != 0
    (said,) = [line for line in done.stderr.splitlines() if line and not line.startswith("make")]
    assert sentence in said and "`make lab" in said
    assert not (tmp_path / ".venv").exists()


def test_no_python_at_all_is_said_in_a_sentence(tmp_path: Path) -> None:
    shutil.copy(TOP / "Makefile", tmp_path)
    done = make("test", "PYTHON=python-of-nowhere", top=tmp_path)
    assert done.returncode != 0
    assert "There is no python-of-nowhere here: install Python 3.11 or newer" in done.stderr
    assert "'make test PYTHON=" in done.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder of programs that is all of PATH: the few that a script needs, and stand-ins that say they ran."""
    for name in ("bash", "dirname", "id", "grep", "env", "cat"):
        found = shutil.which(name)
        assert found
        (tmp_path / name).symlink_to(found)
    (tmp_path / "python3").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    for name in ("git", "ps", "bwrap", "chromium", "node", "npm"):
        stand_in(tmp_path, name, "exit 0")
    stand_in(tmp_path, "fc-list", "echo DejaVu")
    stand_in(tmp_path, "ldconfig", "echo libatomic.so.1")
    stand_in(tmp_path, "make", 'echo "make $* CI=$CI stdin=$(cat)"')
    stand_in(tmp_path, "apt-get", 'echo "apt-get $*"')
    stand_in(tmp_path, "sudo", 'while [ "${1#-}" != "$1" ]; do shift; done; [ "$1" = true ] || exec "$@"')
    return tmp_path


def ci_run(machine: Path) -> subprocess.CompletedProcess[str]:
    command = [TOP / ".ci" / "run"]
    return subprocess.run(command, env={"PATH": str(machine)}, input="typed", capture_output=True, text=True)


def test_ci_run_calls_make_test_under_ci_without_stdin(machine: Path) -> None:
    done = ci_run(machine)
    assert done.returncode == 0, done.stderr
    assert "make test CI=true stdin=\n" in done.stdout
    assert "apt-get" not in done.stdout


@pytest.mark.parametrize(
    ("absent", "package"),
    [
        ("chromium", "chromium"),
        ("bwrap", "bubblewrap"),
        ("ps", "procps"),
        ("node", "nodejs"),
        ("npm", "npm"),
        ("fc-list", "fonts-dejavu-core"),
        ("ldconfig", "libatomic1"),
        ("python3", "python3-venv"),
    ],
)
def test_ci_run_installs_what_is_missing(machine: Path, absent: str, package: str) -> None:
    (machine / absent).unlink()
    if absent == "ldconfig":
        stand_in(machine, "ldconfig", "echo libc.so.6")
    done = ci_run(machine)
    assert done.returncode == 0, done.stderr
    (installed,) = re.findall(r"apt-get install .*", done.stdout)
    assert package in installed.split()
    assert "make test" in done.stdout


def test_ci_run_says_what_is_missing_where_there_is_no_apt(machine: Path) -> None:
    (machine / "bwrap").unlink()
    (machine / "apt-get").unlink()
    done = ci_run(machine)
    assert done.returncode != 0
    assert "install bubblewrap in this system's own way" in done.stderr
