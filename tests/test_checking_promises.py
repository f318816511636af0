"""What a card promises, "Try `this`: it should give 1; yours gives 2", is what the right answer and the wrong one really give."""

import math
import re

import pytest
import torch
import torch.nn.functional as F

from tutor.checking import bank, words

PROMISE = re.compile(
    r"Try `(?P<call>[^`]+)`: it should (?:give|be) (?P<right>.+?); yours (?:gives|is) (?P<wrong>.+?)\.(?: |$)"
)
# What stands for a number, and words that stand for a result where no number does.
NUMBER = re.compile(r"-?(?:\d+(?:\.\d+)?(?:e-?\d+)?|inf|nan)|True|False")


def promises():
    for name in bank.names():
        for identity in bank.get(name).twins:
            found = PROMISE.match(words.misconception(bank.words_file(name), name, identity).hint)
            if found and all(plain(found[part]) for part in ("right", "wrong")):
                yield name, identity, found


def plain(said: str) -> bool:
    """Tell whether something is said in numbers alone."""
    return all(NUMBER.fullmatch(part) for part in parts(said))


def parts(said: str) -> list[str]:
    return re.sub(r"[\[\]()]|,$", "", said.replace(" and ", ", ")).split(", ")


def numbers(value) -> list[float]:
    if isinstance(value, torch.Size | list | tuple):
        return [part for each in value for part in numbers(each)]
    if isinstance(value, torch.Tensor):
        return value.double().flatten().tolist()
    return [float(value)]


@pytest.mark.parametrize(
    ("name", "identity", "promise"), list(promises()), ids=lambda part: part if isinstance(part, str) else ""
)
def test_what_a_hint_says_a_call_gives_is_what_it_gives(name, identity, promise):
    for function, said in ((bank.get(name).oracle, promise["right"]), (bank.twin(name, identity), promise["wrong"])):
        torch.manual_seed(0)
        got = eval(promise["call"], {"torch": torch, "nn": torch.nn, "F": F, "math": math, name: function})
        told = [float(part == "True") if part in ("True", "False") else float(part) for part in parts(said)]
        assert numbers(got) == pytest.approx(told, abs=6e-4, rel=6e-4, nan_ok=True)


def test_most_hints_promise_something():
    assert len(list(promises())) > sum(len(bank.get(name).twins) for name in bank.names()) / 2
