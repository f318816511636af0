"""Make what a learner's cells showed harmless, before it gets into a page that others open."""

import base64
import binascii
import re
from typing import Any

from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_solution

from tutor.grading.submission import writable

PICTURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}  # with what such a file begins
CELL_KB = 1_000  # kept of what one cell shows
NOTEBOOK_KB = 10_000
OUTPUTS = 200  # kept of one cell
LEFT_OUT = "[the rest of what this cell showed was left out]"
SPACES = re.compile(r"\s+")


def make_harmless(notebook: NotebookNode, *, cell_kb: int = CELL_KB, notebook_kb: int = NOTEBOOK_KB) -> None:
    """Strip an executed notebook, in place, of everything that could do something where it is shown.

    Of a learner's cells stay plain text and PNG and JPEG pictures, up to so many kilobytes (a picture's are those of its
    base64 text). Graded check cells, whose outputs the grader itself writes, also keep HTML. Every text loses what no
    file, no database and no page takes: NUL and half surrogates. Attachments go, and raw cells stay out of pages.
    """
    left = notebook_kb * 1000
    for cell in notebook.cells:
        cell.source = writable(cell.source)
        cell.pop("attachments", None)
        if cell.cell_type == "raw":
            cell.metadata["raw_mimetype"] = "text/plain"  # else nbconvert takes it for HTML
        if cell.cell_type == "code":
            own = not is_grade(cell) or is_solution(cell)
            cell.outputs, used = _kept(cell.outputs, min(cell_kb * 1000, left), own)
            left -= used


def _kept(outputs: list[NotebookNode], most: int, own: bool) -> tuple[list[NotebookNode], int]:
    """Return the harmless outputs of a cell that fit into ``most`` characters, and how many they have."""
    kept: list[NotebookNode] = []
    used = 0
    for output in outputs[:OUTPUTS]:
        harmless = _harmless(output, own)
        if harmless is None:
            continue
        size = _size(harmless)
        if used + size > most and harmless.output_type == "stream":
            harmless.text = harmless.text[: most - used]
            size = len(harmless.text)
        if used + size <= most:
            kept.append(harmless)
            used += size
        if used + size >= most:
            break
    else:
        if len(outputs) <= OUTPUTS:
            return kept, used
    kept.append(NotebookNode(output_type="stream", name="stdout", text=LEFT_OUT))
    return kept, used


def _harmless(output: NotebookNode, own: bool) -> NotebookNode | None:
    """Return a new output with nothing but what is known of its kind; None when nothing is left."""
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return NotebookNode(output_type=kind, name=name, text=_text(output.get("text", "")))
    if kind == "error":
        ename, evalue = _text(output.get("ename", "")), _text(output.get("evalue", ""))
        traceback = [_text(line) for line in output.get("traceback", [])]
        return NotebookNode(output_type=kind, ename=ename, evalue=evalue, traceback=traceback)
    if kind not in ("display_data", "execute_result"):
        return None
    data = NotebookNode()
    for mime, content in output.get("data", {}).items():
        if mime == "text/plain" or (mime == "text/html" and not own):
            data[mime] = _text(content)
        elif mime in PICTURES and (picture := _picture(content, PICTURES[mime])):
            data[mime] = picture
    if not data:
        return None
    result = NotebookNode(output_type=kind, data=data, metadata=NotebookNode())
    if kind == "execute_result":
        count = output.get("execution_count")
        result.execution_count = count if isinstance(count, int) else None
    return result


def _text(content: Any) -> str:
    """Return a text, or the lines of one, without what can't be written."""
    return writable("".join(map(str, content)) if isinstance(content, list) else str(content))


def _picture(content: Any, start: bytes) -> str | None:
    """Return a picture's base64 text when that is what it is."""
    text = SPACES.sub("", _text(content))
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return text if data.startswith(start) else None


def _size(output: NotebookNode) -> int:
    """Return the number of characters in an output."""
    if output.output_type == "stream":
        return len(output.text)
    if output.output_type == "error":
        return len(output.ename) + len(output.evalue) + sum(map(len, output.traceback))
    return sum(map(len, output.data.values()))
