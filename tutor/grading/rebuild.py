"""Make the notebook that is run and graded: the chapter's own, with a learner's answers put in."""

from collections import defaultdict

from nbformat import NotebookNode, v4

from tutor.course.source import cell_name, grade_id, nbgrader_metadata
from tutor.grading.submission import Extra, Submission

SOLUTION_MARK = "BEGIN SOLUTION"
OWN = "own-"  # how the ids of learners' own cells begin


def rebuild(source_notebook: NotebookNode, submission: Submission) -> NotebookNode:
    """Return the chapter's notebook with the learner's answers, by grade id, and his own cells.

    The cells are copies, and what they don't change is the source's own: their metadata, and the notebook's.
    Every cell, its type, its metadata and the kernel are the chapter's; an answer that is missing stays as released. A
    cell of the learner's own has text and nothing else: no tags, no outputs, an id of its own (``own-001``).

    source_notebook: as ``form.source_notebook`` makes it, with the hidden tests and without solutions.

    Raises ValueError when it contains solutions, which whoever left an answer out would be given points for.
    """
    notebook = NotebookNode(source_notebook)
    notebook.cells = [NotebookNode(cell) for cell in source_notebook.cells]
    own: dict[str | None, list[NotebookNode]] = defaultdict(list)
    taken = {cell.id for cell in notebook.cells}
    for number, extra in enumerate(submission.extras, start=1):
        own[extra.after if extra.after in taken else None].append(_own_cell(extra, number, taken))
    cells = own[None]
    for index, cell in enumerate(notebook.cells):
        if nbgrader_metadata(cell).get("solution"):
            if SOLUTION_MARK in cell.source:
                raise ValueError(
                    f"{cell_name(notebook, index)} has its solution in it; grade in source_notebook(chapter)"
                )
            cell.source = submission.answers.get(grade_id(cell), cell.source)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        cells += [cell, *own[cell.id]]
    notebook.cells = cells
    return notebook


def _own_cell(extra: Extra, number: int, taken: set[str]) -> NotebookNode:
    """Make a plain cell, whose id none of the chapter's cells has."""
    identity = f"{OWN}{number:03d}"
    while identity in taken:
        identity = f"{OWN}{identity}"
    if extra.cell_type == "code":
        return _node(v4.new_code_cell(extra.text, id=identity))
    if extra.cell_type == "markdown":
        return _node(v4.new_markdown_cell(extra.text, id=identity))
    return _node(v4.new_raw_cell(extra.text, id=identity))


def _node(cell: NotebookNode) -> NotebookNode:
    """Say of what nbformat makes what it is."""
    return cell
