"""``check`` and ``hint`` as a notebook calls them: cards, points, short errors, one sentence for what is no answer."""

import functools
import math
import operator
import re
import warnings

import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from learners.answers import in_style
from traitlets.config import Config

import tutor
from tutor import check, hint
from tutor.checking import bank, notebook, run, words
from tutor.checking.notebook import CheckError, CheckFailed, NotAttempted

NAMES = bank.names("01_activations")


@pytest.fixture(autouse=True)
def nothing_checked_yet():
    notebook._last.clear()
    notebook._hinted.clear()


def right(name):
    scope: dict = {}
    exec(in_style("01_activations", "vectorised")[name], scope)
    return scope[name]


# ---------------------------------------------------------------- verdicts and points


@pytest.mark.parametrize("name", NAMES)
def test_a_right_answer_returns_none_and_shows_its_card(name, capsys):
    function = right(name)
    assert check(function) is None
    assert capsys.readouterr().out == f"✓ {name}: right\n"
    assert check(function, points=3) is None
    assert capsys.readouterr().out == f"✓ {name}: right · 3 of 3 points\n"
    assert check(function, points=3, hidden=True) is None
    assert capsys.readouterr().out == "", "a hidden check that adds nothing shows nothing"


@pytest.mark.parametrize("points", [1, 2, 3, 0.5, 10, 0.01, 1e-6, 7.3])
@pytest.mark.parametrize("identity", ["alpha-ignored", "nan-gradient"])
def test_partial_points_lie_strictly_between(points, identity, capsys):
    earned = check(bank.twin("elu", identity), points=points)
    assert isinstance(earned, float) and 0 < earned < points
    assert earned == pytest.approx(
        points * run("elu", bank.twin("elu", identity)).score, abs=0.00501
    )  # rounded to a hundredth


def test_without_points_a_partly_right_answer_raises(capsys):
    with pytest.raises(CheckFailed, match="elu: partly right"):
        check(bank.twin("elu", "alpha-ignored"))
    with pytest.raises(CheckFailed):
        check(bank.twin("elu", "alpha-ignored"), points=0)


@pytest.mark.parametrize("points", [None, 2])
def test_a_wrong_answer_raises_after_its_card(points, capsys):
    with pytest.raises(CheckFailed) as raised:
        check(bank.twin("relu", "absolute-value"), points=points)
    assert not isinstance(raised.value, NotAttempted)
    assert str(raised.value) == "relu: not right yet. The card above says what and where."
    assert "Your function turns negative numbers positive" in capsys.readouterr().out


def test_a_stub_is_not_attempted_and_calmly_told(capsys):
    def relu(input):
        raise NotImplementedError()

    for options in ({}, {"points": 2}, {"points": 2, "hidden": True}):
        with pytest.raises(NotAttempted) as raised:
            check(relu, **options)
        assert isinstance(raised.value, CheckFailed) and "not written yet" in str(raised.value)
    assert "✗" not in capsys.readouterr().out


def tuned(seen, unseen):
    """Make an answer to relu that behaves in one way on the shown cases and in another on the hidden ones."""
    shown = {tuple(case.args[0].flatten().tolist()) for case in bank.get("relu").draw()}

    def relu(input):
        return (seen if tuple(input.flatten().tolist()) in shown else unseen)(input)

    return relu


def good(input):
    return input.clamp(min=0)


def half(input):
    return input.clamp(min=0).detach()


def bad(input):
    return input


@pytest.mark.parametrize(
    ("seen", "unseen", "outcome"),
    [(good, half, "part"), (good, bad, "nothing"), (half, good, "part"), (half, bad, "nothing"), (half, half, "part")],
)
def test_hidden_cases_never_raise_what_the_shown_ones_gave(seen, unseen, outcome, capsys):
    relu = tuned(seen, unseen)
    first = check(relu, points=4)
    assert (first is None) == (seen is good)
    shown = 4.0 if first is None else first
    if outcome == "nothing":
        with pytest.raises(CheckFailed):
            check(relu, points=4, hidden=True)
        return
    last = check(relu, points=4, hidden=True)
    assert 0 < last <= shown and last < 4


def test_hidden_cases_alone_count_where_nothing_was_shown_for_this_function(capsys):
    check(bank.twin("elu", "alpha-ignored"), points=4)  # another function of that name
    assert check(right("elu"), points=4, hidden=True) is None


def test_a_hidden_card_appears_only_when_it_has_something_to_add(capsys):
    same = bank.twin("elu", "alpha-ignored")
    check(same, points=4)
    capsys.readouterr()
    check(same, points=4, hidden=True)
    assert capsys.readouterr().out == ""
    relu = tuned(good, half)
    check(relu, points=4)
    capsys.readouterr()
    check(relu, points=4, hidden=True)
    told = capsys.readouterr().out
    assert "cut off from autograd" in told and "hidden test are not shown" in told


def test_nothing_but_the_card_is_printed(capfd):
    check(right("softmax"), points=2)
    done = capfd.readouterr()
    assert done.err == "" and done.out.count("\n") == 1


# ---------------------------------------------------------------- in a notebook


