"""nbval over all solution notebooks: in warm kernels beside ipykernel's own."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import Row
from tutor.grading.warm import KERNEL_NAME, search_path

NAME = "nbval over all solution notebooks, in warm kernels against stock kernels"
GOAL = ">= 3x"
SLOW = True  # every notebook twice: some three minutes
TOP = Path(__file__).resolve().parents[1]


def seconds(notebooks: list[Path], *kernel: str) -> float:
    """Return how long nbval takes with a kernel; raises RuntimeError, with what it said, where an output differs."""
    with tempfile.TemporaryDirectory() as workshop:
        pinned = {"TUTOR_DATA": "sample", "TUTOR_BUILD": f"{workshop}/build", "IPYTHONDIR": f"{workshop}/ipython"}
        threads = {"OMP_NUM_THREADS": "1", "JUPYTER_PATH": str(search_path()), "PYTHONHASHSEED": "0"}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "addopts=", "--nbval", *kernel]
        began = time.perf_counter()
        done = subprocess.run(
            [*command, *map(str, notebooks)],
            cwd=TOP,
            env={**os.environ, **pinned, **threads},
            capture_output=True,
            text=True,
        )
        took = time.perf_counter() - began
    if done.returncode != 0:
        raise RuntimeError(f"nbval with {' '.join(kernel)} ended with {done.returncode}:\n{done.stdout[-3000:]}")
    return took


def measure() -> list[Row]:
    """Run each notebook by itself with either kernel, then all of them in one go.

    What a notebook computes, draws and trains is the same in both: the more of that there is, the less a warm start counts.
    """
    notebooks = sorted((TOP / "solutions").glob("*/*.ipynb"))
    rows = []
    for what, chosen, goal in [
        *((path.stem, [path], "") for path in notebooks),
        ("all solution notebooks", notebooks, GOAL),
    ]:
        warm = seconds(chosen, f"--nbval-kernel-name={KERNEL_NAME}")
        stock = seconds(chosen, "--nbval-current-env")
        rows.append(Row(f"nbval, {what}: stock kernel / warm kernel", warm, stock, "s", stock / warm, goal))
    return rows
