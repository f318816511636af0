"""The rules that conftest.py lays down for all tests, seen on small test files run by a pytest of their own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[1]

SKIPS = {
    "test_in_body.py": "import pytest\ndef test_it():\n    pytest.skip('no such thing here')\n",
    "test_marked.py": "import pytest\n@pytest.mark.skip(reason='no such thing here')\ndef test_it(): pass\n",
    "test_module.py": "import pytest\npytest.skip('no such thing here', allow_module_level=True)\n",
    "test_fixture.py": "def test_it(chromium): pass\n",
}


def run(folder: Path, name: str, text: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run one test file under the project's conftest.py, away from the project's other settings."""
    shutil.copy(TOP / "conftest.py", folder)
    (folder / name).write_text(text)
    outer = ("CI", "PYTEST", "JUPYTER", "IPYTHON", "TUTOR", "OMP_")  # this run's own pins
    environment = {n: v for n, v in os.environ.items() if not n.startswith(outer)} | variables
    command = [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir=.", name]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("name", SKIPS)
def test_a_skip_is_said_with_its_reason_and_fails_under_ci(tmp_path: Path, name: str) -> None:
    # Without a browser on PATH, the chromium fixture skips too; pytest itself needs nothing from there.
    variables = {"PATH": str(tmp_path)} | ({"CHROMIUM": ""} if name == "test_fixture.py" else {})
    reason = "no browser: none of chromium" if name == "test_fixture.py" else "no such thing here"
    done = run(tmp_path, name, SKIPS[name], **variables)
    assert reason in done.stdout and "1 skipped" in done.stdout, done.stdout + done.stderr
    assert done.returncode in (0, 5), done.stdout
    done = run(tmp_path, name, SKIPS[name], CI="true", **variables)
    assert done.returncode not in (0, 5), done.stdout
    assert f"Nothing may be skipped under CI=true, and this was: {reason}" in done.stdout


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    text = "import pytest\n@pytest.mark.xfail\ndef test_it():\n    assert False\n"
    done = run(tmp_path, "test_expected.py", text, CI="true")
    assert done.returncode == 0 and "1 xfailed" in done.stdout


def test_a_named_browser_that_does_not_run_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path, "test_named.py", SKIPS["test_fixture.py"], CHROMIUM="browser-of-nowhere")
    assert done.returncode != 0
    assert "CHROMIUM names browser-of-nowhere, which is not a program that runs here" in done.stdout


WORLD = """
import os, sys
from pathlib import Path

import torch
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_core import paths

def test_it():
    assert os.environ["TUTOR_DATA"] == "sample" and "CIFAR10_ROOT" not in os.environ
    assert torch.get_num_threads() == 1
    home = str(Path.home()) + os.sep
    mine = [paths.jupyter_config_dir(), paths.jupyter_data_dir(), paths.jupyter_runtime_dir(), os.environ["IPYTHONDIR"]]
    assert not [folder for folder in mine if folder.startswith(home)], mine
    assert KernelSpecManager().get_kernel_spec("python3").argv[0]
    assert os.environ["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
"""


def test_tests_see_the_sample_one_thread_and_no_home_of_jupyter(tmp_path: Path) -> None:
    theirs = {"CIFAR10_ROOT": "/somewhere", "JUPYTER_RUNTIME_DIR": str(Path.home() / "runtime"), "PATH": os.defpath}
    done = run(tmp_path, "test_world.py", WORLD, **theirs)
    assert done.returncode == 0, done.stdout
