"""What the checks catch, name and accept, exercise by exercise; the table goes to ``docs/checks.md``."""

import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from bench import Row
from tutor.checking import bank, run
from tutor.checking.answering import call
from tutor.checking.comparing import same
from tutor.checking.exercise import Exercise, Function

NAME = "what the checks catch, name and accept"
GOAL = ">= 1x"
SLOW = True  # every pair of misconceptions and thousands of small changes: some minutes
TABLE = Path(__file__).parents[1] / "docs" / "checks.md"
SEEDS = ((0, False), (1, False), (0, True), (2, True))  # seed, hidden
HEAD = """# What the checks catch

Made by `make bench BENCH=checks`; not edited by hand. For each exercise:

- **misconceptions**: wrong answers of the bank, each checked with shown and with hidden numbers, how many were caught, and how
  many were called by exactly their name. (`times-mask-at-infinity` is a remark on a right answer.)
- **two at once**: pairs of misconceptions in one answer, caught, and named as the two or as what they come to.
- **right**: answers in several styles of writing (vectorised, loops, by detours) and how many were accepted.
- **small changes**: programs that differ from the vectorised answer in one operator, comparison, number, name, index, axis
  or argument, how many were caught, and how many change nothing. `tests/answers/*/equivalent.toml` says why each of these does.

"""
COLUMNS = ("exercise", "misconceptions", "caught", "named", "two at once", "caught", "named", "right", "accepted")
COLUMNS += ("small changes", "caught", "change nothing")


@dataclass
class Count:
    """One line of the table."""

    misconceptions: int = 0
    caught: int = 0
    named: int = 0
    pairs: int = 0
    pairs_caught: int = 0
    pairs_named: int = 0
    right: int = 0
    accepted: int = 0
    changes: int = 0
    changes_caught: int = 0
    equivalent: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(*(one + more for one, more in zip(astuple(self), astuple(other), strict=True)))

    def line(self, name: str) -> str:
        """Return the numbers as a line of the table."""
        return f"| {name} | {' | '.join(f'{number:,}' for number in astuple(self))} |\n"


def learners(part: str) -> Any:
    """Return a module of the simulated learners: they belong to the tests, which this table counts."""
    return importlib.import_module(f"tests.learners.{part}")


def count(name: str) -> Count:
    """Try everything on the check of one exercise."""
    exercise, found = bank.get(name), Count()
    for identity in exercise.twins:
        reports = [run(name, bank.twin(name, identity), seed=seed, hidden=hidden) for seed, hidden in SEEDS]
        found.misconceptions += 1
        found.caught += all(not report.passed or report.notes for report in reports)
        found.named += all([told.id for told in (*report.diagnoses, *report.notes)] == [identity] for report in reports)
    functions = exercise.mistakes()
    for pair, function in exercise.pairs():
        report = run(name, function)
        told = frozenset(diagnosis.id for diagnosis in report.diagnoses)
        found.pairs += 1
        found.pairs_caught += not report.passed
        found.pairs_named += told == frozenset(pair) or (
            told in functions and alike(exercise, functions[told], function)
        )
    mutating = learners("mutating")
    for style, text in right_answers(exercise):
        function = mutating.function_of(name, text)
        found.right += 1
        found.accepted += all(run(name, function, seed=seed, hidden=hidden).passed for seed, hidden in SEEDS)
        mutable = style == "vectorised" and name not in mutating.JUDGED_BY_LEARNING
        for _, changed in mutating.mutants(text) if mutable else ():
            found.changes += 1
            survives = mutating.survives(name, mutating.function_of(name, changed))
            found.equivalent += survives
            found.changes_caught += not survives
    return found


def right_answers(exercise: Exercise) -> Iterator[tuple[str, str]]:
    """Yield (style, text) for the right answers to an exercise."""
    answers = learners("answers")
    for style in answers.STYLES:
        yield style, answers.in_style(exercise.chapter, style)[exercise.name]


def alike(exercise: Exercise, one: Function, other: Function) -> bool:
    """Tell whether two functions do the same on every case, shown and hidden."""
    return all(
        same(exercise, case, call(one, case), call(other, case))
        for seed, hidden in SEEDS
        for case in exercise.draw(seed=seed, hidden=hidden)
    )


def measure() -> list[Row]:
    """Count exercise by exercise, write the table, and return what was caught and named of all that was tried."""
    lines, total = [], Count()
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as elsewhere:
        os.chdir(elsewhere)  # some changed answers log into folders of other names
        try:
            names = bank.names()
            for number, name in enumerate(names, 1):
                print(f"  [{number}/{len(names)}] {name}", file=sys.stderr, flush=True)
                found = count(name)
                lines.append(found.line(f"{bank.get(name).chapter[:2]} `{name}`"))
                total += found
        finally:
            os.chdir(here)
    head = HEAD + f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|\n"
    TABLE.write_text(head + "".join(lines) + total.line("**all**"), encoding="utf-8")
    wrong, caught = total.misconceptions + total.pairs, total.caught + total.pairs_caught
    named = total.named + total.pairs_named
    known = sum(
        len(reasons)
        for chapter in learners("answers").CHAPTERS
        for reasons in learners("answers").equivalent(chapter).values()
    )
    changes = total.changes - known
    return [
        Row("wrong answers caught / tried", caught, wrong, "answers", caught / wrong, GOAL),
        Row("wrong answers named / tried", named, wrong, "answers", named / wrong, GOAL),
        Row(
            "right answers accepted / tried", total.accepted, total.right, "answers", total.accepted / total.right, GOAL
        ),
        Row(
            "small changes caught / that change something",
            total.changes_caught,
            changes,
            "answers",
            total.changes_caught / changes,
            GOAL,
        ),
    ]
