"""What a chapter's cells must look like for nbgrader, for the checks and for a safe release."""

import ast
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode
from nbgrader.nbgraderformat import MetadataValidator, SchemaTooNewError, SchemaTooOldError, ValidationError

from tutor.course.source import (
    HIDDEN_BEGIN,
    HIDDEN_END,
    CheckCall,
    cell_name,
    check_calls,
    defined_functions,
    grade_id,
    nbgrader_metadata,
)

SOLUTION_BEGIN = "### BEGIN SOLUTION"
SOLUTION_END = "### END SOLUTION"
GRADED_FORM = (
    "a graded cell is check(name, points=P), then the same with hidden=True "
    f"between '{HIDDEN_BEGIN}' and '{HIDDEN_END}'"
)


def problems(notebook: NotebookNode, exercises: Collection[str] | None = None) -> list[str]:
    """Return every reason not to build this notebook, each one sentence that names its cell; ``[]`` is good.

    exercises: the names that ``check`` knows; None leaves that question out.
    """
    found = [*_duplicates(notebook)]
    asked = {grade_id(cell) for cell in notebook.cells if nbgrader_metadata(cell).get("solution")}
    seen = _Seen(asked, exercises)
    for index, cell in enumerate(notebook.cells):
        own = _code_cell(cell, seen) if cell.cell_type == "code" else _text_cell(cell)
        found += [f"{cell_name(notebook, index)} {sentence}" for sentence in (*_metadata(cell), *own)]
    return [*found, *_rivals(seen)]


@dataclass
class _Seen:
    """What is known while the cells are read from the top."""

    asked: Collection[str]
    exercises: Collection[str] | None
    defined: Counter[str] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)


def _duplicates(notebook: NotebookNode) -> Iterator[str]:
    """Complain about cells that share an id; nbgrader and the file format both need them apart."""
    counted = Counter(cell.id for cell in notebook.cells)
    for name, times in counted.items():
        if times > 1:
            yield f"{times} cells share the grade id {name!r}; give each its own"


def _rivals(seen: _Seen) -> Iterator[str]:
    """Complain about a checked function that more than one solution cell defines."""
    for name in seen.checked:
        if seen.defined[name] > 1:
            yield f"{seen.defined[name]} solution cells define {name}; a check belongs to exactly one"


def _metadata(cell: NotebookNode) -> Iterator[str]:
    """Complain where nbgrader itself would refuse the cell's metadata."""
    if "nbgrader" not in cell.metadata:
        return
    if nbgrader_metadata(cell).get("grade") and "points" not in nbgrader_metadata(cell):
        yield 'is graded but has no "points" in its nbgrader metadata'
        return
    try:
        MetadataValidator().validate_cell(cell)
    except (SchemaTooOldError, SchemaTooNewError) as error:
        versions = f"{error.expected_version}, not {error.actual_version}"
        yield f'its nbgrader metadata needs "schema_version": {versions}'
    except ValidationError as error:
        yield f"nbgrader refuses its metadata: {error.message}"


def _text_cell(cell: NotebookNode) -> Iterator[str]:
    """Check a markdown or raw cell: a solution written in prose needs nbgrader's metadata too."""
    for mark in (SOLUTION_BEGIN[4:], HIDDEN_BEGIN[4:]):
        if mark in cell.source and not nbgrader_metadata(cell):
            yield f"contains {mark} but has no nbgrader metadata, so it would be released as it is"


def _code_cell(cell: NotebookNode, seen: _Seen) -> Iterator[str]:
    """Check one code cell: an answer, a check, or one that is neither and must not look like either."""
    metadata = nbgrader_metadata(cell)
    if metadata.get("solution"):
        yield from _solution_cell(cell, seen)
    elif metadata.get("grade"):
        yield from _graded_cell(cell, seen)
    else:
        yield from _other_cell(cell, seen)


