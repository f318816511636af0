"""A folder of images, one folder a class, through ``torchvision.datasets.ImageFolder``."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from tutor.data.images import CLASSES, DataError, Images, mixed_order

SUFFIXES = (".jpg", ".jpeg", ".png")
SIDE = 32
DECODED_AT_ONCE = 256


def present(where: Path) -> bool:
    """Return whether the folder holds a folder of images, whole or not."""
    return (where / "train").is_dir() or (where / "test").is_dir()


def may_be_read(folder: Path) -> bool:
    """Return whether the folder can be listed and what lies in it reached, found out by doing both."""
    try:
        os.listdir(folder)
        os.stat(os.path.join(folder, os.curdir))
    except PermissionError:
        return False
    return True


def read(where: Path, train: bool, announce: bool) -> Images:
    """Return the images of ``train/<class>/`` or ``test/<class>/``, in a fixed order that mixes the classes.

    Takes some seconds for all of CIFAR-10, with a progress bar if ``announce``. Raises :class:`DataError` if a class
    is missing or empty, or a file cannot be read or is not 32x32 pixels.
    """
    split = where / ("train" if train else "test")
    _check_classes(split)
    samples = _samples(split)
    # In the order of the folders the first 5,000 would all be airplanes.
    samples = [samples[k] for k in mixed_order(len(samples), seed=0).tolist()]
    pixels = torch.from_numpy(_decode([path for path, _ in samples], announce))
    return Images(pixels, torch.tensor([label for _, label in samples]), CLASSES, "folder")


def check(where: Path) -> None:
    """Raise :class:`DataError` unless ``train/`` and ``test/`` hold images of every class; none is opened."""
    for name in ("train", "test"):
        _check_classes(where / name)
        _samples(where / name)


def _check_classes(split: Path) -> None:
    if not split.is_dir():
        raise DataError(f"{split.parent} holds no folder {split.name}/: it should, with one folder of images a class.")
    if not may_be_read(split):
        raise DataError(f"The folder {split} may not be read (permission denied): ask its owner for access.")
    missing = [name for name in CLASSES if not (split / name).is_dir()]
    if missing:
        there = sorted(entry.name for entry in split.iterdir() if entry.is_dir() and entry.name not in CLASSES)
        besides = f" (it does have {', '.join(there)})" if there else ""
        raise DataError(
            f"{split} lacks the class {', '.join(missing)}{besides}: each of CIFAR-10's ten classes needs a folder "
            "of that name, so copy or unpack the images again."
        )
    for name in CLASSES:
        if not may_be_read(split / name):
            raise DataError(f"The folder {split / name} may not be read (permission denied): ask its owner for access.")


def _samples(split: Path) -> list[tuple[str, int]]:
    """Return path and label of every image, class by class."""
    from torchvision.datasets import ImageFolder

    class TenClasses(ImageFolder):  # type: ignore[misc]  # torchvision has no types
        """An ImageFolder that numbers the classes as CIFAR-10 does, whatever other folders lie beside them."""

        def find_classes(self, directory: str | Path) -> tuple[list[str], dict[str, int]]:
            return list(CLASSES), {name: k for k, name in enumerate(CLASSES)}

    samples: list[tuple[str, int]] = TenClasses(split, is_valid_file=_is_image, allow_empty=True).samples
    filled = {label for _, label in samples}
    empty = [name for k, name in enumerate(CLASSES) if k not in filled]
    if empty:
        raise DataError(
            f"{split} has no image in the class {', '.join(empty)}: put {', '.join(SUFFIXES)} files there, "
            "or copy or unpack the images again."
        )
    return samples


def _is_image(path: str) -> bool:
    """Tell images from other files; macOS leaves hidden ``._name.jpg`` files that are none."""
    name = os.path.basename(path).lower()
    return name.endswith(SUFFIXES) and not name.startswith(".")


def _decode(paths: list[str], announce: bool) -> NDArray[np.uint8]:
    """Return the pixels of all files, uint8 (N, 3, 32, 32)."""
    pixels = np.empty((len(paths), 3, SIDE, SIDE), dtype=np.uint8)

    def decode(start: int) -> int:
        chunk = paths[start : start + DECODED_AT_ONCE]
        for k, path in enumerate(chunk, start):
            pixels[k] = _one(path)
        return len(chunk)

    with (
        ThreadPoolExecutor() as pool,
        # Not to stderr: nbgrader gives nothing for a test cell that writes there.
        tqdm(
            total=len(paths), desc="reading images", disable=not announce, file=sys.stdout, leave=False, delay=0.5
        ) as bar,
    ):
        try:
            for done in pool.map(decode, range(0, len(paths), DECODED_AT_ONCE)):
                bar.update(done)
        except DataError:
            pool.shutdown(cancel_futures=True)
            raise
    return pixels


def _one(path: str) -> NDArray[np.uint8]:
    from PIL import Image
    from torchvision.datasets.folder import default_loader

    try:
        picture = np.asarray(default_loader(path), dtype=np.uint8)
    except PermissionError as error:
        raise DataError(f"{path} may not be read (permission denied): ask its owner for access.") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(
            f"{path} is broken: it cannot be read as an image ({type(error).__name__}), so copy it again or delete it."
        ) from error
    if picture.shape != (SIDE, SIDE, 3):
        high, wide = picture.shape[:2]
        raise DataError(f"{path} is {wide}x{high} pixels and not {SIDE}x{SIDE}: copy CIFAR-10's own images there.")
    return picture.transpose(2, 0, 1)
