"""What a probe yields: one thing that was looked at, how it stands, and how to mend it."""

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from tutor.places import checkout

State = Literal["ok", "note", "mend"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    subject: in a word or two, such as "port". state: "ok", "note" (works all the same, or isn't for this system) or
    "mend". what: one sentence. how: one sentence, with the command to copy where there is one; never empty for "mend".
    last: whatever would be looked at next, would say nothing new.
    """

    subject: str
    state: State
    what: str
    how: str = ""
    last: bool = False

    def __post_init__(self) -> None:
        if self.state == "mend" and not self.how:
            raise ValueError(f"{self.subject}: say how to mend it")


def grading_is_here() -> bool:
    """Tell whether grading, and with it nbgrader, is part of this copy of the course; learners' zips come without."""
    return find_spec("tutor.grading") is not None


def command(*words: str) -> str:
    """Return a command line to copy, quoted for this system's shell, in backticks."""
    return f"`{subprocess.list2cmdline(words) if os.name == 'nt' else shlex.join(words)}`"


def pip_install(*words: str) -> str:
    """Return the command that installs into this very Python; in a checkout, in the versions that the course is tested with."""
    top = checkout()
    exact = ["--constraint", str(top / "constraints.txt")] if top and (top / "constraints.txt").is_file() else []
    return command(sys.executable, "-m", "pip", "install", *exact, *words)


def install_again() -> str:
    """Return the sentence that says how everything is installed once more."""
    top = checkout()
    if top:
        return f"Install the course again: {pip_install('--editable', str(top))}."
    return "Install the course again, in the way in which it came here."


def activation(environment: Path) -> str:
    """Return the command with which a terminal finds an environment's programs first."""
    if (environment / "conda-meta").is_dir():
        return command("conda", "activate", str(environment))
    if os.name == "nt":
        return command(str(environment / "Scripts" / "activate"))
    if (environment / "bin" / "activate").is_file():
        return command("source", str(environment / "bin" / "activate"))
    return f'`export PATH="{environment / "bin"}:$PATH"`'
