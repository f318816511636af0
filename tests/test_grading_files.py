"""What lies in a submission's folder: which file is graded, and what is neither followed, waited for nor read."""

import os
import shutil
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from learners.classroom import fill_in
from learners.submitting import CHAPTER, NAME, RIGHT, cell, no_waiting, own, right, said, taken, write

from tutor.course.chapters import Chapter, CourseError
from tutor.grading import files
from tutor.grading.intake import NOTEBOOK_BYTES, IntakeError, read_submission

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="grading is for Linux")


@pytest.fixture(autouse=True)
def never_waiting():
    with no_waiting():
        yield


@pytest.fixture
def folder(tmp_path) -> Path:
    """An empty submission, with somebody else's beside it."""
    right_folder = tmp_path / "somebody_else"
    right_folder.mkdir()
    right(right_folder)
    (tmp_path / "eve").mkdir()
    return tmp_path / "eve"


@pytest.fixture
def elsewhere(folder) -> Path:
    return folder.parent / "somebody_else" / NAME


def refusal(folder: Path) -> str:
    with pytest.raises(IntakeError) as refused:
        read_submission(folder, CHAPTER)
    assert "\n" not in str(refused.value)
    return str(refused.value)


# ---------------------------------------------------------------- links, pipes and the like


@pytest.mark.parametrize("target", ["solution", "somebody else's", "nothing", "itself"])
def test_a_notebook_that_is_a_link_is_not_followed(folder, elsewhere, target):
    targets = {
        "solution": CHAPTER.solution, "somebody else's": elsewhere, "nothing": folder / "gone", "itself": folder / NAME,
    }  # fmt: skip
    (folder / NAME).symlink_to(targets[target])
    assert refusal(folder) == f"{NAME} is a link, and links aren't followed: ask for the file itself"


def test_a_hard_link_to_the_solution_is_refused(tmp_path):
    shutil.copytree(CHAPTER.top / "solutions" / CHAPTER.name, tmp_path / "solutions" / CHAPTER.name)
    shutil.copytree(CHAPTER.release, tmp_path / "notebooks" / CHAPTER.name)
    chapter = Chapter(tmp_path, CHAPTER.name)
    folder = tmp_path / "eve"
    folder.mkdir()
    os.link(chapter.solution, folder / NAME)
    with pytest.raises(IntakeError, match=rf"{NAME} is the course's own solution, linked: ask for the learner's file"):
        read_submission(folder, chapter)


def test_a_hard_link_to_anything_else_is_told(folder, elsewhere):
    os.link(elsewhere, folder / NAME)
    submission, _ = taken(folder)
    [remark] = said(submission, "links")
    assert remark == f"{NAME} has a second name on this disk (a hard link): whose file is it?"


def test_a_pipe_in_the_notebooks_place_is_not_waited_for(folder):
    os.mkfifo(folder / NAME)
    assert refusal(folder) == (f"{NAME} is a pipe, a device or a locked folder, not a file: ask for the notebook")


def test_a_file_that_turns_into_a_pipe_or_a_link_is_not_read(folder, elsewhere):
    """Between looking and reading, the file may have been exchanged."""
    os.mkfifo(folder / "pipe")
    (folder / "link").symlink_to(elsewhere)
    (folder / "above").symlink_to(elsewhere.parent)
    for path in ("pipe", "link", f"above/{NAME}", "gone", "."):
        with pytest.raises(IntakeError):
            files.read_file(folder, path, 1_000_000)


def test_what_lies_beside_the_notebook_is_told_and_left_alone(folder, elsewhere):
    content = right(folder)
    write(folder, content, "notes.ipynb")
    (folder / "helper.py").write_text("x = 1")
    (folder / "passwords").symlink_to("/etc/passwd")
    (folder / "nowhere").symlink_to(folder / "gone")
    (folder / "others").symlink_to(elsewhere.parent)
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        before = os.getcwd()
        os.chdir(folder)  # a socket's path may not be long
        try:
            listening.bind("socket")
        finally:
            os.chdir(before)
        submission, texts = taken(folder)
    assert {name: texts[name] for name in RIGHT} == RIGHT
    assert [(remark.kind, remark.text) for remark in submission.remarks] == [
        ("extra-notebooks", "other notebooks beside it aren't graded: notes.ipynb"),
        ("extra-files", "files beside the notebook are left out: helper.py"),
        ("links", "links are not followed: nowhere, others, passwords"),
        ("special-files", "neither files nor folders that can be opened, and left alone: pipe, socket"),
    ]


