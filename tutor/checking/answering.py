"""Call an answer once, safely: on copies, within a time limit, with its printing and its warnings kept aside."""

from __future__ import annotations

import contextlib
import inspect
import shutil
import tempfile
import threading
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tutor.checking.exercise import Case, Folder, Function, Used
from tutor.checking.failures import Failure, failure, own_frames
from tutor.checking.limiting import TooSlow, time_limit
from tutor.checking.results import LARGEST, Opaque, detach, ordinary, plain, tensors, unfolded
from tutor.checking.surroundings import apart
from tutor.checking.watching import Seen, watch


@dataclass
class Outcome:
    """What one call did.

    ``value`` is what came back (tensors detached) or the facts that the case makes of it, or None after an ``error``;
    ``nothing`` is true where the function returned None. ``grads`` holds the gradient of each floating-point argument,
    in order, where the case asked for gradients; ``detached`` is true where the result wasn't connected to its inputs, and
    ``grad_error`` holds what the backward pass raised. ``changed`` are the places of arguments that were edited in place,
    ``named`` what the answer calls the first of them, ``after`` what they hold now.
    """

    value: Any = None
    nothing: bool = False
    error: Failure | None = None
    slow: bool = False
    seconds: float = 0.0
    grads: tuple[torch.Tensor, ...] | None = None
    grad_error: Failure | None = None
    detached: bool = False
    changed: tuple[int, ...] = ()
    named: str = ""
    after: tuple[Any, ...] = ()
    printed: str = ""
    seen: Seen = field(default_factory=Seen)


def call(function: Function, case: Case, *, limit: float | None = None, seed: int = 0) -> Outcome:
    """Call ``function`` as ``perform`` does, and judge what came back."""
    return judged(case, perform(function, case, limit=limit, seed=seed))


def judged(case: Case, outcome: Outcome) -> Outcome:
    """Return an outcome with the facts that the case's ``judge`` makes of what came back, where it has one.

    What it can't make anything of stays as it is. Whatever came back, nothing is raised.
    """
    if case.judge is None or outcome.error is not None or outcome.slow:
        return outcome
    value = unfolded(outcome.value)
    try:
        found = outcome.value if _vast(value) else case.judge(value, case.args)
    except Exception:  # a value that nothing can be made of
        found = outcome.value
    # Facts come as a dictionary, and one that an answer made itself holds none.
    own = isinstance(found, dict) and (found is value or found is outcome.value)
    outcome.value = Opaque("dict", "a dictionary") if own else plain(found)
    return outcome


def _vast(value: Any) -> bool:
    """Tell whether there is a tensor or an array in a value that would take long to look at, one number after the other."""
    if isinstance(value, tuple | list | dict):
        return any(map(_vast, value.values() if isinstance(value, dict) else value))
    if isinstance(value, torch.Tensor):
        return value.is_nested or max(value.numel(), *value.shape, 0) > LARGEST
    return isinstance(value, np.ndarray) and max(value.size, *value.shape, 0) > LARGEST


def perform(function: Function, case: Case, *, limit: float | None = None, seed: int = 0) -> Outcome:
    """Call ``function`` with copies of the case's arguments and return what happened; only Ctrl-C gets through.

    ``limit`` is in seconds; None sets no limit. Random numbers are seeded for the call (``surroundings.untouched`` puts
    them back); autograd's mode, stdout and stderr are put back after it.
    """
    outcome = Outcome()
    with contextlib.ExitStack() as folders, apart(seed) as said:
        _call(function, case, limit, outcome, folders)
    outcome.printed = said.text
    return outcome


def _call(function: Function, case: Case, limit: float | None, outcome: Outcome, folders: contextlib.ExitStack) -> None:
    leaves: list[torch.Tensor] = []
    args = tuple(_copy(arg, leaves if case.gradient else None, folders) for arg in case.args)
    kwargs = {name: _copy(value, None, folders) for name, value in case.kwargs.items()}
    meant = case.args
    if case.build is not None:
        # Built of copies, and once more to hold the answer's against: nothing of the case itself may be changed.
        args, meant = case.build(*args), case.build(*(_copy(arg, None, folders) for arg in case.args))
    threads = set(threading.enumerate())
    began = time.perf_counter()
    try:
        with watch() as seen, time_limit(limit):
            outcome.seen = seen
            value = function(*args, **kwargs)
    except KeyboardInterrupt:
        raise
    except TooSlow:
        outcome.slow = True
    except BaseException as error:  # an answer may raise anything, SystemExit included
        outcome.error = failure(error, function, args, kwargs)
    outcome.seconds = time.perf_counter() - began
    outcome.slow = outcome.slow or (limit is not None and outcome.seconds > limit)
    used = _after(args, args if case.build else case.args, threads)
    if outcome.error is not None or outcome.slow:
        return
    outcome.nothing = value is None
    try:
        with time_limit(limit):  # what comes back may run the answer's code again: its own backward, or a generator
            outcome.changed = tuple(
                index for index, (now, then) in enumerate(zip(args, meant, strict=True)) if not _same(now, then)
            )
            outcome.named = _parameter(function, outcome.changed[0]) if outcome.changed else ""
            outcome.after = tuple(plain(detach(args[index])) for index in outcome.changed)
            if case.gradient:
                _differentiate(value, leaves, outcome, function)
            outcome.value = detach(value)
            if case.observe:
                _observe(case, used, outcome)
            outcome.value = plain(outcome.value)
    except KeyboardInterrupt:
        raise
    except TooSlow:
        outcome.slow = True
    except BaseException as error:
        outcome.error = failure(error, function, args, kwargs)


