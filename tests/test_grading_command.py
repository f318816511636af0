"""`tutor grade`: what is graded, kept, refused and recorded, what an instructor reads, and how it is interrupted."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from learners import standin
from learners.answers import in_style
from learners.classroom import CHECKOUT, environment, fill_in
from nbgrader.api import Gradebook

from tutor import cli
from tutor.course.chapters import Chapter, find_chapters
from tutor.grading import command, submitted
from tutor.grading.job import CellResult
from tutor.grading.report import ByHand, ClassReport, Entry
from tutor.grading.submission import Remark
from tutor.grading.submitted import Skipped, class_seed
from tutor.grading.tables import WIDTH, missed, tables, wide

NAME = "01_activations"
WORTH = 57  # what people grade by hand not counted
RIGHT = in_style(NAME, "vectorised")


@pytest.fixture
def course(tmp_path) -> Chapter:
    """A course of one chapter, in which nobody has handed in."""
    for folder in ("solutions", "notebooks"):
        shutil.copytree(CHECKOUT / folder / NAME, tmp_path / folder / NAME)
    shutil.copy(CHECKOUT / "nbgrader_config.py", tmp_path)
    [chapter] = find_chapters(tmp_path)
    return chapter


def hand_in(chapter: Chapter, *students: str, answers: dict[str, str] = RIGHT) -> None:
    for student in students:
        fill_in(chapter.student, answers, chapter.top / "build" / "submitted" / student / NAME / f"{NAME}.ipynb")


def grade(chapter: Chapter, *more: str) -> int:
    """Run the command in this process, with the stand-in for a worker."""
    options = cli.arguments_of(["grade", "--course", str(chapter.top), "--workers", "1", *more])
    return command.grade(options, standin.grade)


def in_the_gradebook(chapter: Chapter) -> dict[str, float]:
    """Return each student's points in the gradebook."""
    with Gradebook(f"sqlite:///{chapter.top / 'build' / 'gradebook.db'}") as book:
        return {each.student.id: each.score for each in book.assignment_submissions(NAME)}


def states(file: Path) -> dict[str, str]:
    """Return what became of each student's submission, by the JSON."""
    found = json.loads(file.read_text(encoding="utf-8"))["submissions"]
    return {each["student"]: "kept" if each["kept"] else each["state"] for each in found}


# ---------------------------------------------------------------- what is graded


def test_a_class_is_graded_once_and_then_only_what_changed(course, tmp_path, capsys):
    hand_in(course, "ada", "wrong", "raises")
    (tmp_path / "build" / "submitted" / "nothing" / NAME).mkdir(parents=True)
    (tmp_path / "build" / "submitted" / "link").symlink_to("ada")
    file = tmp_path / "class.json"
    assert grade(course, "--json", str(file)) == 1
    graded = {"ada": "graded", "wrong": "graded", "nothing": "refused", "raises": "not graded"}
    assert states(file) == graded
    assert in_the_gradebook(course) == {"ada": WORTH, "wrong": WORTH - 2.5, "nothing": 0, "raises": 0}
    shown = capsys.readouterr().out
    assert "ada         57\n" in shown and "raises       0        1  not graded\n" in shown
    assert "relu (01_activations): 1 of 2 got it wrong\n     1  Your function turns negative" in shown
    assert "link                        build/submitted/link is a link" in shown
    assert "there is no notebook, 01_activations.ipynb or any other: ask for it" in shown

    hand_in(course, "ada", answers={**RIGHT, "relu": "def relu(input):\n    return input.clamp(min=0)"})
    assert grade(course, "--json", str(file)) == 1
    # What went wrong may have been the machine's fault; what was refused is as it was.
    assert states(file) == {"ada": "graded", "wrong": "kept", "nothing": "kept", "raises": "not graded"}
    assert in_the_gradebook(course)["wrong"] == WORTH - 2.5
    one = ("--json", str(file), "--student", "nothing")
    assert (grade(course, *one), states(file)) == (1, {"nothing": "kept"})
    assert (grade(course, *one, "--force"), states(file)) == (1, {"nothing": "refused"})
    assert (grade(course, *one, "--time-limit", "5"), states(file)) == (1, {"nothing": "refused"}), "other limits"


def test_what_is_known_already_starts_no_worker(course, tmp_path):
    hand_in(course, "ada")
    assert grade(course) == 0
    file = tmp_path / "class.json"
    assert grade(course, "--scheduler", "nowhere://host", "--json", str(file)) == 0
    assert states(file) == {"ada": "kept"}


