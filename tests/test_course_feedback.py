"""Hidden tests stay out of feedback, wherever an autograded notebook quotes them."""

from nbformat import v4

from tutor.course.feedback import GONE, HideHiddenTests

OPEN = "check(relu, points=2)"
HIDDEN = "check(relu, points=2, hidden=True)"
SOURCE = f"{OPEN}\n### BEGIN HIDDEN TESTS\n{HIDDEN}\n### END HIDDEN TESTS"
GRADED = {"grade": True, "solution": False, "locked": True, "grade_id": "check_relu", "points": 2}


def hide(*cells):
    notebook, _ = HideHiddenTests().preprocess(v4.new_notebook(cells=list(cells)), {})
    return notebook.cells


def graded(*outputs):
    return v4.new_code_cell(SOURCE, metadata={"nbgrader": GRADED}, outputs=list(outputs))


def test_the_region_goes_and_the_open_test_stays():
    [cell] = hide(graded())
    assert cell.source == OPEN


def test_a_traceback_keeps_its_other_lines():
    coloured = "\x1b[31m---->\x1b[39m 3 \x1b[43mcheck\x1b[49m(relu, points=\x1b[32m2\x1b[39m, hidden=True)"
    frame = f"Cell In[7], line 3\n      1 {OPEN}\n      2 ### BEGIN HIDDEN TESTS\n{coloured}"
    error = v4.new_output("error", ename="ValueError", evalue=f"in {HIDDEN}", traceback=[frame, "ValueError: no"])
    [cell] = hide(graded(error))
    assert cell.outputs[0].traceback == [f"Cell In[7], line 3\n      1 {OPEN}\n{GONE}\n{GONE}", "ValueError: no"]
    assert cell.outputs[0].evalue == GONE


def test_what_a_learner_prints_of_them_goes_too():
    printed = v4.new_output("stream", name="stdout", text=f"look:\n{SOURCE}\nthat was it\n")
    shown = v4.new_output("display_data", data={"text/html": f"<pre>\n{HIDDEN}\n</pre>", "text/plain": HIDDEN})
    own, _ = hide(v4.new_code_cell("print(In[-2])", outputs=[printed, shown]), graded())
    assert own.outputs[0].text == f"look:\n{OPEN}\n{GONE}\n{GONE}\n{GONE}\nthat was it\n"
    assert own.outputs[1].data == {"text/html": f"<pre>\n{GONE}\n</pre>", "text/plain": GONE}
    assert own.source == "print(In[-2])"


def test_marks_in_a_learners_own_cell_stop_nothing():
    text = "### BEGIN HIDDEN TESTS\nwithout an end"
    own, prose, check = hide(v4.new_code_cell(text), v4.new_markdown_cell(text), graded())
    assert (own.source, prose.source, check.source) == (text, text, OPEN)


def test_pictures_and_numbers_are_left_alone():
    output = v4.new_output("display_data", data={"image/png": "AAAA", "application/json": {"a": 1}})
    [cell] = hide(graded(output))
    assert cell.outputs[0].data == {"image/png": "AAAA", "application/json": {"a": 1}}
