"""Run a check: the cases, the comparison, the diagnosis and the score, put together into a report."""

from __future__ import annotations

import dis
import inspect
import traceback
from collections.abc import Sequence
from typing import Any

import torch

from tutor.checking import bank, words
from tutor.checking.answering import Outcome, call, tensors
from tutor.checking.comparing import ELSEWHERE, Problem, problems, same
from tutor.checking.diagnosing import Trial
from tutor.checking.exercise import CONDUCT, CORE, Case, Exercise, Function
from tutor.checking.report import CaseResult, Diagnosis, Example, Report
from tutor.checking.shrinking import shrink

# Faults about which the numbers of a small case would say nothing.
NUMBERLESS = frozenset(
    ["too-slow", "signature", "none", "changes-every-time", "detached", "wrong-dtype", "wrong-device", "not-a-tuple", "gradient-raises"]
)


def run(name: str, function: Function, *, hidden: bool = False, seed: int = 0) -> Report:
    """Check an answer to the exercise ``name`` and return what was found.

    ``hidden`` and ``seed`` choose other values and sizes of the same kinds; a hidden report holds no numbers.
    Raises ``bank.UnknownExercise`` for a name that the bank doesn't have; nothing that ``function`` does is raised.
    """
    exercise = bank.get(name)
    cases = exercise.draw(seed=seed, hidden=hidden)
    got: list[Outcome] = []
    for case in cases:
        got.append(call(function, case, limit=exercise.time_limit))
        if got[-1].slow:
            break
    cases = cases[: len(got)]
    stub = _stub(function, got)
    if stub:
        return Report(name, "not attempted", 0.0, diagnoses=(words.general(stub),), hidden=hidden)
    right = [call(exercise.oracle, case) for case in cases]
    found = [problems(exercise, case, r, g, function) for case, r, g in zip(cases, right, got, strict=True)]
    _look_twice(exercise, cases, got, found, function)
    cheat = _own_work(exercise, got)
    aspects = _aspects(exercise, cases, found)
    score = 0.0 if cheat else _score(exercise, aspects)
    passed = score == 1.0
    trial = _trial(exercise, cases, right, got, found, required=True)
    names = trial.explain()
    diagnoses = [] if passed else _diagnoses(exercise, cases, found, names, trial, cheat)
    notes = _notes(exercise, cases, right, got, found) if passed else []
    worst = _first_failing(cases, found)
    return Report(
        name=name,
        verdict="passed" if passed else "partly right" if score > 0 else "not right yet",
        score=score,
        cases=tuple(
            CaseResult(case.aspect, _call_text(name, case), not p or not case.required, tuple(q.kind for q in p))
            for case, p in zip(cases, found, strict=True)
        ),
        diagnoses=tuple(diagnoses),
        notes=tuple(notes),
        aspects=aspects,
        example=None
        if hidden or worst is None or cheat
        else _example(exercise, cases[worst], found[worst], function, names),
        printed=next((outcome.printed for outcome in got if outcome.printed), ""),
        hidden=hidden,
    )


def _stub(function: Function, got: Sequence[Outcome]) -> str:
    """Tell "not-attempted" (nothing written) from "stub-left" (written, but the stub's raise still stands), else ""."""
    code = getattr(function, "__code__", None)
    if code is not None and _shape(code) == _shape(_empty.__code__) and all(o.value is None for o in got):
        return "not-attempted"
    if not all(isinstance(outcome.error, NotImplementedError) for outcome in got):
        return ""
    frames = [frame for error in got if error.error for frame, _ in traceback.walk_tb(error.error.__traceback__)]
    # Torch raises NotImplementedError too, for an operator that lacks a dtype: that one is an ordinary error.
    if not any(frame.f_code is code for frame in frames) or "torch" in str(frames[-1].f_globals.get("__name__", "")):
        return ""
    return "not-attempted" if code is not None and _shape(code) == _shape(_untouched.__code__) else "stub-left"


def _empty() -> None:
    pass


def _untouched() -> None:
    raise NotImplementedError()


def _shape(code: Any) -> list[str]:
    return [instruction.opname for instruction in dis.get_instructions(code) if instruction.opname != "NOP"]


def _look_twice(
    exercise: Exercise, cases: Sequence[Case], got: Sequence[Outcome], found: list[list[Problem]], function: Function
) -> None:
    """Add a problem to the first case that comes out differently with other random numbers, when it may not."""
    for index, case in enumerate(cases):
        if case.random or got[index].slow or got[index].error is not None:
            continue
        again = call(function, case, limit=exercise.time_limit, seed=1)
        if not same(exercise, got[index], again):
            found[index].append(Problem("changes-every-time", {}))
        return


