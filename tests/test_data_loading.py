"""``cifar10``: which source is taken, what is said about it, and what is refused before anything is read."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from data_tiny import tiny_cifar10
from PIL import Image

from tutor.data import CLASSES, DataError, cifar10
from tutor.data.loading import Memory, load


def python(code: str, **world: str) -> subprocess.CompletedProcess[str]:
    """Run a fresh Python, in which nothing was announced yet."""
    plain = {name: value for name, value in os.environ.items() if name not in ("TUTOR_DATA", "CIFAR10_ROOT")}
    return subprocess.run([sys.executable, "-c", code], env={**plain, **world}, capture_output=True, text=True)


@pytest.fixture(autouse=True)
def no_pin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUTOR_DATA", raising=False)
    monkeypatch.delenv("CIFAR10_ROOT", raising=False)


def make_images(root: Path) -> None:
    for k, name in enumerate(CLASSES):
        (root / "train" / name).mkdir(parents=True)
        Image.new("RGB", (32, 32), (k, k, k)).save(root / "train" / name / "0.png")


def test_the_sample_is_announced_once_a_process() -> None:
    code = "from tutor import data\nfor train in (True, False, True): data.cifar10(train)"
    done = python(code, TUTOR_DATA="sample")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "These are small pictures that the course draws itself, NOT CIFAR-10, as TUTOR_DATA=sample asks for; "
        'data.cifar10(source="download") fetches the real images.\n'
    )


def test_the_sample_needs_neither_torchvision_nor_a_word() -> None:
    code = "import sys\nfrom tutor import data\ndata.cifar10(announce=False)\nprint('torchvision' in sys.modules)"
    done = python(code, TUTOR_DATA="sample")
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_the_second_sample_is_the_first() -> None:
    assert cifar10(source="sample", announce=False) is cifar10(source="sample", announce=False)


def test_nothing_is_downloaded_while_nbgrader_runs_a_notebook(tmp_path: Path) -> None:
    code = "from tutor import data\nprint(data.cifar10().source)"
    done = python(code, NBGRADER_EXECUTION="autograde", CIFAR10_ROOT=str(tmp_path))
    assert done.stdout.endswith("sample\n") and "while nbgrader runs" in done.stdout
    assert not list(tmp_path.iterdir())


def test_the_pin_holds_whatever_is_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_images(tmp_path)
    monkeypatch.setenv("CIFAR10_ROOT", str(tmp_path))
    assert cifar10(announce=False).source == "folder"
    monkeypatch.setenv("TUTOR_DATA", "sample")
    assert cifar10(announce=False).source == "sample"
    assert cifar10(root=tmp_path, announce=False).source == "sample"
    assert cifar10(source="folder", announce=False).source == "folder"


def test_root_goes_before_cifar10_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_images(tmp_path / "mine")
    monkeypatch.setenv("CIFAR10_ROOT", str(tmp_path / "missing"))
    assert cifar10(root=tmp_path / "mine", announce=False).source == "folder"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cifar10(root="~/mine", announce=False).source == "folder"


def test_the_original_goes_before_a_folder_of_images(tmp_path: Path) -> None:
    make_images(tmp_path)
    tiny = tiny_cifar10(tmp_path)

    def get(source: str) -> str:
        return load(True, root=tmp_path, source=source, announce=False, dataset=tiny, memory=Memory()).source

    assert [get(source) for source in ("auto", "original", "folder")] == ["original", "original", "folder"]


def refusal(**options: object) -> str:
    with pytest.raises(DataError) as caught:
        cifar10(announce=False, **options)  # type: ignore[arg-type]
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    return text


def test_an_unknown_source_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    text = refusal(source="imagenet")
    assert "source='imagenet' names no source of pictures" in text
    assert "auto, original, folder, download, sample" in text
    monkeypatch.setenv("TUTOR_DATA", "smaple")
    assert "TUTOR_DATA=smaple names no source of pictures" in refusal()


@pytest.mark.parametrize("how", ["root", "CIFAR10_ROOT"])
def test_a_data_folder_that_is_none_is_refused(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "batches").mkdir()
    (tmp_path / "batches" / "data_batch_1").write_text("x")

    def text(name: str) -> str:
        if how == "root":
            return refusal(root=tmp_path / name)
        monkeypatch.setenv(how, str(tmp_path / name))
        return refusal()

    assert f"{how} names {tmp_path / 'file'}, which is not a folder" in text("file")
    assert f"{how} names {tmp_path / 'missing'}, which does not exist" in text("missing")
    assert f"name the one it lies in, {tmp_path}." in text("batches")


def test_ipython_shows_the_sentence_alone() -> None:
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "InteractiveShell.instance().run_cell('from tutor import data; data.cifar10(source=\"imagenet\")')"
    )
    done = python(code)
    shown = done.stdout.strip().splitlines()
    assert len(shown) == 1, done.stdout + done.stderr
    assert shown[0].startswith("DataError: source='imagenet' names no source")
