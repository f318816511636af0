"""A folder of images: read as torchvision reads it, and each way of being broken named in one sentence."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
import torch
from data_tiny import without_privileges
from PIL import Image
from torchvision.datasets import ImageFolder

from tutor.data import CLASSES, DataError, Images
from tutor.data.loading import Memory, load


def get(root: Path, train: bool = True, source: str = "auto", memory: Memory | None = None) -> Images:
    return load(train, root=root, source=source, announce=False, memory=memory or Memory())


@pytest.fixture(autouse=True)
def no_pin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUTOR_DATA", raising=False)


@pytest.fixture
def root() -> Iterator[Path]:
    """Make a folder with 3 training images and 1 test image a class, where everybody may go."""
    rng = np.random.default_rng(2)
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        top.chmod(0o755)
        for split, count in (("train", 3), ("test", 1)):
            for label in CLASSES:
                folder = top / split / label
                folder.mkdir(parents=True)
                for k in range(count):
                    picture = Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8))
                    picture.save(folder / f"{k:04}.{('png', 'jpg', 'jpeg')[k]}")
        yield top


def refusal(root: Path, train: bool = True) -> str:
    """Return the one sentence with which the folder is refused."""
    with pytest.raises(DataError) as caught:
        get(root, train)
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    return text


def test_more_images_than_one_thread_takes_at_once(root: Path) -> None:
    rng = np.random.default_rng(4)
    for label in CLASSES:
        for k in range(3, 60):
            picture = Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8))
            picture.save(root / "train" / label / f"{k:04}.png", compress_level=0)
    test_pixels_and_labels_are_imagefolders(root, train=True, size=600)


@pytest.mark.parametrize(("train", "size"), [(True, 30), (False, 10)])
def test_pixels_and_labels_are_imagefolders(root: Path, train: bool, size: int) -> None:
    images = get(root, train)
    theirs = {
        np.asarray(picture).transpose(2, 0, 1).tobytes(): label
        for picture, label in ImageFolder(root / ("train" if train else "test"))
    }
    ours = {p.numpy().tobytes(): int(label) for p, label in zip(images.pixels, images.labels, strict=True)}
    assert ours == theirs
    assert len(images) == size
    assert (images.pixels.dtype, images.labels.dtype) == (torch.uint8, torch.int64)
    assert (images.classes, images.source) == (CLASSES, "folder")


def test_the_order_mixes_the_classes_and_is_fixed(root: Path) -> None:
    first, second = get(root), get(root)
    assert first.labels.tolist() != sorted(first.labels.tolist())
    assert len(first.labels[:10].unique()) > 3
    assert torch.equal(first.labels, second.labels)
    assert torch.equal(first.pixels, second.pixels)


def test_the_second_call_returns_the_same_images(root: Path) -> None:
    memory = Memory()
    assert get(root, memory=memory) is get(root, memory=memory)
    assert get(root, train=False, memory=memory) is not get(root, memory=memory)


def test_what_is_no_image_is_passed_over(root: Path) -> None:
    (root / "train" / "cat" / "._0000.jpg").write_bytes(b"left by macOS")
    (root / "train" / "cat" / "notes.txt").write_text("meow")
    (root / "train" / ".ipynb_checkpoints").mkdir()
    (root / "train" / "aardvark").mkdir()
    images = get(root)
    assert len(images) == 30
    assert images.labels.bincount().tolist() == [3] * 10


def test_grey_and_transparent_images_become_rgb(root: Path) -> None:
    grey = Image.fromarray(np.full((32, 32), 77, dtype=np.uint8))
    grey.save(root / "train" / "ship" / "0000.png")
    images = get(root)
    assert any(bool((picture == 77).all()) for picture in images.pixels)


def test_a_missing_class_is_named_with_what_lies_there(root: Path) -> None:
    (root / "train" / "frog").rename(root / "train" / "Frogs")
    text = refusal(root)
    assert f"{root / 'train'} lacks the class frog (it does have Frogs)" in text
    assert len(get(root, train=False)) == 10


def test_an_empty_class_is_named(root: Path) -> None:
    for path in (root / "train" / "deer").iterdir():
        path.unlink()
    assert f"{root / 'train'} has no image in the class deer" in refusal(root)


def test_a_missing_half_is_named(root: Path) -> None:
    shutil.rmtree(root / "test")
    assert f"{root} holds no folder test/" in refusal(root, train=False)
    assert len(get(root)) == 30


def test_a_folder_is_asked_for_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no folder train/"):
        get(tmp_path, source="folder")


def broken_files() -> list[tuple[str, str, bytes]]:
    good = {}
    with tempfile.TemporaryDirectory() as folder:
        picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8))
        for kind in ("jpg", "png"):
            picture.save(Path(folder) / f"x.{kind}")
            good[kind] = (Path(folder) / f"x.{kind}").read_bytes()
        plain = Path(folder) / "plain.png"
        Image.new("RGB", (32, 32)).save(plain)
        good["plain"] = plain.read_bytes()

    def changed(kind: str, place: int, *values: int) -> bytes:
        return good[kind][:place] + bytes(values) + good[kind][place + len(values) :]

    wide = (20_000).to_bytes(4, "big")
    header = b"IHDR" + wide + wide + good["png"][24:29]
    return [
        ("empty", "0001.jpg", b""),
        ("a web page", "0001.jpg", b"<html>not found</html>"),
        ("truncated JPEG", "0001.jpg", good["jpg"][: len(good["jpg"]) // 2]),
        ("truncated PNG", "0000.png", good["png"][: len(good["png"]) // 2]),
        ("changed PNG", "0000.png", changed("png", len(good["png"]) // 2, 0, 0, 0, 0)),
        # The last three are chosen for what Pillow raises: SyntaxError, ValueError, DecompressionBombError.
        ("PNG without its first chunk's length", "0000.png", changed("png", 36, 0)),
        ("PNG whose header is too short", "0000.png", changed("plain", 11, 0)),
        (
            "PNG of a claimed 400 million pixels",
            "0000.png",
            changed("png", 12, *header, *crc32(header).to_bytes(4, "big")),
        ),
    ]


@pytest.mark.parametrize(("name", "content"), [case[1:] for case in broken_files()], ids=[c[0] for c in broken_files()])
def test_a_broken_image_is_named(root: Path, name: str, content: bytes) -> None:
    path = root / "train" / "horse" / name
    path.write_bytes(content)
    assert f"{path} is broken" in refusal(root)


def test_an_image_of_another_size_is_named(root: Path) -> None:
    path = root / "train" / "bird" / "0002.jpeg"
    Image.new("RGB", (40, 30)).save(path)
    assert f"{path} is 40x30 pixels and not 32x32" in refusal(root)


@pytest.mark.parametrize("mode", [0, 0o111, 0o444])
@pytest.mark.parametrize("place", ["", "train", "train/cat", "train/cat/0001.jpg"])
def test_what_may_not_be_read_is_named(root: Path, place: str, mode: int) -> None:
    if (root / place).is_file() and mode == 0o444:
        assert len(get(root)) == 30  # a file needs no more than that
        return
    get(root)  # what is imported on the way must be in memory before the rights go
    (root / place).chmod(mode)
    try:
        with without_privileges():
            text = refusal(root)
    finally:
        (root / place).chmod(0o755)
    assert f"{root / place} may not be read" in text
