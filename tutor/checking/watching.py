"""See which torch operators a function really calls, through torch's own dispatch rather than by reading its text."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

# What a call to autograd looks like from outside: reverse mode, ``Tensor.backward``, and forward mode.
_DIFFERENTIATES = {"grad", "backward", "_make_dual", "make_dual"}


# What learners call an operator whose inner name is another.
_PUBLIC = {
    "_prelu_kernel": "prelu",
    "rrelu_with_noise": "rrelu",
    "rrelu_with_noise_functional": "rrelu",
    "log_sigmoid_forward": "logsigmoid",
    "_safe_softmax": "softmax",
    "im2col": "unfold",
    "col2im": "fold",
    "constant_pad_nd": "pad",
    "_pad_circular": "pad",
    **{f"{kind}_pad{dims}d": "pad" for kind in ("reflection", "replication") for dims in (1, 2, 3)},
}

# Functions that torch takes apart before its dispatcher sees them: they are noted where they are called.
_TAKEN_APART = {"pad", "_pad_circular", "linear", "flatten"}


def public_name(operator: str) -> str:
    """Return the name under which torch offers an operator to everybody."""
    if operator.startswith("_scaled_dot_product"):
        return "scaled_dot_product_attention"
    return _PUBLIC.get(operator, operator.strip("_"))


_COARSE = {torch.float32, torch.float16, torch.bfloat16}
_CONVOLUTIONS = {"convolution", "_convolution", "convolution_overrideable"}


@dataclass
class Seen:
    """The names of the operators that were dispatched (``"relu"``, ``"_softmax"``) and whether autograd was asked.

    Torch has one operator, ``"convolution"``, for convolutions of both kinds; a transposed one is noted as
    ``"conv_transpose"`` too. ``coarse`` tells whether numbers of less than float64's precision came out of any of them.
    """

    operators: set[str] = field(default_factory=set)
    autograd: bool = False
    coarse: bool = False


def _reads_graph(func: Any, args: Any) -> bool:
    """Tell whether somebody but torch (which does, to print a tensor) takes hold of a result's place in autograd's graph."""
    if getattr(func, "__self__", None) is not torch.Tensor.grad_fn or func.__name__ != "__get__":
        return False
    caller = str(sys._getframe(2).f_globals.get("__name__", ""))
    return not caller.startswith("torch") and func(*args) is not None


class _Operators(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self, seen: Seen) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._seen = seen

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # The default wraps __torch_dispatch__ in a way that imports the compiler, which costs more than a second.
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if torch._C._current_graph_task_id() != -1:  # the engine is at work, however it was started
            self._seen.autograd = True
        name = _name(func)
        self._seen.operators.add(name)
        if name in _CONVOLUTIONS and _given(func, "transposed", args, kwargs or {}):
            self._seen.operators.add("conv_transpose")
        result = func(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor) and result.dtype in _COARSE:
            self._seen.coarse = True
        return result


@functools.cache
def _name(func: Any) -> str:
    """Return the name of an operator, without saying whether it works in place."""
    name = str(func.name()).removeprefix("aten::").split(".")[0]
    return name if name.startswith("__") else name.rstrip("_")


def _given(func: Any, name: str, args: Any, kwargs: Any) -> Any:
    """Return what an operator is called with for one of its arguments."""
    position = [argument.name for argument in func._schema.arguments].index(name)
    return kwargs[name] if name in kwargs else args[position]


class _Autograd(TorchFunctionMode):
    def __init__(self, seen: Seen) -> None:
        super().__init__()
        self._seen = seen

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        if name in _DIFFERENTIATES or _reads_graph(func, args):
            self._seen.autograd = True
        if name in _TAKEN_APART:
            self._seen.operators.add(name)
        return func(*args, **(kwargs or {}))


@contextmanager
def watch() -> Iterator[Seen]:
    """Record what torch is asked to do inside the block, on this thread."""
    seen = Seen()
    with _Autograd(seen), _Operators(seen):
        yield seen
