"""Answers that are to change an argument, such as a model that they train, get one of their own at every call."""

import torch
from torch import nn

from tutor.checking.answering import call
from tutor.checking.exercise import CORE, Case


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
    case = Case(CORE, (), observe=lambda value, args: value, judge=lambda said: {"right": said == 7})
    assert call(lambda: 7, case).value == {"right": True}
    assert call(lambda: 8, case).value == {"right": False}
    assert "division" in call(lambda: 1 / 0, case).error.text  # and nothing to judge
