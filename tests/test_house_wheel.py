"""The wheel: whole, and at work outside the checkout; and no module of ours warns when it is imported."""

import os
import shutil
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[1]
BESIDE = ("pyproject.toml", "README.md", "LICENSE", "LICENSE-texts")

LEARNING = """
import sys
from pathlib import Path
import tutor
import torch
from tutor import board, check, data, explorers, hint, plots, progress, training

assert Path(tutor.__file__).is_relative_to(sys.argv[1]), tutor.__file__

def relu(input):
    return input.abs()

try:
    check(relu)
except Exception as failed:
    print(type(failed).__name__)

def relu(input):
    return input.clamp(min=0)

check(relu)
hint(relu)
images = data.cifar10(source="sample", announce=False)
print(len(images.labels), "pictures")
picture = plots.convolution_animation(torch.eye(3), torch.ones(2, 2))
print(len(picture), "frames")
print(explorers.activation())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a wheel of a copy, for building leaves things beside the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(TOP / "tutor", folder / "copy" / "tutor", ignore=shutil.ignore_patterns("__pycache__"))
    for name in BESIDE:
        shutil.copy(TOP / name, folder / "copy")
    pip("wheel", "--no-build-isolation", "--wheel-dir", str(folder), str(folder / "copy"))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """Install it into a folder of its own."""
    folder = wheel.parent / "installed"
    pip("install", "--target", str(folder), str(wheel))
    return folder


def pip(command: str, *words: str) -> None:
    """Run pip without the network."""
    quiet = ["--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]
    done = subprocess.run([sys.executable, "-m", "pip", command, *quiet, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def run(installed: Path, *words: str) -> str:
    """Run the installed package in a folder where nothing of the checkout is; return what it prints."""
    elsewhere = installed.parent / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    environment.pop("TUTOR_BUILD", None)
    done = subprocess.run(words, cwd=elsewhere, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_file_of_the_package_is_in_the_wheel_and_nothing_else(wheel: Path) -> None:
    ours = [path for path in (TOP / "tutor").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
        about = [name.split("/", 1)[1] for name in archive.namelist() if ".dist-info/" in name]
        metadata = archive.read(next(name for name in archive.namelist() if name.endswith("/METADATA"))).decode()
    assert sorted(names) == sorted(path.relative_to(TOP).as_posix() for path in ours)
    assert {"licenses/LICENSE", "licenses/LICENSE-texts", "entry_points.txt"} <= set(about)
    assert "License-Expression: MIT AND CC-BY-4.0" in metadata


def test_the_learners_side_works_outside_the_checkout(installed: Path) -> None:
    printed = run(installed, sys.executable, "-c", LEARNING, str(installed))
    assert "turns negative numbers positive" in printed and "CheckFailed" in printed
    assert "✓ relu: right" in printed
    assert "5000 pictures" in printed and "4 frames" in printed and "leaky_relu at x = -2" in printed


def test_the_command_works_outside_the_checkout(installed: Path) -> None:
    program = installed / "bin" / "tutor"
    assert "doctor" in run(installed, sys.executable, str(program), "--help")
    assert "usage: tutor" in run(installed, sys.executable, "-m", "tutor", "--help")


def test_no_module_of_ours_warns_when_it_is_compiled() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for path in sorted([*TOP.glob("tutor/**/*.py"), *TOP.glob("tools/*.py"), *TOP.glob("bench/*.py")]):
            compile(path.read_text(encoding="utf-8"), str(path), "exec")


def test_no_module_of_ours_warns_when_it_is_imported() -> None:
    code = """
import importlib, pkgutil, warnings
warnings.filterwarnings("error", module="tutor")  # what libraries warn each other of is theirs
import tutor
for module in pkgutil.walk_packages(tutor.__path__, "tutor."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=TOP, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
