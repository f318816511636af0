"""Killed at any of its steps, a run leaves what a second run makes whole."""

import json
import os
import subprocess
import sys

import pytest
from learners.classroom import CHECKOUT
from learners.crashing import RIGHT, Crash

PROGRAM = """
import dataclasses, json, sys
from learners.crashing import crash_steps, crash_table
json.dump([crash_steps(), [dataclasses.astuple(row) for row in crash_table(15, "rename", "COMMIT")]], sys.stdout)
"""


@pytest.fixture(scope="module")
def crashes() -> tuple[list[str], list[Crash]]:
    """All steps of a run, and some of the table, made in a process of their own, since that forks."""
    path = os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "tests")])
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    steps, rows = json.loads(done.stdout)
    return steps, [Crash(*row) for row in rows]


@pytest.fixture
def table(crashes) -> list[Crash]:
    return crashes[1]


def test_after_a_second_run_each_submission_is_there_once_whole_and_right(table):
    assert len(table) >= 30
    assert {row.killed: row.after for row in table if row.after != RIGHT} == {}


def test_the_process_was_killed_in_every_state_that_there_is(table):
    """Without this the test above could pass on runs that were never in the middle of anything."""
    found = [part for row in table for part in row.found.split("; ")]
    for state in (
        "ben: points old, folder in place, one staged, journal recorded (before)",
        "ben: points old, folder in place, one staged, journal pending (now)",
        "ben: points new, folder in place, one staged, journal pending (now)",
        "ben: points new, folder missing, one staged, journal pending (now)",
        "ben: points new, folder in place, journal pending (now)",
        *("anna: nothing", "anna: recorded", "ben: recorded", "clara: nothing"),
    ):
        assert state in found


def test_what_a_step_builds_on_is_on_the_disk_before_it(crashes):
    """A power cut may lose whatever wasn't synced, in any order."""
    steps, _ = crashes
    folder, staged, journal = "ben/01_mini", "ben/.01_mini.staged", "grading/01_mini/.ben.json~"
    said = f"rename {journal} to grading/01_mini/ben.json"
    expected = [
        f"create {staged}/01_mini.ipynb", f"fsync {staged}/01_mini.ipynb", f"fsync {staged}",
        "BEGIN IMMEDIATE",
        f"create {journal}", f"fsync {journal}", said, "fsync grading/01_mini",
        "COMMIT",
        f"rename {folder} to ben/.01_mini.replaced", f"rename {staged} to {folder}", "fsync ben",
        "rmdir ben/.01_mini.replaced",
        f"create {journal}", f"fsync {journal}", said, "fsync grading/01_mini",
    ]  # fmt: skip
    left = iter(steps[steps.index(f"mkdir {staged}") :])
    assert [step for step in expected if step not in left] == []  # each is found after the one before
