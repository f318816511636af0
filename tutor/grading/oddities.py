"""What is odd about a learner's cells, held against the chapter's, in sentences for the instructor."""

from bisect import bisect_left
from collections import Counter

from tutor.grading.form import Asked, Form, same
from tutor.grading.notebook import Cell
from tutor.grading.submission import Remark, listed, quoted

FLAGS = ("grade", "solution", "locked", "task", "points", "schema_version")


def unknown(cells: list[Cell], placed: list[Asked | None]) -> list[Remark]:
    """Remark on cells that nbgrader's metadata call graded, but that the chapter doesn't have."""
    names = [
        cell.grade_id
        for cell, asked in zip(cells, placed, strict=True)
        if cell.grade_id and (asked is None or asked.grade_id != cell.grade_id)
    ]
    said = "the chapter has no cell called {}: it earns nothing under that name, and its text is the learner's own"
    return [Remark("unknown-cell", said.format(quoted(name))) for name in dict.fromkeys(names)]


def changed(cells: list[Cell], placed: list[Asked | None]) -> list[Remark]:
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
        added = [tag for tag in cell.tags if tag not in asked.tags]
        if added:
            said = f"{name}: the tags {listed(added)} were added to it; they have no effect"
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


def repeated(cells: list[Cell], placed: list[Asked | None], counting: list[int]) -> list[Remark]:
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


def missing(placed: list[Asked | None], form: Form, elsewhere: list[str]) -> list[Remark]:
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


def moved(placed: list[Asked | None], counting: list[int]) -> list[Remark]:
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
