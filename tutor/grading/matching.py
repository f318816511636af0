"""Find a chapter's cells again in a learner's notebook: which text answers what, and what is the learner's own."""

import re
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass

from tutor.grading.form import Asked, Form
from tutor.grading.notebook import Cell
from tutor.grading.submission import Extra, Remark, quoted

EXTRAS = 1_000
DEFINITION = re.compile(r"^def[ \t]+(\w+)[ \t]*\(", re.MULTILINE)
FLAGS = ("grade", "solution", "locked", "task", "points", "schema_version")


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

    An answer is known by its grade id; else by its cell's id, or by the function that it defines. Where several claim one grade id,
    the last that was worked on counts, which a run from top to bottom leaves in force; the others are his own cells.
    A cell of the chapter's that is not an answer counts as the chapter has it; what he wrote into one is a cell of his
    own after it. An own cell runs before every answer that it stood before, so that moved cells still find what they
    need.
    """
    placed = _recognised(cells, form)
    by_function = _placed_by_function(cells, placed, form)
    counting = _counting(cells, placed)
    answers = {asked.grade_id: cells[at].text for at in counting if (asked := placed[at]) and asked.role == "answer"}
    elsewhere = [name for name in _absent(placed, form) if name in _functions(cells)]
    # The empty form would replace the function that he wrote in another cell.
    answers.update({name: f"# {name} stands in another cell." for name in elsewhere})
    remarks = [
        *by_function,
        *_unknown(cells, placed),
        *_changed(cells, placed),
        *_repeated(cells, placed, counting),
        *_missing(placed, form, elsewhere),
        *_moved(placed, counting),
    ]
    extras = _extras(cells, placed, counting, form)
    if len(extras) > EXTRAS:
        said = f"there are {len(extras):,} cells of the learner's own; those after the first {EXTRAS:,} are left out"
        remarks.append(Remark("oversized", said))
    return Matched(answers, tuple(extras[:EXTRAS]), remarks)


def same(one: str, other: str) -> bool:
    """Tell whether two texts are the same but for spaces at the ends of lines and of the text."""
    first, second = ([line.rstrip() for line in text.strip().splitlines()] for text in (one, other))
    return first == second


def _recognised(cells: list[Cell], form: Form) -> list[Asked | None]:
    """Return for each cell which of the chapter's it is; None for the learner's own."""
    texts = {asked.text.strip(): asked for asked in reversed(form.cells) if asked.role == "other"}
    seen: set[int] = set()
    placed = []
    for cell in cells:
        asked = form.by_grade_id.get(cell.grade_id)
        if asked is None and not cell.grade_id:
            by_id = form.by_cell_id.get(cell.cell_id)
            # An answer that is pasted elsewhere may bring its text but not its id, and the other way round.
            asked = by_id if by_id is not None and by_id.index not in seen else None
            if asked is None or (asked.role == "other" and not same(cell.text, asked.text)):
                asked = texts.get(cell.text.strip(), asked)
            if asked is not None and asked.index in seen:
                asked = None
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


def _unknown(cells: list[Cell], placed: list[Asked | None]) -> list[Remark]:
    """Remark on cells that nbgrader's metadata call graded, but that the chapter doesn't have."""
    names = [
        cell.grade_id
        for cell, asked in zip(cells, placed, strict=True)
        if cell.grade_id and (asked is None or asked.grade_id != cell.grade_id)
    ]
    said = "the chapter has no cell called {}: it earns nothing under that name, and its text is the learner's own"
    return [Remark("unknown-cell", said.format(quoted(name))) for name in dict.fromkeys(names)]


def _changed(cells: list[Cell], placed: list[Asked | None]) -> list[Remark]:
    """Remark on what was changed about the chapter's cells, none of which has a say."""
    remarks = []
    for cell, asked in zip(cells, placed, strict=True):
        if asked is None:
            continue
        name = asked.grade_id or asked.cell_id
        if asked.role == "locked" and not same(cell.text, asked.text):
            said = f"the test cell {name} was changed; the chapter's own is run"
            remarks.append(Remark("changed-test", said, asked.grade_id))
        if (
            asked.role == "other"
            and asked.cell_type == "code"
            and cell.text.strip()
            and not same(cell.text, asked.text)
        ):
            said = f"the chapter's cell {name} was changed; the learner's version runs after the chapter's own"
            remarks.append(Remark("changed-cell", said))
        if asked.role != "other":
            remarks += [Remark(kind, f"{name}: {said}", asked.grade_id) for kind, said in _disguises(cell, asked)]
        added = [quoted(tag) for tag in cell.tags if tag not in asked.tags]
        if added:
            said = f"{name}: the tags {', '.join(added)} were added to it; they have no effect"
            remarks.append(Remark("tags", said, asked.grade_id))
    return remarks


