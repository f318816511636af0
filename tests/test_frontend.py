"""Who watches: a terminal's person, or nobody (kernels are in test_board_show.py)."""

import os
import subprocess
import sys

import pytest

CODE = "from tutor.frontend import someone_watches; import os; os.write(2, str(someone_watches()).encode())"


def test_nobody_watches_a_pipe() -> None:
    assert subprocess.run([sys.executable, "-c", CODE], capture_output=True).stderr == b"False"


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no terminals that a test could play")
def test_a_terminal_has_somebody() -> None:
    ours, theirs = os.openpty()
    try:
        done = subprocess.run([sys.executable, "-c", CODE], stdout=theirs, stderr=subprocess.PIPE, timeout=60)
    finally:
        os.close(theirs)
        os.close(ours)
    assert done.stderr == b"True"
