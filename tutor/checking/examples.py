"""Choose the failing case to show, make it small, and lay its numbers out."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from tutor.checking.answer import Answer
from tutor.checking.answering import Outcome, call, upstream
from tutor.checking.comparing import ELSEWHERE, Problem, problems, same
from tutor.checking.exercise import CONDUCT, Case, Exercise, Folder
from tutor.checking.report import Example
from tutor.checking.results import tensors
from tutor.checking.shrinking import shrink

# Faults about which the numbers of a small case would say nothing.
NUMBERLESS = frozenset(
    [
        "too-slow",
        "signature",
        "none",
        "changes-every-time",
        "detached",
        "wrong-dtype",
        "wrong-device",
        "not-a-tuple",
        "gradient-raises",
    ]
)
PATIENCE = 1.0  # seconds for one call, and for all of them together: a smaller case is a kindness, not a duty


def example(
    exercise: Exercise,
    cases: Sequence[Case],
    found: Sequence[Sequence[Problem]],
    answer: Answer,
    names: Sequence[str],
) -> Example | None:
    """Shrink the first failing case and show its numbers; None where numbers would say nothing (too slow, no result).

    ``names`` are the misconceptions found: where there is one, the small case still shows that one.
    """
    chosen = [
        (case, problem.kind)
        for case, here in zip(cases, found, strict=True)
        for problem in here
        if case.required and problem.kind not in NUMBERLESS
    ]
    if not chosen:
        return None
    case, kind = chosen[0]
    twin = exercise.twins[names[0]] if len(names) == 1 and ELSEWHERE.get(kind) != CONDUCT else None

    def outcomes(candidate: Case) -> tuple[Outcome, Outcome]:
        return call(exercise.oracle, candidate), answer.call(candidate, min(PATIENCE, exercise.time_limit))

    def fails(candidate: Case) -> bool:
        right, got = outcomes(candidate)
        if right.error is not None:  # cut too far: not a valid call any more
            return False
        if not any(problem.kind == kind for problem in problems(exercise, candidate, right, got)):
            return False
        return twin is None or same(exercise, candidate, got, call(twin, candidate))

    # Fewer random numbers would say something else than many, pictures in a file are told apart by their numbers, and a
    # model wants inputs of its own size: such cases stay as they are.
    fixed = case.random or case.build or any(isinstance(arg, Folder) for arg in case.args)
    small = shrink(exercise, case, fails, seconds=PATIENCE) if not fixed and fails(case) else case
    right, got = outcomes(small)
    if got.slow:  # it was quick enough the first time, which is when it counts
        return None
    arguments = _arguments(exercise, small)
    if kind == "changed-input" and got.changed:
        name = list(arguments)[got.changed[0]]
        return Example(arguments, f"{name} afterwards", small.args[got.changed[0]], got.after[0])
    if kind in ("wrong-gradient", "gradient-not-finite") and right.grads and got.grads:
        parts = [p.details["part"] for p in problems(exercise, small, right, got) if p.kind == kind]
        leaves = [name for name, value in arguments.items() for _ in tensors(value)]
        part = parts[0] if parts else 0
        if isinstance(right.value, torch.Tensor):
            arguments["grad_output"] = upstream(right.value)
        return Example(arguments, f"gradient of {leaves[part]}", right.grads[part], got.grads[part])
    return Example(arguments, "result", right.value, got.value if got.error is None else None)


def call_text(name: str, case: Case) -> str:
    """Return a call in words, with the shapes of tensors in place of their numbers."""
    parts = [_short(arg) for arg in case.given] + [f"{key}={_short(value)}" for key, value in case.kwargs.items()]
    return f"{name}({', '.join(parts)})"


def _arguments(exercise: Exercise, case: Case) -> dict[str, Any]:
    names = list(inspect.signature(exercise.oracle).parameters)
    # What stands beside a folder goes into files, and what stands beside a model goes through it: its shapes say enough.
    short = case.build or any(isinstance(arg, Folder) for arg in case.args)
    values = [_short(arg) for arg in case.given] if short else case.args
    return {**dict(zip(names, values, strict=False)), **case.kwargs}


def _short(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
    if isinstance(value, Folder):
        return "an empty folder"
    if isinstance(value, str):
        return repr(value)
    if isinstance(value, tuple | list) and tensors(value):
        return "[" + ", ".join(_short(part) for part in value) + "]"
    if isinstance(value, torch.nn.Module | torch.optim.Optimizer | Iterator):
        return f"a {type(value).__name__}"
    return getattr(value, "__name__", None) or repr(value)
