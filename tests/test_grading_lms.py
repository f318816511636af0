"""Submissions from Moodle's and Canvas's zips in, grades for their gradebooks out: nbgrader's own commands, run for real."""

import contextlib
import csv
import io
import json
import re
import shlex
import shutil
import stat
import subprocess
import sys
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from learners import standin
from learners.answers import in_style
from learners.classroom import CHECKOUT, environment, fill_in
from nbgrader.api import Gradebook
from nbgrader.apps import ExportApp, ZipCollectApp

from tutor import cli
from tutor.grading import command
from tutor.grading.lms.archives import LEARNERS_FILES
from tutor.grading.lms.names import can_be_student, notebook, owner
from tutor.grading.lms.sheets import harmless, read_sheet

NAME = "01_activations"
BOM = b"\xef\xbb\xbf"
Member = tuple[str | zipfile.ZipInfo, bytes]


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A course of one chapter, whose settings and package are the checkout's."""
    for folder in ("solutions", "notebooks"):
        shutil.copytree(CHECKOUT / folder / NAME, tmp_path / folder / NAME)
    shutil.copy(CHECKOUT / "nbgrader_config.py", tmp_path)
    (archive(tmp_path)).mkdir(parents=True)
    return tmp_path


def archive(top: Path) -> Path:
    return top / "build" / "downloaded" / NAME / "archive"


def nbgrader(top: Path, command: str, *arguments: str) -> tuple[int, str]:
    """Run an nbgrader command in this process, which is quicker; return its status and what it said."""
    app = {"zip_collect": ZipCollectApp, "export": ExportApp}[command]()
    said, path = io.StringIO(), list(sys.path)
    with contextlib.chdir(top), contextlib.redirect_stderr(said):
        try:
            app.initialize(list(arguments))
            app.start()
            status = 0
        except SystemExit as end:
            status = end.code
        finally:
            sys.path[:] = path
            for handler in list(app.log.handlers):
                app.log.removeHandler(handler)
    return status, said.getvalue()


