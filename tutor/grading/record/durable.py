"""Write files so that they outlive a power cut: synced before they get their name, their folder after it."""

import os
from pathlib import Path


def write_file(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a new file, or one anew, and wait until it is on the disk (OSError when it can't be)."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
    except OSError as error:
        error.filename = str(path)  # a full disk is found out by a file's number
        raise


def replace_file(path: Path, data: bytes) -> None:
    """Exchange a file's content in one step: afterwards it has the old or the new one, whatever happens in between."""
    half = path.with_name(f".{path.name}~")
    try:
        write_file(half, data)
        os.replace(half, path)
    except OSError:
        half.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, and wait until they are on the disk."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
