"""What may be in the repository: nothing of one machine, and nothing that is made, bought or downloaded."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[1]
# In pieces, so that this file is no finding of its own.
MACHINE = re.compile(
    "|".join([r"/wo" r"rk/", r"/ro" r"ot/", r"/ho" r"me/\w+/", r"/Us" r"ers/\w+/", r"\.\./sh" r"ared"])
)
MADE = re.compile(
    r"\.(pt|pth|ckpt|safetensors|onnx|npz|pkl|db|sqlite3?|tar|gz|xz|zip|whl)$|tfevents|cifar-10-batches|\.venv"
)
LARGEST = 2_000_000  # bytes


def tracked() -> list[Path]:
    """Return the files that git knows here."""
    if not shutil.which("git") or not (TOP / ".git").exists():
        pytest.skip("not a git checkout: which files belong to the repository can't be told")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, text=True, check=True).stdout
    return [TOP / name for name in listed.split("\0") if name and (TOP / name).is_file()]


def test_no_file_names_a_place_on_someones_machine() -> None:
    found = []
    for path in tracked():
        for number, line in enumerate(path.read_bytes().decode("utf-8", errors="ignore").splitlines(), 1):
            if MACHINE.search(line):
                found.append(f"{path.relative_to(TOP)}:{number}: {line.strip()[:80]}")
    assert not found


def test_no_data_set_weights_log_or_database_is_in_the_repository() -> None:
    assert not [str(p) for p in tracked() if MADE.search(str(p.relative_to(TOP))) or p.stat().st_size > LARGEST]


def test_ignored_are_the_environment_and_what_is_generated() -> None:
    for name in (
        ".venv/bin/python",
        ".venv.lock",
        ".venv.old/x",
        "build/data/x",
        "build/gradebook.db",
        "ca.key",
        "x.csv",
    ):
        ignored = subprocess.run(["git", "check-ignore", "--quiet", name], cwd=TOP)
        assert ignored.returncode == 0, f"{name} would be committed"
