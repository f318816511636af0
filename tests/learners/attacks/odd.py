"""Honest but odd: right answers in notebooks that look strange keep their points."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat

from learners.answers import noisy
from learners.attacks import HONEST, Attack
from learners.submitting import CHAPTER, NAME, cell, own, place


def honest(name: str, sees: str = "^$", **more: object) -> Attack:
    """Return a submission that keeps all its points."""
    return Attack(name, sees, **{"answer": HONEST, "earns": {}, **more})


def format_three(folder: Path) -> None:
    content = json.loads((folder / NAME).read_text(encoding="utf-8"))
    old = nbformat.convert(nbformat.reads(json.dumps(content), as_version=4), 3)
    (folder / NAME).write_text(json.dumps(old), encoding="utf-8")


def same_ids(content: dict) -> None:
    for each in content["cells"]:
        each["id"] = "the-same"


def more_cells(content: dict) -> None:
    for number in range(30):
        content["cells"].insert(number * 3, own(f"x_{number} = {number}\nx_{number}"))
    content["cells"].append(own("# notes of mine ☕", "markdown"))


def more_notebooks(folder: Path) -> None:
    (folder / "scratch.ipynb").write_bytes(CHAPTER.student.read_bytes())


def moved(content: dict) -> None:
    answer = content["cells"].pop(place(content, "relu"))
    content["cells"].insert(place(content, "sigmoid") + 1, answer)


def renamed(folder: Path) -> None:
    (folder / NAME).rename(folder / "my homework (final) é.ipynb")


def test_deleted(content: dict) -> None:
    content["cells"].remove(cell(content, "check_relu"))


def emptied(content: dict) -> None:
    content["cells"] = []


UNICODE = "größe_" + "x" * 5_000
ATTACKS = [
    honest("warnings, prints and lines on stderr from correct code", answer=noisy("relu", HONEST)),
    honest("notebook format 3", around=format_three),
    honest("duplicate cell ids", edit=same_ids),
    honest(
        "Unicode and very long names",
        answer=f"{UNICODE} = 'é☕'\n" + HONEST,
        before="变量 = '值'\nprint(变量)",
        shows="值",
    ),
    honest(
        "surrogates and NUL in outputs",
        before='print("\\\\ud800 and \\\\0")\n"\\\\ud800\\\\0"'.replace("\\\\", "\\"),
        shows="\ufffd and \ufffd",
    ),
    honest("extra cells", edit=more_cells),
    honest("extra notebooks", "other notebooks beside it aren't graded: scratch.ipynb", around=more_notebooks),
    honest("cells moved", r"cells were moved \(relu\)", edit=moved),
    honest(
        "a deleted test cell",
        "the test cell check_relu was deleted; the chapter's own is run in its place",
        edit=test_deleted,
    ),
    honest("`os.chdir`", before="import os, tempfile\nos.chdir(tempfile.mkdtemp())"),
    honest("magics and commands of the system's", answer="%matplotlib inline\n!echo hello\n" + HONEST, shows="hello"),
    honest("an error in a cell of his own", before="1 / 0", shows="division by zero"),
    honest(
        "a cell that ends its process after the answer",
        "ended the process",
        answer=HONEST,
        before="import os\nos._exit(1)",
    ),
    honest("the notebook renamed", "graded is my homework", around=renamed),
    Attack("an empty notebook", "cells|answer", edit=emptied, earns=dict.fromkeys(("relu", "sigmoid", "rrelu"), 0.0)),
]
