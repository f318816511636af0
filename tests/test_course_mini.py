"""A course of one small chapter in, compared files out; and every way in which a chapter can be refused."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tutor.course.build import build
from tutor.course.chapters import CourseError, find_chapters, find_top
from tutor.course.rules import problems
from tutor.course.source import graded_checks, read_source

HERE = Path(__file__).parent
CHECKOUT = HERE.parent
NAME = "01_mini"


@pytest.fixture
def mini(tmp_path):
    """A copy of the mini-course, not built."""
    top = tmp_path / "course"
    shutil.copytree(HERE / "mini_course" / "solutions", top / "solutions")
    shutil.copy(CHECKOUT / "nbgrader_config.py", top)
    return top


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A copy of the mini-course, built once; tests only read it."""
    top = tmp_path_factory.mktemp("built") / "course"
    shutil.copytree(HERE / "mini_course" / "solutions", top / "solutions")
    shutil.copy(CHECKOUT / "nbgrader_config.py", top)
    said: list[str] = []
    build(top, say=said.append)
    return top, said


def source_of(top: Path) -> Path:
    return top / "solutions" / NAME / f"{NAME}.py"


def files_of(top: Path) -> dict[str, bytes]:
    return {
        path.relative_to(top).as_posix(): path.read_bytes()
        for folder in ("solutions", "notebooks")
        for path in sorted((top / folder).rglob("*"))
        if path.is_file()
    }


def edit(top: Path, old: str, new: str) -> None:
    text = source_of(top).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
    source_of(top).write_text(text.replace(old, new), encoding="utf-8")


def add_cell(top: Path, code: str, header: str = "") -> None:
    with source_of(top).open("a", encoding="utf-8") as file:
        file.write(f"\n# %% {header}".rstrip() + f"\n{code}\n")


def quiet(line: str) -> None:
    """Take progress lines that a test does not look at."""


# ---------------------------------------------------------------- what a build makes


def without_kernel_versions(text: bytes | str) -> dict:
    notebook = json.loads(text)
    del notebook["metadata"]["language_info"]  # ipykernel's own words
    return notebook


@pytest.mark.parametrize(("made", "expected"), [("solutions", "solution"), ("notebooks", "student")])
def test_the_notebooks_are_as_expected(built, made, expected):
    top, _ = built
    golden = HERE / "mini_course" / "expected" / f"{expected}.json"
    notebook = (top / made / NAME / f"{NAME}.ipynb").read_bytes()
    assert without_kernel_versions(notebook) == without_kernel_versions(golden.read_bytes())


def test_the_notebooks_are_valid_and_name_no_version(built):
    top, _ = built
    for folder in ("solutions", "notebooks"):
        notebook = nbformat.read(top / folder / NAME / f"{NAME}.ipynb", as_version=4)
        nbformat.validate(notebook)
        assert set(notebook.metadata) == {"kernelspec", "language_info"}
        assert "version" not in notebook.metadata.language_info


def test_learners_get_the_notebook_and_its_pictures_only(built):
    top, _ = built
    released = sorted(path.name for path in (top / "notebooks").rglob("*") if path.is_file())
    assert released == [f"{NAME}.ipynb", "corner.svg"]


def test_a_build_says_what_it_does(built):
    _, said = built
    assert said == [
        "01_mini: reading solutions/01_mini/01_mini.py",
        "01_mini: running 14 cells, 2 of them graded, 5 points",
        "01_mini: making the learners' notebook",
        "01_mini: solutions/01_mini/01_mini.ipynb written",
        "01_mini: notebooks/01_mini/01_mini.ipynb written",
        "01_mini: notebooks/01_mini/corner.svg written",
    ]


def test_a_second_build_changes_nothing_and_keeps_what_is_not_its_own(built, tmp_path):
    first, _ = built
    top = shutil.copytree(first, tmp_path / "course")
    (top / "notebooks" / NAME / "my own notes.md").write_text("kept")
    before = files_of(top)
    assert build(top, say=quiet) == []
    assert files_of(top) == before


