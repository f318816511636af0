"""Load what grading takes once, ahead of time, in the process that this machine's workers are forked from.

Importing torch and the bank of exercises takes seconds. Python's fork server does it while the coordinator still reads its
settings, and a worker that is forked from it has them from the start.
"""

import os
import shutil
import tempfile
from multiprocessing import forkserver, util

ADDRESS = 107  # bytes that the address of a socket in a file may have
SOCKET = "/pymp-12345678/listener-12345678"  # what Python makes below the temporary folder
LOADED = ["distributed.nanny", "tutor.grading.station", "tutor.grading.ready"]


def begin() -> None:
    """Start the fork server, unless it runs; returns at once. What can't be imported is left for the workers to tell."""
    if method() != "forkserver":
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # as Dask has it for its workers; torch looks when it is imported
    forkserver.set_forkserver_preload(LOADED)
    forkserver.ensure_running()


def method() -> str:
    """Return how worker processes are started, in Python's words and Dask's.

    Where the temporary folder's path is too long for the fork server's socket, each is started by itself, which takes longer.
    """
    return "forkserver" if len(os.fsencode(tempfile.gettempdir() + SOCKET)) <= ADDRESS else "spawn"


def tidy() -> None:
    """Remove the folder of the fork server's socket, which Python itself does at an orderly end only."""
    shutil.rmtree(util.get_temp_dir(), ignore_errors=True)
