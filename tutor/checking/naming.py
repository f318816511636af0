"""Whether something is a function that can be checked."""

from __future__ import annotations

import inspect
from typing import Any


def fault(function: Any, caller: str) -> str | None:
    """Return what keeps an object from being checked, in a sentence; None for a function with a name."""
    kind = type(function).__name__
    if isinstance(function, str):
        return f"{caller} takes the function itself, without quotation marks: {caller}({function})."
    if inspect.isclass(function):
        return f"{caller} takes a function, and {function.__name__} is a class: write it with `def`."
    if not callable(function):
        return f"{caller} takes the function itself, and this is a {kind}: name the function without calling it."
    name = getattr(function, "__name__", None)
    if name == "<lambda>":
        return f"{caller} finds the exercise by the function's name, and a lambda has none: write it with `def`."
    if not isinstance(name, str):
        return f"{caller} takes a function with a name, and this {kind} has none: write it with `def`."
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        return f"{caller} takes an ordinary function, and {name} is an asynchronous one: leave out `async`."
    if inspect.isgeneratorfunction(function):
        return f"{caller} takes a function that returns its result, and {name} yields it: use `return`."
    return None
