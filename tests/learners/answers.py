"""The text of answers: right ones in several styles, and the bank's misconceptions."""

import ast
import base64
import io
import tomllib
import zipfile
from functools import cache
from pathlib import Path

from tutor.checking import bank

ANSWERS = Path(__file__).parents[1] / "answers"
STYLES = ("vectorised", "loops", "alternative")
CHAPTERS = sorted(folder.name for folder in ANSWERS.iterdir())


def in_style(chapter: str, style: str) -> dict[str, str]:
    """Return the cell text of each right answer in ``tests/answers/<chapter>/<style>.py``, by exercise."""
    text = (ANSWERS / chapter / f"{style}.py").read_text(encoding="utf-8")
    body = ast.parse(text).body
    imports = "\n".join(ast.unparse(node) for node in body if isinstance(node, ast.Import | ast.ImportFrom))
    helpers = "\n\n\n".join(
        ast.unparse(node)
        for node in body
        if (isinstance(node, ast.FunctionDef) and node.name.startswith("_")) or isinstance(node, ast.Assign)
    )
    return {
        node.name: "\n\n\n".join(part for part in (imports, helpers, ast.get_source_segment(text, node)) if part)
        for node in body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }


def equivalent(chapter: str) -> dict[str, dict[str, str]]:
    """Return, by exercise, the small changes to the vectorised answers that change nothing, and the reason why."""
    return tomllib.loads((ANSWERS / chapter / "equivalent.toml").read_text(encoding="utf-8"))


def misconceptions(exercises: list[str], most: int) -> list[dict[str, str]]:
    """Return one dictionary a learner, exercise to misconception, for at most ``most`` learners.

    Together they have each misconception once; of an exercise with more than there are learners, some from all over the
    list. Left out are those that only stand for a net which learns less well, and are none.
    """
    known = {name: [twin for twin in bank.get(name).twins if not twin.startswith("below-")] for name in exercises}
    chosen = {name: _spread(found, most) for name, found in known.items()}
    learners = max(len(found) for found in chosen.values())
    return [{name: found[turn] for name, found in chosen.items() if turn < len(found)} for turn in range(learners)]


def _spread(found: list[str], most: int) -> list[str]:
    return found if len(found) <= most else [found[(2 * turn + 1) * len(found) // (2 * most)] for turn in range(most)]


def with_misconception(exercise: str, misconception: str) -> str:
    """Return the cell text of an answer that has the misconception.

    Learners don't write theirs by way of the bank, and where submissions are graded there is none: so the text brings along
    what it needs of the bank, under another name.
    """
    chapter = bank.words_file(exercise).split("/")[1]
    return f"""import base64, io, sys, tempfile, zipfile

if "borrowed_{chapter}" not in sys.modules:
    sys.path.insert(0, tempfile.mkdtemp())
    zipfile.ZipFile(io.BytesIO(base64.b64decode("{_borrowed(chapter)}"))).extractall(sys.path[0])
import borrowed_{chapter}.{chapter}

{exercise} = {{one.name: one for one in borrowed_{chapter}.{chapter}.EXERCISES}}[{exercise!r}].twins[{misconception!r}]"""


@cache
def _borrowed(chapter: str) -> str:
    """Return a chapter of the bank, and what chapters share, as a zip file in base64."""
    folder, held = Path(bank.__file__).parent, io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted([*folder.glob("*.py"), *(folder / chapter).glob("*.py")]):
            text = path.read_text(encoding="utf-8").replace("tutor.checking.bank", f"borrowed_{chapter}")
            archive.writestr(f"borrowed_{chapter}/{path.relative_to(folder).as_posix()}", text)
    return base64.b64encode(held.getvalue()).decode()


def noisy(exercise: str, answer: str) -> str:
    """Return a right answer's cell text that also warns, prints and writes to stderr at every call."""
    return f"""{answer}

import sys as _sys
import warnings as _warnings

_quiet_{exercise} = {exercise}


def {exercise}(*args, **kwargs):
    _warnings.warn("a warning of {exercise}", stacklevel=2)
    print("an error line of {exercise}", file=_sys.stderr)
    print("a line of {exercise}")
    return _quiet_{exercise}(*args, **kwargs)
"""
