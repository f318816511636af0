"""A course copied to a folder of its own, with nbgrader's real commands run in it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

CHECKOUT = Path(__file__).parents[2]


def environment(top: Path, **more: str) -> dict[str, str]:
    """Return an environment in which ``tutor`` comes from the copy and data from the sample.

    nbgrader makes its database by calling ``alembic`` from PATH, so this environment's programs come first
    there.
    """
    home = top / "home"
    home.mkdir(exist_ok=True)
    outer = ("JUPYTER", "CIFAR10", "PYTEST", "TUTOR")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(outer)},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(top),
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "TUTOR_DATA": "sample",
        "OMP_NUM_THREADS": "1",
        **more,
    }


def copy_course(top: Path) -> Path:
    """Copy what a course needs (sources, built notebooks, settings, package) to ``top`` and return it."""
    unwanted = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    for folder in ("solutions", "notebooks", "tutor"):
        shutil.copytree(CHECKOUT / folder, top / folder, ignore=unwanted)
    shutil.copy(CHECKOUT / "nbgrader_config.py", top)
    return top


def command(*arguments: str, cwd: Path, top: Path, **more: str) -> str:
    """Run ``nbgrader`` with these arguments and return all that it said; fail with that when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=cwd,
        env=environment(top, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"nbgrader {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def fill_in(notebook: Path, answers: dict[str, str], into: Path) -> None:
    """Write a copy of a released notebook with the given answer cells (by grade id) filled in."""
    content = nbformat.read(notebook, as_version=4)
    by_id = {cell.metadata.nbgrader.grade_id: cell for cell in content.cells if "nbgrader" in cell.metadata}
    for grade_id, answer in answers.items():
        assert by_id[grade_id].metadata.nbgrader.solution, f"{grade_id} is not an answer cell"
        by_id[grade_id].source = answer
    into.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(content, into)