def _disguises(cell: Cell, asked: Asked) -> list[tuple[str, str]]:
    """Return what says something else of an answer or a test than the chapter does: (kind, half a sentence)."""
    found = []
    if not cell.grade_id:
        found.append(("lost-metadata", "nbgrader's metadata are gone from it"))
    elif cell.grade_id == asked.grade_id:
        flags = [name for name in FLAGS if cell.nbgrader.get(name) != asked.nbgrader.get(name)]
        if flags:
            said = f"nbgrader's metadata were changed ({', '.join(flags)}); the chapter's own count"
            found.append(("changed-flags", said))
    if cell.cell_type != asked.cell_type:
        said = f"it was made a {cell.cell_type} cell; its text is read as {asked.cell_type}"
        found.append(("changed-type", said))
    if cell.attachments:
        found.append(("attachments", "a picture pasted into it is left out; it is in the file as handed in"))
    return found


def _repeated(cells: list[Cell], placed: list[Asked | None], counting: list[int]) -> list[Remark]:
    """Remark on answers and tests that are there more than once, and say which counts."""
    times = Counter(asked.grade_id for asked in placed if asked is not None and asked.role != "other")
    remarks = []
    for at in counting:
        asked = placed[at]
        if asked is None or times[asked.grade_id] == 1:
            continue
        said = f"{times[asked.grade_id]} cells are called {asked.grade_id}"
        if asked.role == "locked":
            remarks.append(Remark("repeated-test", f"{said}; the chapter's own test is run, once", asked.grade_id))
        else:
            why = f"cell {at + 1} counts, the last that was worked on, and the others run as the learner's own"
            remarks.append(Remark("repeated-answer", f"{said}; {why}", asked.grade_id))
    return remarks


def _missing(placed: list[Asked | None], form: Form, elsewhere: list[str]) -> list[Remark]:
    """Remark on answers and tests that are gone."""
    there = {asked.index for asked in placed if asked is not None}
    gone = [asked for asked in form.cells if asked.role != "other" and asked.index not in there]
    if len(gone) == sum(asked.role != "other" for asked in form.cells):
        return [Remark("no-answers", "not one of the chapter's answer cells is in it: is it the right notebook?")]
    remarks = []
    for asked in gone:
        if asked.role == "locked":
            said = f"the test cell {asked.grade_id} was deleted; the chapter's own is run in its place"
            remarks.append(Remark("deleted-test", said, asked.grade_id))
        elif asked.grade_id in elsewhere:
            said = f"the answer cell {asked.grade_id} is gone; another of the learner's cells defines {asked.grade_id}"
            remarks.append(Remark("answer-elsewhere", said, asked.grade_id))
        else:
            said = f"the answer cell {asked.grade_id} was deleted; it counts as not attempted"
            remarks.append(Remark("deleted-answer", said, asked.grade_id))
    return remarks


def _moved(placed: list[Asked | None], counting: list[int]) -> list[Remark]:
    """Remark on the fewest cells whose move explains an order other than the chapter's."""
    found = [asked for at in counting if (asked := placed[at]) is not None]
    stayed: list[int] = []  # the last of the best chain of each length, by its index in the chapter
    lengths = []
    for asked in found:
        length = bisect_left(stayed, asked.index)
        stayed[length : length + 1] = [asked.index]
        lengths.append(length)
    moved = []
    wanted = len(stayed) - 1
    for asked, length in zip(reversed(found), reversed(lengths), strict=True):
        if length == wanted:
            wanted -= 1
        else:
            moved.append(asked.grade_id)
    if not moved:
        return []
    names = ", ".join(sorted(moved))
    return [Remark("moved", f"cells were moved ({names}); the notebook is run in the chapter's order")]
