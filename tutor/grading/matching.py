"""Find a chapter's cells again in a learner's notebook: which text answers what, and what is the learner's own."""

import re
from collections import Counter
from dataclasses import dataclass

from tutor.grading import oddities
from tutor.grading.form import Asked, Form, same
from tutor.grading.notebook import Cell
from tutor.grading.submission import Extra, Remark

EXTRAS = 1_000
DEFINITION = re.compile(r"^def[ \t]+(\w+)[ \t]*\(", re.MULTILINE)


@dataclass(frozen=True)
class Matched:
    """What a notebook's cells say: answers by grade id, the learner's own cells, and what is odd."""

    answers: dict[str, str]
    extras: tuple[Extra, ...]
    remarks: list[Remark]

    def worked_on(self, form: Form) -> int:
        """Return how many answers are not the empty form that was released."""
        return sum(not same(text, form.by_grade_id[name].text) for name, text in self.answers.items())


def match(cells: list[Cell], form: Form) -> Matched:
    """Hold a learner's cells against the chapter's.

    An answer is known by its grade id; else by its cell's id, by the function that it defines, or, in prose, by
    standing alone between the two cells that it stands between in the chapter; so are those known that come back from
    a service that drops metadata and ids. Where several claim one grade id, the last that was worked on counts, which
    a run from top to bottom leaves in force; the others are his own cells.
    A cell of the chapter's that is not an answer counts as the chapter has it; what he wrote into one is a cell of his
    own after it. An own cell runs before every answer that it stood before, so that moved cells still find what they
    need.
    """
    placed = _recognised(cells, form)
    by_other_means = [*_placed_by_function(cells, placed, form), *_placed_by_neighbours(cells, placed, form)]
    counting = _counting(cells, placed)
    answers = {asked.grade_id: cells[at].text for at in counting if (asked := placed[at]) and asked.role == "answer"}
    defined = _functions(cells)
    elsewhere = [name for name in _absent(placed, form) if name in defined]
    # The empty form would replace the function that he wrote in another cell.
    answers.update({name: f"# {name} stands in another cell." for name in elsewhere})
    remarks = [
        *by_other_means,
        *oddities.unknown(cells, placed),
        *oddities.changed(cells, placed),
        *oddities.repeated(cells, placed, counting),
        *oddities.missing(placed, form, elsewhere),
        *oddities.moved(placed, counting),
    ]
    extras = _extras(cells, placed, counting, form)
    if len(extras) > EXTRAS:
        said = f"there are {len(extras):,} cells of the learner's own; those after the first {EXTRAS:,} are left out"
        remarks.append(Remark("oversized", said))
    return Matched(answers, tuple(extras[:EXTRAS]), remarks)


def _recognised(cells: list[Cell], form: Form) -> list[Asked | None]:
    """Return for each cell which of the chapter's it is; None for the learner's own."""
    # A copy of a test is the learner's own, unless it is all that is left of it.
    named = {cell.grade_id for cell in cells}
    plain = [a for a in form.cells if a.role == "other" or (a.role == "locked" and a.grade_id not in named)]
    texts = {asked.text.strip(): asked for asked in reversed(plain)}
    times = Counter(cell.cell_id for cell in cells)
    seen: set[int] = set()
    placed = []
    for cell in cells:
        asked = form.by_grade_id.get(cell.grade_id)
        if asked is None and not cell.grade_id:
            asked = texts.get(cell.text.strip())
            if asked is None and times[cell.cell_id] == 1:
                asked = form.by_cell_id.get(cell.cell_id)
            if asked is not None and asked.index in seen:
                asked = None  # a second one is a copy, and so the learner's own
        if asked is not None:
            seen.add(asked.index)
        placed.append(asked)
    return placed


def _functions(cells: list[Cell]) -> set[str]:
    """Return the names of the functions that a learner's code defines at its left edge."""
    return {name for cell in cells if cell.cell_type == "code" for name in DEFINITION.findall(cell.text)}


def _absent(placed: list[Asked | None], form: Form) -> dict[str, Asked]:
    """Return the answers in code that none of the learner's cells is, by the function that each asks for."""
    there = {asked.index for asked in placed if asked is not None}
    return {a.grade_id: a for a in form.answers if a.cell_type == "code" and a.index not in there}


def _placed_by_function(cells: list[Cell], placed: list[Asked | None], form: Form) -> list[Remark]:
    """Recognise, in ``placed``, answers that neither grade id nor cell id tell, by the function that they define."""
    remarks = []
    absent = _absent(placed, form)
    for at in reversed(range(len(cells))):  # the last is in force
        if not absent or placed[at] is not None:
            continue
        name = next((name for name in DEFINITION.findall(cells[at].text) if name in absent), None)
        if name is not None and cells[at].cell_type == "code":
            placed[at] = absent.pop(name)
            said = (
                f"cell {at + 1} is taken as the answer {name}, because it defines {name} and no other cell is called so"
            )
            remarks.append(Remark("by-function", said, name))
    return remarks[::-1]


def _placed_by_neighbours(cells: list[Cell], placed: list[Asked | None], form: Form) -> list[Remark]:
    """Recognise, in ``placed``, answers in prose that nothing in them tells, by the chapter's cells around them."""
    there = {asked.index for asked in placed if asked is not None}
    absent = {a.index: a for a in form.answers if a.cell_type == "markdown" and a.index not in there}
    remarks = []
    last, own = -1, []  # the chapter's last cell before, and the learner's own prose since
    for at, asked in enumerate([*placed, None]):
        if at < len(cells) and asked is None:
            if cells[at].cell_type == "markdown" and cells[at].text.strip():
                own.append(at)
            continue
        following = asked.index if asked is not None else len(form.cells)
        if following - last == 2 and last + 1 in absent and len(own) == 1:
            answer = placed[own[0]] = absent.pop(last + 1)
            said = f"cell {own[0] + 1} is taken as the answer {answer.grade_id}, because it stands in its place"
            remarks.append(Remark("by-place", said, answer.grade_id))
        last, own = following, []
    return remarks


def _counting(cells: list[Cell], placed: list[Asked | None]) -> list[int]:
    """Return, in the learner's order, the positions of the answers and tests that count, one for each grade id."""
    chosen: dict[str, int] = {}
    for at, (cell, asked) in enumerate(zip(cells, placed, strict=True)):
        if asked is None or asked.role == "other":
            continue
        first = asked.grade_id not in chosen
        if first or (asked.role == "answer" and cell.text.strip() and not same(cell.text, asked.text)):
            chosen[asked.grade_id] = at
    return sorted(chosen.values())


def _extras(cells: list[Cell], placed: list[Asked | None], counting: list[int], form: Form) -> list[Extra]:
    """Return the learner's own cells, each with the chapter's cell that it follows."""
    counts = set(counting)
    after: list[int] = []  # by position: the last of the chapter's cells before it
    last = -1
    for at, asked in enumerate(placed):
        if asked is not None and (at in counts or asked.role == "other"):
            last = asked.index
        after.append(last)
    extras: list[tuple[int, Extra]] = []
    following = len(form.cells)  # the chapter's first among the answers and tests that come later
    for at in reversed(range(len(cells))):
        cell, asked = cells[at], placed[at]
        if at in counts and asked is not None:
            following = min(following, asked.index)
        elif cell.text.strip() and not (asked and (asked.role == "locked" or same(cell.text, asked.text))):
            place = min(after[at], following - 1)
            extras.append((place, Extra(cell.cell_type, cell.text, form.cells[place].cell_id if place >= 0 else None)))
    return [extra for _, extra in reversed(extras)]
