"""Chapter 06: right answers pass in every style, wrong ones are named, and what is said about them is true."""

import re
from pathlib import Path

import pytest
import torch
from learners.answers import STYLES, in_style
from test_checking_mutations import function_of, mutants, survives

from tutor.checking import bank, run, words
from tutor.checking.answering import call
from tutor.checking.comparing import same

CHAPTER = "06_cnn"
SOURCE = Path(__file__).parents[1] / "solutions" / CHAPTER / f"{CHAPTER}.py"
NAMES = bank.names(CHAPTER)
SINGLES = [(name, identity) for name in NAMES for identity in bank.get(name).twins]
PROMISE = re.compile(
    r"Try `(?P<call>[^`]+)`: it should (?:give|be) (?P<right>.+?); yours (?:gives|is) (?P<wrong>.+?)\.(?: |$)"
)


def answer(style, name):
    scope = {}
    exec(in_style(CHAPTER, style)[name], scope)
    return scope[name]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("style", STYLES)
def test_right_answers_in_three_styles_pass(style, name):
    for seed in (0, 1, 2):
        for hidden in (False, True):
            report = run(name, answer(style, name), hidden=hidden, seed=seed)
            assert report.verdict == "passed" and report.score == 1.0, (report.diagnoses, report.example)


@pytest.mark.parametrize(("name", "identity"), SINGLES, ids=lambda part: part)
def test_each_misconception_is_caught_and_named_exactly(name, identity):
    for seed, hidden in ((0, False), (0, True), (1, False), (2, True)):
        report = run(name, bank.twin(name, identity), hidden=hidden, seed=seed)
        assert not report.passed and [d.id for d in report.diagnoses] == [identity], (seed, hidden)


def test_every_misconception_has_words_and_every_section_is_a_heading():
    headings = re.findall(r"^# ##+ (.+)$", SOURCE.read_text(encoding="utf-8"), re.MULTILINE)
    for name in NAMES:
        spoken = words.load(bank.words_file(name))[name]
        assert set(spoken["wrong"]) == set(bank.get(name).twins) and len(spoken["hints"]) == 3, name
        assert {said["section"] for said in spoken["wrong"].values()} <= set(headings), name


def promises():
    for name, identity in SINGLES:
        hint = words.misconception(bank.words_file(name), name, identity).hint
        if "it should" in hint and "yours" in hint and (found := PROMISE.match(hint)):
            yield name, identity, found


@pytest.mark.parametrize(
    ("name", "identity", "promise"), promises(), ids=lambda part: part if isinstance(part, str) else ""
)
def test_what_a_hint_says_a_call_gives_is_what_it_gives(name, identity, promise):
    for function, said in ((bank.get(name).oracle, promise["right"]), (bank.twin(name, identity), promise["wrong"])):
        torch.manual_seed(0)
        got = eval(promise["call"], {"torch": torch, "nn": torch.nn, name: function})
        if "shape" in promise["call"]:
            assert str(got if isinstance(got, list) else tuple(got)).strip("[]") == said
        else:
            told = [float(part == "True") if part in ("True", "False") else float(part) for part in said.split(", ")]
            assert numbers(got) == pytest.approx(told, abs=6e-4, nan_ok=True)


def numbers(value):
    if isinstance(value, list | tuple):
        return [part for each in value for part in numbers(each)]
    return value.double().flatten().tolist() if isinstance(value, torch.Tensor) else [float(value)]


def test_most_hints_promise_something():
    assert len(list(promises())) > len(SINGLES) / 2


SWITCHABLE = [name for name in NAMES if list(bank.get(name).pairs())]


@pytest.mark.parametrize("name", SWITCHABLE)
def test_two_at_once_are_named_as_the_two_or_as_what_they_come_to(name):
    exercise = bank.get(name)
    functions = {frozenset([identity]): twin for identity, twin in exercise.twins.items()}
    functions |= {frozenset(pair): function for pair, function in exercise.pairs()}
    others = {}
    for pair, function in exercise.pairs():
        named = frozenset(diagnosis.id for diagnosis in run(name, function).diagnoses)
        assert named in functions, (pair, named)
        if named != frozenset(pair):
            others[frozenset(pair)] = named
    for pair, named in others.items():
        for case in exercise.draw(seed=1, hidden=True):
            assert same(exercise, case, call(functions[pair], case), call(functions[named], case)), (pair, named)
    assert len(others) * 2 < len(list(exercise.pairs()))  # most pairs show both


# Words of the changed lines in changes that change nothing: another name for the same number of images or dimension,
# a number that is taken whether or not it comes as a tensor, ReLU and maximum in either order.
NOTHING = {
    "cross_entropy": ["amax(dim=-1", "sum(dim=-1", "arange(len(logits))"],
    "cross_entropy_backward": ["dim=-1", "/ len(logits)", "arange(len(logits))"],
    "sgd_step": ["zip(parameters, gradients)]", "strict=False"],
    "build_cnn": ["nn.MaxPool2d(2), nn.ReLU()", "nn.MaxPool2d(2), nn.ReLU()"],
    "cnn_gradients": [
        "sums >= 0",
        "dim=-1",
        "/ len(input)",
        "grad.mT",
        "(3, 2, 0)",
        "linear_weight.mT",
        "F.unfold(input, conv_weight.shape[-2:])",
        "(0, -2, 3)",
        "arange(len(input))",
        "flatten(-2)",
        "active.shape[-2:]",
    ],
    "train_one_epoch": ["(0, 0.0)", "(-0.0, 0)", "loss * len(labels)", "model.zero_grad()"],
    "accuracy": ["mean()", "argmax(dim=-1)"],
    "confusion": ["argmax(dim=-1)"],
    "log_training": ["zip(losses, accuracies)", "strict=False"],
}


@pytest.mark.parametrize("name", [name for name in NAMES if name != "challenge_net"])  # many ways are right there
def test_every_small_change_is_caught_unless_it_changes_nothing(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some changes log into a folder of another name
    text = in_style(CHAPTER, "vectorised")[name]
    survived = [
        what.split("  ->  ")[1]
        for what, changed in mutants(text)
        if survives(name, function_of(name, changed)) and survives(name, function_of(name, changed), hidden=True)
    ]
    known = NOTHING.get(name, [])
    assert len(survived) == len(known) and all(any(part in line for part in known) for line in survived), survived
