"""How long a notebook takes from the start of its kernel to its end: in warm kernels beside ipykernel's own."""

import os
import statistics
import tempfile
import time
from pathlib import Path

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode

from bench import Row
from tutor.grading.warm import KERNEL_NAME, manager

NAME = "notebooks in warm kernels against stock kernels"
GOAL = ">= 3x"
SOLUTIONS = Path(__file__).resolve().parents[1] / "solutions"
SHORT = [
    "import torch\nimport torch.nn.functional as F\n\nfrom tutor import check",
    "def relu(input):\n    return torch.where(input > 0, input, torch.zeros_like(input))",
    "check(relu)",
]


def seconds(notebook: NotebookNode, folder: Path, kernel: str) -> float:
    """Return the wall time of a run of a notebook in a kernel of its own, from its start until it has ended."""
    with tempfile.TemporaryDirectory() as workshop, open(os.devnull, "wb") as nowhere:
        pinned = {"TUTOR_DATA": "sample", "TUTOR_BUILD": f"{workshop}/build", "IPYTHONDIR": f"{workshop}/ipython"}
        start = time.perf_counter()
        owner = AsyncKernelManager(kernel_name=kernel, kernel_spec_manager=manager())
        client = NotebookClient(notebook, km=owner, shutdown_kernel="immediate", timeout=300)
        # Standard error as nbval has it: a stock kernel begins with a warning.
        client.execute(env={**os.environ, **pinned}, cwd=str(folder), stderr=nowhere, cleanup_kc=True)
        return time.perf_counter() - start


def measure() -> list[Row]:
    """Run each notebook in pairs, one right after the other, after one unmeasured pair, which starts the warm process.

    The goal is set for what a kernel takes to start and to import. A whole chapter does work of its own beside, the
    same in both: drawing figures and starting TensorBoard, above all.
    """
    chapter = SOLUTIONS / "01_activations"
    short = nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, SHORT)])
    whole = nbformat.read(chapter / f"{chapter.name}.ipynb", as_version=4)
    kernels = (KERNEL_NAME, "python3")
    for kernel in kernels:
        seconds(short, chapter, kernel)
    rows = []
    for what, notebook, times, goal in [
        ("one check from import to card", short, 5, GOAL),
        ("chapter 01", whole, 2, ""),
    ]:
        pairs = [[seconds(notebook, chapter, kernel) for kernel in kernels] for _ in range(times)]
        ours, peer = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(stock / warm for warm, stock in pairs)
        rows.append(Row(f"{what}: stock kernel / warm kernel", ours, peer, "s", ratio, goal))
    return rows
