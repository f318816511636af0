"""What an instructor reads when a class is graded: who has what, what to teach again on Monday, and what is odd."""

from __future__ import annotations

import re
import textwrap
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import combining, east_asian_width

from tutor.grading.job import CellResult
from tutor.grading.report import ClassReport, Entry

WIDTH = 100  # columns
NAME = 26
MOST_EXERCISES, MOST_REASONS, MOST_REMARKS = 10, 3, 4
TRIED = ("partly right", "not right yet")
RIGHT = "passed"


@dataclass(frozen=True)
class Reason:
    """A misconception or general fault, in words, and how many learners have it."""

    identity: str
    words: str
    learners: int


@dataclass(frozen=True)
class Missed:
    """An exercise that not everybody has right: learners who tried and missed points, those who have nothing, and all."""

    chapter: str
    exercise: str
    wrong: int
    untried: int
    learners: int
    reasons: tuple[Reason, ...]


def missed(report: ClassReport) -> list[Missed]:
    """Return the exercises that learners tried and missed or left out, most often missed first, then as in the course."""
    found: dict[tuple[str, str], list[tuple[str, CellResult]]] = defaultdict(list)
    for entry in report.entries:
        for cell in entry.cells:
            found[entry.chapter, cell.exercise].append((entry.student, cell))
    rows = []
    for (chapter, exercise), cells in found.items():
        tried = {student for student, cell in cells if cell.verdict in TRIED}
        left = {student for student, cell in cells if cell.verdict not in (*TRIED, RIGHT)} - tried
        if not tried and not left:
            continue
        named = Counter(identity for _, identity in {(student, i) for student, cell in cells for i in cell.diagnoses})
        named.pop("not-attempted", None)
        ordered = sorted(named.items(), key=lambda each: (-each[1], each[0]))
        reasons = tuple(Reason(identity, in_words(exercise, identity), count) for identity, count in ordered)
        learners = len({student for student, _ in cells})
        rows.append(Missed(chapter, exercise, len(tried), len(left), learners, reasons))
    return sorted(rows, key=lambda row: (-row.wrong, -row.untried, row.chapter))


def in_words(exercise: str, identity: str) -> str:
    """Return the first sentence of what learners are told about a misconception or a fault; else its name."""
    from tutor.checking import bank, words

    try:
        message = words.misconception(bank.words_file(exercise), exercise, identity).message
    except LookupError:
        fault = words.load("words")["faults"].get(identity, {})
        message = re.sub(r"`?\{[^}]*\}`?", "…", fault.get("message", identity.replace("-", " ")))
    return re.split(r"(?<=[.!?])\s", message.strip(), maxsplit=1)[0]


def class_table(report: ClassReport) -> str:
    """Return who has how many points of each chapter's checks, and for whom there is something to read."""
    chapters = sorted({entry.chapter for entry in report.entries})
    by_student: dict[str, dict[str, Entry]] = defaultdict(dict)
    for entry in report.entries:
        by_student[entry.student][entry.chapter] = entry
    worth = {chapter: max(e.worth for e in report.entries if e.chapter == chapter) for chapter in chapters}
    head = ["student", *(chapter.split("_")[0] for chapter in chapters), "remarks", ""]
    lines = [head, ["", *(f"of {worth[chapter]:g}" for chapter in chapters), "", ""]]
    for student, own in sorted(by_student.items()):
        remarks = sum(len(entry.remarks) for entry in own.values())
        lines.append(
            [
                cut(student, NAME),
                *(f"{own[chapter].points:.4g}" if chapter in own else "-" for chapter in chapters),
                str(remarks or ""),
                ", ".join(sorted({entry.state for entry in own.values() if not entry.whole})),
            ]
        )
    return _aligned(lines)


def missed_table(rows: Sequence[Missed]) -> str:
    """Return the exercises most often missed, each with the mistakes behind it."""
    if not rows:
        return "Everybody has everything right."
    lines = []
    wrong = [row for row in rows if row.wrong]
    for row in wrong[:MOST_EXERCISES]:
        untried = f", {row.untried} left it out" if row.untried else ""
        lines.append(f"{row.exercise} ({row.chapter}): {row.wrong} of {row.learners} got it wrong{untried}")
        for reason in row.reasons[:MOST_REASONS]:
            lines += _wrapped(f"{reason.learners:>6}  ", reason.words)
        if len(row.reasons) > MOST_REASONS:
            lines.append(f"        other mistakes: {len(row.reasons) - MOST_REASONS}")
    lines += _others("Got wrong less often: ", [(row.exercise, row.wrong) for row in wrong[MOST_EXERCISES:]])
    lines += _others("Only left out: ", [(row.exercise, row.untried) for row in rows if not row.wrong])
    return "\n".join(lines)


def _others(head: str, counts: list[tuple[str, int]]) -> list[str]:
    """Name exercises in a paragraph, each with a number of learners."""
    return _wrapped(head, ", ".join(f"{name} ({count})" for name, count in counts)) if counts else []


def remark_table(report: ClassReport) -> str:
    """Return every student for whom something is odd, and what; "" when nothing is."""
    said: dict[str, list[str]] = defaultdict(list)
    for skipped in report.skipped:
        said[skipped.student].append(skipped.remark.text)
    for entry in sorted(report.entries, key=lambda entry: entry.chapter):
        said[entry.student] += [f"{entry.chapter.split('_')[0]}: {remark.text}" for remark in entry.remarks]
    lines = []
    for student, texts in sorted(said.items()):
        shown = texts[:MOST_REMARKS]
        if len(texts) > len(shown):
            shown.append(f"and {len(texts) - len(shown)} more")
        for number, text in enumerate(shown):
            lines += _wrapped(padded("" if number else cut(student, NAME), NAME) + "  ", text)
    return "\n".join(lines)


def tables(report: ClassReport) -> str:
    """Return all tables, with what was left or stopped last."""
    parts = []
    if report.entries:
        parts += ["The class: points of the checks\n\n" + class_table(report)]
        parts += ["Most often missed\n\n" + missed_table(missed(report))]
    remarks = remark_table(report)
    if remarks:
        parts.append("Remarks\n\n" + remarks)
    return "\n\n".join(parts)


def wide(text: str) -> int:
    """Return how many columns a terminal takes for a text: two for a Chinese character, none for an accent of its own."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def cut(text: str, columns: int) -> str:
    """Return the text, shortened in its middle where it takes more columns: long names often differ at their ends."""
    if wide(text) <= columns:
        return text
    head, tail = text, text
    while wide(head) > columns // 2:
        head = head[:-1]
    while wide(head) + 1 + wide(tail) > columns:
        tail = tail[1:]
    return f"{head}…{tail}"


def padded(text: str, columns: int) -> str:
    """Return the text with spaces up to a number of columns."""
    return text + " " * (columns - wide(text))


def _aligned(lines: list[list[str]]) -> str:
    """Lay lines out in columns: the first and the last flush left, numbers flush right."""
    widths = [max(wide(line[at]) for line in lines) for at in range(len(lines[0]))]
    out = []
    for first, *middle, last in lines:
        cells = [text.rjust(width) for text, width in zip(middle, widths[1:-1], strict=True)]
        out.append("  ".join([padded(first, widths[0]), *cells, last]).rstrip())
    return "\n".join(out)


def _wrapped(head: str, text: str) -> list[str]:
    """Wrap a text into lines beside a head."""
    indent = wide(head)
    lines = textwrap.wrap(" ".join(text.split()), WIDTH - indent) or [""]
    return [head + lines[0], *(" " * indent + line for line in lines[1:])]
