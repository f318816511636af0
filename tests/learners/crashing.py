"""Kill a process that records submissions at each of its steps, and see what is found and what a second run makes of it.

``python -m learners.crashing`` (with ``tests`` on the path) prints the whole table in markdown; ``crash_table`` returns it,
and is for a process with one thread.
A step is a call of the system or of the database that changes what a power cut would leave. Nothing is replaced for it:
Python says what it is about to call, and the process kills itself before that.
"""

import json
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from learners.recording import NAME, WORTH, files, judged, mini_course
from tutor.course.chapters import Chapter
from tutor.grading.record import Record

AUDITED = {"os.rename": "rename", "os.mkdir": "mkdir", "os.rmdir": "rmdir", "os.remove": "remove", "os.chmod": "chmod"}
CHANGING = ("BEGIN", "INSERT", "UPDATE", "DELETE", "CREATE")
SUBMISSIONS = {  # points by student; ben has handed in before, and has a score given by hand
    "anna": WORTH,
    "ben": {"check_relu": 2.0, "check_double": 1.5},
    "clara": {"check_relu": 0.0, "check_double": 3.0},
}
BEFORE = {"check_relu": 0.0, "check_double": 3.0}
RIGHT = "each once, whole, with the right points"


@dataclass(frozen=True)
class Crash:
    """One row: before which step the process was killed, what was found then, and what there was after a second run."""

    killed: str
    found: str
    after: str


def record_all(chapter: Chapter, students: Sequence[str] = tuple(SUBMISSIONS)) -> None:
    """Do what a run of ``tutor grade`` does once it has the verdicts."""
    with Record(chapter.top, say=lambda _: None) as record:
        record.resume()
        for student in students:
            if record.done(chapter, student) != "now":
                graded = judged(chapter, student, SUBMISSIONS[student], {"why": f"{student} has thought again."})
                record.put(chapter, graded, fingerprint="now", handed_in=datetime(2026, 1, 2))


def record_before(chapter: Chapter) -> None:
    """Do what was done before the run that is killed: one submission recorded, and looked at by somebody."""
    with Record(chapter.top) as record:
        graded = judged(chapter, "ben", BEFORE, {"why": "A first thought."})
        record.put(chapter, graded, fingerprint="before", handed_in=datetime(2026, 1, 1))
    with sqlite3.connect(chapter.top / "build" / "gradebook.db") as database:
        database.execute("UPDATE grade SET manual_score = 0.5, needs_manual_grade = 0 WHERE auto_score IS NULL")
    database.close()


