"""Log folders that can be written, and PyTorch's writer for one."""

import tempfile
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from tutor.board.errors import BoardError
from tutor.places import build_folder


def runs_folder() -> Path:
    """Return the folder that holds every run (it may not exist yet)."""
    return build_folder() / "runs"


def writer(folder: Path | str) -> SummaryWriter:
    """Return PyTorch's own SummaryWriter for the folder, made if need be.

    Use it in a ``with`` statement: the events of a writer that is not closed may never reach the file.
    Raises BoardError for a folder that can't be made or written.
    """
    return SummaryWriter(str(usable(folder)))


def usable(folder: Path | str) -> Path:
    """Return the folder, made if need be, once a file could be made in it; else raise BoardError."""
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except (FileExistsError, NotADirectoryError) as error:
        raise BoardError(
            f"The log folder {folder} can't be made: a file is in its place; remove it, or log into another folder."
        ) from error
    except OSError as error:
        raise unwritable(folder, error) from error


def unwritable(folder: Path, error: OSError) -> BoardError:
    """Return the error for a folder in which writing failed."""
    return BoardError(
        f"The log folder {folder} can't be written ({error.strerror}); mend that, or log into another folder."
    )
