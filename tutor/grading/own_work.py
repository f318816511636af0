"""Whether answers are the learner's own, by their text: held against what was seen of torch's operators when they ran.

What runs beside a learner's code can be tampered with, and a text can hide what it does; where the two disagree the
instructor is told, and no points change hands.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from nbformat import NotebookNode

from tutor.checking import bank
from tutor.checking.watching import public_name
from tutor.course.source import nbgrader_metadata
from tutor.grading.rebuild import OWN
from tutor.grading.submission import Remark, listed
from tutor.grading.verdict import Verdict

SEEN = ("own-work", "by-hand")
OTHERS = {"unfold"}  # as a tensor's method it is another function than the one of this name in torch.nn.functional


def disagreements(notebook: NotebookNode, verdicts: Mapping[str, Verdict]) -> list[Remark]:
    """Return a remark for each answer whose text and run disagree about whether torch's own operator did the work."""
    trees = [tree for cell in notebook.cells if (tree := _learners(cell)) is not None]
    modules = _modules(trees)
    written: dict[str, set[str]] = {}  # by the name of the function that calls it
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                written.setdefault(node.name, set()).update(_calls(node, modules))
    anywhere = set().union(*(_calls(tree, modules) for tree in trees))
    remarks = []
    for grade_id, verdict in verdicts.items():
        name = verdict.result.exercise
        forbidden = {_plain(public_name(operator)) for operator in bank.get(name).forbids}
        named = sorted(written.get(name, set()) & forbidden)
        seen = any(identity in SEEN for identity in verdict.result.diagnoses)
        if named and not seen and verdict.result.verdict in ("passed", "partly right"):
            said = f"{name}: its text calls torch's {listed(named)}, which was not seen when it ran: read it yourself"
            remarks.append(Remark("own-work", said, grade_id))
        elif seen and "own-work" in verdict.result.diagnoses and not forbidden & anywhere:
            said = f"{name} was seen to call torch's own operator, which its text doesn't name: read how it gets there"
            remarks.append(Remark("own-work", said, grade_id))
    return remarks


def _learners(cell: NotebookNode) -> ast.AST | None:
    if cell.cell_type != "code" or not (nbgrader_metadata(cell).get("solution") or str(cell.id).startswith(OWN)):
        return None
    text: str = cell.source
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # an answer that isn't Python earns nothing by itself


def _modules(trees: Sequence[ast.AST]) -> dict[str, bool]:
    """Return the names that are imported, and whether from torch; numpy's tanh is nobody's concern."""
    found = {"torch": True, "F": True, "nn": True}  # as the chapters import them
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    origin = str(getattr(node, "module", None) or alias.name)
                    found[alias.asname or alias.name.split(".")[0]] = origin.split(".")[0] == "torch"
    return found


def _calls(tree: ast.AST, modules: Mapping[str, bool]) -> set[str]:
    """Return what is called as somebody's attribute (``F.relu(…)``, ``input.relu()``), in plain lower case."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            root: ast.AST = node.func
            while isinstance(root, ast.Attribute):
                root = root.value
            if not (isinstance(root, ast.Name) and root.id in modules):
                found.add(_plain(node.func.attr))
    return found


def _plain(name: str) -> str:
    """Write ``ReLU``, ``relu_`` and ``relu`` alike."""
    return name.lower().replace("_", "")
