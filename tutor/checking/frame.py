"""What every card for learners looks like: a frame with a sign, a title and an aside, all style inline.

Lab's own variables follow its light or dark theme; the fallbacks serve pages that have none, such as nbgrader's feedback.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

INK = "var(--jp-ui-font-color1, #1a1a1a)"
PALE = "var(--jp-ui-font-color2, #616161)"  # for what is read last; still 4.5 : 1 on the paper
PAPER = "var(--jp-layout-color1, #ffffff)"
LINE = "#8c8c8c"  # over 3 : 1 on white and on black
LINK = "var(--jp-content-link-color, #0b57a4)"
MONO = "var(--jp-code-font-family, monospace)"
# Okabe and Ito's colours, which people with any kind of colour vision can tell apart.
GREEN, ORANGE, VERMILION, BLUE = "#009e73", "#e69f00", "#d55e00", "#0072b2"
_CODE = f"background: #8080802e; color: inherit; font-family: {MONO}; font-size: 13px; padding: 1px 4px; border-radius: 3px;"


def frame(sign: str, title: str, aside: str, colour: str, parts: Iterable[str] = ()) -> str:
    """Return a card as one HTML element.

    sign, title, aside: plain text of its first line, where ``aside`` stands at the right. parts: HTML for below. Texts that no
    notebook can store are mended here.
    """
    # The spaces are for who copies the line, or has it as text only.
    mark = f'<span aria-hidden="true">{sign}</span> ' if sign else ""
    body = "".join(parts)
    if body:
        body = f'<div style="padding: 10px 16px 12px;">{body}</div>'
    # What an answer prints or raises can hold half a character, which no notebook can store.
    return sendable(
        f'<div role="group" aria-label="{escape(title)}" style="border: 1px solid {LINE}; border-left: 6px solid {colour}; '
        f"border-radius: 4px; margin: 6px 0; max-width: 50em; overflow-wrap: anywhere; background: {PAPER}; color: {INK}; "
        'font-family: var(--jp-ui-font-family, sans-serif); font-size: 14px; line-height: 1.5;">'
        f'<div style="display: flex; flex-wrap: wrap; gap: 0 12px; align-items: baseline; padding: 6px 16px; '
        f'font-size: 16px; background: {colour}1f;">{mark}'
        f'<span style="font-weight: 600; flex: auto;">{escape(title)}</span> <span>{escape(aside)}</span></div>{body}</div>'
    )


def sendable(text: str) -> str:
    """Return a text with a question mark for each half of a character."""
    return text.encode("utf-8", "replace").decode("utf-8")


def rich(text: str) -> str:
    """Escape a text and set what stands in backticks as code."""
    return "".join(code(part) if index % 2 else escape(part) for index, part in enumerate(re.split(r"`([^`]+)`", text)))


def code(text: str) -> str:
    """Return a text as code, escaped."""
    return f'<code style="{_CODE}">{escape(text)}</code>'


def paragraph(html: str, style: str = "") -> str:
    """Return HTML as a paragraph with a little room above."""
    return f'<p style="margin: 6px 0 0; {style}">{html}</p>'


def labelled(label: str, html: str) -> str:
    """Return a paragraph that begins with a label."""
    return paragraph(f'<span style="font-weight: 600;">{escape(label)}</span> {html}')


def link(heading: str) -> str:
    """Return a link to a heading of the page that the card is on: JupyterLab and nbconvert name headings like this."""
    style = f"color: {LINK}; text-decoration: underline;"
    return f'<a href="#{escape(heading.replace(" ", "-"))}" style="{style}">{escape(heading)}</a>'
