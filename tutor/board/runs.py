"""Runs: each experiment's folder, fresh at every start."""

import re
import shutil
from pathlib import Path

from tutor.board import server
from tutor.board.errors import BoardError
from tutor.board.folders import runs_folder, usable

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def run(name: str) -> Path:
    """Return the fresh, empty folder of the run ``name``; an earlier run of that name is gone.

    The folder is ``build/runs/<name>``. A TensorBoard that ``show`` has opened forgets the earlier run as well.
    Raises BoardError for a name that is not made of letters, digits, ``.``, ``_`` and ``-``, and for a folder that
    can't be made or emptied.
    """
    folder = runs_folder() / check_name(name)
    try:
        if folder.is_symlink():
            folder.unlink()
        elif folder.is_dir():
            shutil.rmtree(folder)
            server.wait_until_forgotten(folder)
    except OSError as error:
        raise BoardError(
            f"The earlier run in {folder} can't be removed ({error.strerror}); mend that, or take another name."
        ) from error
    return usable(folder)


def check_name(name: str) -> str:
    """Return the name of a run or layer if it is one, else raise BoardError."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise BoardError(
            f"{name!r} can't name a run or a layer; use letters, digits, '.', '_' and '-', "
            "and begin with a letter or a digit."
        )
    return name
