"""Whether answers are the learner's own, by their text: held against what was seen of torch's operators when they ran.

What runs beside a learner's code can be tampered with, and a text can hide what it does; where the two disagree, and where a
text reaches for what watches it, the instructor is told, and no points change hands.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from nbformat import NotebookNode

from tutor.checking import bank
from tutor.checking.watching import public_name
from tutor.course.source import grade_id, nbgrader_metadata
from tutor.grading.rebuild import OWN
from tutor.grading.slicing import as_python
from tutor.grading.submission import Remark, listed
from tutor.grading.verdict import Verdict

SEEN = ("own-work", "by-hand")
OTHERS = {"unfold"}  # as a tensor's method it is another function than the one of this name in torch.nn.functional

# What no answer needs, and what hides what it does: the callers' frames and variables, what watches and judges, work that is
# done where nobody watches, and code and names that are put together only when it runs.
REACHES = frozenset(
    (
        *("_getframe", "_current_frames", "currentframe", "settrace", "setprofile", "f_back", "f_locals", "f_globals"),
        *("get_objects", "get_referrers", "ctypes", "fromfd", "fstat", "linecache"),
        *("tutor.checking", "tutor.grading", "_python_dispatch", "torch.overrides", "_C", "_disable_current_modes"),
        *("ast_transformers", "input_transformers_cleanup", "input_transformers_post", "run_cell", "user_ns"),
        *(
            "threading",
            "_thread",
            "Thread",
            "concurrent",
            "ThreadPoolExecutor",
            "ProcessPoolExecutor",
            "multiprocessing",
        ),
        *("subprocess", "fork", "forkpty", "posix_spawn", "popen", "execv", "execve"),
        *("eval", "exec", "__import__", "attrgetter", "methodcaller", "__getattribute__", "__dict__", "vars"),
    )
)
METHODS = {"eval", "exec", "compile"}  # which as somebody's method (``net.eval()``) are something else


def disagreements(notebook: NotebookNode, verdicts: Mapping[str, Verdict]) -> list[Remark]:
    """Return a remark for each answer whose text and run disagree about whether torch's own operator did the work.

    And one for each of the learner's cells that reaches for what no answer needs.
    """
    trees = [(cell, nodes) for cell in notebook.cells for nodes in _learners(cell)]
    modules = _modules([nodes for _, nodes in trees])
    written: dict[str, set[str]] = {}  # by the name of the function in which it is named
    for _, nodes in trees:
        for node in nodes:
            if isinstance(node, ast.FunctionDef):
                written.setdefault(node.name, set()).update(_named(list(ast.walk(node)), modules))
    anywhere = set().union(*(_named(nodes, modules) for _, nodes in trees))
    remarks = []
    for identity, verdict in verdicts.items():
        name = verdict.result.exercise
        forbidden = {_plain(public_name(operator)) for operator in bank.get(name).forbids}
        named = sorted(written.get(name, set()) & forbidden)
        seen = any(diagnosis in SEEN for diagnosis in verdict.result.diagnoses)
        if named and not seen and verdict.result.verdict in ("passed", "partly right"):
            said = f"{name}: its text calls torch's {listed(named)}, which was not seen when it ran: read it yourself"
            remarks.append(Remark("own-work", said, identity))
        elif seen and "own-work" in verdict.result.diagnoses and not forbidden & anywhere:
            said = f"{name} was seen to call torch's own operator, which its text doesn't name: read how it gets there"
            remarks.append(Remark("own-work", said, identity))
    return remarks + _reaching(trees)


def _reaching(trees: Sequence[tuple[NotebookNode, Sequence[ast.AST]]]) -> list[Remark]:
    """Return a remark for each cell whose text names what no answer needs."""
    found: dict[str, dict[str, None]] = {}
    for cell, nodes in trees:
        names = dict.fromkeys(sorted(set(_reached(nodes))))
        if names:
            found.setdefault(grade_id(cell) or str(cell.id), {}).update(names)
    said = "{}: its text names {}, which no answer needs: read what it does with that"
    known = {grade_id(cell) for cell, _ in trees}
    return [
        Remark("own-work", said.format(where, listed(list(names))), where if where in known else "")
        for where, names in found.items()
    ]


def _reached(nodes: Sequence[ast.AST]) -> Iterator[str]:
    for node in nodes:
        match node:
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                origin = getattr(node, "module", None)
                for alias in names:
                    yield from _parts(f"{origin}.{alias.name}" if origin else alias.name)
            case ast.Attribute(attr=attr) if attr not in METHODS:
                yield from _parts(ast.unparse(node) if _is_dotted(node) else attr)
            case ast.Name(id=name) if name in REACHES:
                yield name
            case ast.Constant(value=str(text)) if len(text) < 200:
                yield from _parts(text)
            case ast.Call(func=ast.Name(id="getattr"), args=[_, name, *_]) if not isinstance(name, ast.Constant):
                yield "getattr with a name made at run time"


def _is_dotted(node: ast.AST) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _parts(dotted: str) -> Iterator[str]:
    """Yield what is reached for by a name such as ``tutor.checking.watching``."""
    names = dotted.split(".")
    yield from (name for name in names if name in REACHES - METHODS)
    yield from (pair for pair in map(".".join, pairwise(names)) if pair in REACHES)


def _learners(cell: NotebookNode) -> Iterator[Sequence[ast.AST]]:
    """Yield all nodes of a learner's code cell, and of what it hands to a cell magic; nothing for what can't be read."""
    if cell.cell_type != "code" or not (nbgrader_metadata(cell).get("solution") or str(cell.id).startswith(OWN)):
        return
    texts = [cell.source]
    while texts:
        tree, _ = as_python(texts.pop())
        if tree is None:
            continue  # what isn't Python earns nothing by itself
        nodes = list(ast.walk(tree))
        yield nodes
        for node in nodes:
            match node:
                case ast.Call(func=ast.Attribute(attr="run_cell_magic"), args=[_, _, ast.Constant(value=str(text))]):
                    texts.append(text)


def _modules(trees: Sequence[Sequence[ast.AST]]) -> dict[str, bool]:
    """Return the names that are imported, and whether from torch; numpy's tanh is nobody's concern."""
    found = {"torch": True, "F": True, "nn": True}  # as the chapters import them
    for nodes in trees:
        for node in nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    origin = str(getattr(node, "module", None) or alias.name)
                    found[alias.asname or alias.name.split(".")[0]] = origin.split(".")[0] == "torch"
    return found


def _named(nodes: Sequence[ast.AST], modules: Mapping[str, bool]) -> set[str]:
    """Return what is named as somebody's attribute (``F.relu``, ``input.relu()``) or in quotes, in plain lower case."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            found.add(_plain(node.value))
        if isinstance(node, ast.Attribute):
            root: ast.AST = node
            while isinstance(root, ast.Attribute):
                root = root.value
            of = modules.get(root.id) if isinstance(root, ast.Name) else None  # None: a tensor, or anything else
            if of or (of is None and node.attr not in OTHERS):
                found.add(_plain(node.attr))
        if isinstance(node, ast.Name) and modules.get(node.id) and node.id not in ("torch", "F", "nn"):
            found.add(_plain(node.id))  # from torch import relu
    return found


def _plain(name: str) -> str:
    """Write ``ReLU``, ``relu_`` and ``relu`` alike."""
    return name.lower().replace("_", "")
