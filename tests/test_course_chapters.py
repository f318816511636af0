"""Every chapter of the checkout: what is committed is what its one source makes, and nothing else is released."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tutor.checking import bank
from tutor.course.build import build
from tutor.course.chapters import find_chapters
from tutor.course.source import graded_checks, read_source

CHECKOUT = Path(__file__).parents[1]
CHAPTERS = [chapter.name for chapter in find_chapters(CHECKOUT)]


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_committed_notebooks_are_what_the_source_makes(name, tmp_path):
    """Another machine, another day, another run of every cell: the same bytes."""
    for shelf in ("solutions", "notebooks"):
        shutil.copytree(CHECKOUT / shelf / name, tmp_path / shelf / name)
    shutil.copy(CHECKOUT / "nbgrader_config.py", tmp_path)
    said: list[str] = []
    changed = build(tmp_path, exercises=bank.names(), check=True, say=said.append)
    assert not changed, f"not as built: {', '.join(changed)}; run make build and commit what it writes"
    up_to_date = {line.split(": ")[1].removesuffix(" is up to date") for line in said if "up to date" in line}
    assert up_to_date >= {f"solutions/{name}/{name}.ipynb", f"notebooks/{name}/{name}.ipynb"}
    committed = {path for path in committed_files() if path.startswith(f"notebooks/{name}/")}
    assert committed <= up_to_date, "committed below notebooks/, but not made by the build"


def committed_files() -> list[str]:
    """Return what git tracks; without git, what lies on disk."""
    if (CHECKOUT / ".git").exists():
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
        return listed.stdout.split("\0")
    return [path.relative_to(CHECKOUT).as_posix() for path in CHECKOUT.rglob("*") if path.is_file()]


def test_every_released_folder_belongs_to_a_chapter():
    released = {path.split("/")[1] for path in committed_files() if path.startswith("notebooks/")}
    assert released <= set(CHAPTERS)


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_checks_all_exercises_that_the_bank_has_for_it(name):
    [chapter] = find_chapters(CHECKOUT, [name])
    assert sorted(check.exercise for check in graded_checks(read_source(chapter))) == sorted(bank.names(name))