@pytest.fixture
def shell():
    config = Config()
    config.HistoryManager.enabled = False
    InteractiveShell.clear_instance()
    yield InteractiveShell.instance(config=config)
    InteractiveShell.clear_instance()


def test_a_notebook_gets_html_and_text(shell):
    with capture_output() as captured:
        check(right("relu"), points=2)
    (shown,) = captured.outputs
    assert set(shown.data) == {"text/html", "text/plain"}
    assert shown.data["text/plain"] == "✓ relu: right · 2 of 2 points"
    assert shown.data["text/html"].startswith("<div") and captured.stdout == captured.stderr == ""


@pytest.mark.parametrize("source", ["check(relu)", "check(3)", "check(later)"])
def test_an_error_is_one_line_in_a_notebook(shell, source):
    def later(input):
        raise NotImplementedError()

    later.__name__ = "relu"
    shell.user_ns.update(check=check, relu=bank.twin("relu", "absolute-value"), later=later)
    with capture_output() as captured:
        result = shell.run_cell(source)
    assert isinstance(result.error_in_exec, CheckFailed | CheckError)
    said = captured.stdout + captured.stderr
    assert "Traceback" not in said and "notebook.py" not in said
    (line,) = result.error_in_exec._render_traceback_()
    assert line == f"{type(result.error_in_exec).__name__}: {result.error_in_exec}" and "\n" not in line
    assert line in said


# ---------------------------------------------------------------- what is no answer


class ReLU:
    pass


class Callable:
    def __call__(self, input):
        return input


async def relu_later(input):
    return input


async def relu_now_and_then(input):
    yield input


def relu_bit_by_bit(input):
    yield input


def named(function, name):
    function.__name__ = name
    return function


def my_relu(input):
    return input


def xyzzy(input):
    return input


NO_ANSWERS = {
    "a class": (ReLU, "ReLU is a class", "relu"),
    "torch's class": (torch.nn.LeakyReLU, "LeakyReLU is a class", "leaky_relu"),
    "a lambda": (lambda input: input, "lambda", f"such as {bank.names()[0]}, relu, "),
    "a name": ("relu", "without quotation marks: check(relu)", None),
    "a misspelt name": ("rellu", "without quotation marks", "Did you mean relu"),
    "a module": (torch, "this is a module", "Each notebook names its own"),
    "a file": (math, "this is a module", "Each notebook names its own"),
    "a layer": (torch.nn.ReLU(), "this ReLU has none", "Each notebook names its own"),
    "its result": (torch.ones(2), "this is a Tensor", "Each notebook names its own"),
    "a number": (3, "this is a int", "Each notebook names its own"),
    "nothing": (None, "this is a NoneType", "Each notebook names its own"),
    "a partial": (functools.partial(my_relu), "this partial has none", "Each notebook names its own"),
    "a callable object": (Callable(), "this Callable has none", "Each notebook names its own"),
    "an operator's getter": (operator.attrgetter("x"), "has none", "Each notebook names its own"),
    "a built-in": (len, "no exercise called 'len'", "Each notebook names its own"),
    "a built-in with a near name": (math.tan, "no exercise called 'tan'", "tanh"),
    "another function": (my_relu, "no exercise called 'my_relu'", "Did you mean relu"),
    "a function far from any": (xyzzy, "no exercise called 'xyzzy'", f"such as {bank.names()[0]}, relu, "),
    "capitals": (named(lambda input: input, "LeakyReLU"), "no exercise called 'LeakyReLU'", "leaky_relu"),
    "an asynchronous function": (named(relu_later, "relu"), "asynchronous", None),
    "an asynchronous generator": (named(relu_now_and_then, "relu"), "asynchronous", None),
    "a generator function": (named(relu_bit_by_bit, "relu"), "use `return`", None),
}


@pytest.mark.parametrize("what", NO_ANSWERS)
@pytest.mark.parametrize("caller", [check, hint])
def test_what_is_no_answer_gets_one_clear_sentence(what, caller, capsys):
    thing, fault, near = NO_ANSWERS[what]
    if caller is hint and what == "a name":
        return  # hint takes a name as well
    if caller is hint and what == "a misspelt name":
        fault = "no exercise called 'rellu'"
    with pytest.raises(CheckError) as raised:
        caller(thing)
    said = str(raised.value)
    assert fault.replace("check", caller.__name__) in said and (near is None or near in said)
    assert "\n" not in said and said.endswith((".", "?"))
    assert isinstance(raised.value, TypeError) and capsys.readouterr().out == ""


def test_a_builtin_of_an_exercises_name_is_checked_like_any_function(capsys):
    with pytest.raises(CheckFailed):
        check(torch.relu)
    assert "torch's own `relu`" in capsys.readouterr().out


# ---------------------------------------------------------------- hints


@pytest.mark.parametrize("name", NAMES)
def test_hints_come_one_at_a_time_and_the_last_stays(name, capsys):
    steps = words.hints(bank.words_file(name), name)
    told = []
    for _ in range(len(steps) + 2):
        hint(name)
        told.append(capsys.readouterr().out)
    assert told[: len(steps)] == [f"Hint {i} of {len(steps)} for {name}: {step}\n" for i, step in enumerate(steps, 1)]
    assert set(told[len(steps) :]) == {told[len(steps) - 1]}


