"""The disk: folders and notebooks that can be written, and room."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from tutor.doctor.finding import Finding, command

LITTLE = 2e9  # bytes: CIFAR-10, unpacked beside its archive, and runs in TensorBoard
TOO_LITTLE = 2e8


def writable(folders: Iterable[Path]) -> Iterator[Finding]:
    """Try to write into folders, and to open the notebooks right in them for writing.

    A folder that isn't there yet has to be one that can be made.
    """
    fine = []
    for folder in folders:
        place = folder
        try:
            with tempfile.TemporaryFile(dir=_nearest(folder)):
                pass
            for place in sorted(folder.glob("*.ipynb")):
                with place.open("r+b"):
                    pass
        except OSError as error:
            what = f"{place} can't be written ({error.strerror})."
            yield Finding("folders", "mend", what, _give(folder))
        else:
            fine.append(folder.name)
    if fine:
        others = f" and {len(fine) - 1} folders of notebooks" if len(fine) > 1 else ""
        yield Finding("folders", "ok", f"The folder {fine[0]}{others} can be written.")


def _nearest(folder: Path) -> Path:
    """Return the folder, or where it is missing, or may not be looked for, what there is on the way to it."""
    return next(path for path in (folder, *folder.parents) if os.path.exists(path))


def _give(folder: Path) -> str:
    there = _nearest(folder)
    if not there.is_dir():
        return f"A file is in the place of a folder: move {there} away."
    return (
        f"Make it yours, or copy the course to a folder of your own: {command('chmod', '-R', 'u+w', str(there))}, "
        + ("or where it is another user's, `sudo chown -R` with your name before the folder.")
    )


def disk(folder: Path, free: float | None = None) -> Iterator[Finding]:
    """Look how much room the disk of a folder has; free: bytes (default: what the system says)."""
    left = shutil.disk_usage(_nearest(folder)).free if free is None else free
    if left >= LITTLE:
        yield Finding("disk", "ok", f"{left / 1e9:.0f} GB of disk are free.")
        return
    what = f"The disk is nearly full: {left / 1e9:.1f} GB are free where {folder} lies."
    how = f"Free some: the course's own runs and data are in {folder}, and `pip cache purge` empties pip's downloads."
    yield Finding("disk", "note" if left >= TOO_LITTLE else "mend", what, how)
