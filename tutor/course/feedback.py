"""Keep hidden tests out of the feedback that nbgrader writes for learners."""

from collections.abc import Iterator
from typing import Any

from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests
from nbgrader.utils import is_grade

GONE = "[a hidden test]"


class HideHiddenTests(ClearHiddenTests):  # type: ignore[misc]  # nbgrader has no types
    """Take the hidden tests of graded cells out of an autograded notebook: their lines, and what quotes them.

    nbgrader's ClearHiddenTests is made for the release. In feedback it would leave the lines that a traceback
    quotes (or that a learner's own code prints), and would fail on a learner's cell that contains one of its
    marks.
    """

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Return the notebook, changed in place, and the resources as they were."""
        secrets = {line for cell in nb.cells if is_grade(cell) for line in self._hidden_lines(cell.source)}
        for cell in nb.cells:
            for output in cell.get("outputs", []):
                _cover(output, secrets)
        result: tuple[NotebookNode, dict[str, Any]] = super().preprocess(nb, resources)
        return result

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Cut the hidden region out of a graded cell; any other cell is the learner's own."""
        if not is_grade(cell):
            return cell, resources
        result: tuple[NotebookNode, dict[str, Any]] = super().preprocess_cell(cell, resources, cell_index)
        return result

    def _hidden_lines(self, source: str) -> Iterator[str]:
        """Yield each line of the hidden region, its marks included, without what surrounds it."""
        inside = False
        for line in source.splitlines():
            inside = inside or self.begin_test_delimeter in line
            if inside and line.strip():
                yield line.strip()
            inside = inside and self.end_test_delimeter not in line


def _cover(output: NotebookNode, secrets: set[str]) -> None:
    """Replace each line of an output that quotes a hidden test."""
    if "text" in output:
        output.text = _without(output.text, secrets)
    if "traceback" in output:
        output.traceback = [_without(frame, secrets) for frame in output.traceback]
        output.evalue = _without(output.evalue, secrets)
    for mime, content in output.get("data", {}).items():
        if isinstance(content, str) and mime.startswith("text/"):
            output.data[mime] = _without(content, secrets)


def _without(text: str, secrets: set[str]) -> str:
    """Return the text with every line that holds a secret replaced; colours do not hide one."""
    lines = text.split("\n")
    return "\n".join(GONE if any(s in strip_ansi(line) for s in secrets) else line for line in lines)
