"""The IPython that a learner's cells run in reads a cell as every IPython does, and quickly where it is plain Python."""

import ast
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from learners.answers import CHAPTERS

from tutor.grading.inside.shell import Output, Shell

COURSE = Path(__file__).resolve().parents[1]
ODD = (
    "",
    "\n\n  \n",
    "x = 1",
    "x = 1  # no line's end",
    "\n\n\ndef f():\n    return 1\n",
    "  x = 1\n  y = 2",
    "\tif True:\n\t    x = 1",
    ">>> x = 1\n>>> y = 2",
    "In [1]: x = 1\nIn [2]: y = 2",
    "In [1]: x",
    "In [1]: x = 1\n   ...: y = 2",
    "%matplotlib inline",
    "x = 1\n%matplotlib inline\ny = 2",
    "%%capture\nx = 1",
    "files = !ls",
    "!ls",
    "x?",
    "x = (\n1\n% 2\n)",
    "text = '''\n%matplotlib inline\n!ls\n'''",
    "text = '''>>> x\nIn [1]: y'''",
    "x = 1;",
    "async def f():\n    await g()",
    "await g()",
    "def f(:",
    "x = '\x00'",
    "\ufeffx = 1",
    "from __future__ import annotations\nx: int = 1",
)


@pytest.fixture(scope="module")
def shell() -> Iterator[Shell]:
    yield Shell()


def cells() -> list[str]:
    """Return every code cell of the course, with answers and without."""
    paths = [path for name in CHAPTERS for path in sorted(COURSE.glob(f"*/{name}/{name}.ipynb"))]
    notebooks = [nbformat.read(path, as_version=4) for path in paths]
    return [cell.source for notebook in notebooks for cell in notebook.cells if cell.cell_type == "code"]


def test_a_cell_becomes_what_every_ipython_makes_of_it(shell: Shell) -> None:
    texts = [*ODD, *cells()]
    assert len(texts) > 300
    for text in texts:
        ours, theirs = shell.transform_cell(text), TransformerManager().transform_cell(text)
        assert parsed(ours) == parsed(theirs), text


def parsed(text: str) -> str:
    """Return a text's syntax, with the place of everything in it; the text itself where it has none."""
    try:
        return ast.dump(ast.parse(text), include_attributes=True)
    except (SyntaxError, ValueError):
        return text


def test_transformers_of_a_learners_own_are_heeded(shell: Shell) -> None:
    for transformers in (shell.input_transformers_post, shell.input_transformers_cleanup):
        transformers.append(lambda lines: [line.replace("two", "2") for line in lines])
        try:
            assert shell.transform_cell("x = two") == "x = 2\n"
        finally:
            transformers.pop()


def shown(shell: Shell, text: str) -> list[Output]:
    return shell.run(text, 10.0, 10_000)


def test_what_cells_show(shell: Shell) -> None:
    assert shown(shell, "print(1)\n2")[0] == {"output_type": "stream", "name": "stdout", "text": "1\n"}
    assert shown(shell, "print(1)\n2")[1]["data"] == {"text/plain": "2"}
    assert shown(shell, "2;") == []
    assert shown(shell, "import asyncio\nprint(await asyncio.sleep(0, 'slept'))")[0]["text"] == "slept\n"
    assert shown(shell, "[number async for number in x]")[0]["ename"] == "NameError"
    error = shown(shell, "\n\ndef f():\n    return missing\nf()")[0]
    assert error["ename"] == "NameError" and "return missing" in "".join(error["traceback"])
    assert shown(shell, "def f(:")[0]["ename"] == "SyntaxError"
    assert shown(shell, "%pwd")[0]["output_type"] == "execute_result"
