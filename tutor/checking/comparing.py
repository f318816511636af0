"""Compare what an answer gave with what was right, and say what kind of difference there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from tutor.checking.answering import Outcome
from tutor.checking.exercise import CONDUCT, GRADIENT, Case, Exercise
from tutor.checking.failures import Failure
from tutor.checking.results import LARGEST, Opaque, ordinary, tensors

# Kinds of difference that leave the values themselves right, and the aspect of the score that each belongs to.
ELSEWHERE = {
    "changed-input": CONDUCT,
    "wrong-dtype": CONDUCT,
    "wrong-device": CONDUCT,
    "not-a-tuple": CONDUCT,
    "changes-every-time": CONDUCT,
    "detached": GRADIENT,
    "wrong-gradient": GRADIENT,
    "gradient-raises": GRADIENT,
    "gradient-not-finite": GRADIENT,
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with one call: its kind (a key of words.toml) and the details that its words need."""

    kind: str
    details: dict[str, Any]

    def aspect(self, case: Case) -> str:
        """Return the aspect of the score that this problem costs."""
        return ELSEWHERE.get(self.kind, case.aspect) if case.required else case.aspect


def problems(exercise: Exercise, case: Case, right: Outcome, got: Outcome) -> list[Problem]:
    """List what is wrong with an outcome; an empty list means that it is right."""
    if got.slow:
        return [Problem("too-slow", {"seconds": got.seconds, "limit": exercise.time_limit})]
    if got.error is not None:
        return [_raised(got.error)]
    if got.nothing and not right.nothing:
        return [Problem("none", {})]
    found = [Problem("changed-input", {"which": got.named})] if got.changed else []
    value = got.value
    if isinstance(right.value, tuple) and len(right.value) == 1 and isinstance(value, torch.Tensor):
        found.append(Problem("not-a-tuple", {}))
        value = (value,)
    wrong = _values(exercise, right.value, value, got.seen.coarse)
    found += wrong
    # A wrong gradient of a wrong result is no news; of a right one, it is.
    if case.gradient and all(ELSEWHERE.get(problem.kind) == CONDUCT for problem in wrong):
        found += _gradients(exercise, right, got)
    return found


def same(exercise: Exercise, case: Case, one: Outcome, other: Outcome) -> bool:
    """Tell whether two outcomes are alike: the same values (nan equals nan), gradients and kind of failure.

    Gradients count only where two calls have to agree: with a random result, gradients differ as well.
    """
    if one.slow or other.slow:
        return False
    if one.error is not None or other.error is not None:
        return (one.error and one.error.kind) == (other.error and other.error.kind)
    coarse = one.seen.coarse or other.seen.coarse
    if not _equal(exercise, one.value, other.value, coarse):
        return False
    if (one.grad_error is None) != (other.grad_error is None):
        return False
    if case.random or one.grads is None or other.grads is None:  # being cut off from autograd is a fault of its own
        return True
    pairs = zip(one.grads, other.grads, strict=True)
    return all(_close(exercise, a, b, coarse) for a, b in pairs)


def imprecise(exercise: Exercise, right: Outcome, got: Outcome) -> bool:
    """Tell whether a right result is right only as float32 has it, though it is in float64."""
    if not got.seen.coarse or not isinstance(right.value, torch.Tensor) or not isinstance(got.value, torch.Tensor):
        return False
    return right.value.dtype == got.value.dtype == torch.float64 and bool(
        _wrong_elements(exercise, right.value, got.value, coarse=False).any()
    )


def _wrong_elements(exercise: Exercise, right: torch.Tensor, got: torch.Tensor, coarse: bool) -> torch.Tensor:
    exact = torch.complex128 if got.is_complex() or right.is_complex() else torch.float64
    tolerance = _tolerance(exercise, right, got, coarse)
    return ~torch.isclose(got.to(exact), right.to(exact), **tolerance, equal_nan=True)


def _values(exercise: Exercise, right: Any, got: Any, coarse: bool) -> list[Problem]:
    if isinstance(right, tuple | list) and tensors(right):
        if not isinstance(got, tuple | list):
            return [Problem("wrong-type", {"got": _kind(got), "right": f"a tuple of {len(right)} tensors"})]
        if len(got) != len(right):
            return [Problem("wrong-length", {"got": len(got), "right": len(right)})]
        for index, (r, g) in enumerate(zip(right, got, strict=True)):
            found = _values(exercise, r, g, coarse)
            if found:
                return [Problem(p.kind, {**p.details, "part": index}) for p in found]
        return []
    if isinstance(right, torch.Tensor):
        return _tensor(exercise, right, got, coarse)
    return [] if _equal(exercise, right, got, coarse) else [Problem("wrong-facts", {"right": right, "got": got})]


