"""Run a check: the cases, the comparison, the diagnosis and the score, put together into a report."""

from __future__ import annotations

from collections.abc import Sequence

from tutor.checking import bank, words
from tutor.checking.answering import Outcome, call
from tutor.checking.attempted import stub
from tutor.checking.comparing import ELSEWHERE, Problem, imprecise, problems, same
from tutor.checking.diagnosing import Trial
from tutor.checking.examples import call_text, example
from tutor.checking.exercise import CONDUCT, CORE, Case, Exercise, Function
from tutor.checking.report import CaseResult, Diagnosis, Report
from tutor.checking.surroundings import untouched
from tutor.checking.watching import public_name


def run(name: str, function: Function, *, hidden: bool = False, seed: int = 0) -> Report:
    """Check an answer to the exercise ``name`` and return what was found.

    ``hidden`` and ``seed`` choose other values and sizes of the same kinds; a hidden report holds no numbers.
    Raises ``bank.UnknownExercise`` for a name that the bank doesn't have; nothing that ``function`` does is raised.
    """
    exercise = bank.get(name)
    with untouched():
        return _run(exercise, function, hidden, seed)


def _run(exercise: Exercise, function: Function, hidden: bool, seed: int) -> Report:
    name = exercise.name
    cases = exercise.draw(seed=seed, hidden=hidden)
    got: list[Outcome] = []
    for case in cases:
        got.append(call(function, case, limit=exercise.time_limit))
        if got[-1].slow:
            break
    cases = cases[: len(got)]
    unwritten = stub(function, got)
    if unwritten:
        return Report(name, "not attempted", 0.0, diagnoses=(words.general(unwritten),), hidden=hidden)
    right = [call(exercise.oracle, case) for case in cases]
    found = [problems(exercise, case, r, g, function) for case, r, g in zip(cases, right, got, strict=True)]
    _look_twice(exercise, cases, got, found, function)
    cheat = _own_work(exercise, got)
    aspects = _aspects(exercise, cases, found)
    score = 0.0 if cheat else _score(exercise, aspects)
    passed = score == 1.0
    trial = _trial(exercise, cases, right, got, found, required=True)
    names = trial.explain()
    secret = hidden or exercise.prediction
    diagnoses = [] if passed else _diagnoses(exercise, cases, found, names, trial, cheat, secret)
    notes = _notes(exercise, cases, right, got, found) if passed else []
    return Report(
        name=name,
        verdict="passed" if passed else "partly right" if score > 0 else "not right yet",
        score=score,
        cases=tuple(
            CaseResult(case.aspect, call_text(name, case), not p or not case.required, tuple(q.kind for q in p))
            for case, p in zip(cases, found, strict=True)
        ),
        diagnoses=tuple(diagnoses),
        notes=tuple(notes),
        aspects=aspects,
        example=None if secret or passed or cheat else example(exercise, cases, found, function, names),
        printed="" if hidden else next((outcome.printed for outcome in got if outcome.printed), ""),
        hidden=hidden,
    )


def _look_twice(
    exercise: Exercise, cases: Sequence[Case], got: Sequence[Outcome], found: list[list[Problem]], function: Function
) -> None:
    """Add a problem to the first case that comes out differently with other random numbers, when it may not."""
    for index, case in enumerate(cases):
        if case.random or got[index].slow or got[index].error is not None:
            continue
        again = call(function, case, limit=exercise.time_limit, seed=1)
        if not same(exercise, case, got[index], again):
            found[index].append(Problem("changes-every-time", {}))
        return


def _own_work(exercise: Exercise, got: Sequence[Outcome]) -> Diagnosis | None:
    called = sorted({operator for outcome in got for operator in outcome.seen.operators} & exercise.forbids)
    if called:
        return words.general("own-work", operator=public_name(called[0]))
    if exercise.by_hand and any(outcome.seen.autograd for outcome in got):
        return words.general("by-hand")
    return None


def _aspects(exercise: Exercise, cases: Sequence[Case], found: Sequence[Sequence[Problem]]) -> dict[str, bool]:
    lost = {problem.aspect(case) for case, here in zip(cases, found, strict=True) if case.required for problem in here}
    stopped = any(problem.kind == "too-slow" for here in found for problem in here)
    return {aspect: aspect not in lost and not stopped for aspect in exercise.aspects(cases)}


def _score(exercise: Exercise, aspects: dict[str, bool]) -> float:
    if not aspects.get(CORE, False):
        return 0.0
    weights = {aspect: exercise.weights.get(aspect, 1.0) for aspect in aspects}
    earned = sum(weight for aspect, weight in weights.items() if aspects[aspect])
    return earned / sum(weights.values())


def _trial(
    exercise: Exercise,
    cases: Sequence[Case],
    right: Sequence[Outcome],
    got: Sequence[Outcome],
    found: Sequence[Sequence[Problem]],
    *,
    required: bool,
) -> Trial:
    chosen = [index for index, case in enumerate(cases) if case.required == required]
    # A changed input or a wrong dtype is a fault of its own, not a sign of one misconception rather than another.
    failing = {
        place
        for place, index in enumerate(chosen)
        if any(ELSEWHERE.get(problem.kind) != CONDUCT and problem.kind != "detached" for problem in found[index])
    }
    return Trial(exercise, [cases[i] for i in chosen], [right[i] for i in chosen], [got[i] for i in chosen], failing)


def _diagnoses(
    exercise: Exercise,
    cases: Sequence[Case],
    found: Sequence[Sequence[Problem]],
    names: Sequence[str],
    trial: Trial,
    cheat: Diagnosis | None,
    hidden: bool,
) -> list[Diagnosis]:
    known = [words.misconception(bank.words_file(exercise.name), exercise.name, name) for name in names]
    explained = trial.explained(names)
    whole = len(known) > 0 and explained == trial.failing
    general: dict[str, Diagnosis] = {}
    core_fails = False
    # The required cases come first, so that their places here are those in the trial.
    for place, (case, here) in enumerate(zip(cases, found, strict=True)):
        for problem in here if case.required else ():
            own = ELSEWHERE.get(problem.kind) == CONDUCT or (problem.kind == "detached" and not trial.detaches(names))
            # While ordinary numbers are wrong, whatever else goes wrong elsewhere is mostly an echo of that.
            told = own or not (whole or core_fails)
            named = problem.kind in ("wrong-values", "wrong-facts") and place in explained
            if told and not named and problem.kind not in general:
                general[problem.kind] = words.general(problem.kind, hidden=hidden, **problem.details)
        core_fails = core_fails or (case.aspect == CORE and any(ELSEWHERE.get(p.kind) is None for p in here))
    return ([cheat] if cheat else []) + known + list(general.values())


def _notes(
    exercise: Exercise,
    cases: Sequence[Case],
    right: Sequence[Outcome],
    got: Sequence[Outcome],
    found: Sequence[Sequence[Problem]],
) -> list[Diagnosis]:
    names = _trial(exercise, cases, right, got, found, required=False).explain()
    notes = [words.misconception(bank.words_file(exercise.name), exercise.name, name) for name in names]
    if any(imprecise(exercise, r, g) for r, g in zip(right, got, strict=True)):
        notes.append(words.general("imprecise"))
    return notes
