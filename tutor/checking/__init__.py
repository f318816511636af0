"""Checks that say in words what is wrong with a learner's function.

The way in for programs is :func:`tutor.checking.run`; notebooks use :func:`tutor.check`, which shows a card.

The names are imported when they are first asked for: what calls an answer in a sandbox (``answering``, ``apparatus``) has no
bank there, which ``run`` needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tutor.checking.engine import run
    from tutor.checking.report import Diagnosis, Report

_HOME = {"run": "engine", "Diagnosis": "report", "Report": "report"}

__all__ = ["Diagnosis", "Report", "run"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
