"""What hostile and odd notebooks come to: the answers, the notebook that would run, and what the instructor is told."""

import json

import nbformat
import pytest
from learners.submitting import CHAPTER, NAME, RIGHT, cell, own, place, right, said, taken, write

from tutor.grading.form import read_form
from tutor.grading.intake import IntakeError, read_submission, rebuild, source_notebook

SOURCE = source_notebook(CHAPTER)
IDS = [cell.id for cell in SOURCE.cells]
TEXTS = {cell.id: cell.source for cell in SOURCE.cells}
STUB = TEXTS["relu"]


@pytest.fixture
def content(tmp_path):
    return right(tmp_path)


def hand_in(folder, content):
    write(folder, content)
    return taken(folder)


def assert_as_released_but_for_answers(submission):
    """Hold that whatever the file says, the cells, their types and metadata and the kernel are the chapter's."""
    notebook = rebuild(source_notebook(CHAPTER), submission)
    nbformat.validate(notebook)
    assert notebook.metadata == SOURCE.metadata
    chapters = [each for each in notebook.cells if each.id in TEXTS]
    assert [each.id for each in chapters] == IDS
    for each, source in zip(chapters, SOURCE.cells, strict=True):
        assert (each.cell_type, each.metadata) == (source.cell_type, source.metadata)
        assert not each.get("outputs")
        if not source.metadata.get("nbgrader", {}).get("solution"):
            assert each.source == source.source
    for each in notebook.cells:
        if each.id not in TEXTS:
            assert (each.metadata, each.get("outputs", [])) == ({}, [])


# ---------------------------------------------------------------- nothing odd


def test_a_right_submission_is_taken_word_for_word(tmp_path, content):
    submission, texts = hand_in(tmp_path, content)
    assert submission.remarks == () and submission.extras == ()
    assert submission.answers == {**RIGHT, "explain_vanishing": "Factors below one."}
    assert texts == {**TEXTS, **submission.answers}
    assert (submission.chapter, submission.notebook, submission.handed_in) == (CHAPTER.name, NAME, None)


def test_an_untouched_submission_is_the_source_itself(tmp_path):
    (tmp_path / NAME).write_bytes(CHAPTER.student.read_bytes())
    submission = read_submission(tmp_path, CHAPTER)
    assert submission.remarks == ()
    assert rebuild(SOURCE, submission) == SOURCE


def test_the_source_has_hidden_tests_and_no_solution():
    assert "hidden=True" in TEXTS["check_relu"]
    assert "NotImplementedError" in STUB
    assert not [name for name, text in TEXTS.items() if "BEGIN SOLUTION" in text]


def test_a_notebook_with_solutions_is_refused_as_the_source(tmp_path, content):
    solution = nbformat.read(CHAPTER.solution, as_version=4)
    with pytest.raises(ValueError, match=r"\(relu\) has its solution in it"):
        rebuild(solution, read_submission(tmp_path, CHAPTER))


# ---------------------------------------------------------------- points without an answer


def test_tags_have_no_effect_and_are_told(tmp_path, content):
    for each in content["cells"]:
        each["metadata"]["tags"] = ["skip-execution"]
    submission, _ = hand_in(tmp_path, content)
    assert_as_released_but_for_answers(submission)
    assert "check_relu: the tags skip-execution were added to it; they have no effect" in said(submission, "tags")


def test_a_changed_test_is_the_chapters_again(tmp_path, content):
    cell(content, "check_relu")["source"] = "4.0"
    submission, texts = hand_in(tmp_path, content)
    assert texts == {**TEXTS, **submission.answers}
    assert said(submission, "changed-test") == ["the test cell check_relu was changed; the chapter's own is run"]


def test_a_deleted_test_is_put_back(tmp_path, content):
    content["cells"].remove(cell(content, "check_relu"))
    submission, texts = hand_in(tmp_path, content)
    assert list(texts.items()) == list({**TEXTS, **submission.answers}.items())
    assert said(submission, "deleted-test") == [
        "the test cell check_relu was deleted; the chapter's own is run in its place"
    ]