def test_check_writes_nothing_and_names_what_would_change(built, tmp_path):
    first, _ = built
    top = shutil.copytree(first, tmp_path / "course")
    student = top / "notebooks" / NAME / f"{NAME}.ipynb"
    student.write_text(student.read_text().replace("twice x", "two times x"))
    edit(top, 'print("one")', 'print("eins")')
    before = files_of(top)
    assert build(top, check=True, say=quiet) == [
        f"solutions/{NAME}/{NAME}.ipynb",
        f"notebooks/{NAME}/{NAME}.ipynb",
    ]
    assert files_of(top) == before


def test_graded_checks_are_read_from_the_source(mini):
    [chapter] = find_chapters(mini)
    found = [(cell.grade_id, cell.exercise, cell.points) for cell in graded_checks(read_source(chapter))]
    assert found == [("check_relu", "relu", 2), ("check_double", "double", 3)]


# ---------------------------------------------------------------- what stops a build


def refusal(top: Path, **options) -> str:
    """Build, expect to be refused, and make sure that nothing was written."""
    before = files_of(top)
    with pytest.raises(CourseError) as caught:
        build(top, say=quiet, **options)
    assert files_of(top) == before
    return str(caught.value)


RUNNING = {
    "fails": ("1 + undefined", "", ["cell 15 (1 + undefined) fails: NameError: name 'undefined'"]),
    "stderr": ("sys.stderr.write('oh')", "", ["cell 15", "writes to stderr", "'oh'"]),
    "vectors": (
        "from IPython.display import SVG\nSVG('<svg xmlns=\"http://www.w3.org/2000/svg\"/>')",
        "",
        ["cell 15", "SVG picture"],
    ),
    "live": ("HTML('<iframe src=\"//x\"></iframe>')", "", ["cell 15", "live page", "nbval-ignore-output"]),
    "port": ("print('see http://localhost:6006')", "", ["cell 15", "live page"]),
    "inline": (
        "HTML('<img src=\"data:image/png;base64,AAAA\">')",
        "",
        ["cell 15", "picture inside text/html"],
    ),
    "address": ("object()", "", ["cell 15", "shows a memory address ('<object at 0x"]),
    "path": ("import os; print(os.getcwd())", "", ["cell 15", "prints a path of this machine"]),
    "dies": ("import os; os._exit(1)", "", ["cell 15", "ended its kernel"]),
}


@pytest.mark.parametrize(("code", "header", "words"), RUNNING.values(), ids=RUNNING)
def test_a_run_that_will_not_last_is_refused(built, tmp_path, code, header, words):
    first, _ = built
    top = shutil.copytree(first, tmp_path / "course")
    add_cell(top, code, header)
    message = refusal(top)
    assert message.startswith("solutions/01_mini/01_mini.py, cell 15")
    assert all(word in message for word in words), message


def test_a_cell_that_takes_too_long_is_named(mini):
    from tutor.course.execution import execute

    add_cell(mini, "import time\ntime.sleep(60)")
    [chapter] = find_chapters(mini)
    with pytest.raises(CourseError, match=r"cell 15 \(import time\) ran longer than 2 s"):
        execute(read_source(chapter), chapter, cell_seconds=2)


def test_a_solution_that_misses_points_is_refused(mini):
    edit(mini, "    return max(x, 0)", "    return max(x, 0) if x != -5 else 7")
    assert "cell 11 (check_relu) gives the solution only 1.5 of 2 points" in refusal_of_new(mini)


def refusal_of_new(top: Path) -> str:
    """As ``refusal``, for a course that was never built."""
    (top / "notebooks").mkdir(exist_ok=True)
    return refusal(top)


def test_the_mini_chapter_itself_breaks_no_rule(mini):
    [chapter] = find_chapters(mini)
    assert problems(read_source(chapter), {"relu", "double"}) == []