def test_one_sentence_stops_everything_where_nothing_can_be_graded(course, capsys):
    hand_in(course, "no-sandbox")
    assert grade(course) == 1
    said = capsys.readouterr().err
    assert "tutor grade: stopped: there is no bubblewrap here: install it\n" in said
    assert "1 submission is left; the same command goes on" in said
    assert in_the_gradebook(course) == {}


def test_the_real_worker_in_its_sandbox(course, tmp_path):
    hand_in(course, "ada")
    hand_in(course, "bob", answers={**RIGHT, "relu": "def relu(input):\n    return input.abs()"})
    arguments = ["grade", NAME, "--workers", "1", "--json", "-"]
    done = subprocess.run(
        [sys.executable, "-m", "tutor", *arguments],
        cwd=tmp_path,
        env=environment(CHECKOUT, HOME=str(tmp_path)) | {"PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    points = {each["student"]: each["points"] for each in json.loads(done.stdout)["submissions"]}
    assert points == {"ada": WORTH, "bob": WORTH - 2} == in_the_gradebook(course)
    assert "grading: 2 of 2, " in done.stderr
    assert "Your function turns negative numbers positive" in done.stderr


def test_the_seed_is_drawn_once_and_its_owners_alone(tmp_path):
    first = class_seed(tmp_path)
    assert class_seed(tmp_path) == first != class_seed(tmp_path / "other")
    assert (tmp_path / "build" / "grading" / "seed").stat().st_mode & 0o777 == 0o600


# ---------------------------------------------------------------- arguments


def refused(capsys, *arguments: str) -> str:
    """Return the sentence with which arguments are refused."""
    try:
        status = cli.main(["grade", *arguments])
    except SystemExit as ended:
        status = ended.code
    said = capsys.readouterr().err
    assert status == 2
    return said.splitlines()[-1]


def test_what_cannot_begin_is_said_in_a_sentence(course, tmp_path, capsys):
    here = ("--course", str(tmp_path))
    assert "collect what was handed in first: nbgrader collect" in refused(capsys, *here)
    hand_in(course, "ada")
    assert "there is no chapter '01_activation'" in refused(capsys, "01_activation", *here)
    assert "adah has handed in nothing for 01_activations" in refused(capsys, "--student", "adah", *here)
    assert "--tls-ca, --tls-cert and --tls-key go together" in refused(capsys, "--tls-ca", "ca.pem", *here)
    assert "'0' is not a whole number from 1" in refused(capsys, "--workers", "0", *here)
    assert "'nan' is not a number above 0" in refused(capsys, "--time-limit", "nan", *here)


def test_help_has_an_example_and_every_option(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["grade", "--help"])
    shown = capsys.readouterr().out
    assert "tutor grade 01_activations\n" in shown
    described = re.findall(r"^  --([a-z-]+)", shown, flags=re.M)
    assert described == [
        *("student", "force", "whole", "json", "course", "db", "seed", "workers", "scheduler", "tls-ca", "tls-cert"),
        *("tls-key", "time-limit", "total-limit", "memory-limit", "sandbox"),
    ]


def test_without_a_sandbox_it_says_so_out_loud(course, capsys):
    hand_in(course, "ada")
    assert grade(course, "--sandbox", "none") == 0
    assert "WITHOUT A SANDBOX: learners' code runs unprotected" in capsys.readouterr().err


# ---------------------------------------------------------------- an end in the middle

SCRIPT = """
if __name__ == "__main__":  # workers read this file too
    import sys
    from learners import standin
    from tutor import cli
    from tutor.grading import command
    sys.exit(command.grade(cli.arguments_of(sys.argv[1:]), standin.grade))
"""


@contextmanager
def graded_in_a_process(top: Path):
    """Start the command with one worker in a process group of its own; nothing of it stays."""
    (top / "run.py").write_text(SCRIPT)
    path = os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "tests")])
    process = subprocess.Popen(
        [sys.executable, "run.py", "grade", "--workers", "1"],
        cwd=top,
        env=environment(top, PYTHONPATH=path, STAND_IN=str(top), TMPDIR=str(top / "temporary")),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def group(number: int) -> list[str]:
    """Return the processes of a group; but for those that have ended and that nobody has asked about."""
    listed = subprocess.run(
        ["ps", "-ww", "-eo", "pgid=,stat=,args="], capture_output=True, text=True, check=True
    ).stdout
    found = [line.split(None, 2) for line in listed.splitlines()]
    return [args for of, stat, args in found if int(of) == number and not stat.startswith("Z")]


def read_until(process: subprocess.Popen[str], words: str) -> None:
    """Wait until a process has said something on standard error, or has ended."""
    assert process.stderr
    while (line := process.stderr.readline()) and words not in line:
        pass


@pytest.mark.parametrize(("number", "times"), [(signal.SIGINT, 1), (signal.SIGTERM, 2)])
def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(course, tmp_path, monkeypatch, number, times):
    hand_in(course, "ada", "bob", "holds", "zoe")
    os.mkfifo(tmp_path / "holds")
    (tmp_path / "temporary").mkdir()
    with graded_in_a_process(tmp_path) as process:
        with (tmp_path / "holds").open("wb"):  # open once the worker waits there: ada and bob are done
            for _ in range(times):
                if number == signal.SIGINT:  # a terminal sends it to all of them
                    os.killpg(process.pid, number)
                else:
                    process.send_signal(number)
                read_until(process, "Stopping: what has been graded is recorded first")
            _, err = process.communicate()
        assert process.returncode == 130, err
        while group(process.pid):  # Python's fork server ends when it sees that nobody is left
            time.sleep(0.005)
    assert not list((tmp_path / "temporary").iterdir())
    done = set(in_the_gradebook(course))
    assert done <= {"ada", "bob"}
    if times == 1:
        assert done == {"ada", "bob"} and "2 submissions are left; the same command goes on: tutor grade" in err
    monkeypatch.setenv("STAND_IN", str(tmp_path))
    threading.Thread(target=(tmp_path / "holds").write_bytes, args=(b"",), daemon=True).start()
    assert grade(course) == 0
    assert in_the_gradebook(course) == dict.fromkeys(("ada", "bob", "holds", "zoe"), WORTH)


def test_killed_again_and_again_the_same_command_gets_to_the_end(course, tmp_path):
    students = ["ada", "bob", "carl", "dora", "emil", "fritz"]
    hand_in(course, *students)
    (tmp_path / "temporary").mkdir()
    recorded = tmp_path / "build" / "grading" / NAME
    kills = 0
    while True:
        before = len(list(recorded.glob("*.json")))
        with graded_in_a_process(tmp_path) as process:  # which kills it, and its workers, at the end
            while process.poll() is None and len(list(recorded.glob("*.json"))) < before + 2:
                time.sleep(0.005)
            if process.poll() is not None:
                assert process.returncode == 0
                break
        kills += 1
        assert kills <= len(students)
    assert kills >= 2
    assert in_the_gradebook(course) == dict.fromkeys(students, WORTH)
    graded = tmp_path / "build" / "autograded"
    assert sorted(path.parts[-3] for path in graded.glob(f"*/{NAME}/{NAME}.ipynb")) == students
    assert sorted(path.name for path in graded.iterdir()) == students


# ---------------------------------------------------------------- tables


def entry(student: str, cells: Sequence[CellResult], *remarks: Remark, chapter: str = NAME) -> Entry:
    return Entry(student, chapter, "graded", tuple(cells), remarks)


def cell(exercise: str, points: float, verdict: str, *told: str) -> CellResult:
    return CellResult(f"check_{exercise}", exercise, points, 2.0, verdict, told)


def test_tables_fit_and_name_mistakes_most_often_made_first():
    long = "Maximiliane Alexandra von und zu Hohenstein-Wittenberg the {}"
    wrong = cell("relu", 0.5, "partly right", "absolute-value")
    why = "Not checked: the cell of tanh doesn't run: SyntaxError: expected ':' (line 1)"
    broken = replace(cell("tanh", 0, "not run"), why=why)
    report = ClassReport(
        [
            entry("ada", [cell("relu", 2, "passed"), cell("tanh", 2, "passed")]),
            entry("bob", [wrong, cell("tanh", 0, "not right yet", "own-work")], Remark("moved", "cells were moved")),
            entry("eve", [wrong, cell("tanh", 0, "not attempted", "not-attempted")]),
            entry(
                "陳大文", [cell("relu", 0, "not right yet", "unheard-of"), broken, cell("sigmoid", 0, "not attempted")]
            ),
            *(entry(long.format(which), [cell("conv2d", 2, "passed")], chapter="02_convolution") for which in "12"),
            Entry("bo", NAME, "refused", (replace(cell("relu", 0, "not run"), why="there is no notebook"),), ()),
            entry("ada", [cell("conv2d", 0, "not attempted")], Remark("links", "word " * 60), chapter="02_convolution"),
        ],
        [Skipped("x.zip", Remark("skipped", "build/submitted/x.zip is no folder; it is skipped"))],
        [ByHand(NAME, "explain_relu", 4.0, 3), ByHand(NAME, "explain_tanh", 2.5, 1)],
    )
    shown = tables(report)
    assert not [line for line in shown.splitlines() if wide(line) > WIDTH]
    assert "ada                            4     0        1\n" in shown
    assert "Maximiliane A…enberg the 1     -     2\n" in shown
    assert "陳大文                         0     -\n" in shown
    order = [row.exercise for row in missed(report)]
    assert order == ["relu", "tanh", "sigmoid"]
    assert (
        "relu (01_activations): 3 of 4 got it wrong\n"
        "     2  Your function turns negative numbers positive.\n"
        "     1  unheard of\n"
        "tanh (01_activations): 1 of 4 got it wrong, 1 wrote something that doesn't run, 1 left it out\n"
        "     1  The answer leaves the work to torch's own function.\n"
        "     1  The cell of tanh doesn't run: SyntaxError: expected ':' (line 1).\n"
        "Only left out: sigmoid (1)\n"
        "Nothing written in 02_convolution: ada\n"
    ) in shown
    assert "bob                         01: cells were moved\n" in shown
    assert (
        "formgrader\n\nexplain_relu (01_activations, 4 points): 3 learners\nexplain_tanh (01_activations, 2.5 p"
        in shown
    )
    assert "x.zip                       build/submitted/x.zip is no folder; it is skipped" in shown


def test_a_class_without_a_mistake_is_told_so():
    report = ClassReport([entry("ada", [cell("relu", 2, "passed")])])
    assert "Everybody has everything right." in tables(report)
    assert "Remarks" not in tables(report)
    report.entries.append(entry("bob", [cell("relu", 0, "not attempted")]))
    assert "Everybody" not in tables(report) and "Nothing written in 01_activations: bob" in tables(report)


def denied(name: str) -> Callable[[str], Iterator[os.DirEntry[str]]]:
    """Return a scandir that may not look into folders of a name: root, who runs tests too, may look everywhere."""

    def scandir(path="."):
        if isinstance(path, str) and Path(path).name == name:
            raise PermissionError(13, "Permission denied", path)
        return whole(path)

    whole = os.scandir
    return scandir


def test_what_lies_in_the_wrong_place_is_missed_aloud(course, tmp_path, capsys, monkeypatch):
    hand_in(course, "ada")
    shelf = tmp_path / "build" / "submitted"
    (shelf / "hans" / "01-activations").mkdir(parents=True)
    (shelf / "ida").mkdir()
    shutil.copy(shelf / "ada" / NAME / f"{NAME}.ipynb", shelf / "ida")
    (shelf / "ida" / "notes.txt").write_text("mine")
    (shelf / "eve").mkdir()
    monkeypatch.setattr(submitted.os, "scandir", denied("eve"))
    assert grade(course) == 1
    told = capsys.readouterr()
    said = " ".join(told.out.split())
    assert (
        "build/submitted/hans/01-activations is no chapter's folder (did you mean 01_activations?); it is skipped"
        in said
    )
    assert "build/submitted/ida/01_activations.ipynb lies beside the chapters' folders; put it into" in said
    assert "notes.txt" not in said
    assert "build/submitted/eve can't be read (Permission denied); it is skipped" in said
    assert "3 submissions or files were not graded as usual; the remarks say why" in told.err


def test_who_is_to_be_graded_by_hand_is_told(course, tmp_path, capsys):
    free = "explain_vanishing"
    hand_in(course, "ada", "bob", answers={**RIGHT, free: "Because of its slope."})
    hand_in(course, "eve")
    file = tmp_path / "class.json"
    assert grade(course, "--json", str(file)) == 0
    [waiting] = json.loads(file.read_text(encoding="utf-8"))["by_hand"]
    assert waiting == {"chapter": NAME, "cell": free, "points": 4.0, "learners": 2}
    assert f"To grade by hand in formgrader\n\n{free} ({NAME}, 4 points): 2 learners" in capsys.readouterr().out


def test_a_reader_who_has_seen_enough_ends_nothing_in_a_traceback(course, tmp_path):
    hand_in(course, "ada")
    assert grade(course) == 0
    again = f"set -o pipefail; {sys.executable} -m tutor grade --course {tmp_path} | true"
    done = subprocess.run(["bash", "-c", again], cwd=CHECKOUT, capture_output=True, text=True)
    assert "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr
