"""``progress()``: chapters, exercises and points so far, of what was checked on this computer."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files

from tutor.checking import recorded
from tutor.checking.frame import BLUE, GREEN, LINE, ORANGE, PALE, frame, labelled, paragraph, rich
from tutor.checking.recorded import Result
from tutor.checking.showing import show
from tutor.checking.words import load, phrase
from tutor.frontend import someone_watches

SIGNS = {"right": "✓", "partly": "◐", "open": "○"}
# Full, half full or empty: the shape says what the colour does.
_FILLED = {"right": GREEN, "partly": f"linear-gradient(to top, {ORANGE} 50%, transparent 50%)", "open": "transparent"}


@dataclass(frozen=True)
class Line:
    """An exercise: what it is worth, and what its checks have found so far (None: nothing)."""

    name: str
    points: float
    result: Result | None

    @property
    def state(self) -> str:
        """Return the state of the best result: "right", "partly" or "open"."""
        best = self.result.best if self.result else 0.0
        return "right" if best == 1 else "partly" if best > 0 else "open"

    @property
    def earned(self) -> float:
        """Return the points of the best result, rounded as a card does."""
        return round(self.points * self.result.best, 2) if self.result else 0.0


Chapters = dict[str, list[Line]]


def progress(*, reset: bool = False) -> None:
    """Show how far you are: chapters, exercises and points, of what ``check`` has found on this computer.

    The best result of each exercise counts. All of it is kept in one file, which nothing sends anywhere.
    ``progress(reset=True)`` starts again at nothing and keeps the old file under another name. Where a program runs the
    notebook, nothing is recorded or looked up, and only a sentence is printed.
    """
    if not someone_watches():
        print(phrase("progress-unwatched"))
        return
    said = [_start_again()] if reset else []
    results, faults = recorded.read()
    chapters = {
        chapter: [Line(name, points, results.get(name)) for name, points in worth.items()]
        for chapter, worth in exercises().items()
    }
    last = next((name for name in reversed(results)), None)
    said += faults
    show(_as_html(chapters, _next(chapters, last), said), _as_text(chapters, _next(chapters, last), said))


@cache
def exercises() -> dict[str, dict[str, float]]:
    """Return the points of each exercise, by chapter such as ``"01_activations"``, in the order of the course."""
    table: dict[str, dict[str, float]] = tomllib.loads(
        files("tutor.checking").joinpath("points.toml").read_text(encoding="utf-8")
    )
    return table


def title(chapter: str) -> str:
    """Return a chapter's title."""
    text: str = load("words")["chapters"][chapter]
    return text


def _start_again() -> str:
    try:
        kept = recorded.put_aside("before")
    except OSError as error:
        return phrase("progress-unkept", file=recorded.path(), why=error.strerror or str(error))
    return phrase("progress-again", file=kept) if kept else phrase("progress-nothing")


def _next(chapters: Chapters, last: str | None) -> str:
    """Return what to do next: the first exercise to do where somebody works, else in the course."""
    here = [chapter for chapter, lines in chapters.items() if last in [line.name for line in lines]]
    for chapter in (*here, *chapters):
        for line in chapters[chapter]:
            if line.state != "right":
                return phrase(f"progress-next-{line.state}", name=line.name, chapter=title(chapter))
    return phrase("progress-done")


def _sum(lines: Sequence[Line]) -> str:
    return phrase("points", earned=_amount(sum(line.earned for line in lines)), points=_amount(_worth(lines)))


def _worth(lines: Sequence[Line]) -> float:
    return sum(line.points for line in lines)


def _amount(points: float) -> str:
    return f"{round(points, 2):g}"


def _counts(lines: Sequence[Line]) -> str:
    states = [line.state for line in lines]
    text = phrase("progress-right", right=states.count("right"), of=len(states))
    return text + (phrase("progress-partly", count=states.count("partly")) if "partly" in states else "")


def _detail(line: Line) -> str:
    text = phrase("points", earned=_amount(line.earned), points=_amount(line.points))
    behind = line.result is not None and line.result.last < line.result.best
    return text + (phrase("progress-last", earned=_amount(line.points * line.result.last)) if behind else "")  # type: ignore[union-attr]


def _all(chapters: Chapters) -> list[Line]:
    return [line for lines in chapters.values() for line in lines]


def _overall(chapters: Chapters) -> str:
    return phrase("progress-exercises", counts=_counts(_all(chapters)))


def _as_text(chapters: Chapters, then: str, said: Sequence[str]) -> str:
    rows = [f"{phrase('progress-title')}: {_sum(_all(chapters))}", _overall(chapters), *said, ""]
    long = max(len(lines) for lines in chapters.values())
    for chapter, lines in chapters.items():
        bar = "".join(SIGNS[line.state] for line in lines)
        rows.append(f"{title(chapter):26} {bar:{long}} {_counts(lines)} · {_sum(lines)}")
    return "\n".join([*rows, "", f"{phrase('progress-next')} {then}"])


def _as_html(chapters: Chapters, then: str, said: Sequence[str]) -> str:
    return frame("", phrase("progress-title"), _sum(_all(chapters)), BLUE, _parts(chapters, then, said))


def _parts(chapters: Chapters, then: str, said: Sequence[str]) -> Iterator[str]:
    for sentence in said:
        yield paragraph(escape(sentence))
    yield paragraph(escape(_overall(chapters)), "margin-bottom: 8px; font-size: 15px;")
    for chapter, lines in chapters.items():
        yield _chapter(title(chapter), lines)
    yield labelled(phrase("progress-next"), escape(then))
    yield paragraph(rich(phrase("progress-where", file=recorded.path())), "font-size: 12px;")


def _chapter(name: str, lines: Sequence[Line]) -> str:
    """Return a chapter as one line that opens: its exercises one by one."""
    boxes = "".join(
        f'<span style="display: inline-block; width: 7px; height: 14px; margin-right: 1px; border: 1px solid {LINE}; '
        f'background: {_FILLED[line.state]};"></span>'
        for line in lines
    )
    items = "".join(
        f'<li style="margin: 0;"><span style="display: inline-block; width: 1.4em;">{SIGNS[line.state]}</span>'
        f'{escape(line.name)} <span style="color: {PALE};">{escape(_detail(line))}</span></li>'
        for line in lines
    )
    grid = (
        "list-style: none; display: grid; grid-template-columns: repeat(auto-fill, minmax(20em, 1fr)); gap: 2px 12px;"
    )
    return (
        f'<details style="border-top: 1px solid {LINE}; padding: 3px 0;"><summary style="cursor: pointer;">'
        '<span style="display: inline-flex; flex-wrap: wrap; align-items: center; gap: 0 8px; width: calc(100% - 20px);">'
        f'<span style="flex: 0 0 15.5em; font-size: 13px; font-weight: 600;">{escape(name)}</span>'
        f'<span aria-hidden="true" style="flex: none; line-height: 0;">{boxes}</span>'
        f'<span style="margin-left: auto; font-size: 13px;">{escape(f"{_counts(lines)} · {_sum(lines)}")}</span>'
        "</span></summary>"
        f'<ul style="{grid} padding: 0; margin: 6px 0 8px; font-size: 13px;">{items}</ul></details>'
    )
