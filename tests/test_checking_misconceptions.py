"""Every misconception of the bank is caught and named, alone and in pairs, with words for it."""

import functools
import random
from pathlib import Path

import pytest

from tutor.checking import bank, run, words
from tutor.checking.answering import call
from tutor.checking.comparing import same

SOLUTIONS = Path(__file__).parents[1] / "solutions"
NAMES = bank.names()
REMARKS = {("relu", "times-mask-at-infinity")}  # these cost nothing and are only mentioned
SINGLES = [(name, identity) for name in NAMES for identity in bank.get(name).twins]
SWITCHABLE = [name for name in NAMES if list(bank.get(name).pairs())]


@pytest.mark.parametrize(("name", "identity"), SINGLES, ids=lambda part: part)
def test_each_is_caught_and_named_exactly(name, identity):
    for seed, hidden in ((0, False), (0, True), (1, False), (2, True)):
        report = run(name, bank.twin(name, identity), hidden=hidden, seed=seed)
        if (name, identity) in REMARKS:
            assert report.passed and report.diagnoses == ()
            told = report.notes
        else:
            assert not report.passed and report.score < 1 and report.notes == ()
            nothing = any("none" in case.problems for case in report.cases)  # then there are no numbers to show
            assert (report.example is None) == (hidden or bank.get(name).prediction or nothing)
            told = report.diagnoses
        assert [diagnosis.id for diagnosis in told] == [identity], (seed, hidden)
        assert told[0].message and told[0].hint and told[0].section


def test_every_wrong_answer_of_the_bank_has_words_and_every_word_an_answer():
    for name in NAMES:
        spoken = words.load(bank.words_file(name))[name]
        assert set(spoken["wrong"]) == set(bank.get(name).twins), name
        assert len(spoken["hints"]) == 3, name


@functools.cache
def headings(chapter: str) -> set[str]:
    lines = (SOLUTIONS / chapter / f"{chapter}.py").read_text(encoding="utf-8").splitlines()
    return {line.lstrip("# ") for line in lines if line.startswith(("# ## ", "# ### "))}


def test_sections_to_read_again_are_headings_of_the_chapter():
    for name, identity in SINGLES:
        section = words.misconception(bank.words_file(name), name, identity).section
        assert section in headings(bank.get(name).chapter), (name, identity)


def some_pairs(name: str, most: int):
    """Return the pairs of an exercise; of very many a sample, as all of them are run for docs/checks.md."""
    pairs = list(bank.get(name).pairs())
    return random.Random(name).sample(pairs, min(len(pairs), most))


@pytest.mark.parametrize("name", SWITCHABLE)
def test_two_at_once_are_named_as_the_two_or_as_what_they_come_to(name):
    # Where another name is given than the two, that one must do the very same: a mask, or two that come to a third.
    exercise = bank.get(name)
    functions = exercise.mistakes()
    pairs = some_pairs(name, 60)
    others = {}
    for pair, function in pairs:
        report = run(name, function)
        named = frozenset(diagnosis.id for diagnosis in report.diagnoses)
        assert not report.passed, pair
        assert named in functions, (pair, named)
        if named != frozenset(pair):
            others[frozenset(pair)] = named
    for pair, named in others.items():
        for seed, hidden in ((0, False), (1, True)):
            for case in exercise.draw(seed=seed, hidden=hidden):
                one, other = call(functions[pair], case), call(functions[named], case)
                assert same(exercise, case, one, other), (pair, named, case)
    assert len(others) * 2 < len(pairs)  # most pairs show both


@pytest.mark.parametrize("name", SWITCHABLE)
def test_two_at_once_are_named_in_hidden_cases_too(name):
    for pair, function in some_pairs(name, 12):
        seen, unseen = run(name, function, seed=3), run(name, function, seed=3, hidden=True)
        assert [d.id for d in seen.diagnoses] == [d.id for d in unseen.diagnoses], pair


def test_every_chapter_knows_what_typically_goes_wrong():
    for chapter in {bank.get(name).chapter for name in NAMES}:
        assert sum(len(bank.get(name).twins) for name in bank.names(chapter)) >= 60, chapter
    assert all(len(bank.get(name).twins) >= 5 for name in NAMES)