def in_a_process(work: Callable[[], object]) -> int:
    """Do something in a forked process and return how it ended: 0, or minus the signal that killed it."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def opened(handle: int) -> str:
    return os.readlink(f"/proc/self/fd/{handle}")


def step_by_step(folder: Path, reached: Callable[[str], None]) -> None:
    """Have ``reached`` called before each step in this process, with what it is about to do below the folder."""

    def shown(path: object, within: int = -1) -> str:
        text = opened(path) if isinstance(path, int) else os.fsdecode(path)
        if within >= 0:
            text = f"{opened(within)}/{text}"
        if "/build/" not in text or not text.startswith(str(folder)):
            return ""
        return text.split("/build/")[1].removeprefix("autograded/").replace(f"{NAME}/{NAME}", NAME)

    def audited(event: str, arguments: tuple) -> None:
        if event in ("os.remove", "os.rmdir") and (path := shown(*arguments)):
            reached(f"{AUDITED[event]} {path}")
        elif event in AUDITED and (path := shown(arguments[0])):
            target = f" to {shown(arguments[1])}" if event == "os.rename" else ""
            reached(f"{AUDITED[event]} {path}{target}")
        elif (
            event == "open"
            and arguments[2] & os.O_CREAT
            and isinstance(arguments[0], str | Path)
            and shown(arguments[0])
        ):
            reached(f"create {shown(arguments[0])}")

    def profiled(frame: object, event: str, function: object) -> None:
        if event != "c_call":
            return
        name = function.__name__
        if name == "fsync":
            reached(f"fsync {shown(frame.f_locals['handle'])}")
        elif name == "commit":
            reached("COMMIT")
        elif name in ("execute", "executemany") and str(frame.f_locals.get("statement")).lstrip().startswith(CHANGING):
            reached(" ".join(frame.f_locals["statement"].split()[:3]))

    sys.addaudithook(audited)
    sys.setprofile(profiled)


def steps_of(work: Callable[[], object], folder: Path) -> list[str]:
    """Do something in a process of its own and return its steps below the folder."""
    seen = folder.parent / "steps.json"

    def watched() -> None:
        steps: list[str] = []
        step_by_step(folder, steps.append)
        work()
        sys.setprofile(None)
        seen.write_text(json.dumps(steps))

    assert in_a_process(watched) == 0
    return json.loads(seen.read_text())


def killed_before(number: int, work: Callable[[], object], folder: Path) -> None:
    """Do something in a process that is killed before its step of that number."""
    left = number

    def count(_: str) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted() -> None:
        step_by_step(folder, count)
        work()

    assert in_a_process(counted) == -signal.SIGKILL


def state(chapter: Chapter) -> dict:
    """Return all that is recorded: each submission's points, by cell, and rows; graded folders; the journal's entries."""
    build = chapter.top / "build"
    rows: list = []
    if (build / "gradebook.db").is_file():
        database = sqlite3.connect(build / "gradebook.db")
        try:
            rows = _rows(database)
        finally:
            database.close()
    journal = {path.stem: json.loads(path.read_bytes()) for path in sorted(build.glob(f"grading/{NAME}/*.json"))}
    return {"rows": rows, "folders": files(build / "autograded"), "journal": journal}


def _rows(database: sqlite3.Connection) -> list:
    """Return everything in the gradebook about submissions, without ids."""
    if not list(database.execute("SELECT 1 FROM sqlite_master WHERE name = 'grade'")):
        return []
    of = "FROM submitted_assignment a JOIN submitted_notebook n ON n.assignment_id = a.id"
    cell = "JOIN base_cell c ON c.id = x.cell_id"
    grade = "c.name, x.auto_score, x.manual_score, x.extra_credit, x.needs_manual_grade"
    queries = [
        f"SELECT a.student_id, a.timestamp, n.late_submission_penalty {of} ORDER BY 1",
        f"SELECT a.student_id, {grade} {of} JOIN grade x ON x.notebook_id = n.id {cell} ORDER BY 1, 2",
        f"SELECT a.student_id, c.name, x.auto_comment, x.manual_comment {of} "
        f"JOIN comment x ON x.notebook_id = n.id {cell} ORDER BY 1, 2",
        "SELECT id FROM student ORDER BY 1",
        "SELECT name, type FROM base_cell ORDER BY 1, 2",
        "SELECT name, locked, source, checksum FROM source_cell ORDER BY 1",
        "SELECT version_num FROM alembic_version",
    ]
    return [list(database.execute(query)) for query in queries]


def in_words(found: dict) -> str:
    """Say what is there of each submission."""
    known = {student for student, *_ in found["rows"][0]} if found["rows"] else set()
    said = []
    for student in SUBMISSIONS:
        entry = found["journal"].get(student, {})
        points = {row[1]: row[2] for row in found["rows"][1] if row[0] == student} if student in known else {}
        graded = (
            "nothing"
            if not points
            else "new"
            if points["check_double"] == SUBMISSIONS[student]["check_double"]
            else "old"
        )
        folder = [path for path in found["folders"] if path.startswith(f"{student}/")]
        place = "in place" if any(path.startswith(f"{student}/{NAME}/") for path in folder) else "missing"
        staged = ", one staged" if any(".staged/" in path for path in folder) else ""
        if entry.get("state") == "recorded" and entry["fingerprint"] == "now" and not staged:
            said.append(f"{student}: recorded")
        elif not points and not folder and not entry:
            said.append(f"{student}: nothing")
        else:
            journal = f"{entry['state']} ({entry['fingerprint']})" if entry else "no entry"
            said.append(f"{student}: points {graded}, folder {place}{staged}, journal {journal}")
    return "; ".join(said)


@contextmanager
def courses(*, first: bool) -> Iterator[tuple[Callable[[], None], Callable[[], None], Chapter]]:
    """Yield a run that records submissions, what brings its course back to how it was before, and the course.

    first: the very first submission of a course, instead of three to one in which something is recorded already.
    """
    with tempfile.TemporaryDirectory() as name:
        record_all(mini_course(Path(name) / "warm"))  # each process that is forked from this one is quick then
        template = mini_course(Path(name).resolve() / "template")
        assert first or in_a_process(lambda: record_before(template)) == 0
        work = Chapter(template.top.with_name("course"), NAME)

        def start() -> None:
            shutil.rmtree(work.top, ignore_errors=True)
            shutil.copytree(template.top, work.top)

        start()
        yield lambda: record_all(work, ["anna"] if first else list(SUBMISSIONS)), start, work


def crash_steps() -> list[str]:
    """Return all steps of a run that records three submissions and isn't killed."""
    with courses(first=False) as (run, _, work):
        return steps_of(run, work.top)


def crash_table(every: int = 1, *words: str) -> list[Crash]:
    """Kill a run before each step, then run it again: a course's first submission, then three more to another course.

    every: only each so-manieth step, to be quicker; and all with one of these words in them.
    """
    return [*_crashes(every, words, first=True), *_crashes(every, words, first=False)]


def _crashes(every: int, words: Sequence[str], *, first: bool) -> Iterator[Crash]:
    """Yield the rows of one of the two."""
    with courses(first=first) as (run, start, work):
        steps = steps_of(run, work.top)
        whole = state(work)
        for number, step in enumerate(steps):
            if number % every and not any(word in step for word in words):
                continue
            start()
            killed_before(number, run, work.top)
            found = in_words(state(work))
            ended = in_a_process(run)
            after = (
                RIGHT if ended == 0 and state(work) == whole else f"NOT RIGHT: {in_words(state(work))} (status {ended})"
            )
            yield Crash(step, found, after)


def markdown(table: list[Crash]) -> str:
    """Return the table as documentation shows it."""
    lines = ["| killed before | found after | after a second run |", "| --- | --- | --- |"]
    return "\n".join([*lines, *(f"| {row.killed} | {row.found} | {row.after} |" for row in table)])


if __name__ == "__main__":
    number, *chosen = sys.argv[1:] or ["1"]
    print(markdown(crash_table(int(number), *chosen)))
