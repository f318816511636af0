"""What is known of a result that can't be compared as it is, fact by fact: a table of expected and yours."""

from __future__ import annotations

from html import escape
from typing import Any

from tutor.checking.frame import LINE, MONO
from tutor.checking.words import phrase
from tutor.checking.writing import WRONG, differing, inline

_CELL = f"border: none; border-top: 1px solid {LINE}; padding: 3px 8px 3px 0; text-align: left; vertical-align: top;"
_HEAD = "border: none; padding: 3px 8px 3px 0; text-align: left; font-weight: 600; white-space: nowrap;"
_MISSING = "—"


def facts(right: dict[Any, Any], got: dict[Any, Any] | None) -> str:
    """Return a table of facts; what differs carries a sign and is bold. got: None for one that shows a single column."""
    heads = ["", phrase("expected")] + ([] if got is None else [phrase("got")])
    first = "".join(
        f'<th scope="col" style="{_HEAD}">{head}</th>' if head else f'<td style="{_HEAD}"></td>' for head in heads
    )
    lines = [first]
    for key in dict.fromkeys([*right, *(got or {})]):
        line = f'<th scope="row" style="{_CELL} font-weight: 400;">{escape(str(key))}</th>'
        lines.append(line + "".join(_texts(key, right, got)))
    body = "".join(f'<tr style="background: none;">{line}</tr>' for line in lines)
    return (
        f'<table aria-label="{escape(", ".join(heads[1:]))}" style="border-collapse: collapse; margin: 4px 0 0; width: 100%; '
        f'font-size: 13px;"><tbody>{body}</tbody></table>'
    )


def _texts(key: Any, right: dict[Any, Any], got: dict[Any, Any] | None) -> list[str]:
    style = f"{_CELL} font-family: {MONO};"
    if got is None:
        return [f'<td style="{style}">{escape(inline(right[key]))}</td>']
    if key in right and key in got:
        text, yours = differing(right[key], got[key])
    else:
        text, yours = (inline(side[key]) if key in side else _MISSING for side in (right, got))
    bold = " font-weight: 700;" if yours != text else ""
    mark = WRONG if yours != text else ""
    return [f'<td style="{style}">{escape(text)}</td>', f'<td style="{style}{bold}">{mark}{escape(yours)}</td>']
