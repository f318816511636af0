"""Submissions go to worker processes and come back, whatever happens to the workers meanwhile."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import nbformat
import pytest
from distributed import Client, Security
from learners import standin
from learners.classroom import CHECKOUT
from nbgrader.utils import determine_grade

from tutor.course.chapters import find_chapters
from tutor.grading import ahead
from tutor.grading.fleet import AHEAD, Fleet, FleetError
from tutor.grading.form import source_notebook
from tutor.grading.job import Graded, Job
from tutor.grading.station import versions, work

[CHAPTER] = find_chapters(CHECKOUT, ["01_activations"])
NOTEBOOK = nbformat.writes(source_notebook(CHAPTER))
WORTH = 57  # what people grade by hand not counted


def job(student: str) -> Job:
    return Job(CHAPTER.name, student, NOTEBOOK)


def class_of(*odd: str, ordinary: int = 6) -> list[Job]:
    """Return a class in which the odd ones come first."""
    return [job(name) for name in (*odd, *(f"learner-{number}" for number in range(ordinary)))]


def outcome(results: Iterator[Graded]) -> dict[str, tuple[float, str]]:
    """Return each student's points and the kinds of remarks."""
    found = [(each.student, each) for each in results]
    assert len({student for student, _ in found}) == len(found), "somebody was graded twice"
    return {student: (each.points, " ".join(remark.kind for remark in each.remarks)) for student, each in found}


ORDINARY = {f"learner-{number}": (WORTH, "") for number in range(6)}


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Iterator[Path]:
    """The folder through which tests and stand-ins talk."""
    folder = tmp_path_factory.mktemp("stand-in")
    os.mkfifo(folder / "holds")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STAND_IN", str(folder))
        yield folder


@pytest.fixture(scope="module")
def fleet(desk) -> Iterator[Fleet]:
    """Two workers on this machine."""
    with Fleet(2, grade=standin.grade) as fleet:
        yield fleet


def test_results_come_as_they_are_done_and_jobs_are_made_as_workers_get_free(fleet, desk):
    made = 0

    def jobs() -> Iterator[Job]:
        nonlocal made
        for each in class_of("holds", ordinary=16):
            made += 1
            yield each

    students = []
    for done, graded in enumerate(fleet.results(jobs())):
        assert made - done <= AHEAD * 2
        students.append(graded.student)
        if done == 10:
            (desk / "holds").write_bytes(b"")
    assert len(students) == made == 17
    assert students.index("holds") >= 11


def test_an_error_in_grading_one_costs_that_one_only_and_nbgrader_would_read_no_points(fleet):
    results = {each.student: each for each in fleet.results(class_of("raises"))}
    raised = results.pop("raises")
    assert outcome(iter(results.values())) == ORDINARY
    [remark] = raised.remarks
    assert remark.kind == "grading-failed" and remark.text.endswith("ValueError: of no kind")
    assert (raised.points, sum(cell.worth for cell in raised.cells)) == (0, WORTH)
    cells = nbformat.reads(raised.notebook, as_version=4).cells
    scores = [determine_grade(cell) for cell in cells if cell.id.startswith("check_")]
    assert len(scores) == len(raised.cells) and {score for score, _ in scores} == {0}


def test_what_was_on_a_lost_worker_is_done_by_another(fleet, desk):
    assert outcome(fleet.results(class_of("kills-once"))) == {**ORDINARY, "kills-once": (WORTH, "")}
    assert (desk / "kills-once").exists()


def test_one_that_always_ends_its_worker_gets_no_points_and_nobody_else_is_blamed(fleet):
    results = list(fleet.results(class_of("kills")))
    assert outcome(iter(results)) == {**ORDINARY, "kills": (0, "ended-grading")}
    [remark] = next(each.remarks for each in results if each.student == "kills")
    assert "ended the grading process 2 times" in remark.text


def test_without_a_sandbox_nothing_goes_on(fleet):
    with pytest.raises(FleetError, match=r"^there is no bubblewrap here: install it$"):
        list(fleet.results(class_of("no-sandbox")))
    assert outcome(fleet.results(class_of())) == ORDINARY  # nothing of the class before comes in between