def test_all_tests_deleted(tmp_path, content):
    content["cells"] = [each for each in content["cells"] if not each["metadata"].get("nbgrader", {}).get("locked")]
    submission, texts = hand_in(tmp_path, content)
    assert list(texts) == IDS
    assert len(said(submission, "deleted-test")) == len([name for name in IDS if name.startswith("check_")])


def test_outputs_and_kernel_have_no_say(tmp_path, content):
    result = {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": {"text/plain": "4.0"}}
    for each in content["cells"]:
        if each["cell_type"] == "code":
            each["outputs"] = [result]
    content["metadata"] = {"kernelspec": {"name": "mine", "display_name": "Mine"}, "widgets": {"a": 1}}
    submission, _ = hand_in(tmp_path, content)
    assert submission.remarks == ()
    assert_as_released_but_for_answers(submission)


def test_an_answer_that_is_left_out_is_the_empty_form_and_never_the_solution(tmp_path, content):
    content["cells"].remove(cell(content, "relu"))
    submission, texts = hand_in(tmp_path, content)
    assert texts["relu"] == STUB
    assert said(submission, "deleted-answer") == ["the answer cell relu was deleted; it counts as not attempted"]


# ---------------------------------------------------------------- the whole class stops, or the submission is lost


def test_of_a_repeated_answer_the_last_that_was_worked_on_counts(tmp_path, content):
    at = place(content, "relu")
    first = {**cell(content, "relu"), "source": "first = 1"}
    untouched = {**cell(content, "relu"), "source": STUB}
    content["cells"][at : at + 1] = [first, cell(content, "relu"), untouched]
    submission, texts = hand_in(tmp_path, content)
    assert texts["relu"] == RIGHT["relu"]
    assert [extra.text for extra in submission.extras] == ["first = 1"]
    assert list(texts).index("own-001") == list(texts).index("relu") - 1
    [remark] = said(submission, "repeated-answer")
    assert remark == (
        f"3 cells are called relu; cell {at + 2} counts, the last that was worked on, "
        "and the others run as the learner's own"
    )


def test_a_repeated_test_runs_once(tmp_path, content):
    at = place(content, "check_relu")
    content["cells"][at:at] = [{**cell(content, "check_relu"), "source": "1 / 0"}] * 2
    submission, texts = hand_in(tmp_path, content)
    assert list(texts) == IDS and submission.extras == ()
    assert said(submission, "repeated-test") == ["3 cells are called check_relu; the chapter's own test is run, once"]


@pytest.mark.parametrize("version", [99, 0, 1, "3", None])
def test_any_schema_version_is_read(tmp_path, content, version):
    for each in content["cells"]:
        if "nbgrader" in each["metadata"]:
            each["metadata"]["nbgrader"]["schema_version"] = version
    submission, texts = hand_in(tmp_path, content)
    assert texts == {**TEXTS, **submission.answers} and submission.answers["relu"] == RIGHT["relu"]
    told = said(submission, "changed-flags")
    assert "relu: nbgrader's metadata were changed (schema_version); the chapter's own count" in told


def test_flipped_flags_and_points_have_no_effect(tmp_path, content):
    cell(content, "relu")["metadata"]["nbgrader"].update(solution=False, grade=True, points=100, locked=True)
    cell(content, "check_relu")["metadata"]["nbgrader"].update(points=1e9, grade=False, solution=True)
    submission, texts = hand_in(tmp_path, content)
    assert texts == {**TEXTS, **submission.answers} and submission.answers["relu"] == RIGHT["relu"]
    assert_as_released_but_for_answers(submission)
    assert said(submission, "changed-flags") == [
        "relu: nbgrader's metadata were changed (grade, solution, locked, points); the chapter's own count",
        "check_relu: nbgrader's metadata were changed (grade, solution, points); the chapter's own count",
    ]


def test_an_unknown_graded_cell_earns_nothing_and_runs_as_a_plain_one(tmp_path, content):
    forged = own("print('bonus')")
    forged["metadata"] = {"nbgrader": {**cell(content, "check_relu")["metadata"]["nbgrader"], "grade_id": "bonus\n"}}
    content["cells"].append(forged)
    submission, texts = hand_in(tmp_path, content)
    assert list(texts.items())[-1] == ("own-001", "print('bonus')")
    assert_as_released_but_for_answers(submission)
    assert said(submission, "unknown-cell") == [
        "the chapter has no cell called bonus\\n: it earns nothing under that name, and its text is the learner's own"
    ]


def test_an_answer_under_an_unknown_name_is_known_by_its_function(tmp_path, content):
    cell(content, "relu")["metadata"]["nbgrader"]["grade_id"] = "mine"
    content["cells"][place(content, "mine")]["id"] = "something-else"
    submission, texts = hand_in(tmp_path, content)
    assert texts == {**TEXTS, **submission.answers} and texts["relu"] == RIGHT["relu"]
    [remark] = said(submission, "by-function")
    assert remark.endswith("is taken as the answer relu, because it defines relu and no other cell is called so")


@pytest.mark.parametrize("metadata", [5, None, [], "text", {"nbgrader": 3}, {"nbgrader": {"grade_id": 7}}, ...])
@pytest.mark.parametrize("with_ids", [True, False])
def test_metadata_of_any_kind_lose_no_answer(tmp_path, content, metadata, with_ids):
    for each in content["cells"]:
        each["metadata"] = metadata
        if metadata is ...:
            del each["metadata"]
        if not with_ids:
            del each["id"]
    submission, texts = hand_in(tmp_path, content)
    answers = {name: texts[name] for name in RIGHT}
    assert answers == RIGHT
    # Prose has no function to be known by, but a place.
    assert texts["explain_vanishing"] == "Factors below one."
    assert_as_released_but_for_answers(submission)
    if with_ids:
        assert "relu: nbgrader's metadata are gone from it" in said(submission, "lost-metadata")


def test_merged_cells_keep_both_functions(tmp_path, content):
    """JupyterLab's merge keeps the first cell's metadata; the second's empty form must not come back and win."""
    merged = cell(content, "relu")
    merged["source"] = RIGHT["relu"] + "\n\n" + RIGHT["sigmoid"]
    content["cells"].remove(cell(content, "sigmoid"))
    submission, texts = hand_in(tmp_path, content)
    assert texts["relu"] == RIGHT["relu"] + "\n\n" + RIGHT["sigmoid"]
    assert texts["sigmoid"] == "# sigmoid stands in another cell."
    assert said(submission, "answer-elsewhere") == [
        "the answer cell sigmoid is gone; another of the learner's cells defines sigmoid"
    ]


def test_cells_that_are_none_are_left_out(tmp_path, content):
    content["cells"][3:3] = [None, 5, "text", [], {}]
    cells = len(content["cells"])
    submission, texts = hand_in(tmp_path, content)
    assert texts == {**TEXTS, **submission.answers} and submission.answers["relu"] == RIGHT["relu"]
    assert said(submission, "broken-cells") == [f"4 of the {cells} cells of {NAME} are no cells; left out"]


def test_a_cell_of_another_type_is_read_as_what_it_should_be(tmp_path, content):
    cell(content, "relu")["cell_type"] = "markdown"
    cell(content, "explain_vanishing")["cell_type"] = "code"
    submission, texts = hand_in(tmp_path, content)
    assert texts == {**TEXTS, **submission.answers} and texts["relu"] == RIGHT["relu"]
    assert_as_released_but_for_answers(submission)
    assert said(submission, "changed-type") == [
        "relu: it was made a markdown cell; its text is read as code",
        "explain_vanishing: it was made a code cell; its text is read as markdown",
    ]


def test_an_attachment_is_left_out_and_told(tmp_path, content):
    cell(content, "explain_vanishing")["attachments"] = {"a.png": {"image/png": "AAAA"}}
    submission, _ = hand_in(tmp_path, content)
    notebook = rebuild(SOURCE, submission)
    assert not [cell for cell in notebook.cells if "attachments" in cell]
    assert said(submission, "attachments") == [
        "explain_vanishing: a picture pasted into it is left out; it is in the file as handed in"
    ]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", " is empty: ask for the file again"),
        (b" \n", " is empty: ask for the file again"),
        (b'{"cells": [{"cell_ty', " is cut off after 20 bytes: ask for the file again"),
        (b'{"cells": [', " is cut off after 11 bytes: ask for the file again"),
        (b"no notebook", " is not JSON (character 1): ask for the file again"),
        ("{}".encode("utf-16"), " is not UTF-8, and no notebook otherwise either: ask for the file again"),
        (b"\x89PNG\r\n", " is not UTF-8, and no notebook otherwise either: ask for the file again"),
        (b"[1, 2]", " is JSON but no notebook: ask for the notebook"),
        (b"null", " is JSON but no notebook: ask for the notebook"),
        (b"{}", " has no cells, so it is no notebook: ask for the notebook"),
        (b'{"cells": {}}', " has no cells, so it is no notebook: ask for the notebook"),
        (b"[" * 200_000, " is nested deeper than any notebook: ask for the file again"),
        (
            b"[" + b"[]," * 3_000_000 + b"0]",
            " holds more values than any notebook: ask for it again, with its outputs cleared",
        ),
    ],
    ids=lambda value: repr(value[:12]) if isinstance(value, bytes) else "",
)
def test_what_is_no_notebook_is_refused_in_one_sentence(tmp_path, data, sentence):
    (tmp_path / NAME).write_bytes(data)
    with pytest.raises(IntakeError) as refused:
        read_submission(tmp_path, CHAPTER)
    assert str(refused.value) == NAME + sentence


