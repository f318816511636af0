"""Addresses that open a chapter: here, at a hub, and at services that take a copy of the course from GitHub."""

import re

from tutor.course.chapters import CourseError

COLAB = "https://colab.research.google.com"
COLAB_BRANCH = "colab"  # made by tools/elsewhere.py; also the folder of its notebooks
LOCAL = "http://localhost:8888"  # where JupyterLab answers, unless it was told another port


def known_repository(text: str) -> str:
    """Return a repository's name; raises CourseError when it isn't written as OWNER/NAME."""
    if not re.fullmatch(r"[\w-]+/[\w.-]+", text, re.ASCII):
        raise CourseError(f"{text!r} is no repository on GitHub: write OWNER/NAME.")
    return text


def known_hub(text: str) -> str:
    """Return a hub's address without a slash at its end; raises CourseError when it is no web address."""
    if not re.fullmatch(r"https?://[^\s\"'<>?#]+", text):
        raise CourseError(
            f"{text!r} is no hub's address: write it as the browser shows it, such as https://hub.example.org."
        )
    return text.rstrip("/")


def binder(repository: str, chapter: str) -> str:
    """Return where Binder opens a chapter of a repository (OWNER/NAME)."""
    return f"https://mybinder.org/v2/gh/{repository}/HEAD?urlpath=lab/tree/notebooks/{chapter}/{chapter}.ipynb"


def codespaces(repository: str) -> str:
    """Return where Codespaces opens a repository (OWNER/NAME)."""
    return f"https://codespaces.new/{repository}"


def colab(repository: str, chapter: str) -> str:
    """Return where Colab opens a chapter of a repository (OWNER/NAME)."""
    return f"{COLAB}/github/{repository}/blob/{COLAB_BRANCH}/{COLAB_BRANCH}/{chapter}.ipynb"


def hub(address: str, chapter: str) -> str:
    """Return where a JupyterHub opens a chapter that a learner has fetched."""
    return f"{address}/hub/user-redirect/lab/tree/{chapter}/{chapter}.ipynb"


def local(chapter: str) -> str:
    """Return where ``make lab`` on the reader's own computer opens a chapter."""
    return f"{LOCAL}/lab/tree/{chapter}/{chapter}.ipynb"
