"""Whatever an answer does besides computing is seen, said in words, and leaves the check itself unharmed."""
# ruff: noqa: SIM105 -- as learners write it

import sys
import time
import warnings

import pytest
import torch
from learners.answers import in_style

from tutor.checking import bank, run

CHAPTER = "01_activations"
NAMES = bank.names(CHAPTER)
FORWARD = NAMES[: NAMES.index("relu_backward")]
BACKWARD = [name for name in NAMES if name.endswith("_backward")]
ON_TENSORS = [*FORWARD, "mend_tanh"]  # these return one tensor
WITH_INPUT = [name for name in NAMES if name not in ("predict_inplace", "log_layer_images")]


def right(name):
    scope: dict = {}
    exec(in_style(CHAPTER, "vectorised")[name], scope)
    return scope[name]


def ids(report):
    return [diagnosis.id for diagnosis in report.diagnoses]


def first_tensor(args):
    return next(part for arg in args for part in (arg if isinstance(arg, list) else [arg]) if torch.is_tensor(part))


def check(name, function, *, hidden=False):
    report = run(name, function, hidden=hidden)
    for diagnosis in report.diagnoses:
        assert diagnosis.message and diagnosis.hint, diagnosis
    return report


# ---------------------------------------------------------------- costs a part: the numbers themselves are right


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("name", WITH_INPUT)
def test_an_edited_input_is_told_by_its_name(name, hidden):
    answer = right(name)

    def function(*args, **kwargs):
        result = answer(*args, **kwargs)
        first_tensor(args).detach().zero_()
        return result

    report = check(name, function, hidden=hidden)
    assert ids(report) == ["changed-input"] and 0 < report.score < 1
    assert not report.aspects["conduct"] and all(holds for part, holds in report.aspects.items() if part != "conduct")
    assert hidden or report.example.what.endswith(" afterwards")


def test_the_input_is_named_as_the_learner_calls_it():
    def relu(x):
        x[x < 0] = 0
        return x.clone()

    report = check("relu", relu)
    assert "`x`" in report.diagnoses[0].message
    assert torch.equal(report.example.got, report.example.expected.clamp(min=0))
    assert (report.example.expected < 0).any()


EDITS = {
    "a view": lambda x: x.view(-1).__setitem__(0, 5.0),
    "a slice": lambda x: x[..., 0].fill_(7.0),
    "its data": lambda x: x.data.zero_(),
    "an expanded view": lambda x: x.unsqueeze(0).squeeze(0).neg_(),
    "an operator": lambda x: x.__iadd__(1),
    "out=": lambda x: torch.exp(x, out=x),
    "another shape": lambda x: x.t_() if x.dim() == 2 else x.resize_(1),
    "its storage": lambda x: x.set_(torch.ones(3, dtype=x.dtype)),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_is_seen_whatever_way_it_takes(edit):
    def sigmoid(input):
        result = 1 / (1 + torch.exp(-input))
        with torch.no_grad():
            EDITS[edit](input.detach() if edit in ("another shape", "its storage", "out=") else input)
        return result

    before = [case.args[0].clone() for case in bank.get("sigmoid").draw()]
    report = check("sigmoid", sigmoid)
    if edit in ("another shape", "its storage"):  # these turn a detached tensor over, not the input itself
        assert report.passed
    else:
        assert ids(report)[0] == "changed-input"
    assert all(torch.equal(now.args[0], then) for now, then in zip(bank.get("sigmoid").draw(), before, strict=True))


def test_a_list_that_was_emptied_is_an_edited_input():
    def collapse_linear(weights, biases):
        result = right("collapse_linear")(weights, biases)
        weights.clear()
        return result

    assert ids(check("collapse_linear", collapse_linear)) == ["changed-input"]


@pytest.mark.parametrize("name", FORWARD)
def test_a_result_cut_off_from_autograd_is_told(name):
    answer = right(name)

    def function(input, *args, **kwargs):
        return answer(input.detach(), *args, **kwargs)

    report = check(name, function)
    assert 0 < report.score < 1 and not report.aspects["gradient"]
    # prelu's weight still has a gradient then: cut off from one of two is a wrong gradient
    assert ids(report) == (["wrong-gradient"] if name == "prelu" else ["detached"])


@pytest.mark.parametrize("name", ON_TENSORS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.complex128])
def test_another_dtype_is_told(name, dtype):
    answer = right(name)
    report = check(name, lambda *args, **kwargs: answer(*args, **kwargs).to(dtype))
    if name == "rrelu":  # observed, since it is random: what holds is said fact by fact
        assert not report.passed
        return
    assert ids(report) == ["wrong-dtype"] and 0 < report.score < 1
    assert str(dtype).removeprefix("torch.") in report.diagnoses[0].message


