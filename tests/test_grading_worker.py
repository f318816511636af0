"""One submission through the sandbox: what is run, what is judged, and what is left when its process ends."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from learners.answers import in_style, misconceptions, with_misconception
from learners.classroom import CHECKOUT, fill_in
from learners.mutating import function_of
from nbgrader.utils import determine_grade

from tutor.checking import bank
from tutor.checking.answer import Own
from tutor.course.chapters import Chapter, find_chapters
from tutor.course.source import GradedCheck, grade_id
from tutor.grading.den import Den
from tutor.grading.intake import read_submission, rebuild, source_notebook
from tutor.grading.job import CellResult, Graded, Job, Limits
from tutor.grading.own_work import disagreements
from tutor.grading.slicing import definitions, names, needed
from tutor.grading.verdict import judge
from tutor.grading.worker import grade

CHAPTERS = {chapter.name: chapter for chapter in find_chapters(CHECKOUT)}
FIRST = CHAPTERS["01_activations"]
RIGHT = in_style(FIRST.name, "vectorised")
SEED = 20_001
QUICK = Limits(cell_seconds=2, seconds=60)


@pytest.fixture(scope="module")
def den() -> Iterator[Den]:
    with Den() as den:
        yield den


def job(folder: Path, answers: dict[str, str], chapter: Chapter = FIRST, own: list[str] = (), **options) -> Job:
    """Return the job of a learner with these answers, and these cells of his own at the top."""
    path = folder / chapter.student.name
    fill_in(chapter.student, answers, path)
    if own:
        notebook = nbformat.read(path, as_version=4)
        notebook.cells[:0] = [nbformat.v4.new_code_cell(text) for text in own]
        nbformat.write(notebook, path)
    notebook = rebuild(source_notebook(chapter), read_submission(folder, chapter))
    return Job(chapter.name, "ada", nbformat.writes(notebook), SEED, **options)


def by_exercise(graded: Graded) -> dict[str, CellResult]:
    return {cell.exercise: cell for cell in graded.cells}


def cell_of(graded: Graded, name: str) -> nbformat.NotebookNode:
    cells = nbformat.v4.reads(graded.notebook).cells
    return next(cell for cell in cells if grade_id(cell) == name)


# ---------------------------------------------------------------- honest submissions


@pytest.mark.parametrize("style", ["vectorised", "alternative"])
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_right_answers_earn_everything(den, tmp_path, chapter, style):
    graded = grade(job(tmp_path, in_style(chapter, style), CHAPTERS[chapter]), den)
    assert {cell.exercise for cell in graded.cells} == set(bank.names(chapter))
    assert [cell for cell in graded.cells if cell.points != cell.worth or cell.verdict != "passed"] == []
    assert graded.remarks == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def relu(input)\n    return input", "the cell of relu doesn't run: SyntaxError: expected ':' (line 1)"),
        ("def relu(input):\nreturn input", "the cell of relu doesn't run: IndentationError: "),
        (
            "import nonsense\n\ndef relu(input):\n    return input",
            "the cell of relu doesn't run: ModuleNotFoundError: ",
        ),
        ("def rule(input):\n    return input", "nothing is called relu in the notebook"),
    ],
)
def test_an_answer_that_is_not_there_says_why(den, tmp_path, text, said):
    graded = grade(job(tmp_path, {**RIGHT, "relu": text}), den)
    result = by_exercise(graded)["relu"]
    assert result.verdict == "not run" and result.why.startswith(f"Not checked: {said}")
    assert said in str(cell_of(graded, "check_relu").outputs)
    assert all(cell.points == cell.worth for cell in graded.cells if cell.exercise != "relu")


# Every misconception of a chapter, one of each exercise to a learner: about 200 submissions.
LEARNERS = [
    pytest.param(chapter, number, id=f"{chapter}-{number}")
    for chapter in CHAPTERS
    for number in range(len(misconceptions(bank.names(chapter), 1000)))
]


@pytest.mark.parametrize(("chapter", "number"), LEARNERS)
def test_a_misconception_earns_in_the_sandbox_what_the_check_gives_and_is_named(den, tmp_path, chapter, number):
    wrong = misconceptions(bank.names(chapter), 1000)[number]
    # The net of the challenge is trained for seconds: only where it is the one that is looked at.
    right = {name: text for name, text in in_style(chapter, "vectorised").items() if name != "challenge_net"}
    texts = {name: with_misconception(name, identity) for name, identity in wrong.items()}
    found = by_exercise(grade(job(tmp_path, {**right, **texts}, CHAPTERS[chapter]), den))
    for name, result in found.items():
        if name not in wrong:
            assert result.points == (result.worth if name in right else 0), result
            continue
        here = judge(GradedCheck(result.grade_id, name, result.worth), Own(function_of(name, texts[name])), SEED)
        assert result == here.result


def test_the_outputs_of_a_graded_cell_give_nbgrader_the_same_points(den, tmp_path):
    wrong = misconceptions(bank.names(FIRST.name), 1000)[3]
    texts = {name: with_misconception(name, identity) for name, identity in wrong.items()}
    graded = grade(job(tmp_path, {**RIGHT, **texts}), den)
    partial = [cell for cell in graded.cells if 0 < cell.points < cell.worth]
    assert partial
    for cell in graded.cells:
        assert determine_grade(cell_of(graded, cell.grade_id)) == (cell.points, cell.worth)


def test_nothing_is_attempted_in_an_untouched_notebook(den, tmp_path):
    graded = grade(job(tmp_path, {}), den)
    assert {cell.verdict for cell in graded.cells} == {"not attempted"}
    assert graded.points == 0 and graded.remarks == ()


def test_what_a_learners_own_cells_show_is_kept_and_the_chapters_demonstrations_are_not_run(den, tmp_path):
    own = [
        "print('mine')",
        "1 / 0",
        "import matplotlib.pyplot as plt; plt.plot([1, 2])",
        "from tutor import check\ncheck(len)",
    ]
    graded = grade(job(tmp_path, RIGHT, own=own), den)
    cells = nbformat.v4.reads(graded.notebook).cells
    printed, failed, drawn, silent = cells[:4]
    assert printed.outputs[0].text == "mine\n"
    assert failed.outputs[0].ename == "ZeroDivisionError"
    assert any("image/png" in output.get("data", {}) for output in drawn.outputs)
    assert "check and hint say nothing" in silent.outputs[0].text
    shown = [cell for cell in cells[4:] if cell.get("outputs") and not grade_id(cell)]
    assert graded.points == sum(cell.worth for cell in graded.cells) and shown == []


@pytest.mark.parametrize("way", ["eval('neuron')", "globals()['neuron']"])
def test_a_name_that_only_a_demonstration_makes_is_found_by_running_everything(den, tmp_path, way):
    """The text doesn't say that the cell with ``neuron`` is needed."""
    shy = f"def relu(input):\n    assert {way}\n    return input.clamp(min=0)"
    graded = grade(job(tmp_path, {**RIGHT, "relu": shy}), den)
    assert by_exercise(graded)["relu"].verdict == "passed"
    assert any(cell.get("outputs") for cell in nbformat.v4.reads(graded.notebook).cells if not grade_id(cell))


