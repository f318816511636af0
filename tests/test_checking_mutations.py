"""Small changes to right answers, made by a program: each is caught, or does the very same as what it was made from."""

import random

import pytest
from learners.answers import CHAPTERS, equivalent, in_style
from learners.mutating import JUDGED_BY_LEARNING, any_mutant, function_of, mutants, places, survives

from tutor.checking import bank, run
from tutor.checking.answering import call
from tutor.checking.comparing import same

ANSWERS = {
    name: text
    for chapter in CHAPTERS
    for name, text in in_style(chapter, "vectorised").items()
    if name not in JUDGED_BY_LEARNING
}
LOGGING = {name for name in ANSWERS if name.startswith("log_")}  # each call writes files


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Some changes log into a folder of another name: that shall not be the checkout."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", ANSWERS)
def test_every_small_change_is_caught_unless_it_changes_nothing(name):
    found = {what for what, text in mutants(ANSWERS[name]) if survives(name, function_of(name, text))}
    assert found == set(equivalent(bank.get(name).chapter).get(name, {}))


def test_there_are_many_changes():
    made = {name: len(places(text)) for name, text in ANSWERS.items()}
    assert sum(made.values()) > 100 * len(made) and min(made.values()) > 5


@pytest.mark.parametrize("name", [name for name in ANSWERS if name not in LOGGING])
def test_two_random_changes_at_once_are_caught_unless_they_cancel_out(name):
    draw = random.Random(name)
    caught = 0
    for _ in range(25):
        text = any_mutant(any_mutant(ANSWERS[name], draw), draw)
        function = function_of(name, text)
        if not survives(name, function):
            caught += 1
        else:  # then it is right for any other numbers as well
            assert all(survives(name, function, seed=seed, hidden=True) for seed in range(2, 8)), text
    assert caught >= 15


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_named_is_what_was_done(name):
    """A name is given to a changed answer only where it does the same as the twin of that name, with fresh numbers too."""
    exercise = bank.get(name)
    twins = exercise.mistakes()
    made = [text for _, text in mutants(ANSWERS[name])]
    for text in random.Random(name).sample(made, min(len(made), 5 if name in LOGGING else 20)):
        function = function_of(name, text)
        named = frozenset(d.id for d in run(name, function).diagnoses)  # with anything else, only a part is explained
        for case in exercise.draw(seed=9, hidden=True) if named in twins else ():
            one, other = call(function, case, limit=5.0), call(twins[named], case)
            assert not case.required or same(exercise, case, one, other), (named, text)