def _parameter(function: Function, index: int) -> str:
    try:
        return list(inspect.signature(function).parameters)[index]
    except (TypeError, ValueError, IndexError):
        return f"argument {index + 1}"


def _after(args: tuple[Any, ...], meant: tuple[Any, ...], threads: set[threading.Thread]) -> tuple[Any, ...]:
    """Return the arguments for ``observe``: as they were meant, and what has become of folders."""
    if not any(isinstance(arg, Folder) for arg in meant):
        return meant
    writers = [thread for thread in set(threading.enumerate()) - threads if hasattr(thread, "stop")]
    for thread in writers:
        # A writer that was never closed: its thread, told to stop, writes what it still holds and lets go of the folder.
        with contextlib.suppress(Exception, TooSlow), time_limit(1.0):
            thread.stop()
    busy = len(writers) > 0
    return tuple(Used(now, busy) if isinstance(then, Folder) else then for now, then in zip(args, meant, strict=True))


def _observe(case: Case, used: tuple[Any, ...], outcome: Outcome) -> None:
    assert case.observe is not None
    try:
        outcome.value = case.observe(outcome.value, used)
    except Exception as error:
        # A result that can't even be looked at is no error of the answer's, unless looking has run its code again.
        if list(own_frames(error)):
            raise


def _copy(value: Any, leaves: list[torch.Tensor] | None, folders: contextlib.ExitStack) -> Any:
    if isinstance(value, Folder):
        path = Path(tempfile.mkdtemp(prefix="check-"))
        folders.callback(shutil.rmtree, path, ignore_errors=True)
        return path
    if isinstance(value, torch.Tensor):
        own = value.detach().clone()
        if leaves is not None and own.is_floating_point():
            leaves.append(own.requires_grad_())
            # The answer gets a non-leaf, since torch itself refuses to edit a leaf in place: that is ours to report.
            return own.clone()
        return own
    if type(value) in (tuple, list):
        return type(value)(_copy(part, leaves, folders) for part in value)
    return value


def _same(now: Any, then: Any) -> bool:
    if isinstance(then, torch.Tensor):
        return isinstance(now, torch.Tensor) and now.dtype == then.dtype and torch.equal(now.detach(), then)
    if isinstance(then, tuple | list):
        return len(now) == len(then) and all(_same(a, b) for a, b in zip(now, then, strict=True))
    return True


def _differentiate(value: Any, leaves: list[torch.Tensor], outcome: Outcome, function: Function) -> None:
    found = tensors(value)
    if any(not ordinary(tensor) or tensor.is_complex() or tensor.numel() > LARGEST for tensor in found):
        return
    outputs = [tensor for tensor in found if tensor.is_floating_point()]
    connected = [tensor for tensor in outputs if tensor.requires_grad]
    if len(connected) < len(outputs) or not outputs:
        outcome.detached = True
        return
    try:
        # One weighted sum, and not grad_outputs: for those, torch imports half a second's worth of modules.
        total = torch.stack([(tensor * upstream(tensor)).sum() for tensor in outputs]).sum()
        grads = torch.autograd.grad(total, leaves, allow_unused=True)
    except (KeyboardInterrupt, TooSlow):
        raise
    except BaseException as error:  # an in-place edit, say, shows up only here; it becomes part of the report
        outcome.grad_error = failure(error, function)
        return
    outcome.grads = tuple(
        torch.zeros_like(leaf) if grad is None else grad.detach() for grad, leaf in zip(grads, leaves, strict=True)
    )


def upstream(tensor: torch.Tensor) -> torch.Tensor:
    """Return the gradient that is sent back through a result: random, and the same for every tensor of that shape.

    With all ones, a softmax backward that gives nothing but zeros would pass.
    """
    generator = torch.Generator().manual_seed(zlib.crc32(str(tuple(tensor.shape)).encode()))
    return torch.randn(tensor.shape, generator=generator, dtype=torch.float64).to(tensor)
