"""This Python: new enough, and its programs found by name."""

import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from tutor.doctor.finding import Finding, activation, grading_is_here, pip_install

OLDEST = (3, 11)


def version(
    found: tuple[int, ...] = tuple(sys.version_info[:3]), executable: str = sys.executable
) -> Iterator[Finding]:
    """Look at the version of a Python; found: such as (3, 12, 1)."""
    name = ".".join(map(str, found))
    if found >= OLDEST:
        yield Finding("Python", "ok", f"Python {name} ({executable}) is new enough.")
        return
    oldest = ".".join(map(str, OLDEST))
    yield Finding(
        "Python",
        "mend",
        f"This is Python {name} ({executable}), and the course needs {oldest} or newer.",
        f"Install a newer Python, then make the environment anew with it: `make environment PYTHON=python{oldest}`, or "
        f"`python{oldest} -m venv .venv`.",
    )


def programs(path: str = os.environ.get("PATH", ""), own: str = sysconfig.get_path("scripts")) -> Iterator[Finding]:
    """Look for alembic, which nbgrader starts by its name; own: the folder of this Python's programs."""
    if not grading_is_here():
        return
    found, beside = shutil.which("alembic", path=path), shutil.which("alembic", path=own)
    if found and beside and os.path.samefile(found, beside):
        yield Finding("alembic", "ok", "The program alembic, which nbgrader starts by its name, is found.")
        return
    how = (
        f"Activate the environment: {activation(Path(own).parent)}."
        if beside
        else f"Install it: {pip_install('alembic')}."
    )
    if found:
        what = f"The program alembic, which nbgrader starts by its name, is another Python's here ({found})."
        yield Finding("alembic", "note", what, how)
    else:
        why = f"is in {own}, which is not on PATH" if beside else "isn't installed"
        what = f"nbgrader starts the program alembic by its name, and it {why}: gradebooks can't be made."
        yield Finding("alembic", "mend", what, how)
