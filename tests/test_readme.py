"""What the README says about the chapters is what the chapters are."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat

TOP = Path(__file__).parents[1]
README = (TOP / "README.md").read_text(encoding="utf-8")


def chapters() -> dict[str, tuple[int, float]]:
    """Return, for each chapter on disk, its number of graded cells and its points, read from its notebook."""
    found = {}
    for path in sorted(TOP.glob("notebooks/*/*.ipynb")):
        cells = [cell.metadata.get("nbgrader", {}) for cell in nbformat.read(path, as_version=4).cells]
        graded = [cell for cell in cells if cell.get("grade")]
        found[path.parent.name] = (len(graded), sum(cell["points"] for cell in graded))
    return found


def test_the_chapter_table_lists_the_chapters_on_disk() -> None:
    rows = re.findall(r"^\| \[.*?\]\(notebooks/(\w+)/\w+\.ipynb\) \|.*\| (\d+) \| (\d+) \|$", README, re.MULTILINE)
    assert {name: (int(cells), float(points)) for name, cells, points in rows} == chapters()
    assert set(chapters()) == {path.name for path in TOP.glob("solutions/*") if path.is_dir()}


def test_every_file_that_the_readme_links_to_exists() -> None:
    linked = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert linked
    missing = [name for name in linked if not (TOP / name).exists()]
    assert not missing


def test_every_make_target_in_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (TOP / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", README)) <= targets
