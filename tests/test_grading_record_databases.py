"""Locked, full, read-only, damaged, unreachable: one sentence, nothing half recorded; SQLite and PostgreSQL."""

import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

import psycopg2
import pytest
from learners import postgres
from learners.classroom import CHECKOUT
from learners.recording import NAME, WORTH, files, judged, mini_course, rows

from tutor.course.chapters import Chapter
from tutor.grading.job import Graded
from tutor.grading.record import Record, RecordError
from tutor.grading.submission import Remark

HALF = {"check_relu": 1.0, "check_double": 0.0}


@pytest.fixture
def mini(tmp_path) -> Chapter:
    """A course in which anna's first submission is recorded."""
    chapter = mini_course(tmp_path / "course")
    with Record(chapter.top) as record:
        put(record, chapter, judged(chapter, "anna"), "1")
    return chapter


def put(record: Record, chapter: Chapter, graded: Graded, fingerprint: str) -> None:
    record.put(chapter, graded, fingerprint=fingerprint, handed_in=datetime(2026, 1, 1))


def database(chapter: Chapter) -> Path:
    return chapter.top / "build" / "gradebook.db"


def recorded(chapter: Chapter, url: str = "") -> tuple:
    """Return all that is recorded, in the gradebook and in folders."""
    return rows(url or f"sqlite:///{database(chapter)}"), files(chapter.top / "build" / "autograded")


def expected(tmp_path: Path, *graded: tuple) -> tuple:
    """Return what is recorded of these submissions, (student, points) each, when nothing is in the way."""
    chapter = mini_course(tmp_path / "expected")
    with Record(chapter.top) as record:
        for student, points in graded:
            put(record, chapter, judged(chapter, student, points), "1")
    return recorded(chapter)


# ---------------------------------------------------------------- locked


@contextmanager
def locked(chapter: Chapter, *how: str) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(database(chapter), isolation_level=None)) as other:
        for statement in how:
            other.execute(statement).fetchall()
        yield other


def test_a_lock_that_goes_is_waited_for(mini, tmp_path):
    with locked(mini, "BEGIN EXCLUSIVE") as other:

        def let_go(sentence: str) -> None:
            said.append(sentence)
            other.execute("ROLLBACK")

        said: list[str] = []
        with Record(mini.top, say=let_go) as record:
            put(record, mini, judged(mini, "anna", HALF), "2")
    assert said == ["The gradebook is in use by another program; waiting up to 60 s for it."]
    assert recorded(mini) == expected(tmp_path, ("anna", HALF))


def test_a_lock_that_stays_is_told_and_nothing_recorded(mini, tmp_path):
    before = recorded(mini)
    with Record(mini.top, patience=0.1, say=lambda _: None) as record:
        with locked(mini, "BEGIN EXCLUSIVE"), pytest.raises(RecordError, match="is still locked by another program"):
            put(record, mini, judged(mini, "anna", HALF), "2")
        assert record.done(mini, "anna") == "1" and recorded(mini)[0] == before[0]
        put(record, mini, judged(mini, "anna", HALF), "2")
        assert record.done(mini, "anna") == "2"
    assert recorded(mini) == expected(tmp_path, ("anna", HALF))


def test_a_lock_at_the_very_end_leaves_what_the_next_run_finishes(mini, tmp_path):
    before = recorded(mini)
    with Record(mini.top, patience=0.1, say=lambda _: None) as record:
        # Somebody who reads keeps others from ending what they have begun to write.
        reading = locked(mini, "BEGIN", "SELECT * FROM grade")
        with reading, pytest.raises(RecordError, match="is still locked by another program"):
            put(record, mini, judged(mini, "anna", HALF), "2")
        assert recorded(mini)[0] == before[0]
        assert record.done(mini, "anna") is None
    with Record(mini.top) as record:
        assert [(entry.student, entry.fingerprint) for entry in record.resume()] == [("anna", "2")]
        assert record.done(mini, "anna") == "2"
    assert recorded(mini) == expected(tmp_path, ("anna", HALF))


# ---------------------------------------------------------------- full


