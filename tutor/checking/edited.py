"""Whether what a notebook holds of an answer is what its cell says now."""

from __future__ import annotations

import ast
import re

from tutor.frontend import shell


def defines(text: str, name: str) -> bool:
    """Tell whether there is a ``def`` or ``class`` of a name in a cell's text, be it Python or not."""
    return re.search(rf"^[ \t]*(async[ \t]+)?(def|class)[ \t]+{re.escape(name)}\b", text, re.MULTILINE) is not None


def unfinished(name: str) -> str:
    """Return what keeps the newest cell with ``def name`` from being Python, such as "SyntaxError in line 1 (expected ':')".

    After a run of such a cell the function is still what it was before, and a check would speak of that one. Returns "" where
    all is well, and outside IPython.
    """
    own = shell()
    cells = own.user_ns.get("In") if own is not None else None
    if not isinstance(cells, list):
        return ""
    newest = next((text for text in reversed(cells) if isinstance(text, str) and defines(text, name)), "")
    try:
        ast.parse(own.transform_cell(newest))
    except SyntaxError as error:
        return f"{type(error).__name__} in line {error.lineno} ({error.msg})"
    return ""
