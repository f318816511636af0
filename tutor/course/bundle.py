"""Pack what learners get: everything but solutions and grading, as a zip or as a branch of git."""

import hashlib
import io
import json
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable
from importlib.resources import files as resources
from pathlib import Path

from packaging.requirements import Requirement

from tutor.course.chapters import CourseError, find_chapters
from tutor.course.release import release
from tutor.places import BUNDLE_MARK

NAME = "layer-by-layer"  # also the folder in the zip
PACKAGE = Path(__file__).resolve().parents[1]
LEFT_OUT = ("course", "grading", "__pycache__")  # parts of the package that no learner needs
GRADERS = {"nbgrader", "nbval", "pytest", "jupytext", "distributed", "cryptography"}  # dependencies of those
ALWAYS = (2020, 1, 1, 0, 0, 0)  # the same content makes the same zip
IGNORED = "/.venv/\n/build/\n/notebooks/\n__pycache__/\n*.egg-info/\n.ipynb_checkpoints/\n"


def contents(top: Path) -> dict[str, bytes]:
    """Return the files of the student bundle: path and bytes.

    The notebooks are released anew from the solutions, so that nothing that somebody tried out in ``notebooks/`` gets in.
    They lie in ``released/``; learners work in ``notebooks/``, which no bundle holds and so none can overwrite.

    Raises CourseError as finding chapters and releasing them do.
    """
    found = {f"tutor/{path}": data for path, data in _package()}
    for chapter in find_chapters(top):
        if not chapter.solution.is_file():
            raise CourseError(f"{chapter.shown(chapter.solution)} is not there yet: run tutor build {chapter.name}")
        with tempfile.TemporaryDirectory() as workshop:
            made = release(chapter, chapter.solution.read_bytes(), Path(workshop))
        found |= {f"released/{chapter.name}/{path}": data for path, data in made.items()}
    for name in ("LICENSE", "constraints.txt", "docs/learner.md"):
        found[name] = (top / name).read_bytes()
    for name in ("README.md", "smoke_test.py"):
        found[name] = (resources("tutor.course") / "bundled" / name).read_bytes()
    project = tomllib.loads((top / "pyproject.toml").read_text(encoding="utf-8"))
    found["pyproject.toml"] = _pyproject(project).encode()
    found[".gitignore"] = IGNORED.encode()
    digest = hashlib.sha256(
        b"".join(f"{len(path)} {path} {len(found[path])} ".encode() + found[path] for path in sorted(found))
    )
    about = {"course": NAME, "version": project["project"]["version"], "content": digest.hexdigest()}
    found[BUNDLE_MARK] = (json.dumps(about, indent=1) + "\n").encode()
    return dict(sorted(found.items()))


def zipped(bundle: dict[str, bytes]) -> bytes:
    """Return the bundle as a zip, with one folder at its top."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in bundle.items():
            member = zipfile.ZipInfo(f"{NAME}/{path}", ALWAYS)
            member.external_attr = 0o644 << 16
            archive.writestr(member, data, zipfile.ZIP_DEFLATED)
    return held.getvalue()


def _package() -> Iterable[tuple[str, bytes]]:
    """Yield the learner's part of the package."""
    for path in sorted(PACKAGE.rglob("*")):
        parts = path.relative_to(PACKAGE).parts
        if path.is_file() and parts[0] not in LEFT_OUT and "__pycache__" not in parts and not parts[-1].startswith("."):
            yield "/".join(parts), path.read_bytes()


def _pyproject(course: dict[str, dict[str, object]]) -> str:
    """Return the learner's ``pyproject.toml``: the course's, without what only grading, building and testing need."""
    project = course["project"]
    asked = project["dependencies"]
    assert isinstance(asked, list)
    kept = [line for line in asked if Requirement(line).name not in GRADERS]
    setuptools = course["tool"]["setuptools"]
    assert isinstance(setuptools, dict)
    tables = {
        "build-system": course["build-system"],
        "project": {
            key: project[key] for key in ("name", "version", "description", "readme", "requires-python", "license")
        }
        | {"license-files": project["license-files"], "dependencies": kept},
        "project.scripts": project["scripts"],
        "tool.setuptools.packages.find": setuptools["packages"]["find"],
        "tool.setuptools.package-data": setuptools["package-data"],
    }
    # Strings and lists of strings are written in JSON as in TOML.
    lines = [
        f"[{table}]\n" + "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())
        for table, values in tables.items()
        if isinstance(values, dict)
    ]
    return "\n".join(lines)
