"""docs/pictures.md: every call in its tables runs and draws, and makes as many numbers as the table says."""

import re
from pathlib import Path

import pytest
from PIL import Image

from tutor.plots import Animation

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = (DOCS / "pictures.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and "`plots." in line]


@pytest.fixture(scope="module")
def names() -> dict:
    """Return what the page's calls stand on."""
    found: dict = {}
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(code, found)
    return found


def test_every_picture_of_conv_arithmetic_has_its_row() -> None:
    [table] = re.findall(r"## conv_arithmetic\n(.*?)\n## ", PAGE, re.DOTALL)
    assert len(re.findall(r"`plots\.conv\w*_animation", table)) == 7 + 7 + 1


@pytest.mark.parametrize("row", ROWS, ids=[row.split("|")[1].strip() for row in ROWS])
def test_the_call_in_a_row_draws(row: str, names: dict) -> None:
    call = next(code for code in re.findall(r"`([^`]*)`", row) if code.startswith("plots."))
    drawn = eval(call, names)
    assert drawn.alt
    if isinstance(drawn, Animation):
        assert drawn.draw(len(drawn) - 1).png() and drawn.film().png()
        for high, wide in re.findall(r"\| (\d+) by (\d+) \|", row):
            assert len(drawn) == int(high) * int(wide), "a step for each number of the output"
    else:
        assert drawn.png()


def test_the_pages_own_pictures_are_there_and_small() -> None:
    files = re.findall(r"\((pictures/[^)]*\.png)\)", PAGE)
    assert len(files) == 3
    for file in files:
        assert (DOCS / file).stat().st_size < 60_000
        with Image.open(DOCS / file) as image:
            assert image.width <= 1600