def test_a_truncated_notebook_is_refused(tmp_path, content):
    data = json.dumps(content).encode()
    for part in (0.1, 0.5, 0.999):
        (tmp_path / NAME).write_bytes(data[: int(len(data) * part)])
        with pytest.raises(IntakeError, match=r"is cut off|is not JSON"):
            read_submission(tmp_path, CHAPTER)


# ---------------------------------------------------------------- resources


def test_a_cell_of_fifty_megabytes_is_left_out_alone(tmp_path, content):
    cell(content, "relu")["source"] = "#" * 50_000_000
    submission, texts = hand_in(tmp_path, content)
    assert texts["relu"] == STUB and texts["sigmoid"] == RIGHT["sigmoid"]
    [remark] = [remark for remark in submission.remarks if remark.kind == "oversized"]
    assert remark.cell == "relu"
    assert remark.text.endswith("is left out: it has 50,000,000 characters, more than anybody can read")


def test_many_cells_are_cut_and_the_answers_stay(tmp_path, content):
    content["cells"] += [own(f"x = {number}") for number in range(6_000)]
    submission, texts = hand_in(tmp_path, content)
    assert {name: texts[name] for name in RIGHT} == RIGHT
    assert len(submission.extras) == 1_000
    assert len(said(submission, "oversized")) == 2


