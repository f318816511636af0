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


def case(**options):
    model = nn.Linear(1, 1, bias=False)
    nn.init.ones_(model.weight)
    return Case(
        CORE, (model, torch.optim.SGD(model.parameters(), lr=1.0), [torch.ones(1, 1)]), observe=trained, **options
    )


def step(model, optimizer, batches):
    for batch in batches:
        optimizer.zero_grad()
        model(batch).sum().backward()
        optimizer.step()


def test_every_call_begins_with_the_same_model_and_is_seen_in_what_became_of_its_own():
    fresh = case(fresh=True)
    for _ in range(3):
        assert call(step, fresh).value == {"weight": [[0.0]], "of the optimizer": True}
    assert fresh.args[0].weight.item() == 1.0


def test_without_it_what_one_call_did_would_reach_the_next():
    stale = case()
    assert [call(step, stale).value["weight"] for _ in range(2)] == [[[0.0]], [[-1.0]]]


def test_an_iterator_among_the_arguments_is_whole_again_at_every_call():
    once = Case(CORE, (iter([1, 2, 3]),), fresh=True)
    assert [call(lambda numbers: sum(numbers), once).value for _ in range(3)] == [6, 6, 6]
