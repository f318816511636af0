"""Which of a chapter's own cells an answer or a check needs: those that define the names it uses, and so on backwards.

A chapter shows a lot: plots, TensorBoard, batches of pictures. None of that earns points, and it takes most of the time.
What a learner wrote runs in full, and of the rest only what it leads back to. Names are read off the text; where code finds
a name in another way (``globals()``), a run in which a name was missing is done again with everything (see ``worker``).
"""

from __future__ import annotations

import ast
import contextlib
import symtable
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from IPython.core.inputtransformer2 import TransformerManager


@dataclass
class Names:
    """What a cell's text binds, uses, and changes in what is there already."""

    binds: set[str] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    imports: set[str] = field(default_factory=set)
    unreadable: bool = False


@lru_cache(maxsize=1_000)  # most cells are the chapter's own, the same in a whole class
def names(text: str) -> Names:
    """Return the names in a cell; one that can't be read as Python needs everything."""
    tree, code = as_python(text)
    if tree is None:
        return Names(unreadable=True)
    table = symtable.symtable(code, "cell", "exec")
    found = Names()
    _collect(table, found, top=True)
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign):
            found.uses |= _root(node.target)
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            found.unreadable = True  # it may bind anything
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            found.changes |= _root(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            found.changes |= _root(node.func)
    return found


@lru_cache(maxsize=100)  # of one submission: it is read to be sliced, and once more for its author
def as_python(text: str) -> tuple[ast.Module | None, str]:
    """Return a cell as Python, its magics translated; None where it is none."""
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.parse(text), text
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        code = TransformerManager().transform_cell(text)
        return ast.parse(code), code
    return None, ""


def _collect(table: symtable.SymbolTable, found: Names, *, top: bool) -> None:
    """Add the cell's global names, those that functions in it use included; what is local to a function doesn't count."""
    for symbol in table.get_symbols():
        if not (top or symbol.is_global()):
            continue
        name = symbol.get_name()
        if symbol.is_referenced():
            found.uses.add(name)
        if symbol.is_assigned() or symbol.is_imported():
            found.binds.add(name)
        if symbol.is_imported():
            found.imports.add(name)
    for inner in table.get_children():
        _collect(inner, found, top=False)


def _root(node: ast.AST) -> set[str]:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def needed(cells: Sequence[tuple[str, bool]], wanted: set[str]) -> list[bool]:
    """Tell of each cell whether it is to be run.

    cells: text and whether it is run in any case (a learner's), in order. wanted: names that are needed at the end.
    """
    read = [names(text) for text, _ in cells]
    modules = set().union(*(cell.imports for cell in read)) if read else set()
    needs = set(wanted)
    everything = any(cell.unreadable for cell, (_, always) in zip(read, cells, strict=True) if always)
    chosen = [False] * len(cells)
    for index in reversed(range(len(cells))):
        cell, (_, always) = read[index], cells[index]
        makes = cell.binds | (cell.changes - modules)
        if always or everything or cell.unreadable or makes & needs:
            chosen[index] = True
            needs |= cell.uses
    return chosen


def definitions(text: str) -> str:
    """Return a cell with nothing but its imports, functions, classes and constants; "" where it can't be read."""
    tree, _ = as_python(text)
    if tree is None:
        return ""
    kept = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    body: list[ast.stmt] = [
        node
        for node in tree.body
        if isinstance(node, kept) or (isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant))
    ]
    return ast.unparse(ast.Module(body, [])) if body else ""
