"""Everything a check says to learners, kept as text in TOML files so that translations can stand beside them."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from tutor.checking.report import Diagnosis


@cache
def load(name: str) -> dict[str, Any]:
    """Return the words of a file of this package: ``"words"``, or ``"bank/activations"`` for a chapter."""
    path = files("tutor.checking").joinpath(f"{name}.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def general(kind: str, /, *, hidden: bool = False, **details: Any) -> Diagnosis:
    """Return the words for a fault that any exercise can have; raises KeyError for an unknown kind.

    ``hidden`` picks, where there are any, the words that give away no numbers of the case. An error that Python or torch raised
    is explained where it is one that people often meet.
    """
    entry = load("words")["faults"][kind]
    message, hint = (entry.get(f"hidden-{key}" if hidden else key, entry.get(key, "")) for key in ("message", "hint"))
    if details.get("of") == 1 and not hidden:
        message = entry["single-message"]
    message, hint = message.format(**details), hint.format(**details)
    for known in load("words")["errors"] if "error" in details else ():
        if re.search(known["pattern"], details["error"]):
            return Diagnosis(kind, f"{message.rstrip('.')}. {known['message']}", f"{known['hint']} {hint}".strip())
    return Diagnosis(kind, message, hint)


def phrase(key: str, **details: Any) -> str:
    """Return one of the card's fixed phrases."""
    text: str = load("words")["phrases"][key]
    return text.format(**details)


def aspect(name: str) -> str:
    """Return what learners read for an aspect of the score; a chapter's own aspects may speak for themselves."""
    text: str = load("words")["aspects"].get(name, name.replace("-", " "))
    return text


def misconception(words_file: str, exercise: str, identity: str) -> Diagnosis:
    """Return the words for a misconception of the bank; raises KeyError where they are missing."""
    entry = load(words_file)[exercise]["wrong"][identity]
    return Diagnosis(identity, entry["message"], entry["hint"], entry["section"])


def hints(words_file: str, exercise: str) -> list[str]:
    """Return an exercise's hints, from a nudge to a recipe."""
    steps: list[str] = load(words_file)[exercise]["hints"]
    return steps
