"""How cards come to the page."""

from __future__ import annotations

from tutor.frontend import shell


def show(html: str, text: str) -> None:
    """Show a card in a notebook; elsewhere, print its text."""
    if shell() is None:
        print(text)
        return
    from IPython.display import display

    display({"text/html": html, "text/plain": text}, raw=True)
