"""How much longer the course's own installation takes than a bare ``pip install`` of the eight packages under it.

Both are made from nothing in a temporary folder, with the same Python and the same pip cache, warmed before: ours
by ``make environment`` in a fresh clone, the peer by ``python -m venv`` and ``pip install``. Each takes some 6 GB of
disk, one at a time.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import Row

NAME = "installation against a bare pip install (some ten minutes)"
GOAL = "<= 1.2x"
SLOW = True
PAIRS = 2
PACKAGES = ("jupyterlab", "nbgrader", "torch", "torchvision", "matplotlib", "tensorboard", "pytest", "nbval")
TOP = Path(__file__).resolve().parents[1]


def base_python() -> str:
    """Return the Python that this environment was made from, as a fresh clone would find it."""
    return str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}")


def run(*command: str, cwd: Path) -> None:
    """Run a step; its output is kept back unless it fails."""
    drop = ("MAKEFLAGS", "MAKELEVEL", "VIRTUAL_ENV", "COURSE_GOAL")
    environment = {name: value for name, value in os.environ.items() if name not in drop}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-2000:]}")


def timed(what: str, steps: list[list[str]], cwd: Path) -> float:
    """Return the seconds that the steps take together, and say them."""
    start = time.perf_counter()
    for step in steps:
        run(*step, cwd=cwd)
    taken = time.perf_counter() - start
    print(f"    {what}: {taken:.0f} s", file=sys.stderr, flush=True)
    return taken


def ours(folder: Path, what: str) -> float:
    """Return the seconds that ``make environment`` takes in a fresh clone."""
    clone = folder / "clone"
    run("git", "clone", "--quiet", str(TOP), str(clone), cwd=folder)
    taken = timed(what, [["make", "environment", f"PYTHON={base_python()}"]], clone)
    shutil.rmtree(clone)
    return taken


def bare(folder: Path, what: str) -> float:
    """Return the seconds that ``python -m venv`` and ``pip install`` of the eight packages take."""
    venv = folder / "bare"
    install = [str(venv / "bin" / "python"), "-m", "pip", "install", *PACKAGES]
    taken = timed(what, [[base_python(), "-m", "venv", str(venv)], install], folder)
    shutil.rmtree(venv)
    return taken


def measure() -> list[Row]:
    """Time the two in pairs, in turn, after one unmeasured round of each that fills pip's cache."""
    with tempfile.TemporaryDirectory(prefix="bench-install-") as name:
        folder = Path(name)
        ours(folder, "ours, to fill pip's cache")
        bare(folder, "bare, to fill pip's cache")
        pairs = [(ours(folder, "ours"), bare(folder, "bare")) for _ in range(PAIRS)]
    mine, peer = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(mine / peer for mine, peer in pairs)
    return [Row("make environment / pip install, warm cache", mine, peer, "s", ratio, GOAL)]
