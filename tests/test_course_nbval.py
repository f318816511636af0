"""nbval, strict: a built notebook passes, and any other text in an output fails."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tutor.course.build import build

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    top = tmp_path_factory.mktemp("built")
    shutil.copytree(HERE / "mini_course" / "solutions", top / "solutions")
    shutil.copy(HERE.parent / "nbgrader_config.py", top)
    build(top, say=lambda line: None)
    return top / "solutions" / "01_mini" / "01_mini.ipynb"


def nbval(notebook: Path) -> str:
    options = ["--nbval", "--nbval-current-env", "-p", "no:cacheprovider", "--color=no", "-rA", "-c", os.devnull]
    done = subprocess.run([sys.executable, "-m", "pytest", *options, notebook], capture_output=True, text=True)
    return done.stdout


def test_a_built_notebook_passes(built):
    """Among its cells: a picture whose bytes are gone, an expected error, HTML, and a live page that is ignored."""
    said = nbval(built)
    assert "9 passed" in said
    assert "failed" not in said


@pytest.mark.parametrize(
    ("old", "new"),
    [('"two\\n"', '"three\\n"'), ("<b>relu: 100%</b>", "<b>relu: 99%</b>"), ("division by zero", "division by one")],
)
def test_another_text_in_an_output_fails(built, tmp_path, old, new):
    text = built.read_text()
    assert old in text
    other = tmp_path / built.name
    other.write_text(text.replace(f" {old}", f" {new}").replace(f'"{old}', f'"{new}'))
    said = nbval(other)
    assert "1 failed, 8 passed" in said