def _other_cell(cell: NotebookNode, seen: _Seen) -> Iterator[str]:
    """Complain where a cell that is released as it is gives an answer away, or grades without metadata."""
    for mark, key in ((SOLUTION_BEGIN, "solution"), (HIDDEN_BEGIN, "grade")):
        if mark[4:] in cell.source:
            yield f"contains '{mark}' but its nbgrader metadata does not say \"{key}\": true"
    code = TransformerManager().transform_cell(cell.source)  # such a cell may contain magics
    try:
        graded, given_away = (
            [call for call in check_calls(code) if call.points is not None],
            defined_functions(code),
        )
    except SyntaxError as error:
        yield f"is not Python: {error}"
        return
    for call in graded:
        yield f'calls check({call.exercise}, points=...) but its nbgrader metadata does not say "grade": true'
    for name in sorted(given_away.intersection(seen.asked)):
        yield f"defines {name} outside the solution cell that asks for it, and would be released"


def _solution_cell(cell: NotebookNode, seen: _Seen) -> Iterator[str]:
    """A solution cell hides its answer between the two marks, and defines what its grade id says."""
    yield from _region(cell.source, SOLUTION_BEGIN, SOLUTION_END)
    if nbgrader_metadata(cell).get("grade"):
        return  # graded by hand: any code will do
    try:
        functions = defined_functions(cell.source)
    except SyntaxError as error:
        yield f"is not plain Python: {error}"
        return
    seen.defined.update(functions)
    if grade_id(cell) not in functions:
        yield f"defines no function {grade_id(cell)!r}; a solution's grade id is its function's name"


def _graded_cell(cell: NotebookNode, seen: _Seen) -> Iterator[str]:
    """A graded cell ends in the two calls, agrees with its metadata and follows exactly one solution."""
    metadata = nbgrader_metadata(cell)
    if not metadata.get("locked"):
        yield 'is graded but its nbgrader metadata does not say "locked": true'
    region = list(_region(cell.source, HIDDEN_BEGIN, HIDDEN_END))
    yield from region
    if region:
        return
    try:
        calls = check_calls(cell.source)
        ends_in_check = _ends_in_check(cell.source)
    except SyntaxError as error:
        yield f"is not plain Python: {error}"
        return
    if [call.hidden for call in calls] != [False, True] or not ends_in_check:
        yield f"does not end in its two checks ({GRADED_FORM}), or a ';' hides the points"
        return
    yield from _exercise(cell, calls, seen)
    seen.checked[calls[0].exercise] += 1
    if seen.checked[calls[0].exercise] > 1:
        yield f"checks {calls[0].exercise}, which a cell above already checks"


def _exercise(cell: NotebookNode, calls: list[CheckCall], seen: _Seen) -> Iterator[str]:
    """Hold the two calls, the metadata, the solution above and the bank together."""
    name, points = calls[0].exercise, float(nbgrader_metadata(cell).get("points", 0))
    if calls[1].exercise != name:
        yield f"checks {name} in the open and {calls[1].exercise} in the hidden test"
    for call in calls:
        if call.points != points:
            shown = "no points" if call.points is None else f"points={call.points:g}"
            yield f"check({call.exercise}) names {shown}, its metadata {points:g}; make them the same"
    if points <= 0:
        yield "is graded but worth no points"
    if grade_id(cell) != f"check_{name}":
        yield f"checks {name}, so its grade id must be 'check_{name}'"
    if not seen.defined[name]:
        yield f"checks {name}, but no solution cell above it defines that"
    if seen.exercises is not None and name not in seen.exercises:
        yield f"checks {name}, which the bank does not know (tutor/checking/bank)"


def _ends_in_check(code: str) -> bool:
    """Say whether both halves of a graded cell, the open and the hidden, end in a check that is shown."""
    open_half = code.split(HIDDEN_BEGIN)[0]
    return all(
        (body := ast.parse(half).body) and check_calls(ast.unparse(body[-1])) and not _hides_value(half)
        for half in (open_half, code)
    )


def _hides_value(code: str) -> bool:
    """Say whether code ends in ';', so that IPython does not show, nor nbgrader read, its value."""
    lines = [line for line in code.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return bool(lines) and lines[-1].split("#")[0].rstrip().endswith(";")


def _region(code: str, begin: str, end: str) -> Iterator[str]:
    """Complain unless the lines ``begin`` and ``end`` come in pairs, at least one, none inside another."""
    marks = [line.strip() for line in code.splitlines() if begin[4:] in line or end[4:] in line]
    if not marks:
        yield f"has no lines '{begin}' and '{end}'"
    elif marks != [begin, end] * (len(marks) // 2):
        yield f"its lines '{begin}' and '{end}' do not come in pairs, written exactly so: {marks}"