def test_rrelu_keeps_the_dtype_in_training_too():
    def rrelu(input, lower=1 / 8, upper=1 / 3, training=False):
        if not training:
            return torch.where(input > 0, input, (lower + upper) / 2 * input)
        slopes = lower + (upper - lower) * torch.rand(input.shape, dtype=torch.float64)
        return torch.where(input > 0, input, slopes * input)

    report = check("rrelu", rrelu)
    assert ids(report) == ["wrong-facts"] and not report.aspects["random"] and report.aspects["conduct"]
    assert report.example.got["of the input's dtype"] is False


def test_another_device_is_told():
    report = check("relu", lambda input: right("relu")(input).to("meta"))
    assert ids(report) == ["wrong-device"] and "meta" in report.diagnoses[0].message
    report = check("rrelu", lambda *args, **kwargs: right("rrelu")(*args, **kwargs).to("meta"))
    assert not report.passed and report.example.got == {"on the input's device": False}


@pytest.mark.parametrize("name", BACKWARD)
def test_a_gradient_without_its_tuple_costs_little(name):
    answer = right(name)
    report = check(name, lambda *args, **kwargs: answer(*args, **kwargs)[0])
    assert ids(report) == ["not-a-tuple"] and 0.5 < report.score < 1


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("rrelu", "log_layer_images")])
def test_another_result_at_every_call_is_told(name):
    answer = right(name)

    def noisy(value):
        if torch.is_tensor(value):
            return value + torch.rand(()).item()
        if isinstance(value, int):
            return value + int(torch.randint(0, 2**30, ()))
        if isinstance(value, float):
            return value + torch.rand(()).item()
        return type(value)(noisy(part) for part in value)

    report = check(name, lambda *args, **kwargs: noisy(answer(*args, **kwargs)))
    assert "changes-every-time" in ids(report) and not report.passed


def test_what_is_remembered_from_call_to_call_is_told():
    calls = []

    def relu(input):
        calls.append(1)
        return input.clamp(min=0) if len(calls) <= 7 else input

    assert ids(check("relu", relu)) == ["changes-every-time"]

    seen = {}

    def tanh(input):  # the first result for each number of dimensions, again and again
        return seen.setdefault(input.dim(), 2 / (1 + torch.exp(-2 * input)) - 1)

    assert not check("tanh", tanh).passed


# ---------------------------------------------------------------- earns nothing


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("name", NAMES[:-1])
def test_no_result_is_told(name, hidden):
    answer = right(name)

    def function(*args, **kwargs):
        answer(*args, **kwargs)

    report = check(name, function, hidden=hidden)
    assert ids(report) == ["none"] and report.score == 0 and report.example is None


@pytest.mark.parametrize("name", [name for name in [*ON_TENSORS, *BACKWARD] if name != "rrelu"])
def test_plain_lists_are_no_tensors(name):
    answer = right(name)

    def plain(value):
        return value.tolist() if torch.is_tensor(value) else [part.tolist() for part in value]

    report = check(name, lambda *args, **kwargs: plain(answer(*args, **kwargs)))
    assert ids(report) == ["wrong-type"] and report.score == 0
    assert "list" in report.diagnoses[0].message


@pytest.mark.parametrize("name", [name for name in ON_TENSORS if name != "rrelu"])
def test_another_shape_is_told_with_both_shapes(name):
    answer = right(name)
    shape = tuple(bank.get(name).draw()[0].args[0].shape)
    for change, got in ((lambda t: t.unsqueeze(0), (1, *shape)), (lambda t: t[:1], (1, *shape[1:]))):
        report = check(name, lambda *args, _change=change, **kwargs: _change(answer(*args, **kwargs)))
        assert ids(report) == ["wrong-shape"] and report.score == 0
        assert str(got) in report.diagnoses[0].message and str(shape) in report.diagnoses[0].message


@pytest.mark.parametrize("name", BACKWARD)
def test_another_number_of_gradients_is_told(name):
    answer = right(name)
    report = check(name, lambda *args, **kwargs: answer(*args, **kwargs) * 2)
    assert ids(report) == ["wrong-length"] and report.score == 0


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no words")