def test_a_hint_can_be_asked_for_by_the_function(capsys):
    hint(right("relu"))
    assert capsys.readouterr().out.startswith("Hint 1 of 3 for relu: ")


# ---------------------------------------------------------------- the way in


def test_the_package_offers_check_and_hint_and_names_what_it_offers():
    assert tutor.check is check and tutor.hint is hint
    with pytest.raises(AttributeError, match="it offers board, check"):
        tutor.nothing  # noqa: B018 -- asking is the point


# ---------------------------------------------------------------- what is told to people


@pytest.mark.parametrize(
    ("body", "said", "hint"),
    [
        ("return input if input > 0 else 0 * input", "a tensor holds many numbers", "`torch.where`"),
        ("return max(0, input)", "a tensor holds many numbers", "`torch.maximum`"),
        ("return torch.max(0, input)", "arguments that it can't do anything with", "plain number"),
        ("return torch.tensor(math.exp(input))", "takes a single number", "`torch.exp`"),
        ("return inptu.clamp(min=0)", "Nothing has that name", "letter by letter"),
        ("return input.view(7, 11)", "exactly as many numbers as it has", "multiply its sizes"),
        ("return input + torch.zeros(97)", "shapes don't go together", "from the right"),
        ("return input.tolist() * 0.5", "can't be calculated with", "`torch.tensor(...)`"),
        ("return input.shape(0)", "Round brackets call a function", "`x.shape[0]`"),
        ("return torch.zeros(2)[5] * input", "places are counted from 0", "Print the index"),
        ("return (print() or None) + input", "Something there is None", "Print each thing"),
    ],
)
def test_an_error_that_people_often_meet_is_explained(body, said, hint):
    scope = {"torch": torch, "math": math}
    exec(f"def relu(input):\n    {body}", scope)
    for hidden in (False, True):
        first = run("relu", scope["relu"], hidden=hidden).diagnoses[0]
        assert first.id == "raised" and said in first.message and hint in first.hint
        assert ("It happened in line" in first.hint) or hidden or "where" not in first.hint


def test_every_explained_error_has_a_pattern_that_compiles_and_all_its_words():
    for known in words.load("words")["errors"]:
        re.compile(known["pattern"])
        assert (
            set(known) == {"pattern", "message", "hint"}
            and known["message"].endswith(".")
            and known["hint"][-1] in ".?"
        )


def test_where_torch_keeps_its_own_files_is_nobody_s_business():
    def relu(input):
        warnings.warn("Mind this. (Triggered internally at /__w/pytorch/aten/python.cpp:820.)", stacklevel=1)
        return -input

    assert run("relu", relu).printed == "UserWarning: Mind this.\n"


def test_people_see_no_bare_number_under_a_partly_right_card(monkeypatch, capsys):
    monkeypatch.setattr(notebook, "someone_watches", lambda: True)
    monkeypatch.setattr(notebook.recorded, "record", lambda *_: None)
    assert check(bank.twin("elu", "alpha-ignored"), points=3) is None


@pytest.mark.parametrize("edited", ["def relu(input)\n    return input", "x = 1\ndef relu(input):\nreturn input"])
def test_a_function_whose_cell_is_no_python_now_is_not_checked(edited, monkeypatch, tmp_path):
    """For people: a card about the version before would speak of what isn't on the screen any more."""
    monkeypatch.setattr(notebook, "someone_watches", lambda: True)
    monkeypatch.setattr(notebook.recorded, "record", lambda *_: None)
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    cells = ["import torch\nfrom tutor import check", "def relu(input):\n    return input.abs()", "check(relu)"]
    for text in (*cells, edited, "check(relu)", cells[1].replace("abs()", "clamp(min=0)"), "%time check(relu)"):
        with capture_output() as captured:
            result = shell.run_cell(text, store_history=True)
        if text == cells[2] and result.execution_count <= 3:
            assert "turns negative numbers positive" in captured.stdout
        elif text == cells[2]:
            assert isinstance(result.error_in_exec, CheckFailed)
            assert "The cell of relu that you ran last has a" in captured.stdout and "line" in captured.stdout
            assert "turns negative" not in captured.stdout
        elif text.startswith("%time"):
            assert result.success


def test_one_number_is_not_counted():
    from tutor.checking.words import general

    assert general("wrong-values", wrong=1, of=1).message.startswith("The number is wrong,")
    assert general("wrong-values", wrong=1, of=2).message.startswith("1 of 2 numbers are wrong,")


def test_what_a_prediction_raises_is_told_and_its_hint_speaks_of_no_inputs():
    def predict_round_trip():
        return three  # noqa: F821

    said = run("predict_round_trip", predict_round_trip).diagnoses[0]
    assert "NameError: name 'three' is not defined" in said.message and "quotation marks" in said.message

    def predict_round_trip():
        return [1.0, 1.0, 1.0]

    wrong = run("predict_round_trip", predict_round_trip).diagnoses
    assert wrong and not [said for said in wrong if "inputs" in said.hint]
