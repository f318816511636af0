"""What has to hold for every attack: its points, the words about it, what is left of others, and the next one's points."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from learners.attacks import HONEST_ONE, WORTH, Attack, Result, classroom, graded, others
from tutor.grading.den import Den

SANDBOX = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("bwrap") is None, reason="the sandbox needs Linux and bubblewrap"
)


@dataclass
class Room:
    """A classroom and the sandbox in which its submissions are graded, one after the other."""

    top: Path
    den: Den
    theirs: dict[str, bytes]  # what others have, as it was

    def hold(self, attack: Attack) -> Result:
        """Grade an attack and fail where it comes to anything but what it should."""
        result = graded(attack, self.den, self.top)
        told = "\n".join(result.told())
        assert result.points() == attack.points(), f"{attack.name}: {result.points()}\n{told}"
        assert re.search(attack.sees, told), f"{attack.name}: the instructor is told\n{told}\nand not {attack.sees!r}"
        shown = result.shown()
        assert re.search(attack.shows, shown), f"{attack.name}: its cells show\n{shown}\nand not {attack.shows!r}"
        assert "\x00" not in told and all(line.isprintable() for line in result.told()), f"{attack.name}: {told!r}"
        assert others(self.top) == self.theirs, f"{attack.name} changed what others have"
        if result.graded:
            self._hold_notebook(attack, result.graded.notebook)
        return result

    def hold_next(self) -> None:
        """Fail unless an honest submission gets all its points now, without a word."""
        result = graded(HONEST_ONE, self.den, self.top)
        assert (result.points(), result.told()) == (WORTH, []), "the next learner's submission"

    def _hold_notebook(self, attack: Attack, text: str) -> None:
        """Hold that the executed notebook is one that a file can hold, and its verdicts are the grader's own words."""
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
        nbformat.writes(notebook).encode()
        for each in notebook.cells:
            outputs = json.dumps(each.get("outputs", []))
            assert "\\u0000" not in outputs, f"{attack.name}: NUL in an output"
            if each.metadata.get("nbgrader", {}).get("grade"):
                html = [output.data.get("text/html", "") for output in each.outputs if "data" in output]
                assert not any("<script" in page for page in html), f"{attack.name}: a script in a verdict"
            else:
                assert "hidden=True" not in outputs, f"{attack.name}: a hidden test was read"


@contextmanager
def room() -> Iterator[Room]:
    """Give a room, with something in this process's environment that is nobody's business."""
    with pytest.MonkeyPatch.context() as patch, classroom() as top:
        patch.setenv("SECRET_TOKEN", "of the instructor's")
        with Den("bubblewrap") as den:
            yield Room(top, den, others(top))
