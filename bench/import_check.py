"""How much longer ``from tutor import check`` takes than ``import torch`` alone, each in a fresh process."""

import statistics
import subprocess
import sys
import time

from bench import Row

NAME = "import of check against import of torch"
GOAL = "<= 1.15x"
PAIRS = 9


def seconds(statement: str) -> float:
    """Return the wall time of a fresh Python that runs one statement."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - start


def measure() -> list[Row]:
    """Time both in pairs, one right after the other, after one unmeasured pair that warms the disk cache."""
    pairs = [(seconds("from tutor import check"), seconds("import torch")) for _ in range(PAIRS + 1)][1:]
    ours, peer = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(ours / peer for ours, peer in pairs)
    return [Row("from tutor import check / import torch", ours, peer, "s", ratio, GOAL)]
