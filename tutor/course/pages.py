"""Markdown in the pages that nbgrader makes of submissions: learners wrote it, and others open it.

nbconvert's own ``sanitize_html`` doesn't reach it, since nbgrader's templates put markdown into the page themselves; and it
would take the headings out of chapters and the colours out of cards.
"""

from html import escape

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors.sanitize import SanitizeHTML

TAGS = [
    *(
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "code",
        "dd",
        "del",
        "details",
        "div",
        "dl",
        "dt",
        "em",
        "hr",
        "i",
        "img",
        "kbd",
    ),
    *(
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "li",
        "ol",
        "p",
        "pre",
        "s",
        "small",
        "span",
        "strong",
        "sub",
        "summary",
        "sup",
    ),
    *("table", "tbody", "td", "th", "thead", "tr", "u", "ul"),
]
ATTRIBUTES = {
    "a": ["href", "title"],
    "img": lambda _, name, value: name in ("alt", "title") or (name == "src" and _is_beside(value)),
    "td": ["style"],
    "th": ["style"],
    **{tag: ["class"] for tag in ("code", "div", "pre", "span")},  # by which code is coloured
}


class _Renderer(IPythonRenderer):
    """nbconvert's own, but for pictures that were pasted into a cell: they don't come with a submission."""

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Return a picture, or its name where nbconvert would stop for the lack of it."""
        if url.startswith("attachment:"):
            return f"[{escape(text or url)}]"
        html: str = super().image(text, url, title)
        return html


def harmless_markdown(source: str) -> str:
    """Return markdown as HTML in which nothing runs, nothing is loaded from elsewhere, and no id is taken.

    Tags that can do nothing stay; any other is shown as text. It takes the place of nbconvert's ``markdown2html``.
    """
    renderer = _Renderer(escape=False, allow_harmful_protocols=False, exclude_anchor_links=True)
    html: str = MarkdownWithMath(renderer=renderer).render(source)
    cleaner = SanitizeHTML(tags=TAGS, attributes=ATTRIBUTES, styles=["text-align"])
    clean: str = cleaner.sanitize_html_tags(html)
    return clean


def _is_beside(address: str) -> bool:
    """Tell whether a picture is a file beside the notebook."""
    return ":" not in address and not address.startswith(("/", "\\"))
