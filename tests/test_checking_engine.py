"""What a check promises, whatever it checks: the same report again, surroundings untouched, nothing raised but Ctrl-C."""
# ruff: noqa: SIM105 -- answers as learners write them

import contextlib
import dataclasses
import gc
import io
import json
import random
import signal
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest
import torch
from learners.answers import in_style

from tutor.checking import bank, run
from tutor.checking.card import as_text
from tutor.checking.exercise import CORE, Case, Exercise

NAMES = bank.names("01_activations")


def right(name, style="vectorised"):
    scope: dict = {}
    exec(in_style("01_activations", style)[name], scope)
    return scope[name]


def plain(value):
    """A report as text, without what can't be compared."""
    if dataclasses.is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return value.tolist() if torch.is_tensor(value) else getattr(value, "__name__", value)


# ---------------------------------------------------------------- the same again


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_report(name):
    answers = [right(name), *list(bank.get(name).twins.values())[:2]]
    for function in answers:
        for hidden, seed in ((False, 0), (True, 3)):
            first = repr(plain(run(name, function, hidden=hidden, seed=seed)))
            torch.manual_seed(random.randrange(1000))
            torch.rand(3)
            assert repr(plain(run(name, function, hidden=hidden, seed=seed))) == first


def test_another_seed_and_hidden_cases_have_other_numbers():
    for name in NAMES:
        if name == "predict_inplace":
            continue
        kinds = [bank.get(name).draw(seed=seed, hidden=hidden) for seed, hidden in ((0, False), (1, False), (0, True))]
        texts = [str([(case.args, case.kwargs) for case in cases if case.aspect == CORE]) for cases in kinds]
        assert len(set(texts)) == 3, name


def test_a_report_names_every_case_by_its_call():
    report = run("softmax", right("softmax"))
    assert len(report.cases) == len(bank.get("softmax").draw())
    assert report.cases[0].call == "softmax(float64 (2, 3), dim=1)"
    assert all(case.passed and case.problems == () for case in report.cases)
    json.dumps(plain(report))


# ---------------------------------------------------------------- surroundings


def surroundings():
    return {
        "torch": torch.get_rng_state().tolist(),
        "python": random.getstate(),
        "numpy": str(np.random.get_state()),
        "grad": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "dtype": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "filters": list(warnings.filters),
        "stdout": sys.stdout,
        "stderr": sys.stderr,
        "handlers": [signal.getsignal(number) for number in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM)],
        "tracer": sys.gettrace(),
        "threads": threading.active_count(),
        "modes": torch.overrides._get_current_function_mode_stack(),
    }


def meddle(then=None):
    """An answer to relu that turns over everything there is around it."""

    def relu(input):
        torch.manual_seed(5)
        random.seed(5)
        np.random.seed(5)
        torch.set_grad_enabled(False)
        torch.set_default_dtype(torch.float64)
        warnings.simplefilter("ignore")
        print("printed")
        print("printed", file=sys.stderr)
        return then(input) if then else input.clamp(min=0)

    return relu


def endless(input):
    while True:
        try:
            input = input + 1
        except BaseException:
            pass


def fails(input):
    raise SystemExit(1)


@pytest.mark.parametrize(
    "then", [None, fails, endless, lambda x: x.requires_grad_().tanh()], ids=["right", "raises", "endless", "other"]
)
def test_nothing_around_a_check_changes(then, monkeypatch, capfd):
    monkeypatch.setattr(bank.get("relu"), "time_limit", 0.1)
    before = surroundings()
    run("relu", meddle(then))
    assert surroundings() == before
    assert capfd.readouterr() == ("", "")


def test_a_check_works_within_whatever_mode_the_learner_is_in():
    for mode in (torch.no_grad(), torch.inference_mode(), torch.device("meta"), torch.set_grad_enabled(False)):
        with mode:
            before = surroundings()
            assert run("elu", right("elu")).passed
            assert [d.id for d in run("elu", bank.twin("elu", "nan-gradient")).diagnoses] == ["nan-gradient"]
            assert surroundings() == before
    torch.set_grad_enabled(True)
    try:
        torch.set_default_dtype(torch.float64)
        torch.set_default_device("meta")
        assert run("softmax_backward", right("softmax_backward", "alternative")).passed
    finally:
        torch.set_default_device(None)
        torch.set_default_dtype(torch.float32)


def test_somebody_elses_timer_goes_on(monkeypatch):
    rang = []
    before = signal.signal(signal.SIGALRM, lambda *_: rang.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        run("relu", right("relu"))
        left, _ = signal.getitimer(signal.ITIMER_REAL)
        assert 0 < left <= 0.3 or rang
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        monkeypatch.setattr(bank.get("relu"), "time_limit", 0.2)
        run("relu", endless)
        while not rang:
            time.sleep(0.01)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_tracer_goes_on_after_an_answer_that_catches_everything(monkeypatch):
    monkeypatch.setattr(bank.get("relu"), "time_limit", 0.1)

    def tracer(frame, event, argument):
        return None

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        run("relu", endless)
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)


def test_a_check_works_off_the_main_thread():
    reports = []
    thread = threading.Thread(target=lambda: reports.append(run("relu", right("relu"))))
    thread.start()
    thread.join()
    assert reports[0].passed


def test_the_banks_own_cases_stay_as_they_are():
    def softmax(input, dim):
        input.view(-1).zero_()
        with contextlib.suppress(Exception):
            input.data = torch.ones(1)
        return input

    before = str([case.args for case in bank.get("softmax").draw()])
    first = plain(run("softmax", softmax))
    assert str([case.args for case in bank.get("softmax").draw()]) == before
    assert plain(run("softmax", softmax)) == first
    assert run("softmax", right("softmax")).passed