def test_remarks_are_not_endless(tmp_path, content):
    for number in range(500):
        forged = own("pass")
        forged["metadata"] = {"nbgrader": {"grade_id": f"forged {number}"}}
        content["cells"].append(forged)
    submission, _ = hand_in(tmp_path, content)
    assert len(submission.remarks) == 101
    assert submission.remarks[-1].text == "there are 400 more oddities like these"


# ---------------------------------------------------------------- honest but odd


def test_format_3_keeps_everything(tmp_path, content):
    at = place(content, "check_relu")
    content["cells"][at:at] = [own("relu(torch.ones(2))", id="mine")]
    old = nbformat.convert(nbformat.reads(json.dumps(content), as_version=4), 3)
    assert old.worksheets[0].cells[0].cell_type == "markdown" and "cells" not in old
    submission, texts = hand_in(tmp_path, old)
    assert texts == {**TEXTS, **submission.answers, "own-001": "relu(torch.ones(2))"}
    assert list(texts).index("own-001") == list(texts).index("relu") + 1
    assert submission.answers["relu"] == RIGHT["relu"] and submission.remarks == ()


@pytest.mark.parametrize("number", [4, 99, -1, "4", None, 1e400, [1]])
def test_the_number_of_the_format_does_not_matter(tmp_path, content, number):
    content["nbformat"] = content["nbformat_minor"] = number
    submission, _ = hand_in(tmp_path, content)
    assert submission.answers["relu"] == RIGHT["relu"] and submission.remarks == ()


