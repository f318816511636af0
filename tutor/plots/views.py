"""Three ways to see a scene, made for each kind of layer alike: one step, a filmstrip, an animation."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from tutor.plots.animation import Animation
from tutor.plots.figure import Picture
from tutor.plots.scene import Scene

Views = tuple[Callable[..., Picture], Callable[..., Picture], Callable[..., Animation]]


def views(build: Callable[..., Scene], name: str) -> Views:
    """Return functions that draw a scene: one of its steps, several of them, and all of them to play.

    They take the arguments of ``build`` and ``step`` or ``steps``.
    """

    def one(*arguments: Any, step: int = 0, **options: Any) -> Picture:
        return build(*arguments, **options).draw(step)

    def several(*arguments: Any, steps: Sequence[int] | None = None, **options: Any) -> Picture:
        return build(*arguments, **options).film(steps)

    def played(*arguments: Any, steps: Sequence[int] | None = None, **options: Any) -> Animation:
        return build(*arguments, **options).animation(steps)

    _named(one, build, name, "Draw one step", "step: which one, counted from 0.")
    _named(
        several,
        build,
        f"{name}_steps",
        "Draw several steps side by side",
        "steps: up to 8 of them; else the first four.",
    )
    _named(played, build, f"{name}_animation", "Play the steps", "steps: up to 100 of them; else all.")
    return one, several, played


def _named(view: Callable[..., Any], build: Callable[..., Scene], name: str, verb: str, more: str) -> None:
    """Give a view the name, the words and the arguments that people see when they ask for help."""
    what, _, rest = inspect.getdoc(build).partition("\n")  # type: ignore[union-attr]
    what = what.removeprefix("Return the scene").partition(";")[0].rstrip(".")
    view.__name__ = view.__qualname__ = name
    view.__doc__ = f"{verb}{what}.\n{rest}\n\n{more}"
    (own,) = (p for p in inspect.signature(view).parameters.values() if p.name in ("step", "steps"))
    signature = inspect.signature(build)
    parameters = [*signature.parameters.values(), own]
    view.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=parameters, return_annotation=inspect.signature(view).return_annotation
    )
