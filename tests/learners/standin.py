"""Stands in for the worker: grades at once, by a learner's name, and does to its process what a test asks for."""

import os
import signal
from pathlib import Path

import nbformat

from tutor.course.source import graded_checks
from tutor.grading.job import CellResult, Graded, Job
from tutor.grading.station import FleetError

WRONG = {"relu": ("absolute-value",), "tanh": ("wrong-shape",)}


def grade(job: Job) -> Graded:
    """Return all points, and the process' id as the time it took; unless the name asks for something else.

    ``raises``, ``kills``: what they say. ``holds``: waits until somebody opens the pipe ``$STAND_IN/holds``. ``kills-once``:
    only while ``$STAND_IN/kills-once`` isn't there. ``no-sandbox``: as where there is no bubblewrap. ``wrong``: gets half
    of the points of relu and tanh.
    """
    folder = Path(os.environ.get("STAND_IN", ""))
    name = job.student
    if name == "raises":
        raise ValueError("of no\nkind")
    if name == "no-sandbox":
        raise FleetError("there is no bubblewrap here: install it")
    if name == "holds":
        (folder / "holds").read_bytes()
    if name == "kills" or (name == "kills-once" and not (folder / name).exists()):
        (folder / name).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    notebook = nbformat.reads(job.notebook, as_version=4)
    cells = []
    for check in graded_checks(notebook):
        told = WRONG.get(check.exercise, ()) if name == "wrong" else ()
        share, verdict = (0.5, "partly right") if told else (1, "passed")
        cells.append(CellResult(check.grade_id, check.exercise, share * check.points, check.points, verdict, told))
    by_id = {cell.grade_id: cell for cell in cells}
    for cell in notebook.cells:
        earned = by_id.get(cell.id)
        if earned and earned.points < earned.worth:
            data = {"text/plain": repr(earned.points)}
            cell.outputs = [nbformat.v4.new_output("execute_result", data=data, execution_count=1)]
    return Graded(job.chapter, job.student, cells, nbformat.writes(notebook), (), float(os.getpid()))