def _tensor(exercise: Exercise, right: torch.Tensor, got: Any, coarse: bool) -> list[Problem]:
    if not isinstance(got, torch.Tensor) or not (ordinary(got) or got.is_meta):
        right_kind = "an ordinary tensor" if isinstance(got, torch.Tensor) else "a tensor"
        return [Problem("wrong-type", {"got": _kind(got), "right": right_kind})]
    if got.shape != right.shape:
        return [Problem("wrong-shape", {"got": tuple(got.shape), "right": tuple(right.shape)})]
    found: list[Problem] = []
    if got.dtype != right.dtype:
        found.append(Problem("wrong-dtype", {"got": _dtype(got), "right": _dtype(right)}))
    if got.device != right.device:
        found.append(Problem("wrong-device", {"got": str(got.device), "right": str(right.device)}))
        if got.is_meta:  # has a shape and no numbers
            return found
        got = got.to(right.device)
    if _identical(right, got):
        return found
    if right.is_floating_point() and bool((torch.isfinite(right) & ~torch.isfinite(got)).any()):
        return [*found, Problem("not-finite", {"got": "nan" if bool(got.isnan().any()) else "inf"})]
    wrong = _wrong_elements(exercise, right, got, coarse)
    if bool(wrong.any()):
        found.append(Problem("wrong-values", {"wrong": int(wrong.sum()), "of": wrong.numel()}))
    return found


def _gradients(exercise: Exercise, right: Outcome, got: Outcome) -> list[Problem]:
    if got.detached:
        return [Problem("detached", {})]
    if got.grad_error is not None:
        # An edited input that autograd still needs is one fault, not two.
        return [] if got.changed else [Problem("gradient-raises", _error(got.grad_error))]
    if right.grads is None or got.grads is None:  # too large or complex: what is wrong with it is told already
        return []
    for index, (r, g) in enumerate(zip(right.grads, got.grads, strict=True)):
        if not bool(torch.isfinite(g).all()):
            return [Problem("gradient-not-finite", {"got": "nan" if bool(g.isnan().any()) else "inf", "part": index})]
        if not _close(exercise, r, g, got.seen.coarse):
            return [Problem("wrong-gradient", {"part": index})]
    return []


def _equal(exercise: Exercise, one: Any, other: Any, coarse: bool) -> bool:
    if isinstance(one, torch.Tensor) or isinstance(other, torch.Tensor):
        return (
            isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor) and _close(exercise, one, other, coarse)
        )
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(exercise, one[key], other[key], coarse) for key in one)
    if isinstance(one, tuple | list) and isinstance(other, tuple | list):
        return len(one) == len(other) and all(_equal(exercise, a, b, coarse) for a, b in zip(one, other, strict=True))
    if isinstance(one, float) and isinstance(other, int | float):
        first, second = (torch.tensor(number, dtype=torch.float64) for number in (one, other))
        return _close(exercise, first, second, coarse)
    return type(one) is type(other) and bool(one == other)


def _close(exercise: Exercise, one: torch.Tensor, other: torch.Tensor, coarse: bool) -> bool:
    if not (ordinary(one) and ordinary(other)):
        return one.layout == other.layout and one.device == other.device and one.is_nested == other.is_nested
    if one.shape != other.shape or one.device != other.device:
        return False
    if one.numel() > LARGEST:  # both of one shape, and wrong
        return one.dtype == other.dtype
    return _identical(one, other) or not bool(_wrong_elements(exercise, one, other, coarse).any())


def _identical(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Tell whether two tensors are the same number by number, as most right results are; in a tenth of the time."""
    return one.dtype == other.dtype and torch.equal(one, other)


def _tolerance(exercise: Exercise, right: torch.Tensor, got: torch.Tensor, coarse: bool) -> dict[str, float]:
    # The coarser of the precisions decides: an answer in float32, or with float32 on the way, is judged as float32 (the
    # result's dtype is a finding of its own).
    exact = all(value.dtype == torch.float64 or not value.is_floating_point() for value in (right, got))
    if exact and not coarse:
        return {"rtol": exercise.rtol, "atol": exercise.atol}
    # Where large numbers nearly cancel out, what is left is as imprecise as they were.
    sizes = right.abs().double() if right.dtype != torch.bool else right.double()
    largest = float(sizes[sizes.isfinite()].max()) if bool(sizes.isfinite().any()) else 0.0
    return {"rtol": max(1e-4, exercise.rtol), "atol": max(1e-5, 2e-6 * largest, exercise.atol)}


def _raised(error: Failure) -> Problem:
    if error.mismatch:
        return Problem("signature", {"error": error.mismatch})
    return Problem("raised", {**_error(error), "where": error.where})


def _error(error: Failure) -> dict[str, str]:
    return {"error": error.text, "kind": error.kind}


def _kind(value: Any) -> str:
    name = value.kind if isinstance(value, Opaque) else type(value).__name__
    if isinstance(value, torch.Tensor):
        kinds = {"nested": value.is_nested, "quantized": value.is_quantized, "sparse": value.layout != torch.strided}
        name = next((f"{kind} tensor" for kind, is_one in kinds.items() if is_one), "tensor")
    return f"a {name} of {len(value)}" if isinstance(value, tuple | list) else f"a {name}"


def _dtype(value: torch.Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")
