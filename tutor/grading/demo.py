"""``make grade-demo``: a class of thirty for chapter 01, graded, its tables printed, and formgrader opened on it."""

import argparse
import contextlib
import os
import random
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from tutor.course.chapters import Chapter, CourseError, find_chapters, find_top
from tutor.course.rules import SOLUTION_BEGIN, SOLUTION_END
from tutor.course.source import grade_id, nbgrader_metadata
from tutor.places import CHECKOUT_MARK

CHAPTER = "01_activations"
FIRST_NAMES = """
ada bola chen dilek emil fatima goran hana ines jamal kofi leila mei nils olga paulo quynh rosa sven tariq uma vera
"""
RIGHT, MISTAKEN, HALF = 8, 9, 4  # learners; one more hands the notebook in as it was, and the others are hostile
LIMITS = ("--time-limit", "5", "--total-limit", "30", "--memory-limit", "1500")  # nobody waits long for an endless loop


def make_class(top: Path, folder: Path) -> Chapter:
    """Make a course with a class that has handed in, in place of what was there.

    top: a course with chapter 01. folder: the course to make.

    Raises CourseError when there is no such chapter, or it isn't built.
    """
    [chapter] = find_chapters(top, [CHAPTER])
    if not chapter.solution.is_file() or not chapter.student.is_file():
        raise CourseError(f"{chapter.shown(chapter.folder)} isn't built; run make build")
    made = make_course(chapter, folder)
    for student, notebook in {**honest(made), **_hostile(made)}.items():
        _hand_in(made, student, nbformat.writes(notebook))
    _hand_in(made, "mallory-sends-half-a-file", made.student.read_text(encoding="utf-8")[:20_000])
    return made


def make_course(chapter: Chapter, folder: Path) -> Chapter:
    """Make a course with one chapter and nobody in it, in place of what was in the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for shelf in (chapter.folder, chapter.release):
        shutil.copytree(
            shelf, folder / shelf.relative_to(chapter.top), ignore=shutil.ignore_patterns(".*", "__pycache__")
        )
    shutil.copy(chapter.top / CHECKOUT_MARK, folder)
    [made] = find_chapters(folder, [chapter.name])
    return made


def _hand_in(chapter: Chapter, student: str, text: str) -> None:
    """Put a notebook's text where ``nbgrader collect`` would."""
    path = chapter.top / "build" / "submitted" / student / chapter.name / chapter.student.name
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")


def honest(chapter: Chapter) -> dict[str, NotebookNode]:
    """Return what the learners who mean well hand in, by name: right, mistaken, half done, untouched."""
    texts, solved, answers = _texts(), _solved(chapter), _answers(chapter)
    luck = random.Random(1)  # the same class each time
    names = iter(FIRST_NAMES.split())
    everybody = {}
    for number in range(RIGHT):
        own = {name: with_body(solved[name], luck.choice(bodies)) for name, bodies in texts["right"].items()}
        everybody[next(names)] = {**answers, **(own if number else {})}
    for _ in range(MISTAKEN):
        chosen = luck.sample(sorted(texts["wrong"]), 3)
        wrong = {name: with_body(solved[name], luck.choice(list(texts["wrong"][name].values()))) for name in chosen}
        everybody[next(names)] = {**answers, **wrong}
    for _ in range(HALF):
        everybody[next(names)] = dict(list(answers.items())[: luck.randint(5, len(answers) - 5)])
    everybody[next(names)] = {}
    return {name: filled(chapter, own) for name, own in everybody.items()}


def _hostile(chapter: Chapter) -> dict[str, NotebookNode]:
    """Return what the others hand in."""
    answers = _answers(chapter)
    notebooks = {name: filled(chapter, {**answers, **cells}) for name, cells in _texts()["hostile"].items()}
    cheat = notebooks["mallory-skips-the-tests"] = filled(chapter, {})
    for cell in cheat.cells:
        if nbgrader_metadata(cell).get("locked"):
            cell.metadata.tags, cell.source = ["skip-execution"], "4.0"
    return notebooks


def _texts() -> dict[str, Any]:
    return tomllib.loads(files("tutor.grading").joinpath("demo.toml").read_text(encoding="utf-8"))


def _solved(chapter: Chapter) -> dict[str, str]:
    """Return the solution cells' texts, by grade id."""
    solution = nbformat.read(chapter.solution, as_version=4)
    return {grade_id(cell): cell.source for cell in solution.cells if nbgrader_metadata(cell).get("solution")}


def _answers(chapter: Chapter) -> dict[str, str]:
    return {name: plain(text) for name, text in _solved(chapter).items()}


def plain(answer: str) -> str:
    """Return a solution cell's text without the lines that mark the solution."""
    return "\n".join(line for line in answer.splitlines() if line.strip() not in (SOLUTION_BEGIN, SOLUTION_END))


def with_body(answer: str, body: str) -> str:
    """Return a solution cell's text with other lines in the place of the solution."""
    marked = re.compile(f"^ *{SOLUTION_BEGIN}.*{SOLUTION_END}$", re.DOTALL | re.MULTILINE)
    return marked.sub(lambda _: textwrap.indent(body, "    "), answer)


def filled(chapter: Chapter, answers: dict[str, str]) -> NotebookNode:
    """Return the chapter's released notebook with answers in it, by grade id."""
    notebook: Any = nbformat.read(chapter.student, as_version=4)
    for cell in notebook.cells:
        cell.source = answers.get(grade_id(cell), cell.source)
    filled: NotebookNode = notebook
    return filled


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the class, grade it, and open formgrader; return an exit status."""
    parser = argparse.ArgumentParser(
        prog="make grade-demo",
        description=__doc__,
        epilog="other options are JupyterLab's, such as --no-browser, which prints the address and opens nothing",
    )
    parser.add_argument("--no-lab", action="store_true", help="leave out formgrader")
    parser.add_argument("--sandbox", choices=("bubblewrap", "none"), default="bubblewrap", help="as in tutor grade")
    options, of_lab = parser.parse_known_args(arguments)
    try:
        top = find_top(Path())
        folder = top / "build" / "demo"
        make_class(top, folder)
    except CourseError as error:
        print(f"make grade-demo: {error}", file=sys.stderr)
        return 2
    print(f"A class of {len(list((folder / 'build' / 'submitted').iterdir()))} is in {folder}.\n", flush=True)
    command = ["grade", CHAPTER, "--course", str(folder), "--sandbox", options.sandbox, *LIMITS]
    graded = subprocess.run([sys.executable, "-m", "tutor", *command], cwd=top)
    if options.no_lab or graded.returncode not in (0, 1):
        return graded.returncode if graded.returncode != 1 else 0  # somebody sends half a file, as is meant
    root = ["--allow-root"] if os.geteuid() == 0 else []
    print("\nOpening formgrader on the class; Ctrl-C twice here ends it.", flush=True)
    lab = ["--ServerApp.root_dir=.", "--ServerApp.default_url=/formgrader", "--LabApp.default_url=/formgrader"]
    with contextlib.suppress(KeyboardInterrupt):
        subprocess.run([sys.executable, "-m", "jupyterlab", *lab, *root, *of_lab], cwd=folder)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
