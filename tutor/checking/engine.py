"""Run a check: the cases, the comparison, the diagnosis and the score, put together into a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tutor.checking import bank, words
from tutor.checking.answer import Answer, Attempt, Own
from tutor.checking.answering import Outcome
from tutor.checking.comparing import ELSEWHERE, Problem, imprecise, problems, same
from tutor.checking.diagnosing import Trial
from tutor.checking.examples import call_text, example
from tutor.checking.exercise import CONDUCT, CORE, Case, Exercise, Function
from tutor.checking.key import Key
from tutor.checking.report import CaseResult, Diagnosis, Report
from tutor.checking.surroundings import untouched
from tutor.checking.watching import public_name


def run(name: str, function: Function, *, hidden: bool = False, seed: int = 0) -> Report:
    """Check an answer to the exercise ``name`` and return what was found.

    ``hidden`` and ``seed`` choose other values and sizes of the same kinds; a hidden report holds no numbers.
    Raises ``bank.UnknownExercise`` for a name that the bank doesn't have; nothing that ``function`` does is raised.
    """
    return examine(Key(bank.get(name), seed=seed, hidden=hidden), Own(function))


def examine(key: Key, answer: Answer) -> Report:
    """Hold an answer against the key to its check and return what was found, as ``run`` does."""
    with untouched():
        return _examine(key, answer)


def _examine(key: Key, answer: Answer) -> Report:
    exercise, hidden = key.exercise, key.hidden
    name = exercise.name
    tried = answer.attempt(key.cases, exercise.time_limit)
    got = tried.outcomes
    cases = key.cases[: len(got)]
    if tried.unwritten:
        return Report(name, "not attempted", 0.0, diagnoses=(words.general(tried.unwritten),), hidden=hidden)
    right = [key.right(index) for index in range(len(cases))]
    found = [problems(exercise, case, r, g) for case, r, g in zip(cases, right, got, strict=True)]
    _hold_to_it(exercise, cases, tried, found)
    cheat = _own_work(exercise, got)
    aspects = _aspects(exercise, cases, found)
    score = 0.0 if cheat else _score(exercise, aspects)
    passed = score == 1.0
    trial = _trial(key, got, found, required=True)
    names = trial.explain()
    secret = hidden or exercise.prediction
    diagnoses = [] if passed else _diagnoses(exercise, cases, found, names, trial, cheat, secret)
    notes = _notes(key, right, got, found) if passed else []
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
        example=None if secret or passed or cheat else example(exercise, cases, found, answer, names),
        printed="" if hidden else next((outcome.printed for outcome in got if outcome.printed), ""),
        hidden=hidden,
    )


def _hold_to_it(exercise: Exercise, cases: Sequence[Case], tried: Attempt, found: list[list[Problem]]) -> None:
    """Add a problem to the case that came out differently with other random numbers, when it may not."""
    if tried.again is not None:
        index, again = tried.again
        if not same(exercise, cases[index], tried.outcomes[index], again):
            found[index].append(Problem("changes-every-time", {}))


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


def _trial(key: Key, got: Sequence[Outcome], found: Sequence[Sequence[Problem]], *, required: bool) -> Trial:
    chosen = [index for index in range(len(got)) if key.cases[index].required == required]
    # A changed input or a wrong dtype is a fault of its own, not a sign of one misconception rather than another.
    failing = {
        place
        for place, index in enumerate(chosen)
        if any(ELSEWHERE.get(problem.kind) != CONDUCT and problem.kind != "detached" for problem in found[index])
    }
    return Trial(key, chosen, [got[index] for index in chosen], failing)


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
                general[problem.kind] = _told(exercise, problem, hidden)
        core_fails = core_fails or (case.aspect == CORE and any(ELSEWHERE.get(p.kind) is None for p in here))
    return ([cheat] if cheat else []) + known + list(general.values())


def _told(exercise: Exercise, problem: Problem, hidden: bool) -> Diagnosis:
    """Return the words for a fault; a prediction takes no input, so that what it raises gives nothing away."""
    raised = exercise.prediction and problem.kind == "raised"
    said = words.general(problem.kind, hidden=hidden and not raised, **problem.details)
    if exercise.prediction and problem.kind in ("wrong-values", "wrong-facts"):
        return replace(said, hint=words.phrase("predict-again"))
    return said


def _notes(
    key: Key, right: Sequence[Outcome], got: Sequence[Outcome], found: Sequence[Sequence[Problem]]
) -> list[Diagnosis]:
    exercise = key.exercise
    names = _trial(key, got, found, required=False).explain()
    notes = [words.misconception(bank.words_file(exercise.name), exercise.name, name) for name in names]
    if any(imprecise(exercise, r, g) for r, g in zip(right, got, strict=True)):
        notes.append(words.general("imprecise"))
    return notes
