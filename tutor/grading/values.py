"""What crosses between a check and an answer in the sandbox, as JSON and plain bytes: no pickle, in either direction.

A value becomes something that JSON can hold, with a list of byte strings beside it for the numbers of tensors
and arrays. What is
decoded on the trusted side may have been made by anybody: everything about it is looked at first.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any

import numpy as np
import torch

from tutor.checking.answering import Outcome
from tutor.checking.exercise import Case, Folder
from tutor.checking.failures import Failure
from tutor.checking.results import LARGEST, NUMERIC, Opaque, ordinary
from tutor.checking.watching import Seen
from tutor.grading.tensors import Coded as Coded
from tutor.grading.tensors import Parts as Parts
from tutor.grading.tensors import (
    decode_array,
    decode_large,
    decode_odd,
    decode_tensor,
    encode_array,
    encode_tensor,
)

APPARATUS = "tutor.checking.apparatus"
PUBLIC = ("torch", "torch.nn.functional")
LONGEST_TEXT = 100_000  # characters
DEEPEST = 60  # what stands for an iterator adds a level to each of its own
OPERATORS = 2_000
OUTCOME = {part.name: part.default for part in fields(Outcome) if part.name != "seen"}  # of an empty one


class BadValue(ValueError):
    """What came over the wire is no value; the message says what is wrong with it."""


# ---------------------------------------------------------------- values


def encode(value: Any, parts: Parts, *, whole: bool = False) -> Coded:
    """Return a value for JSON and add the bytes of its tensors to ``parts``; raises TypeError for what can't cross.

    whole: send tensors of any size, and not only the shape of very large ones.
    """

    def below(part: Any) -> Coded:
        return encode(part, parts, whole=whole)

    if value is None or type(value) in (bool, str):
        return value
    if type(value) is int:
        return value if abs(value) < 2**53 else {"int": hex(value)}
    if type(value) is float:
        return {"float": value.hex()}
    if type(value) is complex:
        return {"complex": [value.real.hex(), value.imag.hex()]}
    if isinstance(value, torch.Tensor):
        return encode_tensor(value, parts, whole=whole)
    if type(value) is np.ndarray and value.dtype.name in NUMERIC:
        return encode_array(value, parts)
    if type(value) in (tuple, list):
        return {type(value).__name__: [below(part) for part in value]}
    if type(value) is dict:
        return {"dict": [[below(key), below(part)] for key, part in value.items()]}
    if isinstance(value, Opaque):
        return {"opaque": [value.kind, value.text, below(value.held)]}
    if isinstance(value, Folder):
        return {"folder": True}
    if isinstance(value, functools.partial):
        return {"partial": [below(value.func), below(value.args), below(dict(value.keywords))]}
    if callable(value):
        return {"function": _place(value)}
    raise TypeError(f"a {type(value).__name__} can't be sent to an answer")


def _place(function: Callable[..., Any]) -> list[str]:
    """Return where a function can be found: in the apparatus, or in torch; raises TypeError for any other."""
    module, name = getattr(function, "__module__", None) or "", getattr(function, "__qualname__", "")
    if module.startswith(APPARATUS + ".") and "<" not in name:
        return [module, name]
    for public in PUBLIC:
        if getattr(importlib.import_module(public), getattr(function, "__name__", ""), None) is function:
            return [public, function.__name__]
    raise TypeError(
        f"{module}.{name} can't be sent to an answer: put it into {APPARATUS}, or make it a functools.partial of a "
        "function that is there"
    )


def decode(coded: Coded, parts: Parts, *, trusted: bool = False, depth: int = 0) -> Any:
    """Return the value; functions only where it comes from the ``trusted`` side. Raises BadValue."""
    if coded is None or type(coded) in (bool, int, str):
        return coded[:LONGEST_TEXT] if isinstance(coded, str) and not trusted else coded
    if type(coded) is not dict or len(coded) != 1 or depth > DEEPEST:
        raise BadValue("a value that has no form, or is too deep")
    [(kind, held)] = coded.items()

    def below(part: Coded) -> Any:
        return decode(part, parts, trusted=trusted, depth=depth + 1)

    try:
        if kind == "int":
            return int(held[:LONGEST_TEXT], 16)
        if kind == "float":
            return float.fromhex(held)
        if kind == "complex":
            return complex(float.fromhex(held[0]), float.fromhex(held[1]))
        if kind == "tensor":
            return decode_tensor(held[0], held[1], held[2], held[3], parts)
        if kind == "array":
            return decode_array(held[0], held[1], held[2], parts)
        if kind == "large":
            return decode_large(*held)
        if kind == "odd":
            return decode_odd(held[0], held[1])
        if kind in ("tuple", "list"):
            found = [below(part) for part in held]
            return tuple(found) if kind == "tuple" else found
        if kind == "dict":
            return {below(key): below(part) for key, part in held}
        if kind == "opaque":
            return Opaque(str(held[0])[:300], str(held[1])[:300], below(held[2]))
        if kind == "folder":
            return Folder()
        if kind == "partial" and trusted:
            function, args, keywords = map(below, held)
            return functools.partial(function, *args, **keywords)
        if kind == "function" and trusted:
            return _found(*held)
    except (TypeError, ValueError, KeyError, IndexError, OverflowError, AttributeError, RuntimeError) as error:
        raise BadValue(f"no {kind}: {str(error)[:200]}") from error
    raise BadValue(f"nothing is called {str(kind)[:50]!r}")


def _found(module: str, name: str) -> Any:
    if module not in PUBLIC and not module.startswith(APPARATUS + "."):
        raise ValueError(f"{module} is no place for what an answer is called with")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


# ---------------------------------------------------------------- cases and outcomes


def encode_case(case: Case, parts: Parts) -> Coded:
    """Return what an answer is to be called with, without what is right and what it is for."""
    sent = (case.args, case.kwargs, case.gradient, case.observe, case.build)
    return [encode(part, parts, whole=True) for part in sent]


def decode_case(coded: Coded, parts: Parts) -> Case:
    """Return a case that ``perform`` can be given, in the sandbox."""
    args, kwargs, gradient, observe, build = (decode(part, parts, trusted=True) for part in coded)
    return Case("", args, kwargs, gradient=gradient, observe=observe, build=build)


def encode_outcome(outcome: Outcome, parts: Parts) -> dict[str, Coded]:
    """Return what an answer did, part by part, without those that are as in an empty outcome: hundreds cross a submission."""
    held = {name: getattr(outcome, name) for name in OUTCOME if getattr(outcome, name) is not OUTCOME[name]}
    for name in held.keys() & {"error", "grad_error"}:
        held[name] = asdict(held[name])
    coded = {name: encode(part, parts) for name, part in held.items()}
    seen = outcome.seen
    return {**coded, "seen": [sorted(seen.operators), seen.autograd, seen.coarse]}


def decode_outcome(coded: Coded, parts: Parts) -> Outcome:
    """Return an outcome that is one, whoever made it; raises BadValue."""
    coded = dict(_checked(coded, dict))
    seen = _checked(coded.pop("seen", None), list)
    if len(seen) != 3 or coded.keys() - OUTCOME.keys():
        raise BadValue("an outcome with other parts")
    operators, autograd, coarse = seen
    held = {**OUTCOME, **{name: decode(part, parts) for name, part in coded.items()}}
    if not isinstance(operators, list) or not all(isinstance(each, str) for each in operators[:OPERATORS]):
        raise BadValue("operators that are no names")
    grads = held["grads"]
    if grads is not None and not all(_is_gradient(grad) for grad in _checked(grads, tuple)):
        raise BadValue("gradients that are no ordinary tensors of an input's size")
    changed = _checked(held["changed"], tuple)
    if not all(type(index) is int and index >= 0 for index in changed):
        raise BadValue("changed arguments that are no places")
    return Outcome(
        value=held["value"],
        nothing=held["nothing"] is True,
        error=_failure(held["error"]),
        slow=held["slow"] is True,
        seconds=_checked(held["seconds"], float),
        grads=grads,
        grad_error=_failure(held["grad_error"]),
        detached=held["detached"] is True,
        changed=changed,
        named=_checked(held["named"], str),
        after=_checked(held["after"], tuple),
        printed=_checked(held["printed"], str),
        seen=Seen({operator[:LONGEST_TEXT] for operator in operators[:OPERATORS]}, autograd is True, coarse is True),
    )


def _is_gradient(value: Any) -> bool:
    """Tell whether a value can be an input's gradient; a "large" one is all shape, and comparing it makes it real."""
    return isinstance(value, torch.Tensor) and ordinary(value) and value.numel() <= LARGEST


def _checked(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise BadValue(f"a {type(value).__name__} where a {kind.__name__} belongs")
    return value


def _failure(held: Any) -> Failure | None:
    if held is None:
        return None
    held = _checked(held, dict)
    kind, text, where, mismatch = (
        _checked(held.get(part), str)[:1_000] for part in ("kind", "text", "where", "mismatch")
    )
    return Failure(kind, text, where, mismatch, held.get("signed") is True, held.get("stub") is True)
