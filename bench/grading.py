"""How fast a class is graded: beside stock nbgrader, beside bare Python, and as it grows; also in ``docs/grading-speed.md``."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

from bench import Row
from tutor.course.chapters import Chapter, find_chapters
from tutor.grading.demo import CHAPTER, honest, make_course
from tutor.grading.intake import read_submission, rebuild, source_notebook
from tutor.grading.job import Job
from tutor.grading.worker import texts

NAME = "grading a class"
GOAL = ">= 40x"
SLOW = True  # some ten minutes; nothing else should run on the machine
TOP = Path(__file__).resolve().parents[1]
TABLE = TOP / "docs" / "grading-speed.md"
BY_NBGRADER, CLASS, SIZES = 10, 300, (100, 300, 1000)
HEAD = """# How fast a class is graded

Made by `make bench BENCH=grading`, all in one run; not edited by hand. The class is chapter 01's, in which learners are
right in several ways, mistaken, half done, or handed in an untouched notebook. Every time is that of the whole command,
its start of some ten seconds included; for nbgrader a class of 10, since each of its submissions takes the same time, else
of 300. Bare Python runs the same cells and checks one after the other in one warm process and does nothing else: no sandbox,
nothing read in or recorded. That is how fast one core gets through the checks' own work, and what the goal is to be read
against.

"""
BARE = """
import json, sys, time, os
sys.path[:] = [path for path in sys.path if path]
os.environ["TUTOR_DATA"] = "sample"
from IPython.core.interactiveshell import InteractiveShell
from tutor import check
from tutor.checking import bank
from tutor.grading.warm.rehearsal import rehearse
import tutor.board, tutor.plots, tutor.training, torch.utils.tensorboard
bank.names(), rehearse(sample=False)
shell, held = InteractiveShell.instance(), json.load(open(sys.argv[1]))
began, before = time.perf_counter(), sys.stdout
sys.stdout = open(os.devnull, "w")
for cells in held:
    names = {"__name__": "__main__"}
    for cell in cells:
        try:
            exec(cell, names)
        except Exception:
            pass
print((time.perf_counter() - began) / len(held), file=before)
"""
MEASURED = """
import json, resource, sys
from tutor.cli import main
status = main(sys.argv[1:])
most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"status": status, "mb": most / 1024}), file=sys.stderr)
"""


def environment() -> dict[str, str]:
    """Return this one with the environment's own programs first, one thread, and the built-in sample."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1", "TUTOR_DATA": "sample", "PYTHONPATH": str(TOP)}


def course(folder: Path, number: int) -> Chapter:
    """Make a course in a folder with a class of so many honest learners, the same ones over and over."""
    [chapter] = find_chapters(TOP, [CHAPTER])
    made = make_course(chapter, folder)
    notebooks = list(honest(made).values())
    for index in range(number):
        path = folder / "build" / "submitted" / f"learner{index:04d}" / CHAPTER / made.student.name
        path.parent.mkdir(parents=True)
        nbformat.write(notebooks[index % len(notebooks)], path)
    return made


def by_nbgrader(folder: Path) -> float:
    """Return nbgrader's seconds a submission."""
    made = course(folder, BY_NBGRADER)
    shutil.rmtree(made.release)  # nbgrader makes it, with the assignment in the gradebook
    for command in (["generate_assignment", CHAPTER], ["autograde", CHAPTER]):
        began = time.perf_counter()
        arguments = [sys.executable, "-m", "nbgrader", *command]
        subprocess.run(arguments, cwd=folder, env=environment(), check=True, capture_output=True)
    return (time.perf_counter() - began) / BY_NBGRADER


def by_tutor(folder: Path, number: int, workers: int) -> dict[str, float]:
    """Return ``tutor grade``'s seconds a submission, its seconds of recording a submission, and its memory in MB."""
    course(folder, number)
    told = folder / "told.json"
    arguments = ["grade", CHAPTER, f"--course={folder}", f"--workers={workers}", f"--json={told}"]
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *arguments], cwd=folder, env=environment(), capture_output=True, text=True
    )
    seconds = time.perf_counter() - began
    last = json.loads(done.stderr.splitlines()[-1])
    if last["status"] != 0:
        raise RuntimeError(f"tutor grade ended with {last['status']}: {done.stderr}")
    report = json.loads(told.read_text())
    recording = report["recording_seconds"] / number
    return {"seconds": seconds / number, "recording": recording, "mb": last["mb"]}


def bare(folder: Path) -> float:
    """Return the seconds a submission when its cells, and its checks, are run in one warm Python and nothing else is done."""
    made = course(folder, BY_NBGRADER)
    held = folder / "cells.json"
    source = source_notebook(made)
    submitted = [path.parent for path in sorted((folder / "build" / "submitted").glob("*/*/*.ipynb"))]
    notebooks = [rebuild(source, read_submission(place, made)) for place in submitted]
    held.write_text(json.dumps([texts(Job(CHAPTER, "", nbformat.writes(notebook))) for notebook in notebooks]))
    done = subprocess.run(
        [sys.executable, "-c", BARE, str(held)],
        cwd=folder,
        env=environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)


def measure() -> list[Row]:
    """Grade the same class in every way, then classes of growing size."""
    with tempfile.TemporaryDirectory() as held:
        folder = Path(held)
        stock = by_nbgrader(folder / "nbgrader")
        limit = bare(folder / "bare")
        one = by_tutor(folder / "alone", CLASS, workers=1)
        grown = [by_tutor(folder / f"class{size}", size, workers=2) for size in SIZES]
        two = grown[SIZES.index(CLASS)]
    rows = [
        Row(
            "nbgrader autograde / tutor grade, one worker", one["seconds"], stock, "s each", stock / one["seconds"], ""
        ),
        Row(
            "nbgrader autograde / tutor grade, two workers",
            two["seconds"],
            stock,
            "s each",
            stock / two["seconds"],
            GOAL,
        ),
        Row(
            f"nbgrader autograde / tutor grade, two workers, a class of {SIZES[-1]:,}",
            grown[-1]["seconds"],
            stock,
            "s each",
            stock / grown[-1]["seconds"],
            GOAL,
        ),
        Row("nbgrader autograde / bare Python", limit, stock, "s each", stock / limit, ""),
    ]
    small = grown[0]
    for size, found in zip(SIZES[1:], grown[1:], strict=True):
        what = f"a class of {size:,} beside one of {SIZES[0]}"
        for name, unit, goal in (
            ("seconds", "s each", "<= 1.2x"),
            ("mb", "MB", "<= 1.2x"),
            ("recording", "s each", "<= 1.3x"),
        ):
            rows.append(Row(f"{what}: {WORDS[name]}", found[name], small[name], unit, found[name] / small[name], goal))
    write(rows)
    return rows


WORDS = {"seconds": "time", "mb": "the coordinator's memory", "recording": "recording"}


def write(rows: list[Row]) -> None:
    """Write the table to the documentation."""
    from bench.__main__ import table

    TABLE.write_text(f"{HEAD}{table(rows)}\n", encoding="utf-8")