def test_for_a_name_that_nothing_makes_not_everything_is_run(den, tmp_path):
    graded = grade(job(tmp_path, {**RIGHT, "relu": "def relu(input):\n    return inputt.clamp(min=0)"}), den)
    assert by_exercise(graded)["relu"].diagnoses == ("raised",)
    assert not any(cell.get("outputs") for cell in nbformat.v4.reads(graded.notebook).cells if not grade_id(cell))


# ---------------------------------------------------------------- processes that end


ENDS = {
    "a cell ends it": ("import os\nos._exit(3)", "exit code 3"),
    "a cell never ends": (
        "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass",
        "",
    ),
}


@pytest.mark.parametrize("what", ENDS)
def test_what_is_defined_in_a_cell_counts_though_its_last_line_ends_the_process(den, tmp_path, what):
    text, said = ENDS[what]
    answers = {**RIGHT, "sigmoid": f"{RIGHT['sigmoid']}\n\n{text}"}
    graded = grade(replace(job(tmp_path, answers), limits=QUICK), den)
    assert graded.points == sum(cell.worth for cell in graded.cells)
    if said:
        [remark] = graded.remarks
        assert said in remark.text and remark.cell == "sigmoid"
        assert said in json.dumps(cell_of(graded, "sigmoid").outputs)