@contextmanager
def full_disk(after: int) -> Iterator[None]:
    """Let no file grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (after, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    ("room", "where"),
    [
        (3_000, rf"\.{NAME}\.staged"),
        (15_000, r"grading/01_mini/\.anna\.json~"),
        (60_000, "the gradebook .*gradebook.db"),
    ],
)
def test_a_full_disk(mini, tmp_path, room, where):
    before = recorded(mini)
    later = judged(mini, "anna", HALF, remarks=(Remark("long", "x" * 20_000),))
    with Record(mini.top) as record:
        with full_disk(room), pytest.raises(RecordError, match=f"{where}.*disk is full.*make room"):
            put(record, mini, later, "2")
        assert recorded(mini)[0] == before[0]
        put(record, mini, later, "2")
        assert record.done(mini, "anna") == "2"
    assert recorded(mini) == expected(tmp_path, ("anna", HALF))


# ---------------------------------------------------------------- not to be used


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sqlite:///file:{path}?mode=ro&uri=true", r"can't be written \(attempt to write a readonly database"),
        ("sqlite:////nowhere/at/all.db", "the gradebook /nowhere/at/all.db can't be written .unable to open"),
        (
            "postgresql+psycopg2://me:secret@127.0.0.1:1/class",
            r"//me:\*\*\*@127.0.0.1:1/class doesn't answer",
        ),
        ("nonsense", "db_url names no database"),
        ("oracle9://x", "db_url names no database"),
        ("postgresql+asyncpg://me@here/class", "db_url .*pip install"),
    ],
)
def test_a_gradebook_that_is_not_to_be_used(mini, caplog, url, sentence):
    before = recorded(mini)
    with pytest.raises(RecordError, match=sentence) as caught:  # noqa: SIM117  (opening it may be refused, or writing)
        with Record(mini.top, db_url=url.format(path=database(mini))) as record:
            put(record, mini, judged(mini, "ben", HALF), "2")
    assert "\n" not in str(caught.value) and not caplog.records
    assert recorded(mini)[0] == before[0]


def test_a_gradebook_that_is_damaged_or_of_another_version(mini):
    with closing(sqlite3.connect(database(mini))) as other:
        other.execute("ALTER TABLE grade DROP COLUMN extra_credit")
    with (
        Record(mini.top) as record,
        pytest.raises(RecordError, match=r"doesn't fit this nbgrader .*nbgrader db upgrade"),
    ):
        record.done(mini, "anna")
    database(mini).write_bytes(b"no database" * 1000)
    with pytest.raises(RecordError, match=r"is damaged \(file is not a database\): put back a copy"):
        Record(mini.top)


@pytest.mark.parametrize("place", ["grading", "autograded"])
def test_a_folder_that_cannot_be_made(tmp_path, place):
    chapter = mini_course(tmp_path / "course")
    (chapter.top / "build").mkdir()
    (chapter.top / "build" / place).write_text("no folder")

    def record_one() -> None:
        with Record(chapter.top) as record:
            put(record, chapter, judged(chapter, "anna"), "1")

    with pytest.raises(RecordError, match=f"build/{place}.* can't be written"):
        record_one()


# ---------------------------------------------------------------- PostgreSQL


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    for name in ("initdb", "pg_ctl", "createdb"):
        if postgres.program(name) is None:
            pytest.skip(f"no PostgreSQL: {name} is neither on PATH nor in /usr/lib/postgresql/*/bin")
    with postgres.server() as running:
        yield running


def test_postgresql(tmp_path, server):
    chapter = mini_course(tmp_path / "course")
    said: list[str] = []
    with Record(chapter.top, db_url=server.url, patience=0.1, say=said.append) as record:
        put(record, chapter, judged(chapter, "anna"), "1")
        put(record, chapter, judged(chapter, "anna", HALF), "2")
        put(record, chapter, judged(chapter, "ben", HALF), "1")
        assert record.done(chapter, "anna") == "2"
        assert recorded(chapter, server.url) == expected(tmp_path, ("anna", HALF), ("ben", HALF))
        before = recorded(chapter, server.url)

        with closing(psycopg2.connect(server.url.replace("+psycopg2", ""))) as other:
            other.cursor().execute("LOCK TABLE grade")
            for student in ("ben", "clara"):  # who is there, and who is to be put there
                with pytest.raises(RecordError, match="is still locked by another program"):
                    put(record, chapter, judged(chapter, student, WORTH), "2")
        assert set(said) == {"The gradebook is in use by another program; waiting up to 0.1 s for it."}
        assert recorded(chapter, server.url)[0] == before[0]

        server.stop()
        with pytest.raises(
            RecordError, match=r"postgresql\+psycopg2://grader@/gradebook\S* doesn't answer \(.*: see that it is there"
        ):
            put(record, chapter, judged(chapter, "ben", WORTH), "2")
        server.start()
        assert record.done(chapter, "ben") == "1" and recorded(chapter, server.url)[0] == before[0]
        put(record, chapter, judged(chapter, "ben", WORTH), "2")
    assert recorded(chapter, server.url)[0]["grade"] != before[0]["grade"]
    assert not database(chapter).exists()


# ---------------------------------------------------------------- a disk that is really full

FULL = """
import json, os, sys
from datetime import datetime
from pathlib import Path
from learners.recording import NAME, WORTH, judged, rows
from tutor.course.chapters import Chapter
from tutor.grading.record import Record, RecordError

chapter = Chapter(Path(sys.argv[1]), NAME)
filler = chapter.top / "build" / "filler"
said = []
with Record(chapter.top) as record:
    record.put(chapter, judged(chapter, "anna"), fingerprint="0", handed_in=None)
    for room in range(0, 80_000, 4096):
        points = {**WORTH, "check_relu": room / 80_000}
        with filler.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                file.truncate(max(0, file.tell() - room))
        try:
            record.put(chapter, judged(chapter, "anna", points), fingerprint=str(room), handed_in=None)
            said.append("")
        except RecordError as error:
            said.append(str(error))
        if record.done(chapter, "anna") != str(room):
            before = rows(f"sqlite:///{chapter.top / 'build' / 'gradebook.db'}", "grade")["grade"]
            assert {row["auto_score"] for row in before} <= {room / 80_000, (room - 4096) / 80_000, 2.0, 3.0, 0.0}
        filler.unlink()
        record.put(chapter, judged(chapter, "anna", points), fingerprint=str(room), handed_in=None)
        assert record.done(chapter, "anna") == str(room), room
json.dump(said, sys.stdout)
"""


def test_a_disk_that_is_really_full_at_any_step(tmp_path):
    sandbox = shutil.which("bwrap")
    if sandbox is None:
        pytest.skip("no bubblewrap: bwrap is not on PATH, and nothing else makes a small disk without root")
    top = mini_course(tmp_path / "course").top
    (top / "build").mkdir()
    small = [
        sandbox,
        "--bind",
        "/",
        "/",
        "--dev-bind",
        "/dev",
        "/dev",
        "--size",
        "1000000",
        "--tmpfs",
        str(top / "build"),
    ]
    path = os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "tests")])
    command = [*small, sys.executable, "-c", FULL, str(top)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert {sentence[-150:] for sentence in said if sentence and "disk is full" not in sentence} == set()
    kinds = {part for sentence in said for part in (".staged", ".anna.json~", "gradebook.db") if part in sentence}
    assert kinds == {".staged", ".anna.json~", "gradebook.db"} and said[-1] == ""
