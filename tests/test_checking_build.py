"""Answers that are to change an argument, such as a model that they train, get one of their own at every call."""

from collections import deque
from fractions import Fraction

import numpy as np
import torch
from torch import nn

from tutor.checking.answering import call
from tutor.checking.exercise import CORE, Case
from tutor.checking.results import LARGEST, LONGEST, Opaque, plain, unfolded


def trained(value, args):
    return {
        "weight": args[0].weight.detach().tolist(),
        "of the optimizer": args[1].param_groups[0]["params"][0] is args[0].weight,
    }


def made(start, numbers):
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, start)
    return model, torch.optim.SGD(model.parameters(), lr=1.0), iter(numbers)


CASE = Case(CORE, (1.0, [torch.ones(1, 1)]), observe=trained, build=made)


def step(model, optimizer, batches):
    for batch in batches:
        optimizer.zero_grad()
        model(batch).sum().backward()
        optimizer.step()


def test_every_call_begins_with_the_same_model_and_is_seen_in_what_became_of_its_own():
    for _ in range(3):  # the batches come from an iterator, which is whole again each time
        assert call(step, CASE).value == {"weight": [[0.0]], "of the optimizer": True}


def test_what_an_answer_does_to_the_batches_reaches_no_other_call_and_is_noticed():
    def spoil(model, optimizer, batches):
        for batch in batches:
            batch.zero_()

    case = Case(CORE, (1.0, [torch.ones(1, 1)]), build=lambda start, numbers: (start, numbers))
    assert call(lambda start, numbers: numbers[0].zero_(), case).changed == (1,)
    call(spoil, CASE)
    assert CASE.args[1][0].item() == 1.0


def test_what_was_observed_is_judged_with_what_the_answer_does_not_see():
    case = Case(CORE, (7,), observe=lambda value, args: value, judge=lambda said, args: {"right": said == args[0]})
    assert call(lambda seven: seven, case).value == {"right": True}
    assert call(lambda seven: 8, case).value == {"right": False}
    assert "division" in call(lambda seven: 1 / 0, case).error.text  # and nothing to judge


def test_what_a_judge_can_make_nothing_of_stays_as_it_is_but_is_no_fact():
    def unsure(value, args):
        raise ValueError(value)

    for judge in (unsure, lambda value, args: value):
        case = Case(CORE, (), judge=judge)
        assert call(lambda: [1, "two"], case).value == [1, "two"]
        assert call(lambda: {"right": True}, case).value == Opaque("dict", "")
        assert call(object, case).value.kind == "object"
        assert call(lambda: torch.ones(LARGEST + 1), case).value.shape == (LARGEST + 1,)


def test_a_judge_gets_what_other_types_hold():
    def pairs():
        yield from ([1, Fraction(1, 2)], {3})

    case = Case(CORE, (), judge=lambda value, args: {"got": value if isinstance(value, list | int) else value.tolist()})
    for held, value in (
        ([0, 1, 2], range(3)),
        ([1.5], {1.5}),
        ([2], {2: 3}.keys()),
        ([4], deque([4])),
        ([[1, 0.5], [3]], pairs()),
        ([1, 2], np.array([1, 2])),
        (5, np.int16(5)),
        (True, np.bool_(True)),
    ):
        assert call(lambda value=value: value, case).value == {"got": held}, value
    assert call(lambda: Fraction(1, 2), Case(CORE, (), judge=lambda value, args: float(value))).value == 0.5


def test_what_is_no_collection_of_numbers_or_too_long_holds_nothing():
    for odd in (nn.Sequential(nn.ReLU()), int, iter(range(LONGEST + 1)), np.array(["a"]), np.ones(LARGEST + 1)):
        assert unfolded(plain(odd)) in (plain(odd), ["a"]), odd


def test_what_an_iterator_of_the_answers_own_raises_is_told():
    def broken():
        yield 1
        raise ZeroDivisionError

    assert "ZeroDivision" in call(broken, Case(CORE, ())).error.text