def test_others_on_this_machine_can_give_its_workers_no_orders(fleet):
    assert fleet.address.startswith("tls://127.0.0.1:")
    with pytest.raises(OSError):
        Client(fleet.address.replace("tls:", "tcp:"), timeout=0.5, set_as_default=False)
    with pytest.raises((OSError, RuntimeError)):
        Client(fleet.address, security=Security.temporary(), timeout=0.5, set_as_default=False)


def test_other_versions_are_refused_in_a_sentence():
    with pytest.raises(FleetError, match=r"the worker on .* has torch .*, and this machine 1\.0: install the same"):
        work(job("ada"), standin.grade, {**versions(), "torch": "1.0"})


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("nowhere://host", r"no Dask scheduler can be reached at nowhere://host \(.+\): start one"),
        ("tls://127.0.0.1:1", r"tls://127.0.0.1:1 wants certificates: give --tls-ca"),
    ],
)
def test_no_scheduler_is_said_in_a_sentence(address, sentence):
    with pytest.raises(FleetError, match=sentence):
        Fleet(scheduler=address).__enter__()


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    with Fleet(1, grade=standin.grade) as fleet:
        [graded] = fleet.results([job("ada")])
        assert alive(int(graded.seconds))
        assert list((tmp_path / "temporary").iterdir())
    assert not alive(int(graded.seconds))
    assert list(tmp_path.rglob("*")) == [tmp_path / "temporary"]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


# ---------------------------------------------------------------- workers that share nothing with the coordinator


def start(stack: ExitStack, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start one of Dask's own commands in a folder of its own; it is ended with the stack."""
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "dask", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{CHECKOUT}{os.pathsep}{CHECKOUT / 'tests'}", "TMPDIR": str(folder)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )

    def end() -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()

    stack.callback(end)
    return process


def line_with(process: subprocess.Popen[str], words: str) -> str:
    """Read what a process says until a line has these words in it."""
    assert process.stderr
    said = []
    for line in process.stderr:
        said.append(line)
        if words in line:
            return line
    raise AssertionError("".join(said))


def test_two_workers_started_by_dasks_own_commands_one_killed_in_the_middle(tmp_path, desk):
    with ExitStack() as stack:
        scheduler = start(stack, tmp_path / "scheduler", "scheduler", "--host=127.0.0.1", "--port=0", "--no-dashboard")
        address = line_with(scheduler, "Scheduler at:").split()[-1]
        options = ("--nthreads=1", "--no-dashboard", "--no-nanny", "--memory-limit=0")
        workers = [start(stack, tmp_path / name, "worker", address, *options) for name in ("one", "two")]
        for worker in workers:
            line_with(worker, "Registered to:")
        with Fleet(scheduler=address, grade=standin.grade) as fleet:
            found, done_by, held = {}, set(), None
            for graded in fleet.results(class_of("holds", ordinary=20)):
                found[graded.student] = graded.points
                done_by.add(int(graded.seconds))
                if len(found) == 6:
                    [held] = [worker for worker in workers if worker.pid not in done_by]
                    held.kill()
                    held.wait()
                    # As soon as the other one has it, it may go on.
                    threading.Thread(target=(desk / "holds").write_bytes, args=(b"",), daemon=True).start()
        assert found == {f"learner-{number}": WORTH for number in range(20)} | {"holds": WORTH}
        assert held and len(done_by) == 1
        [other] = [worker for worker in workers if worker is not held]
        assert other.poll() is None, "a worker that isn't ours goes on"


def test_workers_start_where_the_path_of_temporary_files_is_long(monkeypatch):
    """The address of a socket in a file has at most 107 bytes, in whatever alphabet the folder's name is."""
    monkeypatch.setattr(tempfile, "tempdir", "/tmp")
    assert ahead.method() == "forkserver"
    monkeypatch.setattr(tempfile, "tempdir", "/tmp/" + "ü" * 40)
    assert ahead.method() == "spawn"
    ahead.begin()  # does nothing, and says nothing