GRADED = '# %% nbgrader={"grade": true, "grade_id": "check_relu", "locked": true, "points": 2, '
ANSWER = '# %% nbgrader={"grade": false, "grade_id": "relu", "locked": false, '
HIDDEN = "### BEGIN HIDDEN TESTS\ncheck(relu, points=2, hidden=True)\n### END HIDDEN TESTS"
RULES = {
    "two cells, one id": (
        '"grade_id": "check_double"',
        '"grade_id": "check_relu"',
        "2 cells share the grade id 'check_relu'",
    ),
    "id of a cell without one": (
        '"grade_id": "double"',
        '"grade_id": "cell-001"',
        "share the grade id 'cell-001'",
    ),
    "no points": ('"points": 2, ', "", 'cell 11 (check_relu) is graded but has no "points"'),
    "other points": ('"points": 2, ', '"points": 4, ', "check(relu) names points=2, its metadata 4"),
    "no points in the call": ("check(relu, points=2)", "check(relu)", "check(relu) names no points"),
    "worth nothing": ('"points": 3, ', '"points": 0, ', "worth no points"),
    "no hidden tests": (HIDDEN, "", "(check_relu) has no lines '### BEGIN HIDDEN TESTS'"),
    "not hidden": (
        "check(relu, points=2, hidden=True)",
        "check(relu, points=2)",
        "does not end in its two checks",
    ),
    "another one hidden": (
        "check(relu, points=2, hidden=True)",
        "check(double, points=2, hidden=True)",
        "checks relu in the open and double",
    ),
    "points hidden by a semicolon": (
        "check(relu, points=2, hidden=True)",
        "check(relu, points=2, hidden=True);",
        "';' hides",
    ),
    "more after the check": (
        "check(relu, points=2, hidden=True)",
        "check(relu, points=2, hidden=True)\nprint()",
        "does not end in its two checks",
    ),
    "no solution marks": (
        "    ### BEGIN SOLUTION\n    return max(x, 0)\n    ### END SOLUTION",
        "    return max(x, 0)",
        "(relu) has no lines '### BEGIN SOLUTION'",
    ),
    "no end": ("    return max(x, 0)\n    ### END SOLUTION", "    return max(x, 0)", "do not come in pairs"),
    "mark misspelt": (
        "### BEGIN HIDDEN TESTS\ncheck(relu",
        "# BEGIN HIDDEN TESTS\ncheck(relu",
        "do not come in pairs, written exactly so",
    ),
    "solution without metadata": (
        ANSWER + '"schema_version": 3, "solution": true, "task": false}',
        "# %%",
        "contains '### BEGIN SOLUTION' but its nbgrader metadata does not say \"solution\": true",
    ),
    "check without metadata": (
        GRADED + '"schema_version": 3, "solution": false, "task": false}',
        "# %%",
        'calls check(relu, points=...) but its nbgrader metadata does not say "grade": true',
    ),
    "metadata of another version": (
        GRADED + '"schema_version": 3',
        GRADED + '"schema_version": 2',
        '"schema_version": 3, not 2',
    ),
    "metadata with a misspelt key": (
        GRADED + '"schema_version": 3',
        GRADED + '"scheme": 1, "schema_version": 3',
        "nbgrader refuses its metadata",
    ),
    "editable check": (
        GRADED,
        GRADED.replace('"locked": true', '"locked": false'),
        'does not say "locked": true',
    ),
    "check named otherwise": (
        '"grade_id": "check_relu"',
        '"grade_id": "relu_check"',
        "its grade id must be 'check_relu'",
    ),
    "answer named otherwise": ('"grade_id": "relu"', '"grade_id": "answer"', "defines no function 'answer'"),
    "answer given away": (
        "import sys\n",
        "import sys\n\ndef relu(x): return max(x, 0)\n",
        "defines relu outside the solution cell",
    ),
    "no answer above": (
        "def double(x):",
        "def twice(x):",
        "checks double, but no solution cell above it defines that",
    ),
    "two answers": (
        "def double(x):",
        "def relu(x): ...\n\n\ndef double(x):",
        "2 solution cells define relu; a check belongs to exactly one",
    ),
    "not Python": ("def double(x):", "def double(x:", "(double) is not plain Python"),
    "prose solution without metadata": (
        "# ## Exercises",
        "# ## Exercises\n# ### BEGIN SOLUTION",
        "(## Exercises) contains BEGIN SOLUTION but has no nbgrader metadata",
    ),
}


@pytest.mark.parametrize(("old", "new", "words"), RULES.values(), ids=RULES)
def test_a_chapter_that_breaks_a_rule_is_refused(mini, old, new, words):
    edit(mini, old, new)
    message = refusal_of_new(mini)
    assert words in message
    assert message.startswith("solutions/01_mini/01_mini.py, ")


