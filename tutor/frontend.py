"""Who is at the other end of this Python: a person at a notebook or terminal, or a program."""

import sys
from typing import Any


def shell() -> Any:
    """Return IPython's shell, or None where this is plain Python; IPython is not imported for its own sake."""
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


def someone_watches() -> bool:
    """Return True in JupyterLab and at a terminal, False when a program runs the cells (nbconvert, nbval, nbgrader).

    A front end says with each cell it sends whether somebody could answer ``input()`` there (``allow_stdin`` in
    Jupyter's messaging protocol). JupyterLab, Notebook and VS Code do; programs that execute notebooks do not. Live
    pages, progress bars and HTML pictures are for people only: a stored notebook then holds the same text each time.
    """
    own = shell()
    if hasattr(own, "get_parent"):
        return bool(own.get_parent().get("content", {}).get("allow_stdin", True))
    return sys.stdout is not None and sys.stdout.isatty()
