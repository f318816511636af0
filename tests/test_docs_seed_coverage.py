"""What docs/seed-coverage.md says about the chapters is so: each heading, each name under it, and each quotation."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from torch import nn

TOP = Path(__file__).parents[1]
PAGE = TOP / "docs" / "seed-coverage.md"
COLUMNS = ["kind", "in the seed", "chapter", "heading", "wrong there", "the course says"]
KINDS = {"topic", "claim", "formula", "argument", "table row", "code", "exercise"}

# What the seeds are known to get wrong, in the words of the column "wrong there", and the chapters that have to say so.
KNOWN_ERRORS = {
    "tanh written as sin/cos": {"01_activations"},
    "+1 in place of -1": {"01_activations"},
    "a bias does not make a layer non-linear": {"01_activations", "05_linear"},
    "Softmax before a loss that already contains it": {"01_activations", "06_cnn"},
    "ReLU to explode gradients": {"01_activations"},
    "six channels are reshaped to three": {"02_convolution"},
    "the whole batch is flattened into one vector": {"05_linear"},
    "the gradients are never cleared": {"00_start", "06_cnn"},
}


# Where a seed gives a layer's whole signature: the seed, the chapter, how its rows begin where a chapter has several such
# layers, and the arguments that came to PyTorch after the seed was written, or that it leaves out.
SIGNATURES = {
    nn.Conv2d: ("Seed 2", "02_convolution", "", set()),
    nn.ConvTranspose2d: ("Seed 5", "03_transpose_convolution", "", {"device", "dtype"}),
    nn.MaxPool2d: ("Seed 5", "04_pooling", "max pooling", set()),
    nn.AvgPool2d: ("Seed 5", "04_pooling", "average pooling", set()),
    nn.MaxUnpool2d: ("Seed 5", "04_pooling", "unpooling", set()),
    nn.Linear: ("Seed 3", "05_linear", "", set()),
    nn.RReLU: ("Seed 5", "01_activations", "", {"inplace"}),
}


@dataclass(frozen=True)
class Row:
    line: int
    seed: str
    kind: str
    topic: str
    chapter: str
    headings: tuple[str, ...]
    wrong: str
    says: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.topic}"


def rows() -> list[Row]:
    """Read every table row of the page, and refuse one that hasn't as many cells as there are columns."""
    found, seed = [], ""
    for number, line in enumerate(PAGE.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("## "):
            seed = line.removeprefix("## ")
        if not line.startswith("|") or set(line) <= set("|- "):
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert len(cells) == len(COLUMNS), f"line {number} has {len(cells)} cells, not {len(COLUMNS)}: {line}"
        if cells != COLUMNS:
            kind, topic, chapter, headings, wrong, says = cells
            found.append(Row(number, seed, kind, topic, chapter, tuple(headings.split(" / ")), wrong, says))
    return found


@cache
def sections(chapter: str) -> dict[str, str]:
    """Return what learners see under each heading of a chapter, in one line each, without comment signs."""
    source = (TOP / "solutions" / chapter / f"{chapter}.py").read_text(encoding="utf-8")
    source = re.sub(r"### BEGIN (SOLUTION|HIDDEN TESTS).*?### END \1", "", source, flags=re.DOTALL)
    _, *parts = re.split(r"^# ## (.+)$", source, flags=re.MULTILINE)
    found = {}
    for heading, text in zip(parts[::2], parts[1::2], strict=True):
        assert heading not in found, f"{chapter} has two sections called {heading!r}"
        found[heading] = " ".join(re.sub(r"^# ?", "", text, flags=re.MULTILINE).split())
    return found


ROWS = rows()
each_row = pytest.mark.parametrize("row", ROWS, ids=str)


def test_there_are_five_seeds_and_each_has_topics_and_code() -> None:
    kinds = {row.seed: {other.kind for other in ROWS if other.seed == row.seed} for row in ROWS}
    titles = [title.split(":")[0] for title in kinds]
    assert titles == [f"Seed {number}" for number in range(1, 6)]
    assert not [seed for seed, found in kinds.items() if not {"topic", "claim", "code"} <= found]


@pytest.mark.parametrize("layer", SIGNATURES, ids=lambda layer: layer.__name__)
def test_every_argument_of_a_layer_has_its_row(layer: type[nn.Module]) -> None:
    seed, chapter, beginning, left_out = SIGNATURES[layer]
    arguments = set(inspect.signature(layer).parameters) - left_out
    of_layer = [
        row
        for row in ROWS
        if (row.seed.split(":")[0], row.chapter) == (seed, chapter)
        and row.kind in ("argument", "table row")
        and row.topic.startswith(beginning)
    ]
    named = {name for row in of_layer for name in re.findall(r"`(\w+)`", row.topic)}
    assert not arguments - named


@each_row
def test_its_chapter_and_heading_exist(row: Row) -> None:
    assert row.kind in KINDS
    assert (TOP / "solutions" / row.chapter).is_dir()
    assert set(row.headings) <= set(sections(row.chapter))


@each_row
def test_the_names_in_code_letters_occur_under_that_heading(row: Row) -> None:
    text = " ".join(sections(row.chapter)[heading] for heading in row.headings)
    names = re.findall(r"`([^`]+)`", row.topic)
    missing = [name for name in names if not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)]
    assert not missing


@pytest.mark.parametrize("row", [row for row in ROWS if row.wrong or row.says], ids=str)
def test_what_is_wrong_in_the_seed_is_corrected_in_the_words_that_are_quoted(row: Row) -> None:
    assert row.wrong, "it quotes a correction, but doesn't say of what"
    quotation = re.fullmatch(r'"(.+)"', row.says)
    assert quotation, "what the course says has to be a quotation"
    text = " ".join(sections(row.chapter)[heading] for heading in row.headings)
    assert quotation[1] in text


@pytest.mark.parametrize("error", KNOWN_ERRORS)
def test_the_known_errors_are_corrected_where_they_belong(error: str) -> None:
    assert {row.chapter for row in ROWS if error in row.wrong} == KNOWN_ERRORS[error]