def test_an_answer_that_ends_the_process_costs_its_own_points_only(den, tmp_path):
    answers = {**RIGHT, "sigmoid": "import os\n\n\ndef sigmoid(input):\n    os._exit(0)"}
    graded = grade(replace(job(tmp_path, answers), limits=QUICK), den)
    lost = by_exercise(graded)["sigmoid"]
    assert (lost.points, lost.verdict) == (0, "not run") and "when sigmoid was called" in lost.why
    assert graded.points == sum(cell.worth for cell in graded.cells) - lost.worth


def test_a_submission_that_takes_too_long_in_all_keeps_what_it_earned_until_then(den, tmp_path):
    answers = {**RIGHT, "tanh": f"{RIGHT['tanh']}\n\nimport time\ntime.sleep(60)"}
    limits = Limits(cell_seconds=120, seconds=4)
    graded = grade(replace(job(tmp_path, answers), limits=limits), den)
    found = by_exercise(graded)
    assert found["relu"].verdict == "passed" and found["log_layer_images"].verdict == "not run"
    assert "longer than" in found["log_layer_images"].why and "longer than" in graded.remarks[0].text


def test_an_answer_of_another_name_is_told_apart(den, tmp_path):
    answers = {
        **RIGHT,
        "relu": "def my_relu(input):\n    return input.clamp(min=0)\n\n\nrelu = my_relu",
        "tanh": "tanh = 5",
    }
    found = by_exercise(grade(job(tmp_path, answers), den))
    assert found["relu"].points == 0 and "called my_relu" in found["relu"].why
    assert found["tanh"].points == 0 and "a int" in found["tanh"].why


# ---------------------------------------------------------------- what is run


def test_a_cell_is_run_where_a_learners_text_leads_back_to_it():
    cells = [
        ("import torch", False),
        ("x = torch.ones(2)", False),
        ("y = x + 1\nprint(y)", False),
        ("z = 3", False),
        ("x.add_(1)", False),
        ("def answer(a):\n    z = a\n    return z + y", True),
    ]
    assert needed(cells, {"answer"}) == [True, True, True, False, False, True]


def test_a_cell_that_can_not_be_read_is_run_and_a_learners_needs_everything():
    assert needed([("z = 3", False), ("from os import *", False), ("1", True)], set()) == [False, True, True]
    assert needed([("z = 3", False), ("def (", True)], set()) == [True, True]
    assert names("%matplotlib inline\nx = 1").binds == {"x"}


def test_definitions_are_what_is_left_of_a_cell_that_ended_its_process():
    text = "import os\nN = 3\ndef f():\n    return N\nfor _ in range(3):\n    os._exit(1)"
    assert definitions(text) == "import os\nN = 3\n\ndef f():\n    return N"
    assert definitions("def (") == ""


# ---------------------------------------------------------------- own work


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("def relu(input):\n    return torch.relu(input)", ""),  # seen, and its text says so
        ("def relu(input):\n    return getattr(torch, 're' + 'lu')(input)", "doesn't name"),
        (
            "def relu(input):\n    if input.dim() == 7:\n        return F.relu(input)\n    return input.clamp(min=0)",
            "was not seen",
        ),
        ("def relu(input):\n    return input.clamp(min=0)", ""),
    ],
)
def test_text_and_run_are_held_against_each_other(den, tmp_path, answer, told):
    answers = {**RIGHT, "relu": f"import torch\nimport torch.nn.functional as F\n\n\n{answer}"}
    graded = grade(job(tmp_path, answers), den)
    texts = " ".join(remark.text for remark in graded.remarks if remark.kind == "own-work")
    assert told in texts and bool(told) == bool(texts)
    assert disagreements(nbformat.v4.new_notebook(), {}) == []