def test_duplicate_cell_ids_lose_nothing(tmp_path, content):
    for each in content["cells"]:
        each["id"] = "relu"
    content["cells"].insert(0, own("x = 1", id="relu"))
    submission, texts = hand_in(tmp_path, content)
    assert (
        texts == {**TEXTS, **submission.answers, "own-001": "x = 1"} and {name: texts[name] for name in RIGHT} == RIGHT
    )
    assert submission.remarks == ()


def test_unicode_and_long_names_stay(tmp_path, content):
    long = "ein_sehr_langer_name_" * 50
    cell(content, "relu")["source"] = f"# 激活函数 ünï 😀\n{long} = 0\n{RIGHT['relu']}"
    content["cells"].insert(0, own("größe = '😀'", id="x" * 10_000))
    submission, texts = hand_in(tmp_path, content)
    assert texts["relu"] == f"# 激活函数 ünï 😀\n{long} = 0\n{RIGHT['relu']}"
    assert next(iter(texts.items())) == ("own-001", "größe = '😀'")
    assert submission.remarks == ()


def test_surrogates_and_nul_in_outputs_do_not_matter(tmp_path, content):
    output = {"output_type": "stream", "name": "stdout", "text": "\ud800\x00 and so on"}
    cell(content, "check_relu")["outputs"] = [output]
    submission, _ = hand_in(tmp_path, content)
    assert submission.answers["relu"] == RIGHT["relu"] and submission.remarks == ()


def test_surrogates_and_nul_in_an_answer_are_told_and_can_be_written(tmp_path, content):
    cell(content, "relu")["source"] = f"# \ud800\x00\n{RIGHT['relu']}"
    submission, texts = hand_in(tmp_path, content)
    assert texts["relu"] == f"# \ufffd\ufffd\n{RIGHT['relu']}"
    assert nbformat.writes(rebuild(SOURCE, submission)).encode()
    [remark] = said(submission, "characters")
    assert "has characters that no text can have" in remark


def test_bytes_that_are_not_utf_8_cost_only_themselves(tmp_path, content):
    cell(content, "relu")["source"] = f"# gr\u00f6\u00dfe\n{RIGHT['relu']}"
    data = json.dumps(content, ensure_ascii=False).encode()
    (tmp_path / NAME).write_bytes(data.replace("größe".encode(), "größe".encode("latin-1")))
    submission, texts = taken(tmp_path)
    assert texts["relu"] == f"# gr\ufffd\ufffde\n{RIGHT['relu']}"
    [remark] = said(submission, "encoding")
    assert remark.startswith(f"{NAME} is not UTF-8 (byte ")


def test_a_byte_order_mark_is_nothing_odd(tmp_path, content):
    (tmp_path / NAME).write_bytes(b"\xef\xbb\xbf" + json.dumps(content).encode())
    submission, _ = taken(tmp_path)
    assert submission.answers["relu"] == RIGHT["relu"] and submission.remarks == ()