def test_what_everybody_has_is_nothing_odd(folder):
    right(folder)
    for name in ("submission_secret.txt", ".DS_Store", ".ipynb_checkpoints/a-checkpoint.ipynb", "__pycache__/a.pyc"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x")
    submission, _ = taken(folder)
    assert submission.remarks == ()


def test_released_neighbours_are_nothing_odd(tmp_path):
    shutil.copytree(CHAPTER.folder, tmp_path / "solutions" / CHAPTER.name)
    shutil.copytree(CHAPTER.release, tmp_path / "notebooks" / CHAPTER.name)
    chapter = Chapter(tmp_path, CHAPTER.name)
    (chapter.release / "pictures").mkdir()
    (chapter.release / "pictures" / "relu.svg").write_text("<svg/>")
    folder = tmp_path / "eve"
    shutil.copytree(chapter.release, folder)
    assert read_submission(folder, chapter).remarks == ()


def test_folders_are_looked_at_to_an_end(folder, monkeypatch):
    right(folder)
    monkeypatch.setattr(files, "ENTRIES", 50)
    for number in range(10):
        (folder / f"a{number}" / "b" / "c" / "d" / "e" / "f" / "g" / "h").mkdir(parents=True)
    found = files.listing(folder)
    assert not found.whole and found.seen == 50
    submission, _ = taken(folder)
    assert said(submission, "many-files") == ["there are more files and folders than were looked at"]


def test_names_that_cannot_be_printed_are_shown_all_the_same(folder):
    right(folder)
    for name in (b"\xff\xfe.txt", b"two\nlines", "größe.txt".encode(), b"long" * 50):
        Path(os.fsdecode(os.path.join(os.fsencode(folder), name))).touch()
    submission, _ = taken(folder)
    [remark] = said(submission, "extra-files")
    assert remark.encode() and "\n" not in remark
    assert all(part in remark for part in ("\\udcff\\udcfe.txt", "two\\nlines", "größe.txt", "longlon…"))


# ---------------------------------------------------------------- which notebook


@pytest.mark.parametrize(
    "name", ["01_activations (1).ipynb", "Mine.IPYNB", "sub/folder/01_activations.ipynb", "ünï.ipynb"]
)
def test_a_renamed_notebook_is_found(folder, name):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    content = right(folder)
    (folder / NAME).unlink()
    write(folder, content, name)
    submission, texts = taken(folder)
    assert {answer: texts[answer] for answer in RIGHT} == RIGHT
    assert submission.notebook == name
    assert [remark.text for remark in submission.remarks] == [f"graded is {name}, not {NAME}"]


def test_of_several_renamed_ones_the_most_worked_on_counts(folder):
    content = right(folder)
    (folder / NAME).unlink()
    (folder / "a.ipynb").write_bytes(CHAPTER.student.read_bytes())
    write(folder, content, "b.ipynb")
    cell(content, "relu")["source"] = ""
    submission, texts = taken(folder)
    assert submission.notebook == "b.ipynb" and texts["relu"] == RIGHT["relu"]
    assert said(submission, "extra-notebooks") == ["other notebooks beside it aren't graded: a.ipynb"]


def test_the_one_with_the_right_name_counts_even_if_another_has_more(folder):
    write(folder, right(folder), "copy.ipynb")
    fill_in(CHAPTER.student, {"relu": "mine = 1"}, folder / NAME)
    submission, _ = taken(folder)
    assert submission.notebook == NAME and submission.answers["relu"] == "mine = 1"


def test_an_untouched_notebook_beside_the_work(folder):
    write(folder, right(folder), "final.ipynb")
    (folder / NAME).write_bytes(CHAPTER.student.read_bytes())
    submission, texts = taken(folder)
    assert submission.notebook == "final.ipynb" and texts["relu"] == RIGHT["relu"]
    assert said(submission, "renamed") == [f"graded is final.ipynb, not {NAME}: nothing in {NAME} was worked on"]


def test_a_broken_notebook_beside_a_whole_one(folder):
    write(folder, right(folder), "copy.ipynb")
    (folder / NAME).write_bytes(b"")
    submission, texts = taken(folder)
    assert texts["relu"] == RIGHT["relu"]
    assert said(submission, "renamed") == [f"graded is copy.ipynb, not {NAME}: {NAME} is empty: ask for the file again"]


def test_an_empty_notebook_beside_the_real_one(folder):
    write(folder, right(folder), "copy.ipynb")
    write(folder, {"cells": [own("1")]})
    submission, _ = taken(folder)
    assert submission.notebook == "copy.ipynb"
    assert said(submission, "renamed") == [f"graded is copy.ipynb, not {NAME}: nothing in {NAME} was worked on"]


# ---------------------------------------------------------------- nothing to grade


def test_no_notebook(folder):
    assert refusal(folder) == f"there is no notebook, {NAME} or any other: ask for it"
    (folder / "essay.docx").touch()
    assert refusal(folder) == f"there is no notebook, {NAME} or any other but essay.docx: ask for it"


def test_a_folder_with_the_notebooks_name(folder):
    (folder / NAME).mkdir()
    assert refusal(folder) == f"there is no notebook, {NAME} or any other: ask for it"


def test_no_folder(folder, elsewhere):
    assert refusal(folder / "gone") == "there is no folder gone: nothing was handed in"
    (folder / "dangling").symlink_to(folder / "gone")
    assert "dangling is a link, and links aren't followed" in refusal(folder / "dangling")
    (folder / "linked").symlink_to(elsewhere.parent)
    assert "linked is a link, and links aren't followed" in refusal(folder / "linked")
    (folder / "file").touch()
    assert "the folder file can't be opened (Not a directory)" in refusal(folder / "file")


def test_too_large(folder):
    with (folder / NAME).open("wb") as file:
        file.truncate(NOTEBOOK_BYTES + 1)  # takes no room on the disk
    assert refusal(folder).startswith(f"{NAME} is larger than 100 MB: ask for it again, with its outputs cleared")


def test_a_locked_file(folder):
    right(folder)
    (folder / NAME).chmod(0)
    if os.access(folder / NAME, os.R_OK):  # root may read everything
        assert taken(folder)[1]["relu"] == RIGHT["relu"]
    else:
        assert refusal(folder) == f"{NAME} can't be read (Permission denied): ask for the file again"


def test_the_notebook_is_found_among_any_number_of_files(folder, monkeypatch):
    monkeypatch.setattr(files, "ENTRIES", 0)
    right(folder)
    submission, texts = taken(folder)
    assert texts["relu"] == RIGHT["relu"] and submission.notebook == NAME
    (folder / NAME).rename(folder / "other")
    assert refusal(folder) == f"{NAME} can't be read (No such file or directory): ask for the file again"


def test_a_chapter_that_is_not_built_is_the_courses_fault(folder, tmp_path):
    right(folder)
    with pytest.raises(CourseError, match=r"there is no solutions/09_x/09_x\.ipynb; run make build"):
        read_submission(folder, Chapter(tmp_path, "09_x"))


# ---------------------------------------------------------------- when it was handed in


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-31 12:00:00.000000 UTC", "2024-01-31 12:00:00 UTC\n", "2024-01-31T12:00:00Z", "2024-01-31 12:00:00.0",
        "2024-01-31 13:00:00.000000 +0100", "2024-01-31 07:00:00 -05:00", "2024-01-31 13:00:00 Europe/Vienna",
    ],
)  # fmt: skip
def test_a_time_is_read_as_nbgrader_writes_it(folder, text):
    right(folder)
    os.utime(folder / NAME, (0, 0))
    (folder / "timestamp.txt").write_text(text)
    submission, _ = taken(folder)
    assert submission.remarks == ()
    assert submission.handed_in == datetime(2024, 1, 31, 12)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"yesterday", b"\xff\xfe", b"2024-13-01 12:00:00 UTC", b"2024-01-31 12:00:00 ../../etc/passwd", b"9" * 900,
        b"2024-01-31 12:00:00 America", b"2024-01-31 12:00:00 +9999", b"0001-01-01 00:00:00 +0100", b"12",
        b"9999-12-31 23:59:59 -2300", b"2024-01-31 12:00:00 Nowhere/Here", "٢٠٢٤-01-31 12:00:00".encode(),
    ],
)  # fmt: skip
def test_a_malformed_time_costs_nothing_but_itself(folder, data):
    right(folder)
    (folder / "timestamp.txt").write_bytes(data)
    submission, texts = taken(folder)
    assert texts["relu"] == RIGHT["relu"] and submission.handed_in is None
    assert said(submission, "timestamp") == [
        "timestamp.txt can't be used: it holds no date and time; whether it was late isn't known"
    ]