ERRORS = [
    ValueError("first line\nsecond line"),
    IndexError("7"),
    KeyError("x"),
    SystemExit(3),
    GeneratorExit(),
    MemoryError(),
]
ERRORS += [
    RecursionError("deep"),
    StopIteration(1),
    AssertionError(),
    Unprintable(),
    BaseException("bare"),
    Warning("w"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_told_with_its_line(error):
    def relu(input):
        result = input.clamp(min=0)
        raise error
        return result

    report = check("relu", relu)
    assert ids(report) == ["raised"] and report.score == 0
    assert type(error).__name__ in report.diagnoses[0].message
    assert "second line" not in report.diagnoses[0].message
    assert "line 3 of `relu`: `raise error`" in report.diagnoses[0].hint


@pytest.mark.parametrize("name", NAMES)
def test_an_error_is_told_in_every_exercise(name):
    def function(*args, **kwargs):
        return [][1]

    report = check(name, function, hidden=True)
    assert ids(report) == ["raised"] and "IndexError" in report.diagnoses[0].message


def test_endless_recursion_is_an_error_like_others():
    def relu(input):
        return relu(input)

    report = check("relu", relu)
    assert ids(report) == ["raised"] and "RecursionError" in report.diagnoses[0].message


def test_the_line_of_an_error_is_the_learners_and_not_torchs():
    def softmax(input, dim):
        return torch.stack([input, input[0]])

    hint = check("softmax", softmax).diagnoses[0].hint
    assert "line 2 of `softmax`" in hint and "torch.stack" in hint

    def helper(x):
        return x @ x @ x @ torch.ones(99)

    def tanh(input):
        return helper(input)

    assert "`helper`" in check("tanh", tanh).diagnoses[0].hint


SIGNATURES = {
    "relu": [lambda: 0, lambda input, extra: 0, lambda *, input: 0],
    "leaky_relu": [lambda input, alpha: 0],
    "softmax": [lambda input: 0, lambda input, axis=None: 0],
    "softmax_backward": [lambda input, dim=None: 0, lambda grad_output, dim=None: 0],
    "rrelu": [lambda input, training, low=0.1: 0],
    "predict_inplace": [lambda x: 0],
    "log_layer_images": [lambda folder, layer, batches: 0],
}


@pytest.mark.parametrize(
    ("name", "function"), [(n, f) for n, fs in SIGNATURES.items() for f in fs], ids=lambda p: str(p)[:20]
)
def test_a_changed_signature_is_told(name, function):
    report = check(name, function)
    assert ids(report) == ["signature"] and report.score == 0
    assert "argument" in report.diagnoses[0].message


def test_missing_options_are_told_though_ordinary_calls_work():
    def leaky_relu(input):
        return torch.where(input > 0, input, 0.01 * input)

    report = check("leaky_relu", leaky_relu)
    assert ids(report) == ["signature"] and "negative_slope" in report.diagnoses[0].message
    assert 0 < report.score < 1


# ---------------------------------------------------------------- takes its time


def forever(input):
    while True:
        pass


def forever_catching(input):
    while True:
        try:
            input = input + 1
        except:  # noqa: E722 -- as learners write it
            pass


def forever_sleeping(input):
    while True:
        try:
            time.sleep(60)
        except BaseException:
            continue


def forever_in_two_loops(input):
    while True:
        try:
            while True:
                try:
                    input.exp()
                except BaseException:
                    pass
        except BaseException:
            pass


def forever_in_the_backward_pass(input):
    class Relu(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clamp(min=0)

        @staticmethod
        def backward(ctx, grad):
            while True:
                pass

    return Relu.apply(input)


def forever_in_the_result(activation, input, weights):
    while True:
        time.sleep(0.001)  # or what is looked at of a result without end comes in time
        yield torch.ones(())


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("relu", forever),
        ("sigmoid", forever_catching),
        ("tanh", forever_sleeping),
        ("elu", forever_in_two_loops),
        ("relu", forever_in_the_backward_pass),
        ("gradient_norms", forever_in_the_result),
    ],
    ids=lambda part: getattr(part, "__name__", part),
)
def test_an_endless_answer_is_stopped(name, function, monkeypatch):
    monkeypatch.setattr(bank.get(name), "time_limit", 0.15)
    report = check(name, function)
    assert ids(report) == ["too-slow"] and report.score == 0 and not any(report.aspects.values())
    assert "0.15 s" in report.diagnoses[0].message and report.example is None


def test_a_slow_case_ends_the_check(monkeypatch):
    monkeypatch.setattr(bank.get("relu"), "time_limit", 0.1)
    calls = []

    def relu(input):
        calls.append(1)
        time.sleep(0.3)
        return input.clamp(min=0)

    assert ids(check("relu", relu)) == ["too-slow"]
    assert len(calls) == 1


def test_an_import_is_never_cut_off_halfway(monkeypatch, tmp_path):
    (tmp_path / "slow_to_import.py").write_text("import time\ntime.sleep(0.4)\nwhole = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(bank.get("relu"), "time_limit", 0.1)

    def relu(input):
        import slow_to_import

        return input.clamp(min=0 if slow_to_import.whole else 1)

    assert ids(check("relu", relu)) == ["too-slow"]
    assert sys.modules["slow_to_import"].whole


# ---------------------------------------------------------------- not attempted


def nothing(input):
    pass


def docstring_only(input):
    """Keep the positive numbers."""


def ellipsis(input): ...


def stub(input):
    """Keep the positive numbers."""
    raise NotImplementedError()


def stub_in_words(input):
    raise NotImplementedError("write me")


def stub_without_brackets(input):
    raise NotImplementedError


def stub_with_an_import(folder, name, layer, batches):
    """Log each batch."""
    from torch.utils.tensorboard import SummaryWriter  # noqa: F401

    raise NotImplementedError()


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("function", [nothing, docstring_only, ellipsis, stub, stub_in_words, stub_without_brackets])
@pytest.mark.parametrize("name", ["relu", "rrelu", "count_dead_units", "relu_backward"])
def test_a_stub_is_not_attempted(name, function, hidden):
    import functools
    import types

    code = function.__code__
    same_arguments = types.FunctionType(code, globals(), name)
    parameters = bank.get(name).draw()[0]
    if len(parameters.args) > 1 or any(case.kwargs for case in bank.get(name).draw()):
        wide = {nothing: wide_nothing, docstring_only: wide_nothing, ellipsis: wide_nothing}.get(function, wide_stub)
        same_arguments = functools.update_wrapper(types.FunctionType(wide.__code__, globals(), name), function)
    report = check(name, same_arguments, hidden=hidden)
    assert report.verdict == "not attempted" and report.score == 0 and ids(report) == ["not-attempted"]
    assert report.example is None and report.aspects == {}


def wide_nothing(*args, **kwargs):
    pass


def wide_stub(*args, **kwargs):
    raise NotImplementedError()


def test_the_stub_that_only_imports_is_not_attempted():
    assert check("log_layer_images", stub_with_an_import).verdict == "not attempted"


def test_an_empty_answer_to_logging_is_not_attempted():
    def log_layer_images(folder, name, layer, batches):
        pass

    assert check("log_layer_images", log_layer_images).verdict == "not attempted"


def test_work_above_a_stub_that_was_left_is_told():
    def relu(input):
        result = input.clamp(min=0)
        raise NotImplementedError()
        return result

    report = check("relu", relu)
    assert report.verdict == "not attempted" and ids(report) == ["stub-left"]


def test_torchs_own_not_implemented_is_an_error_and_no_stub():
    def relu(input):
        return torch.ops.aten.relu.default(input.to("meta").to_sparse())

    assert ids(check("relu", relu)) != ["stub-left"]
    assert check("relu", relu).verdict == "not right yet"


def test_a_helper_that_is_not_written_yet_is_an_error_of_its_own():
    def later(input):
        raise NotImplementedError("later")

    def relu(input):
        return later(input)

    assert ids(check("relu", relu)) == ["stub-left"]


def test_a_constant_is_an_attempt():
    def predict_inplace():
        return 0

    assert check("predict_inplace", predict_inplace).verdict == "not right yet"


# ---------------------------------------------------------------- harmless


@pytest.mark.parametrize("name", NAMES)
def test_printing_and_warning_cost_nothing(name, capfd):
    answer = right(name)

    def function(*args, **kwargs):
        print("to stdout")
        print("to stderr", file=sys.stderr)
        warnings.warn("a warning", stacklevel=1)
        return answer(*args, **kwargs)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = check(name, function)
    assert report.passed and report.score == 1
    assert "to stdout\nto stderr\n" in report.printed and "UserWarning: a warning" in report.printed
    assert capfd.readouterr() == ("", "")
