"""The loop of the untrusted side: run this cell, call this answer on these cases."""

from __future__ import annotations

import importlib
import os
from typing import Any

import torch

import tutor
from tutor.checking.answer import attempt
from tutor.checking.answering import Outcome, perform
from tutor.checking.exercise import Case
from tutor.checking.naming import fault
from tutor.checking.surroundings import untouched
from tutor.grading.frames import Frames, Gone
from tutor.grading.inside.shell import Shell
from tutor.grading.values import Parts, decode_case, encode_outcome
from tutor.grading.warm.rehearsal import rehearse

MOST = 1 << 30  # bytes of a message: it comes from the trusted side
LATER = "(While a submission is graded, check and hint say nothing in the learner's own cells.)"
REHEARSED = "import torch\nprint(torch.ones(2))\n1"


def prepare() -> Shell:
    """Import what notebooks import, make the shell, and what ``from tutor import check`` gives here; in the warm process."""
    rehearse(sample=False)  # pictures, which few answers ask for, are left out
    shell: Shell = Shell.instance()
    for name in ("check", "hint"):
        setattr(tutor, name, _say_nothing)
    importlib.import_module("matplotlib_inline.backend_inline")  # looks for the shell when it is imported
    shell.run(REHEARSED, 60.0, 10_000)
    perform(torch.square, Case("", (torch.ones(2, 2),), gradient=True))
    shell.reset(new_session=True)  # type: ignore[no-untyped-call]
    return shell


def _say_nothing(function: Any, **options: Any) -> None:
    """Stand in for ``check`` and ``hint``: the verdict is found elsewhere, by who can't be talked to here."""
    print(LATER)


def serve(frames: Frames) -> None:
    """Do as the trusted side says until it closes the connection."""
    shell: Shell = Shell.instance()
    own = os.getpid()
    while True:
        try:
            message, parts = frames.receive(most=MOST)
        except Gone:
            return
        sent: Parts = []
        if message["do"] == "cell":
            answer = {"outputs": shell.run(message["text"], message["seconds"], message["room"])}
        else:
            answer = _attempt(shell, message, parts, sent)
        if os.getpid() != own:  # a cell has forked, and this is the copy: two that serve one connection serve nobody
            os._exit(0)
        frames.send({**answer, "number": message["number"]}, sent)


def _attempt(shell: Shell, message: dict[str, Any], parts: Parts, sent: Parts) -> dict[str, Any]:
    """Call the answer of that name on cases; ``once`` says that what it did is all there is to say."""
    name, limit = message["name"], message["limit"]
    if name not in shell.user_ns:
        return {"missing": True}
    function = shell.user_ns[name]
    wrong = fault(function, "check")
    if wrong is not None or function.__name__ != name:
        return {"fault": wrong or f"{name} is another function here, called {function.__name__}."}
    cases = [decode_case(coded, parts) for coded in message["cases"]]
    with untouched():
        if message["once"]:
            return {"outcomes": [encode_outcome(perform(function, cases[0], limit=limit), sent)]}
        tried = attempt(function, cases, limit, perform)
    again: list[Any] = []
    if tried.again is not None:
        index, outcome = tried.again
        again = [index, encode_outcome(outcome, sent)]
    return {"outcomes": _all(tried.outcomes, sent), "again": again, "unwritten": tried.unwritten}


def _all(outcomes: list[Outcome], sent: Parts) -> list[Any]:
    return [encode_outcome(outcome, sent) for outcome in outcomes]
