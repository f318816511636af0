"""The guides in docs/: their commands run here or in a test that is named, their links lead somewhere, their example is built."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[1]
DOCS = TOP / "docs"
AUTHOR = (DOCS / "author.md").read_text(encoding="utf-8")
NEW = re.compile(r"^In a new file `([^`]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
AFTER = re.compile(r"^After the line `([^`]+)` of `([^`]+)`[^\n]*:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


# ---------------------------------------------------------------- the author's example


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the course in which somebody has done everything that docs/author.md says, but not built it."""
    top = tmp_path_factory.mktemp("author") / "course"
    for folder in ("tutor", "tests", "solutions", "notebooks"):
        shutil.copytree(TOP / folder, top / folder, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    for file in ("nbgrader_config.py", "conftest.py", "pyproject.toml", "README.md", "Makefile"):
        shutil.copy(TOP / file, top)
    for name, text in NEW.findall(AUTHOR):
        path = top / name
        assert not path.exists(), f"{name} is there already"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for line, name, text in AFTER.findall(AUTHOR):
        lines = (top / name).read_text(encoding="utf-8").splitlines(keepends=True)
        places = [n for n, found in enumerate(lines) if found.rstrip("\n") == line or found.startswith(line.rstrip("…")) and "…" in line]
        assert len(places) == 1, f"{name} has the line {line!r} {len(places)} times"
        (top / name).write_text("".join([*lines[: places[0] + 1], text, *lines[places[0] + 1 :]]), encoding="utf-8")
    return top
