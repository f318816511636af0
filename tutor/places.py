"""Where things that are made while the course runs are kept: data, runs, grade books, all under ``build/``."""

import os
from pathlib import Path

CHECKOUT_MARK = "nbgrader_config.py"
BUNDLE_MARK = "bundle.json"  # lies at the top of what learners without a checkout have


def checkout() -> Path | None:
    """Return the top of the checkout that this package is imported from; None where only the package is installed."""
    return _top(CHECKOUT_MARK)


def _top(*marks: str) -> Path | None:
    """Return the folder that the package is in, where one of these files says what it is."""
    top = Path(__file__).resolve().parents[1]
    return top if any((top / mark).is_file() for mark in marks) else None


def build_folder() -> Path:
    """Return the folder for everything generated (it may not exist yet).

    ``$TUTOR_BUILD`` names it where it is set, so that two runs at the same time can keep out of each other's way.
    In a checkout or a student bundle it is else ``build/`` at its top, whichever folder a notebook
    runs in. Where only the package is installed, it is ``build/`` in the working directory.
    """
    named = os.environ.get("TUTOR_BUILD")
    if named:
        return Path(named)
    return (_top(CHECKOUT_MARK, BUNDLE_MARK) or Path.cwd()) / "build"
