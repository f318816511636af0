"""Where things that are made while the course runs are kept: data, runs, grade books, all under ``build/``."""

import os
from pathlib import Path

CHECKOUT_MARK = "nbgrader_config.py"
BUNDLE_MARK = "bundle.json"  # lies at the top of what learners without a checkout have


def build_folder() -> Path:
    """Return the folder for everything generated (it may not exist yet).

    ``$TUTOR_BUILD`` names it where it is set, so that two runs at the same time can keep out of each other's way.
    In a checkout or a student bundle it is else ``build/`` at its top, whichever folder a notebook
    runs in. Where only the package is installed, it is ``build/`` in the working directory.
    """
    named = os.environ.get("TUTOR_BUILD")
    if named:
        return Path(named)
    top = Path(__file__).resolve().parents[1]
    whole = any((top / mark).is_file() for mark in (CHECKOUT_MARK, BUNDLE_MARK))
    return (top if whole else Path.cwd()) / "build"
