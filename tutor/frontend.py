"""Who is at the other end of this Python: a person in a notebook or terminal, or a program that runs the cells."""

import sys
from typing import Any


def someone_watches() -> bool:
    """Return False when a program runs the cells (nbconvert, nbval, nbgrader), True in JupyterLab and elsewhere.

    A front end says with each cell it sends whether somebody could answer ``input()`` there (``allow_stdin`` in
    Jupyter's messaging protocol). JupyterLab, Notebook and VS Code do; programs that execute notebooks do not. Live
    pages, progress bars and HTML pictures are for people only: a stored notebook then holds the same text each time.
    """
    if "IPython" not in sys.modules:
        return True
    shell: Any = sys.modules["IPython"].get_ipython()
    request = shell.get_parent() if hasattr(shell, "get_parent") else {}
    return bool(request.get("content", {}).get("allow_stdin", True))
