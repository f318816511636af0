"""The original batches: read through torchvision, mended from their archive, and refused by name when damaged."""

import pickle
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from data_tiny import tiny_cifar10, without_privileges
from torchvision.datasets import CIFAR10

from tutor.data import CLASSES, DataError, Images
from tutor.data.download import Patience
from tutor.data.loading import Memory, load
from tutor.data.original import unpack

FOLDER, ARCHIVE = CIFAR10.base_folder, CIFAR10.filename


class Shelf:
    """A data folder that holds the tiny CIFAR-10, with a way to read it."""

    def __init__(self, root: Path) -> None:
        self.root, self.tiny = root, tiny_cifar10(root)

    def get(self, train: bool = True, source: str = "auto", announce: bool = False) -> Images:
        return load(
            train,
            root=self.root,
            source=source,
            announce=announce,
            dataset=self.tiny,
            memory=Memory(),
            patience=Patience(attempts=1, pause=0),
        )

    def refusal(self, source: str = "auto") -> str:
        """Return the one sentence with which the folder is refused."""
        with pytest.raises(DataError) as caught:
            self.get(source=source)
        text = str(caught.value)
        assert "\n" not in text
        assert text.endswith(".")
        return text


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    monkeypatch.delenv("TUTOR_DATA", raising=False)
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Shelf(Path(name))


@pytest.mark.parametrize("train", [True, False])
def test_images_are_those_of_the_batches(shelf: Shelf, train: bool) -> None:
    images = shelf.get(train)
    names = ["data_batch_1", "data_batch_2"] if train else ["test_batch"]
    batches = [pickle.loads((shelf.root / FOLDER / name).read_bytes()) for name in names]
    pixels = np.concatenate([batch["data"] for batch in batches]).reshape(-1, 3, 32, 32)
    assert torch.equal(images.pixels, torch.from_numpy(pixels))
    assert images.labels.tolist() == [label for batch in batches for label in batch["labels"]]
    assert (images.pixels.dtype, images.labels.dtype) == (torch.uint8, torch.int64)
    assert (images.classes, images.source) == (CLASSES, "original")


def test_the_archive_alone_is_unpacked(shelf: Shelf) -> None:
    expected = shelf.get()
    shutil.rmtree(shelf.root / FOLDER)
    assert torch.equal(shelf.get().pixels, expected.pixels)
    assert sorted(path.name for path in shelf.root.iterdir()) == sorted([FOLDER, ARCHIVE])


def test_batches_half_unpacked_are_mended_from_their_archive_aloud(
    shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = shelf.get()
    (shelf.root / FOLDER / "data_batch_2").write_bytes(b"half")
    (shelf.root / FOLDER / "test_batch").unlink()
    assert torch.equal(shelf.get(announce=True).pixels, expected.pixels)
    told = capsys.readouterr()
    assert f"{shelf.root / FOLDER / 'data_batch_2'} (4 bytes) is truncated or changed" in told.out
    assert told.out.count("\n") == 1
    assert told.err == ""
    assert sorted(path.name for path in shelf.root.iterdir()) == sorted([FOLDER, ARCHIVE])
    (shelf.root / ARCHIVE).unlink()
    assert len(shelf.get(train=False)) == 10


def test_another_process_that_unpacked_first_is_left_in_peace(shelf: Shelf) -> None:
    before = (shelf.root / FOLDER).stat().st_ino
    unpack(shelf.root, shelf.tiny)
    assert (shelf.root / FOLDER).stat().st_ino == before


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def change(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("name", ["data_batch_2", "test_batch", "batches.meta"])
@pytest.mark.parametrize("harm", [truncate, change])
def test_a_damaged_batch_is_named(shelf: Shelf, name: str, harm: object) -> None:
    (shelf.root / ARCHIVE).unlink()
    path = shelf.root / FOLDER / name
    harm(path)  # type: ignore[operator]
    assert f"{path} ({path.stat().st_size:,} bytes) is truncated or changed" in shelf.refusal()


def test_a_missing_batch_is_named(shelf: Shelf) -> None:
    (shelf.root / ARCHIVE).unlink()
    (shelf.root / FOLDER / "test_batch").unlink()
    assert f"{shelf.root / FOLDER / 'test_batch'} is missing" in shelf.refusal()


@pytest.mark.parametrize("harm", [truncate, change])
def test_a_damaged_archive_is_named(shelf: Shelf, harm: object) -> None:
    shutil.rmtree(shelf.root / FOLDER)
    harm(shelf.root / ARCHIVE)  # type: ignore[operator]
    text = shelf.refusal()
    assert f"{shelf.root / ARCHIVE} (" in text
    assert "is truncated or changed" in text
    assert not (shelf.root / FOLDER).exists()


@pytest.mark.parametrize("place", [FOLDER, f"{FOLDER}/data_batch_1"])
def test_what_may_not_be_read_is_named(shelf: Shelf, place: str) -> None:
    shelf.get()  # what is imported on the way must be in memory before the rights go
    (shelf.root / ARCHIVE).unlink()
    (shelf.root / place).chmod(0)
    try:
        with without_privileges():
            text = shelf.refusal()
    finally:
        (shelf.root / place).chmod(0o755)
    assert f"{shelf.root / FOLDER / 'data_batch_1'} cannot be read (Permission denied)" in text


def test_an_archive_that_may_not_be_read_is_named(shelf: Shelf) -> None:
    shelf.get()
    shutil.rmtree(shelf.root / FOLDER)
    (shelf.root / ARCHIVE).chmod(0)
    with without_privileges():
        assert f"{shelf.root / ARCHIVE} cannot be read (Permission denied)" in shelf.refusal()


def test_a_folder_in_which_nothing_can_be_unpacked_is_named(shelf: Shelf) -> None:
    shelf.get()
    shutil.rmtree(shelf.root / FOLDER)
    shelf.root.chmod(0o555)
    with without_privileges():
        text = shelf.refusal()
    shelf.root.chmod(0o755)
    assert f"{shelf.root} cannot be written to (Permission denied), which unpacking CIFAR-10 needs" in text


def test_damage_is_not_covered_up_by_images_beside_it(shelf: Shelf) -> None:
    (shelf.root / ARCHIVE).unlink()
    (shelf.root / FOLDER / "data_batch_1").unlink()
    (shelf.root / "train").mkdir()
    assert "data_batch_1 is missing" in shelf.refusal()


def test_originals_are_asked_for_where_there_are_none(shelf: Shelf) -> None:
    shutil.rmtree(shelf.root / FOLDER)
    (shelf.root / ARCHIVE).unlink()
    text = shelf.refusal(source="original")
    assert f"{shelf.root} holds neither {FOLDER} nor {ARCHIVE}" in text
    assert "CIFAR10_ROOT" in text