def _own_work(exercise: Exercise, got: Sequence[Outcome]) -> Diagnosis | None:
    called = sorted({operator for outcome in got for operator in outcome.seen.operators} & exercise.forbids)
    if called:
        return words.general("own-work", operator=called[0].lstrip("_"))
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
) -> list[Diagnosis]:
    known = [words.misconception(bank.words_file(exercise.name), exercise.name, name) for name in names]
    whole = len(known) > 0 and (len(trial.explained(names)) == len(trial.failing) or len(names) == 2)
    general: dict[str, Diagnosis] = {}
    silent = {"wrong-values", "wrong-facts"} if known else set()
    core_fails = False
    for case, here in zip(cases, found, strict=True):
        for problem in here if case.required else ():
            own = ELSEWHERE.get(problem.kind) == CONDUCT or (problem.kind == "detached" and not trial.detaches(names))
            # While ordinary numbers are wrong, whatever else goes wrong elsewhere is mostly an echo of that.
            told = own or not (whole or core_fails)
            if told and problem.kind not in general and problem.kind not in silent:
                general[problem.kind] = words.general(problem.kind, **problem.details)
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
    return [words.misconception(bank.words_file(exercise.name), exercise.name, name) for name in names]


def _first_failing(cases: Sequence[Case], found: Sequence[Sequence[Problem]]) -> int | None:
    return next((index for index, here in enumerate(found) if here and cases[index].required), None)


def _example(
    exercise: Exercise, case: Case, here: Sequence[Problem], function: Function, names: Sequence[str]
) -> Example | None:
    """Shrink the failing case and show its numbers; None where numbers would say nothing (too slow, no result)."""
    kind = here[0].kind
    if kind in NUMBERLESS:
        return None
    twin = exercise.twins[names[0]] if len(names) == 1 and not ELSEWHERE.get(kind) == CONDUCT else None

    def outcomes(candidate: Case) -> tuple[Outcome, Outcome]:
        return call(exercise.oracle, candidate), call(function, candidate, limit=exercise.time_limit)

    def fails(candidate: Case) -> bool:
        right, got = outcomes(candidate)
        if right.error is not None:  # cut too far: not a valid call any more
            return False
        if not any(problem.kind == kind for problem in problems(exercise, candidate, right, got, function)):
            return False
        return twin is None or same(exercise, got, call(twin, candidate))

    # Fewer random numbers would say something else than many: such a case stays as it is.
    small = shrink(exercise, case, fails) if not case.random and fails(case) else case
    right, got = outcomes(small)
    arguments = _arguments(exercise, small)
    if kind == "changed-input":
        index = got.changed[0] if got.changed else 0
        _, after = _after(function, small)
        return Example(arguments, f"{list(arguments)[index]} afterwards", small.args[index], after[index])
    if kind in ("wrong-gradient", "gradient-not-finite") and right.grads and got.grads:
        part = next(p.details["part"] for p in problems(exercise, small, right, got, function) if p.kind == kind)
        of = [name for name, value in arguments.items() if tensors(value)][part] if part < len(small.args) else "input"
        return Example(arguments, f"gradient of {of}", right.grads[part], got.grads[part])
    return Example(arguments, "result", right.value, got.value if got.error is None else None)


def _after(function: Function, case: Case) -> tuple[Any, tuple[Any, ...]]:
    args = tuple(arg.clone() if isinstance(arg, torch.Tensor) else arg for arg in case.args)
    return function(*args, **case.kwargs), args


def _arguments(exercise: Exercise, case: Case) -> dict[str, Any]:
    try:
        names = list(inspect.signature(exercise.oracle).parameters)
    except (TypeError, ValueError):
        names = []
    names += [f"argument {index + 1}" for index in range(len(names), len(case.args))]
    return {**dict(zip(names, case.args, strict=False)), **case.kwargs}


def _call_text(name: str, case: Case) -> str:
    parts = [_short(arg) for arg in case.args] + [f"{key}={_short(value)}" for key, value in case.kwargs.items()]
    return f"{name}({', '.join(parts)})"


def _short(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
    if isinstance(value, tuple | list) and tensors(value):
        return "[" + ", ".join(_short(part) for part in value) + "]"
    return getattr(value, "__name__", None) or repr(value)