def program(top: Path, *arguments: str) -> str:
    """Run nbgrader as people do; return what it said."""
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(
        command, cwd=top, env=environment(top, PYTHONPATH=str(CHECKOUT)), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def marked(mark: str) -> bytes:
    """Return a notebook that can be told from others."""
    return json.dumps({"cells": [], "metadata": {"mark": mark}, "nbformat": 4, "nbformat_minor": 5}).encode()


def at(name: str, hour: int) -> zipfile.ZipInfo:
    """Return a zip's member of that name, from that hour of a day."""
    return zipfile.ZipInfo(name, date_time=(2026, 11, 20, hour, 0, 0))


def zipped(*members: Member) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members:
            file.writestr(name, data, compress_type=zipfile.ZIP_DEFLATED)
    return held.getvalue()


def submitted(top: Path) -> dict[str, str]:
    """Return what lies in build/submitted: path → the notebook's mark."""
    shelf = top / "build" / "submitted"
    files = sorted(path for path in shelf.rglob("*") if path.is_file())
    return {path.relative_to(shelf).as_posix(): json.loads(path.read_bytes())["metadata"]["mark"] for path in files}


def told(top: Path) -> list[str]:
    return (archive(top).parent / "report.txt").read_text(encoding="utf-8").splitlines()


# ---------------------------------------------------------------- Moodle

WORKSHEET = """\
Identifier,Full name,Email address,Status,Grade,"Last modified (submission)"
Participant 101,Ada Lovelace,ada@example.org,Submitted for grading,,"Friday, 20 November 2026, 9:00 AM"
Participant 102,Zoë Müller,zoe@example.org,Submitted for grading,,-
Participant 103,李 雷,lei@example.org,Submitted for grading,,-
Participant 104,Ruairí O'Brien-Smith,o'brien@example.org,Submitted for grading - 2 days late,,-
Participant 105,Li Wei,li.wei@example.org,Submitted for grading,,-
Participant 106,Li Wei,wei.li@example.org,Submitted for grading,,-
"""
PARTICIPANTS = """\
First name,Last name,Email address,Groups
Ada,Lovelace,ada@example.org,A
Zoë,Müller,zoe@example.org,A
雷,李,lei@example.org,B
Ruairí,O'Brien-Smith,o'brien@example.org,B
Li,Wei,li.wei@example.org,A
Li,Wei,wei.li@example.org,B
"""
COLLECTED = {
    f"ada@example.org/{NAME}/{NAME}.ipynb": "ada",
    f"zoe@example.org/{NAME}/{NAME}.ipynb": "zoe again",
    f"zoe@example.org/{NAME}/{NAME}.earlier-1.ipynb": "zoe",
    f"lei@example.org/{NAME}/Aufgabe für Müller.ipynb": "lei",
    f"o'brien@example.org/{NAME}/{NAME}.ipynb": "ruairi",
    f"li.wei@example.org/{NAME}/{NAME}.ipynb": "li",
    f"wei.li@example.org/{NAME}/{NAME}.ipynb": "wei",
}


def moodles(between: str) -> list[Member]:
    """Return the zip of "Download all submissions"; between: what stands between a learner's name and his file's."""
    zoe = unicodedata.normalize("NFD", "Zoë Müller")
    names: list[tuple[str, int, str, int, bytes]] = [
        ("Ada Lovelace", 101, f"{NAME}.ipynb", 9, marked("ada")),
        (zoe, 102, f"{NAME} (1).ipynb", 11, marked("zoe again")),
        (zoe, 102, f"{NAME}.ipynb", 10, marked("zoe")),
        ("李 雷", 103, unicodedata.normalize("NFD", "Aufgabe für Müller.ipynb"), 9, marked("lei")),
        ("Ruairí OBrien-Smith", 104, "homework.zip", 9, zipped((f"mine/{NAME}.ipynb", marked("ruairi")))),
        ("Li Wei", 105, f"{NAME}.ipynb.txt", 9, marked("li")),
        ("Li Wei", 106, f"{NAME}.ipynb", 9, marked("wei")),
        ("Nobody Known", 107, f"{NAME}.ipynb", 9, marked("nobody")),
    ]
    return [
        (at(f"{name}_{number}_assignsubmission_file{between}{file}", hour), d) for name, number, file, hour, d in names
    ]


@pytest.mark.parametrize("between", ["_/", "_"])
def test_moodles_layouts_come_in_by_the_grading_worksheet(top: Path, between: str) -> None:
    (archive(top) / "C1-Activations-77.zip").write_bytes(zipped(*moodles(between)))
    (archive(top) / "Grades.csv").write_bytes(BOM + WORKSHEET.encode())
    status, said = nbgrader(top, "zip_collect", NAME)
    assert status == 0, said
    assert submitted(top) == COLLECTED
    assert told(top) == [
        "not collected: Nobody Known (107) is not in Grades.csv: add the row, or download the list again",
        "zoe@example.org handed in 2 notebooks called 01_activations; the newest counts, 01_activations (1).ipynb, and the "
        "others lie beside it",
    ]
    assert all(line in said for line in told(top))


def test_people_of_one_name_are_told_apart_by_numbers_or_not_collected(top: Path) -> None:
    shelf = archive(top) / "unpacked"
    for name, data in moodles("_/"):
        path = shelf / name.filename
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (archive(top) / "participants.csv").write_text(PARTICIPANTS, encoding="utf-8")
    status, said = nbgrader(top, "zip_collect", NAME)
    assert status == 0, said
    assert set(submitted(top)) == {path for path in COLLECTED if "wei" not in path}
    wei = [line for line in told(top) if "li.wei" in line]
    assert len(wei) == 2
    assert (
        wei[0]
        == "not collected: Li Wei (105) may be li.wei@example.org or wei.li@example.org: put the assignment's own "
        "grading worksheet, which has the numbers, beside the zip"
    )


def test_without_a_class_list_moodles_learners_are_not_guessed(top: Path) -> None:
    (archive(top) / "moodle.zip").write_bytes(zipped(*moodles("_/")[:1]))
    status, said = nbgrader(top, "zip_collect", NAME)
    assert status == 1
    assert "Ada Lovelace (101) can't be told from others of that name: put Moodle's grading worksheet" in said
    assert not submitted(top)


# ---------------------------------------------------------------- Canvas, and what learners put into zips


def link(name: str) -> zipfile.ZipInfo:
    found = at(name, 9)
    found.external_attr = (stat.S_IFLNK | 0o777) << 16
    return found


def test_canvas_s_download_comes_in_and_hostile_files_cost_nobody_else_anything(top: Path) -> None:
    bomb = zipped((f"{NAME}.ipynb", b" " * 100_000_001))
    many = zipped(*((f"{number}.ipynb", b"") for number in range(LEARNERS_FILES + 1)))
    deep = zipped(("a.zip", zipped(("b.zip", zipped(("c.zip", b""))))))
    forged = zipped(
        ("../../../out.ipynb", b"{}"), ("/etc/abs.ipynb", b"{}"), ("C:\\out.ipynb", b"{}"), (link("to.ipynb"), b"/etc/passwd"),
        (f"lovelaceada_11_999_{NAME}.ipynb", marked("somebody else's")), ("ok.ipynb", marked("forger")),
    )  # fmt: skip
    first = [
        (f"lovelaceada_11_501_{NAME}.ipynb", marked("ada, first")),
        (f"müllerzoe_LATE_12_502_{NAME}-2.ipynb", marked("zoe")),
        ("李雷_13_503_report.pdf", b"%PDF"),
        (f"bomber_21_601_{NAME}.zip", bomb),
        ("many_22_602_all.zip", many),
        ("deep_23_603_deep.zip", deep),
        ("forger_24_604_mine.zip", forged),
        (f"cutoff_25_605_{NAME}.zip", zipped((f"{NAME}.ipynb", marked("cut")))[:-30]),
    ]
    again = [*first[:3], (f"lovelaceada_11_701_{NAME}-1.ipynb", marked("ada, again"))]
    (archive(top) / "submissions (1).zip").write_bytes(zipped(*again))
    (archive(top) / "submissions.zip").write_bytes(zipped(*first))
    (archive(top) / "broken.zip").write_bytes(b"PK, but no zip")
    (archive(top) / "notes.txt").write_bytes(b"")
    status, said = nbgrader(top, "zip_collect", NAME)
    assert status == 0, said
    assert submitted(top) == {
        f"11/{NAME}/{NAME}.ipynb": "ada, again",
        f"11/{NAME}/{NAME}.earlier-1.ipynb": "ada, first",
        f"12/{NAME}/{NAME}.ipynb": "zoe",
        f"24/{NAME}/ok.ipynb": "forger",
        f"24/{NAME}/lovelaceada_11_999_{NAME}.ipynb": "somebody else's",
    }
    hostile = "submissions.zip/forger_24_604_mine.zip"
    forged_name = "is left out: its name leads out of the zip, as only a forged one does"
    assert told(top) == [
        "broken.zip can't be read (File is not a zip file): download it again",
        "notes.txt is left out: its name is neither Moodle's nor Canvas's",
        f"submissions.zip/bomber_21_601_{NAME}.zip/{NAME}.ipynb can't be read (larger unpacked than the 100 MB that a file "
        "may have): ask for it again",
        "submissions.zip/many_22_602_all.zip can't be read (more than 2,000 files, which is no homework): ask for it again",
        "submissions.zip/deep_23_603_deep.zip/a.zip/b.zip can't be read (a zip in a zip, 3 deep): ask for it again",
        f"{hostile}/../../../out.ipynb {forged_name}",
        f"{hostile}/etc/abs.ipynb {forged_name}",
        f"{hostile}/C:/out.ipynb {forged_name}",
        f"{hostile}/to.ipynb is left out: it is a link, and links aren't followed",
        f"submissions.zip/cutoff_25_605_{NAME}.zip can't be read (File is not a zip file): ask for it again",
        "李雷 (13): no notebook, and so left in the download: report.pdf",
        f"11 handed in 2 notebooks called {NAME}; the newest counts, {NAME}-1.ipynb, and the others lie beside it",
        f"12: {NAME}-2.ipynb is taken as {NAME}.ipynb",
        "handed in late, says Canvas: müllerzoe",
    ]
    again_status, said = nbgrader(top, "zip_collect", NAME)
    assert again_status == 1 and "use the --force option" in said
    assert len(submitted(top)) == 5


def test_canvas_s_students_can_have_their_logins_as_ids(top: Path) -> None:
    members = [(f"x_{number}_5{number}_{NAME}.ipynb", marked(str(number))) for number in (11, 12, 14)]
    (archive(top) / "submissions.zip").write_bytes(zipped(*members))
    (archive(top) / "canvas.csv").write_text(CANVAS, encoding="utf-8")
    status, said = nbgrader(top, "zip_collect", NAME, "--ClassList.id_column=SIS Login ID")
    assert status == 0, said
    assert submitted(top) == {f"ada/{NAME}/{NAME}.ipynb": "11", f"zoe/{NAME}/{NAME}.ipynb": "12"}
    assert told(top) == ["not collected: x (14) is not in canvas.csv: add the row, or download the list again"]


def test_names_are_read_so_that_none_passes_for_somebody_else_s() -> None:
    cases = {
        ("Ada B_1_assignsubmission_file_Eve_2_assignsubmission_file_x.ipynb",): (
            1,
            "Eve_2_assignsubmission_file_x.ipynb",
        ),
        ("Ada B_1_assignsubmission_file", "Eve_2_assignsubmission_file_", "x.ipynb"): (
            1,
            "Eve_2_assignsubmission_file_",
        ),
        ("ada_late_3_4_eve_5_6_x.ipynb",): (3, "eve_5_6_x.ipynb"),
        ("all.zip", "Gruppe 1-Ada_7_assignsubmission_onlinetext_", "onlinetext.html"): (7, "onlinetext.html"),
    }
    for parts, (number, first) in cases.items():
        found = owner(parts)
        assert found and (found[0].number, found[1][0]) == (number, first)
    assert owner(("all.zip", f"{NAME}.ipynb")) is None


def test_copies_of_a_notebook_are_known_and_other_names_become_harmless() -> None:
    for file in ("{} (1).ipynb", "{}-2.ipynb", "{}-Copy1.ipynb", "{} - Kopie.ipynb", "{} (1)-1.ipynb", "{}.IPYNB"):
        assert notebook(file.format(NAME.title()), NAME)[0] == NAME, file
    assert notebook(f"{NAME} (12)-3.ipynb", NAME)[1] > notebook(f"{NAME} (2).ipynb", NAME)[1]
    for file in (
        f"{NAME}_final.ipynb",
        "..ipynb",
        "-rf.ipynb",
        "a\nb.ipynb",
        "é" * 300 + ".ipynb",
        'x"?.ipynb',
        ".ipynb",
    ):
        name = notebook(file, NAME)[0]
        assert name != NAME and can_be_student(name)


# ---------------------------------------------------------------- grades out


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gradebook: who handed in 01_activations (10 points), and one who did 02_other too."""
    file = tmp_path_factory.mktemp("book") / "gradebook.db"
    with Gradebook(f"sqlite:///{file}") as gradebook:
        for name in (NAME, "02_other"):
            gradebook.add_assignment(name)
            gradebook.add_notebook("n", name)
            gradebook.add_grade_cell("c", "n", name, max_score=10, cell_type="code")
        points = {"11": 7.5, "12": 10, "=1+1@x.org": 3, "99": 0}
        for student, earned in points.items():
            gradebook.add_student(student)
            for name in (NAME, "02_other") if student == "11" else (NAME,):
                with gradebook.db.no_autoflush:
                    submission = gradebook.add_submission(name, student)
                [notebook] = submission.notebooks
                notebook.grades[0].auto_score = earned
                notebook.grades[0].needs_manual_grade = student == "99"
                notebook.late_submission_penalty = 2.25 if student == "12" else None
        gradebook.db.commit()
    return file


@pytest.fixture
def graded(top: Path, book: Path) -> Path:
    """The course with that gradebook."""
    shutil.copy(book, top / "build")
    return top


def cells(file: Path) -> list[list[str]]:
    """Return a CSV file's rows; it has to be in UTF-8 with a byte order mark."""
    data = file.read_bytes()
    assert data.startswith(BOM)
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_moodle_s_file_has_a_row_for_everybody_and_nothing_for_nothing(graded: Path) -> None:
    exporter = "--exporter=tutor.grading.lms.moodle.MoodleExport"
    status, said = nbgrader(graded, "export", exporter, "--to", "out.csv", "--ClassList.id_column=ID number")
    assert status == 0, said
    assert cells(graded / "out.csv") == [
        ["ID number", NAME, "02_other"],
        ["11", "7.5", "7.5"],
        ["12", "7.75", ""],
        ["99", "0", ""],
        ["'=1+1@x.org", "3", ""],
    ]
    assert "Moodle won't know =1+1@x.org" in said and "people have yet to grade cells of 99" in said


CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Pretest (41),01 Activations (42),Final Score
Points Possible,,,,,5,100,(read only)
"Lovelace, Ada",11,s11,ada,Mo,4,,80
"Müller, Zoë",12,s12,zoe,Tu,-1,9,"1,5"
"=cmd(), Eve",13,s13,+eve,Tu,,8,
"Student, Test",77,,t,,,,
"""


def test_canvas_s_own_file_gets_one_column_filled_and_keeps_the_rest(graded: Path) -> None:
    (graded / "canvas.csv").write_bytes(BOM + CANVAS.encode())
    exporter = "--exporter=tutor.grading.lms.canvas.CanvasExport"
    status, said = nbgrader(graded, "export", exporter, "--CanvasExport.gradebook=canvas.csv", "--to", "out.csv")
    assert status == 0, said
    expected = [*csv.reader(io.StringIO(CANVAS))]
    expected[2][6], expected[3][6] = "7.5", "7.75"
    expected[4][0], expected[4][3] = "'=cmd(), Eve", "'+eve"
    assert cells(graded / "out.csv") == expected
    for sentence in (
        f"{NAME}: not in Canvas's file, and left out: 99, =1+1@x.org",
        f"{NAME}: nothing was handed in by =cmd(), Eve, Student, Test; what Canvas has stays",
        f"{NAME} is worth 10 points here and 100 in Canvas: set it there before you import",
        "02_other: Canvas's file has no column called 02_other; left out",
    ):
        assert sentence in said


def test_what_can_t_be_exported_is_said_in_a_sentence(graded: Path) -> None:
    exporter = "--exporter=tutor.grading.lms.canvas.CanvasExport"
    status, said = nbgrader(graded, "export", exporter)
    assert status == 1 and "export its gradebook (Grades → Export)" in said and "Traceback" not in said
    (graded / "latin.csv").write_bytes(CANVAS.encode("latin-1"))
    status, said = nbgrader(graded, "export", exporter, "--CanvasExport.gradebook=latin.csv", "--to", "out.csv")
    assert status == 1 and "latin.csv is not UTF-8: download it again" in said and "Traceback" not in said
    assert not (graded / "out.csv").exists()


def test_cells_that_begin_like_formulas_are_made_harmless_and_numbers_stay() -> None:
    for cell in ("=1", "+x", "-x", "@x", "\tx", "\rx", "\n=1"):
        assert harmless(cell) == f"'{cell}"
    for cell in ("-1.5", "+2", "x=1", "", "'", "-3,5 %".replace(" ", "")):
        assert harmless(cell) == cell


def test_a_sheet_with_semicolons_and_short_rows_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('ID;Name\n1;"a,b"\n\n2\n', encoding="utf-8")
    sheet = read_sheet(tmp_path / "a.csv")
    assert (sheet.delimiter, sheet.rows, sheet.column(" id ")) == (";", [["1", "a,b"], ["2", ""]], 0)


# ---------------------------------------------------------------- all the way


def documented(heading: str) -> list[list[str]]:
    """Return the commands under a heading of docs/lms.md, in words."""
    part = (CHECKOUT / "docs" / "lms.md").read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    return [
        shlex.split(line, comments=True)
        for block in re.findall(r"```sh\n(.*?)```", part, re.DOTALL)
        for line in block.splitlines()
    ]


def run(top: Path, words: list[str], nbgrader: Callable[..., object]) -> None:
    """Run a documented command, with a stand-in for the sandboxed work; downloads lie in the course's folder."""
    if words[0] == "nbgrader":
        nbgrader(top, *words[1:])
    elif words[0] == "tutor":
        assert command.grade(cli.arguments_of([*words[1:], "--course", str(top), "--workers", "1"]), standin.grade) == 0
    else:
        subprocess.run([word.replace("~/Downloads", ".") for word in words], cwd=top, check=True)


def test_from_canvas_s_zip_to_canvas_s_gradebook_by_the_documented_commands(top: Path) -> None:
    answered = top / "answered.ipynb"
    fill_in(top / "notebooks" / NAME / f"{NAME}.ipynb", in_style(NAME, "vectorised"), answered)
    members = [
        (f"{name}_{number}_5{number}_{NAME}-1.ipynb", answered.read_bytes()) for name, number in (("a", 11), ("ü", 12))
    ]
    archive(top).rmdir()
    (top / "submissions.zip").write_bytes(zipped(*members))
    (top / "build" / "from-canvas.csv").write_text(CANVAS, encoding="utf-8")
    for words in [*documented("In from Canvas"), *documented("Grades into Canvas")]:
        run(top, words, program)
    assert [row[6] for row in cells(top / "build" / "canvas.csv")[1:]] == ["100", "57", "57", "8", ""]


def test_from_moodle_s_zip_to_moodle_s_gradebook_by_the_documented_commands(top: Path) -> None:
    archive(top).rmdir()
    (top / "Course-Activations-77.zip").write_bytes(zipped(*moodles("_/")))
    (top / "Grades-Course-Activations-77.csv").write_text(WORKSHEET, encoding="utf-8")
    *collecting, grading = documented("In from Moodle")
    [exporting] = documented("Grades into Moodle")
    released = (top / "notebooks" / NAME / f"{NAME}.ipynb").read_bytes()
    for words in collecting:
        run(top, words, nbgrader)
    for file in (top / "build" / "submitted").rglob("*.ipynb"):
        file.write_bytes(released)
    run(top, grading, nbgrader)
    status, said = nbgrader(top, *exporting[1:], "--assignment", NAME)
    assert status == 0, said
    everybody = sorted({path.split("/")[0] for path in COLLECTED})
    assert cells(top / "build" / "moodle.csv") == [["Email address", NAME], *([student, "57"] for student in everybody)]


def test_another_name_in_canvas_can_be_said(graded: Path) -> None:
    (graded / "canvas.csv").write_text(CANVAS, encoding="utf-8")
    exporter = [
        "--exporter=tutor.grading.lms.canvas.CanvasExport",
        "--CanvasExport.gradebook=canvas.csv",
        "--to=out.csv",
    ]
    status, said = nbgrader(graded, "export", *exporter, "--CanvasExport.columns=02_other=pretest")
    assert status == 0, said
    assert [row[5] for row in cells(graded / "out.csv")] == ["Pretest (41)", "5", "7.5", "-1", "", ""]