def test_an_exercise_that_the_bank_does_not_know_is_refused(mini):
    (mini / "notebooks").mkdir()
    message = refusal(mini, exercises={"relu"})
    assert message.endswith("cell 13 (check_double) checks double, which the bank does not know (tutor/checking/bank)")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "    ### BEGIN SOLUTION\n    return max(x, 0)",
            "### BEGIN SOLUTION\n    return max(x, 0)",
            "raises outside its function once its solution is taken out",
        ),
        (
            "    ### BEGIN SOLUTION\n    return max(x, 0)",
            "        ### BEGIN SOLUTION\n    return max(x, 0)",
            "is not Python once its solution is taken out",
        ),
    ],
)
def test_a_stub_that_fails_before_it_is_called_is_refused(mini, old, new, words):
    edit(mini, old, new)
    assert words in refusal_of_new(mini)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("c.ClearHiddenTests.enabled = False", "cell 11 (check_relu) still contains 'HIDDEN TESTS'"),
        ("c.ClearSolutions.enabled = False", "cell 10 (relu) still contains 'BEGIN SOLUTION'"),
        ("c.ClearOutput.enabled = False", 'cell 4 (print("one")) still has outputs'),
        ("c.CourseDirectory.ignore = []", "solutions/01_mini/01_mini.py would be released"),
    ],
)
def test_settings_that_would_release_a_secret_are_refused(mini, setting, words):
    with (mini / "nbgrader_config.py").open("a") as file:
        file.write(setting + "\n")
    assert words in refusal_of_new(mini)


def test_a_second_notebook_beside_the_solution_is_refused(mini):
    (mini / "solutions" / NAME / "copy.ipynb").write_text("{}")
    assert "second notebook, copy.ipynb, which nbgrader would release" in refusal_of_new(mini)


# ---------------------------------------------------------------- where chapters are


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("01_mini", "mini", "solutions/mini is not named NN_topic"),
        ("01_mini", "01_Mini", "solutions/01_Mini is not named NN_topic"),
        ("01_mini", "02_mini", "solutions/02_mini has no 02_mini.py; it holds 01_mini.py"),
    ],
)
def test_folder_and_file_share_one_name(mini, old, new, words):
    (mini / "solutions" / old).rename(mini / "solutions" / new)
    with pytest.raises(CourseError, match=words):
        find_chapters(mini)


def test_an_unknown_chapter_gets_a_near_name(mini):
    with pytest.raises(CourseError, match=r"there is no chapter '1_mini' in .*; did you mean 01_mini"):
        find_chapters(mini, ["1_mini"])


def test_a_file_without_cells_or_in_another_encoding_is_named(mini):
    source_of(mini).write_text("print(1)\n")
    with pytest.raises(CourseError, match=r"01_mini\.py has no cells"):
        read_source(find_chapters(mini)[0])
    source_of(mini).write_bytes(b"# %%\n'\xff'\n")
    with pytest.raises(CourseError, match=r"01_mini\.py cannot be read as py:percent: .*utf-8"):
        read_source(find_chapters(mini)[0])


def test_the_course_is_found_from_inside_it_only(mini, tmp_path):
    assert find_top(mini / "solutions" / NAME) == mini.resolve()
    with pytest.raises(CourseError, match="is not inside a course"):
        find_top(tmp_path)


# ---------------------------------------------------------------- the command


def tutor(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "tutor", *arguments], cwd=cwd, capture_output=True, text=True)


def test_help_has_an_example():
    shown = tutor("build", "--help", cwd=CHECKOUT)
    assert shown.returncode == 0
    assert "example: tutor build 01_activations" in shown.stdout


def test_errors_are_one_line_and_status_1(mini, tmp_path):
    outside = tutor("build", cwd=tmp_path)
    assert outside.returncode == 1
    assert outside.stderr.startswith("tutor build: ")
    assert outside.stderr.count("\n") == 1
    unknown = tutor("build", "nothing", cwd=mini / "solutions")
    assert (unknown.returncode, unknown.stderr.count("\n")) == (1, 1)
    # The mini-course grades `double`, which the real bank does not have: the command asks the bank.
    refused = tutor("build", "--course", str(mini), cwd=tmp_path)
    assert refused.returncode == 1
    assert "checks double, which the bank does not know" in refused.stderr