def test_a_time_that_is_a_link_a_pipe_or_huge(folder, elsewhere):
    right(folder)
    (folder / "timestamp.txt").symlink_to(elsewhere)
    assert said(taken(folder)[0], "timestamp")[0].startswith("timestamp.txt can't be used: timestamp.txt is a link")
    (folder / "timestamp.txt").unlink()
    os.mkfifo(folder / "timestamp.txt")
    assert said(taken(folder)[0], "timestamp")[0].startswith("timestamp.txt can't be used: timestamp.txt is a link")
    (folder / "timestamp.txt").unlink()
    (folder / "timestamp.txt").write_bytes(b" " * 100_000)
    assert "timestamp.txt is larger than 0.001 MB" in said(taken(folder)[0], "timestamp")[0]


def test_a_time_to_come_is_not_taken(folder):
    right(folder)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    (folder / "timestamp.txt").write_text(f"{tomorrow:%Y-%m-%d %H:%M:%S.%f} UTC")
    submission, _ = taken(folder)
    assert submission.handed_in is None
    assert said(submission, "timestamp") == [
        f"timestamp.txt says {tomorrow:%Y-%m-%d %H:%M} UTC, which is still to come; whether it was late isn't known"
    ]


@pytest.mark.parametrize("changed", [datetime(2024, 3, 1, tzinfo=UTC).timestamp(), 2**33])
def test_a_time_before_the_notebook_was_written_is_told(folder, changed):
    right(folder)
    os.utime(folder / NAME, (changed, changed))
    (folder / "timestamp.txt").write_text("2024-01-31 12:00:00.000000 UTC")
    submission, _ = taken(folder)
    assert submission.handed_in == datetime(2024, 1, 31, 12)
    [remark] = said(submission, "timestamp")
    written = datetime.fromtimestamp(changed, UTC)
    assert remark == (
        f"timestamp.txt says 2024-01-31 12:00 UTC, but the notebook was written later, {written:%Y-%m-%d %H:%M} UTC: "
        "it was copied since, or the time is forged"
    )
