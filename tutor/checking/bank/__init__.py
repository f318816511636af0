"""The bank of exercises: one package a chapter, which also holds all its words for learners (``words.toml``)."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from importlib import import_module

from tutor.checking.exercise import Exercise, Function

CHAPTERS = (
    "start",
    "activations",
    "convolution",
    "transpose_convolution",
    "pooling",
    "linear",
    "cnn",
)  # packages here, in the order of the course; each defines EXERCISES


class UnknownExercise(LookupError):
    """Raised for a name that no chapter has; the message lists near names."""


def get(name: str) -> Exercise:
    """Return the exercise of that name; raises :class:`UnknownExercise`."""
    found = _all().get(name)
    if found is None:
        raise UnknownExercise(
            f"There is no exercise called {name!r}: the function's name must be the exercise's. {near(name)}"
        )
    return found[0]


def near(name: str) -> str:
    """Return which exercises somebody may have meant by a name, in a sentence; "" for the name of an exercise."""
    if name in _all():
        return ""
    # Many write "LeakyReLU" where the exercise is called "leaky_relu".
    plain = {other.replace("_", ""): other for other in _all()}
    close = get_close_matches(name.lower().replace("_", ""), plain, n=3, cutoff=0.75)
    if close:
        return f"Did you mean {' or '.join(plain[c] for c in close)}?"
    firsts = {exercise.chapter: exercise.name for exercise, _ in reversed(_all().values())}
    return f"Each notebook names its own, such as {', '.join(sorted(firsts.values(), key=list(_all()).index))}."


def names(chapter: str | None = None) -> list[str]:
    """Return the names of all exercises, or of those of a chapter such as ``"01_activations"``."""
    return [name for name, (exercise, _) in _all().items() if chapter in (None, exercise.chapter)]


def twin(name: str, misconception: str) -> Function:
    """Return the wrong twin of an exercise that has the given misconception; raises LookupError."""
    twins = get(name).twins
    if misconception not in twins:
        raise LookupError(f"{name} has no misconception {misconception!r}; it has {', '.join(twins)}.")
    return twins[misconception]


def words_file(name: str) -> str:
    """Return the name of the TOML file with the words for an exercise, as :func:`tutor.checking.words.load` takes it."""
    get(name)
    return f"bank/{_all()[name][1]}/words"


@cache
def _all() -> dict[str, tuple[Exercise, str]]:
    found: dict[str, tuple[Exercise, str]] = {}
    for chapter in CHAPTERS:
        for exercise in import_module(f"tutor.checking.bank.{chapter}").EXERCISES:
            if exercise.name in found:
                raise ValueError(
                    f"two exercises are called {exercise.name!r}: in {found[exercise.name][1]} and {chapter}"
                )
            found[exercise.name] = exercise, chapter
    return found
