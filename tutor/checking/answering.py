"""Call an answer once, safely: on copies, within a time limit, with its printing and its warnings kept aside."""

from __future__ import annotations

import atexit
import contextlib
import io
import shutil
import signal
import tempfile
import threading
import time
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch

from tutor.checking.exercise import Case, Folder, Function, Used
from tutor.checking.watching import Seen, watch


class TooSlow(BaseException):
    """Raised inside an answer that has used up its time (a BaseException, so that ``except Exception`` lets it pass)."""


@dataclass
class Outcome:
    """What one call did.

    ``value`` is what came back (tensors detached), or None after an ``error``. ``grads`` holds the gradient of each
    floating-point argument, in order, where the case asked for gradients; ``detached`` is true where the
    result wasn't connected to its inputs, and ``grad_error`` holds what the backward pass raised.
    """

    value: Any = None
    error: BaseException | None = None
    slow: bool = False
    seconds: float = 0.0
    grads: tuple[torch.Tensor, ...] | None = None
    grad_error: Exception | None = None
    detached: bool = False
    changed: tuple[int, ...] = ()
    printed: str = ""
    seen: Seen = field(default_factory=Seen)


def call(function: Function, case: Case, *, limit: float | None = None, seed: int = 0) -> Outcome:
    """Call ``function`` with copies of the case's arguments and return what happened; only Ctrl-C gets through.

    ``limit`` is in seconds; None sets no limit. Torch's random numbers are seeded for the call and restored after it.
    """
    threads = set(threading.enumerate())
    leaves: list[torch.Tensor] = []
    args = tuple(_copy(arg, leaves if case.gradient else None) for arg in case.args)
    kwargs = {name: _copy(value, None) for name, value in case.kwargs.items()}
    outcome = Outcome()
    printed = io.StringIO()
    value = None
    began = time.perf_counter()
    with (
        torch.random.fork_rng(devices=[]),
        warnings.catch_warnings(record=True) as warned,
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        warnings.simplefilter("always")
        torch.manual_seed(seed)
        try:
            with _time_limit(limit), watch() as seen:
                outcome.seen = seen
                value = function(*args, **kwargs)
        except KeyboardInterrupt:
            raise
        except TooSlow:
            outcome.slow = True
        except BaseException as error:  # an answer may raise anything, SystemExit included
            outcome.error = error
        outcome.seconds = time.perf_counter() - began
    # Only what a warning says: the file and line that Python would print with it are ours, not the learner's.
    outcome.printed = printed.getvalue() + "".join(f"{w.category.__name__}: {w.message}\n" for w in warned)
    outcome.slow = outcome.slow or (limit is not None and outcome.seconds > limit)
    busy = not threads.issuperset(threading.enumerate())
    with contextlib.ExitStack() as folders:
        for made, meant in zip(args, case.args, strict=True):
            if isinstance(meant, Folder):
                # A writer that was never closed has a thread that still needs its folder: that one goes at the end of all.
                clean = partial(shutil.rmtree, made, ignore_errors=True)
                atexit.register(clean) if busy else folders.callback(clean)
        seen_args = tuple(
            Used(made, busy) if isinstance(meant, Folder) else meant for made, meant in zip(args, case.args, strict=True)
        )
        return _judge(outcome, value, case, args, seen_args, leaves)


def _judge(
    outcome: Outcome,
    value: Any,
    case: Case,
    args: tuple[Any, ...],
    seen_args: tuple[Any, ...],
    leaves: list[torch.Tensor],
) -> Outcome:
    """Fill in what can be said of a call that is over."""
    if outcome.error is not None or outcome.slow:
        return outcome
    outcome.changed = tuple(
        index for index, (now, then) in enumerate(zip(args, case.args, strict=True)) if not _same(now, then)
    )
    if case.gradient:
        _differentiate(value, leaves, outcome)
    outcome.value = case.observe(detach(value), seen_args) if case.observe else detach(value)
    return outcome


def detach(value: Any) -> Any:
    """Return the value with every tensor in it detached and copied."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if type(value) in (tuple, list):
        return type(value)(detach(part) for part in value)
    return value


def tensors(value: Any) -> list[torch.Tensor]:
    """Return the tensors in a value: itself, or those in a tuple or list."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, tuple | list):
        return [tensor for part in value for tensor in tensors(part)]
    return []


def _copy(value: Any, leaves: list[torch.Tensor] | None) -> Any:
    if isinstance(value, Folder):
        return Path(tempfile.mkdtemp(prefix="check-"))
    if isinstance(value, torch.Tensor):
        copy = value.detach().clone()
        if leaves is not None and copy.is_floating_point():
            leaves.append(copy.requires_grad_())
            # The answer gets a non-leaf, since torch itself refuses to edit a leaf in place: that is ours to report.
            return copy.clone()
        return copy
    if type(value) in (tuple, list):
        return type(value)(_copy(part, leaves) for part in value)
    return value


def _same(now: Any, then: Any) -> bool:
    if isinstance(then, torch.Tensor):
        return isinstance(now, torch.Tensor) and now.dtype == then.dtype and torch.equal(now.detach(), then)
    if isinstance(then, tuple | list):
        return len(now) == len(then) and all(_same(a, b) for a, b in zip(now, then, strict=True))
    return True


def _differentiate(value: Any, leaves: list[torch.Tensor], outcome: Outcome) -> None:
    outputs = [tensor for tensor in tensors(value) if tensor.is_floating_point()]
    connected = [tensor for tensor in outputs if tensor.requires_grad]
    if len(connected) < len(outputs) or not outputs:
        outcome.detached = True
        return
    upstream = [_upstream(tensor) for tensor in outputs]
    try:
        grads = torch.autograd.grad(outputs, leaves, upstream, allow_unused=True)
    except Exception as error:  # an in-place edit, say, shows up only here; it becomes part of the report
        outcome.grad_error = error
        return
    outcome.grads = tuple(
        torch.zeros_like(leaf) if grad is None else grad.detach() for grad, leaf in zip(grads, leaves, strict=True)
    )


def _upstream(tensor: torch.Tensor) -> torch.Tensor:
    # Random, and the same for two tensors of one shape: with all ones, a softmax backward of zeros would pass.
    generator = torch.Generator().manual_seed(zlib.crc32(str(tuple(tensor.shape)).encode()))
    return torch.randn(tensor.shape, generator=generator, dtype=torch.float64).to(tensor.dtype)


@contextlib.contextmanager
def _time_limit(seconds: float | None) -> Iterator[None]:
    """Raise :class:`TooSlow` in the block after ``seconds``; off the main thread the limit is only measured."""
    if seconds is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    if hasattr(signal, "setitimer"):

        def stop(*_: object) -> None:
            raise TooSlow

        before = signal.signal(signal.SIGALRM, stop)
        # Again and again after the first time: an answer may catch everything and go on.
        signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        return
    import _thread

    timer = threading.Timer(seconds, _thread.interrupt_main)
    timer.start()
    try:
        yield
    except KeyboardInterrupt:
        raise (KeyboardInterrupt if timer.is_alive() else TooSlow) from None
    finally:
        timer.cancel()
