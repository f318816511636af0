"""Kill a process that records submissions before each of its steps; the table goes to ``docs/grading-crashes.md``."""

import os
import subprocess
import sys
from pathlib import Path

from bench import Row

NAME = "killed while it records, at every step"
GOAL = ">= 1x"
SLOW = True  # a process killed, and another that goes on, for each of some hundred steps
TOP = Path(__file__).resolve().parents[1]
TABLE = TOP / "docs" / "grading-crashes.md"
HEAD = """# Killed while it records

Made by `make bench BENCH=crashes`; not edited by hand. Three submissions are recorded, one of them a resubmission whose free
answer has points that a person gave. The process is killed (`SIGKILL`) before each of its steps that change the disk or the
database, in a copy of the course each time; then the same command is run again.

"""


def measure() -> list[Row]:
    """Make the table and count the rows in which the second run ended as an undisturbed one does."""
    path = os.pathsep.join([str(TOP), str(TOP / "tests")])
    done = subprocess.run(
        [sys.executable, "-m", "learners.crashing"],
        env={**os.environ, "PYTHONPATH": path},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    rows = [line for line in done.stdout.splitlines() if line.startswith("|")][2:]
    right = sum(line.rstrip(" |").endswith("each once, whole, with the right points") for line in rows)
    TABLE.write_text(HEAD + done.stdout, encoding="utf-8")
    return [
        Row("kills after which the second run ends right / kills", right, len(rows), "kills", right / len(rows), GOAL)
    ]