def test_a_writer_left_open_holds_no_thread_and_no_folder(capfd, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = threading.active_count()
    report = run("log_layer_images", bank.twin("log_layer_images", "not-closed"))
    assert [d.id for d in report.diagnoses] == ["not-closed"] and 0 < report.score < 1
    assert threading.active_count() == before and list(tmp_path.iterdir()) == []
    gc.collect()
    assert capfd.readouterr() == ("", "")


# ---------------------------------------------------------------- what gets through


def test_control_c_gets_through_and_leaves_nothing_behind():
    def relu(input):
        raise KeyboardInterrupt

    before = surroundings()
    with pytest.raises(KeyboardInterrupt):
        run("relu", relu)
    assert surroundings() == before


def test_control_c_in_the_backward_pass_gets_through():
    class Relu(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clamp(min=0)

        @staticmethod
        def backward(ctx, grad):
            raise KeyboardInterrupt

    before = surroundings()
    with pytest.raises(KeyboardInterrupt):
        run("relu", lambda input: Relu.apply(input))
    assert surroundings() == before


def test_a_real_control_c_stops_an_answer():
    program = (
        "import signal, threading, os, torch\n"
        "from tutor.checking import run\n"
        "def relu(input):\n"
        "    threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()\n"
        "    while True: pass\n"
        "try:\n"
        "    run('relu', relu)\n"
        "except KeyboardInterrupt:\n"
        "    print('stopped', signal.getitimer(signal.ITIMER_REAL))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "stopped (0.0, 0.0)\n", done.stderr


def test_an_unknown_name_lists_near_ones():
    for asked, meant in (
        ("rellu", "relu"),
        ("LeakyReLU", "leaky_relu"),
        ("logsoftmax", "log_softmax"),
        ("count_dead", "count_dead_units"),
    ):
        with pytest.raises(bank.UnknownExercise, match=f"Did you mean .*{meant}"):
            run(asked, right("relu"))
    with pytest.raises(bank.UnknownExercise, match=f"such as {bank.names()[0]}, relu, "):
        run("xyzzy", right("relu"))


# ---------------------------------------------------------------- the score


def test_the_score_is_the_weight_of_what_holds():
    report = run("elu", bank.twin("elu", "alpha-ignored"))
    assert report.verdict == "partly right"
    weights = bank.get("elu").weights
    total = sum(weights.get(aspect, 1.0) for aspect in report.aspects)
    lost = sum(weights.get(aspect, 1.0) for aspect, holds in report.aspects.items() if not holds)
    assert report.score == pytest.approx((total - lost) / total) and 0 < report.score < 1


def test_without_ordinary_numbers_there_is_no_score():
    for name in NAMES:
        for twin in bank.get(name).twins.values():
            report = run(name, twin)
            assert (report.score == 0) == (not report.aspects[CORE])
            assert report.passed == (report.score == 1)
            break


# ---------------------------------------------------------------- exercises in general


def test_an_exercise_of_ones_own_is_an_oracle_a_generator_and_its_twins():
    double = Exercise("double", "99_test", lambda input, times=2: input * times)
    double.cases(
        lambda draw: [Case(CORE, (draw.normal(2, draw.size(2)),)), Case("arguments", (draw.normal(3),), {"times": 5})]
    )
    double.twin("added")(lambda input, times=2: input + times)
    assert [case.kwargs for case in double.draw()] == [{}, {"times": 5}]
    assert double.aspects(double.draw()) == [CORE, "arguments", "conduct"]
    assert double.twins["added"].__name__ == "double"


def test_an_exercise_without_cases_says_so():
    with pytest.raises(ValueError, match="decorate a generator"):
        Exercise("empty", "99_test", lambda: None).draw()


def test_a_misconception_that_isnt_there_lists_those_that_are():
    with pytest.raises(LookupError, match="absolute-value, negative-part"):
        bank.twin("relu", "nothing")


def test_values_clear_of_zero_have_both_signs_and_a_negative_row():
    from tutor.checking.exercise import Draw

    for seed in range(50):
        draw = Draw("any", seed, hidden=False)
        for shape in ((3,), (2, 3), (2, 3, 2, 2), (1, 5)):
            values = draw.off_zero(*shape)
            assert (values.abs() >= 0.2).all() and (values < 0).sum() >= 2 and (values > 0).any()
            assert len(shape) == 1 or shape[0] == 1 or (values.view(-1, shape[-1])[0] < 0).all() or shape[-1] < 2


def test_what_is_printed_is_kept_within_bounds():
    def relu(input):
        print("x" * 100_000)
        return input

    assert len(run("relu", relu).printed) <= 20_000


def test_stdout_of_somebody_who_redirects_it_stays_theirs():
    mine = io.StringIO()
    with contextlib.redirect_stdout(mine):
        print("before")
        run("relu", meddle())
        print("after")
    assert mine.getvalue() == "before\nafter\n"


def test_a_first_check_loads_nothing_heavy():
    program = (
        "import sys\n"
        "from tutor.checking import run\n"
        "assert run('elu', lambda input, alpha=1.0: input).score == 0\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} | {m for m in sys.modules if m.startswith('torch._')}))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.replace("'", "").strip("[]\n").split(", "))
    assert "torch" in loaded
    heavy = {"torchvision", "IPython", "matplotlib", "tensorboard", "pandas", "nbgrader", "nbformat", "scipy", "sympy"}
    assert not loaded & {*heavy, "torch._dynamo", "torch._inductor"}


def test_a_prediction_is_not_given_away():
    report = run("predict_round_trip", lambda: [1.5, 2.5, 3.5])
    assert report.example is None and [diagnosis.id for diagnosis in report.diagnoses] == ["wrong-facts"]
    assert not any(part in as_text(report) for part in ("8", "5, "))
