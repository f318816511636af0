"""Keep of a run what is the same in every run: text and cards, no pictures, ports, times or paths."""

import re
from collections.abc import Iterator
from typing import Any

from nbformat import NotebookNode

IGNORED = "nbval-ignore-output"
PICTURES = re.compile(r"image/|application/pdf$|application/vnd\.jupyter\.widget")
INLINE_PICTURE = re.compile(r"data:image/[\w.+-]+;base64,")
LIVE_PAGE = re.compile(r"<iframe|https?://(localhost|127\.0\.0\.1)\b", re.IGNORECASE)
ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,}")
NO_VECTORS = "shows an SVG picture, which nbval compares byte by byte; show a PNG (matplotlib's default)"


def keep_text(notebook: NotebookNode) -> None:
    """Strip an executed notebook, in place, of everything that another run would make differently.

    Text, HTML, errors' names and messages, and execution counts stay. Picture bytes go; their ``text/plain``
    stays, which is what nbval compares. A cell tagged ``nbval-ignore-output`` keeps no output: it says itself
    that its output varies.
    """
    notebook.metadata.pop("widgets", None)
    notebook.metadata.get("language_info", {}).pop("version", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # timing
        if cell.cell_type == "code":
            ignored = IGNORED in cell.metadata.get("tags", [])
            cell.outputs = [] if ignored else [kept for output in cell.outputs if (kept := _text_of(output))]


def _text_of(output: NotebookNode) -> NotebookNode | None:
    """Return an output without its pictures, or None when nothing is left."""
    if output.output_type == "error":
        # The frames of a traceback name folders of this machine; nbval compares name and message only.
        return NotebookNode({**output, "traceback": [f"{output.ename}: {output.evalue}"]})
    if "data" not in output:
        return output
    data = {mime: value for mime, value in output.data.items() if not PICTURES.match(mime)}
    return NotebookNode({**output, "data": NotebookNode(data), "metadata": NotebookNode()}) if data else None


def unfit(cell: NotebookNode, private: list[str]) -> Iterator[str]:
    """Yield what in an executed cell's outputs would differ on another machine or in another run.

    private: texts that only this machine has, such as the path of the course.
    """
    if IGNORED in cell.metadata.get("tags", []):
        return
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stderr":
            yield f"writes to stderr ({_start(output.text)}); nbgrader takes the points for that"
        for mime, text in _texts(output):
            if mime == "image/svg+xml":
                yield NO_VECTORS
            if LIVE_PAGE.search(text):
                yield f"shows a live page (an iframe or a local address); tag the cell {IGNORED!r}"
            if INLINE_PICTURE.search(text):
                yield f"shows a picture inside {mime}; show a figure instead, or tag the cell {IGNORED!r}"
            if ADDRESS.search(text):
                yield f"shows a memory address ({_start(text)}); end the line with ; or show something else"
            if any(secret in text for secret in private):
                yield f"prints a path of this machine: {_start(text)}; print a relative one"


def _texts(output: NotebookNode) -> Iterator[tuple[str, str]]:
    """Yield each text in an output with its MIME type."""
    if output.output_type == "stream":
        yield "text/plain", output.text
    elif output.output_type == "error":
        yield "text/plain", output.evalue
    else:
        data: dict[str, Any] = output.data
        yield from ((mime, value) for mime, value in data.items() if isinstance(value, str))


def _start(text: str) -> str:
    """Return the first line of a text, cut to a length that fits a message."""
    return repr(text.strip().split("\n")[0][:120])