def test_own_cells_keep_their_places(tmp_path, content):
    content["cells"].insert(place(content, "relu"), own("import math", metadata={"tags": ["mine"]}))
    content["cells"].insert(place(content, "check_relu"), own("relu(torch.zeros(1))"))
    content["cells"].insert(place(content, "check_relu") + 1, own("a thought", "markdown"))
    content["cells"].append(own("%who", "raw"))
    content["cells"].append(own("  \n"))
    submission, texts = hand_in(tmp_path, content)
    order = list(texts)
    at = order.index("relu")
    assert order[at - 1 : at + 4] == ["own-001", "relu", "own-002", "check_relu", "own-003"]
    assert order[-1] == "own-004"
    assert [(e.cell_type, e.text) for e in submission.extras] == [
        ("code", "import math"), ("code", "relu(torch.zeros(1))"), ("markdown", "a thought"), ("raw", "%who"),
    ]  # fmt: skip
    assert submission.remarks == ()
    assert_as_released_but_for_answers(submission)


def test_what_was_written_into_a_cell_of_the_chapters_runs_after_it(tmp_path, content):
    plain = next(each for each in content["cells"] if each["id"] == "cell-002")
    plain["source"] += "\nimport math"
    submission, texts = hand_in(tmp_path, content)
    assert texts["cell-002"] == TEXTS["cell-002"]
    assert list(texts)[2] == "own-001" and texts["own-001"] == TEXTS["cell-002"] + "\nimport math"
    assert said(submission, "changed-cell") == [
        "the chapter's cell cell-002 was changed; the learner's version runs after the chapter's own"
    ]


def test_a_moved_cell_is_back_in_its_place(tmp_path, content):
    moved = cell(content, "relu")
    content["cells"].remove(moved)
    content["cells"] += [own("helper = 1"), moved]
    submission, texts = hand_in(tmp_path, content)
    assert [name for name in texts if name in TEXTS] == IDS
    assert texts["relu"] == RIGHT["relu"]
    # The helper stood before relu, which may need it.
    assert list(texts).index("own-001") < list(texts).index("relu")
    assert said(submission, "moved") == ["cells were moved (relu); the notebook is run in the chapter's order"]


def test_the_whole_notebook_upside_down(tmp_path, content):
    content["cells"].reverse()
    submission, texts = hand_in(tmp_path, content)
    assert list(texts.items()) == list({**TEXTS, **submission.answers}.items())
    assert {name: texts[name] for name in RIGHT} == RIGHT
    assert len(said(submission, "moved")) == 1


@pytest.mark.parametrize("number", [5, 1])
def test_cells_run_out_of_order_are_nothing_odd(tmp_path, content, number):
    for position, each in enumerate(content["cells"]):
        if each["cell_type"] == "code":
            each["execution_count"] = (position * number) % 7
    submission, _ = hand_in(tmp_path, content)
    assert submission.answers["relu"] == RIGHT["relu"] and submission.remarks == ()


def test_an_empty_notebook_is_graded_as_not_attempted(tmp_path):
    write(tmp_path, {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    submission, texts = taken(tmp_path)
    assert texts == TEXTS and submission.answers == {}
    assert said(submission, "no-answers") == [
        "not one of the chapter's answer cells is in it: is it the right notebook?"
    ]


def test_text_in_lines_is_text(tmp_path, content):
    for each in content["cells"]:
        each["source"] = (
            each["source"] if isinstance(each["source"], list) else each["source"].splitlines(keepends=True)
        )
    submission, _ = hand_in(tmp_path, content)
    assert submission.answers["relu"] == RIGHT["relu"] and submission.remarks == ()


def test_the_form_knows_what_is_asked():
    form = read_form(CHAPTER)
    assert {asked.grade_id for asked in form.answers} == {*RIGHT, "explain_vanishing"}
