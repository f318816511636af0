"""What an instructor reads when a class is graded: who has what, what to teach again on Monday, and what is odd."""

from __future__ import annotations

import re
import textwrap
from collections import Counter, defaultdict
from dataclasses import dataclass
from unicodedata import combining, east_asian_width

from tutor.grading.job import NOT_CHECKED, CellResult
from tutor.grading.report import ClassReport, Entry

WIDTH = 100  # columns
NAME = 26
MOST_EXERCISES, MOST_REASONS, MOST_REMARKS = 10, 3, 4
TRIED = ("partly right", "not right yet")


@dataclass(frozen=True)
class Reason:
    """A misconception or general fault, in words, and how many learners have it."""

    identity: str
    words: str
    learners: int


@dataclass(frozen=True)
class Missed:
    """An exercise that not everybody has right.

    wrong: learners who tried and missed points. broken: those whose answer couldn't be checked. untried: those who have left
    it out. learners: all who have worked in the notebook.
    """

    chapter: str
    exercise: str
    wrong: int
    broken: int
    untried: int
    learners: int
    reasons: tuple[Reason, ...]

    @property
    def failed(self) -> int:
        """How many learners wrote something and missed points."""
        return self.wrong + self.broken


def missed(report: ClassReport) -> list[Missed]:
    """Return the exercises that learners tried and missed or left out, most often missed first, then as in the course.

    What couldn't be graded at all, and notebooks in which nothing was written, say nothing about an exercise.
    """
    found: dict[tuple[str, str], list[tuple[str, CellResult]]] = defaultdict(list)
    for entry in report.entries:
        for cell in entry.cells if entry.ran and not entry.untouched else ():
            found[entry.chapter, cell.exercise].append((entry.student, cell))
    rows = []
    for (chapter, exercise), cells in found.items():
        tried = {student for student, cell in cells if cell.verdict in TRIED}
        stopped = {(student, cell.why) for student, cell in cells if cell.verdict == "not run"}
        broken = {student for student, _ in stopped} - tried
        left = {student for student, cell in cells if cell.verdict == "not attempted"} - tried - broken
        if not tried and not broken and not left:
            continue
        named = Counter(identity for _, identity in {(student, i) for student, cell in cells for i in cell.diagnoses})
        named.pop("not-attempted", None)
        ordered = sorted(named.items(), key=lambda each: (-each[1], each[0]))
        reasons = [Reason(identity, in_words(exercise, identity), count) for identity, count in ordered]
        told = Counter(_sentence(why.removeprefix(NOT_CHECKED)) for student, why in stopped if student in broken)
        reasons += [Reason("not-run", said, count) for said, count in told.most_common()]
        learners = len({student for student, _ in cells})
        rows.append(Missed(chapter, exercise, len(tried), len(broken), len(left), learners, tuple(reasons)))
    return sorted(rows, key=lambda row: (-row.failed, -row.untried, row.chapter))


def _sentence(text: str) -> str:
    """Return a text with a capital letter and a full stop."""
    return text[:1].upper() + text[1:].rstrip(".") + "."


def in_words(exercise: str, identity: str) -> str:
    """Return the first sentence of what learners are told about a misconception or a fault; else its name."""
    from tutor.checking import bank, words

    try:
        message = words.misconception(bank.words_file(exercise), exercise, identity).message
    except LookupError:
        fault = words.load("words")["faults"].get(identity, {})
        message = fault.get("in-general") or fault.get("message") or identity.replace("-", " ")
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


def missed_table(report: ClassReport) -> str:
    """Return the exercises most often missed, each with the mistakes behind it, and who has written nothing."""
    rows, untouched = missed(report), _untouched(report)
    if not rows and all(entry.ran and not entry.untouched for entry in report.entries):
        return "Everybody has everything right."
    lines = []
    failed = [row for row in rows if row.failed]
    for row in failed[:MOST_EXERCISES]:
        broken = f", {row.broken} wrote something that doesn't run" if row.broken else ""
        untried = f", {row.untried} left it out" if row.untried else ""
        lines.append(f"{row.exercise} ({row.chapter}): {row.wrong} of {row.learners} got it wrong{broken}{untried}")
        for reason in row.reasons[:MOST_REASONS]:
            lines += _wrapped(f"{reason.learners:>6}  ", reason.words)
        if len(row.reasons) > MOST_REASONS:
            lines.append(f"        other mistakes: {len(row.reasons) - MOST_REASONS}")
    lines += _others("Got wrong less often: ", [(row.exercise, row.failed) for row in failed[MOST_EXERCISES:]])
    lines += _others("Only left out: ", [(row.exercise, row.untried) for row in rows if not row.failed])
    return "\n".join([*lines, *untouched] or ["Of what could be graded, everything is right."])


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
        parts += ["Most often missed\n\n" + missed_table(report)]
    if report.by_hand:
        parts.append("To grade by hand in formgrader\n\n" + by_hand_table(report))
    remarks = remark_table(report)
    if remarks:
        parts.append("Remarks\n\n" + remarks)
    return "\n\n".join(parts)


def _untouched(report: ClassReport) -> list[str]:
    """Name those who handed a notebook in as they were given it."""
    found: dict[str, list[str]] = defaultdict(list)
    for entry in report.entries:
        if entry.ran and entry.untouched:
            found[entry.chapter].append(cut(entry.student, NAME))
    lines = []
    for chapter, students in sorted(found.items()):
        lines += _wrapped(f"Nothing written in {chapter}: ", ", ".join(sorted(students)))
    return lines


def by_hand_table(report: ClassReport) -> str:
    """Return what a person has yet to read, and of how many learners."""
    return "\n".join(
        f"{each.cell} ({each.chapter}, {each.points:g} points): {each.learners} "
        f"{'learner' if each.learners == 1 else 'learners'}"
        for each in report.by_hand
    )


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
