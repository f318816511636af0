"""Whether what a notebook holds of an answer is what its cell says now."""

from __future__ import annotations

import ast
import re
import sys
from typing import Any


def unfinished(name: str) -> str:
    """Return what keeps the newest cell with ``def name`` from being Python, such as "SyntaxError in line 1 (expected ':')".

    After a run of such a cell the function is still what it was before, and a check would speak of that one. Returns "" where
    all is well, and outside IPython.
    """
    shell: Any = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    cells = shell.user_ns.get("In") if shell is not None else None
    if not isinstance(cells, list):
        return ""
    defines = re.compile(rf"^[ \t]*def[ \t]+{re.escape(name)}\b", re.MULTILINE)
    newest = next((text for text in reversed(cells) if isinstance(text, str) and defines.search(text)), "")
    try:
        ast.parse(shell.transform_cell(newest))
    except SyntaxError as error:
        return f"{type(error).__name__} in line {error.lineno} ({error.msg})"
    return ""
