"""What a submission's processes use, seen from outside."""

import contextlib
import os

import psutil


def family(pid: int) -> set[int]:
    """Return the process ids of all descendants of a process; empty when it is gone."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return {child.pid for child in psutil.Process(pid).children(recursive=True)}
    return set()


def memory(pids: set[int], enough: int) -> int:
    """Return the bytes of memory that processes have between them; a page that several have counts once.

    enough: counted more coarsely, and faster, as long as even that is not above it.
    """
    coarse = sum(_kilobytes(pid, "status", ("VmRSS", "VmSwap")) for pid in pids) * 1024
    if coarse <= enough:
        return coarse
    return sum(_kilobytes(pid, "smaps_rollup", ("Pss", "SwapPss")) for pid in pids) * 1024


def files(pids: set[int], folder: str) -> int:
    """Return the bytes that files take in the file system at a folder, as processes see it that have it to themselves."""
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            found = os.statvfs(f"/proc/{pid}/root{folder}")
            return (found.f_blocks - found.f_bfree) * found.f_frsize
    return 0


def _kilobytes(pid: int, file: str, names: tuple[str, ...]) -> int:
    """Return the sum of some lines of a file about a process; 0 when it has ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{pid}/{file}") as lines:
        return sum(int(line.split()[1]) for line in lines if line.partition(":")[0] in names)
    return 0
