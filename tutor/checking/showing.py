"""How cards come to the page."""

from __future__ import annotations

import sys


def show(html: str, text: str) -> None:
    """Show a card in a notebook; elsewhere, print its text."""
    ipython = sys.modules.get("IPython")  # not imported for its own sake: outside a notebook the text is enough
    if ipython is None or ipython.get_ipython() is None:
        print(text)
        return
    from IPython.display import display

    display({"text/html": html, "text/plain": text}, raw=True)
