"""The original pickled batches, through ``torchvision.datasets.CIFAR10``, which checks the MD5 sum of each file."""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import torch

from tutor.data.download import disk_trouble
from tutor.data.images import DataError, Images

if TYPE_CHECKING:
    from torchvision.datasets import CIFAR10

Batches: TypeAlias = "type[CIFAR10]"


def present(where: Path, dataset: Batches) -> bool:
    """Return whether the folder holds the batches or their archive, whole or not."""
    return any((where / name).exists() for name in (dataset.base_folder, dataset.filename))


def complete(where: Path, dataset: Batches) -> bool:
    """Return whether every file of the batches is there with the right checksum."""
    return (where / dataset.base_folder).exists() and damage(where, dataset) is None


def read(where: Path, train: bool, dataset: Batches, announce: bool) -> Images:
    """Return the training or test images of the original batches, unpacked first if only the archive is there.

    Damaged batches are unpacked again if their archive lies beside them. Raises :class:`DataError` that names the
    file if one is missing, truncated, changed or unreadable.
    """
    batches, archive = where / dataset.base_folder, where / dataset.filename
    if not batches.exists():
        if not archive.exists():
            raise DataError(
                f"{where} holds neither {dataset.base_folder} nor {dataset.filename}: "
                'data.cifar10(source="download") fetches them, or set CIFAR10_ROOT to the folder they lie in.'
            )
        unpack(where, dataset)
    try:
        return _images(dataset(where, train=train))
    except (OSError, RuntimeError) as error:
        wrong = damage(where, dataset)
        if wrong is None:
            raise DataError(
                f"The batches in {batches} have the right checksums but cannot be read ({error}): "
                "torchvision and this course may be of different times, so update both."
            ) from error
        if not archive.exists():
            raise DataError(
                f"{wrong}: delete {batches} and call data.cifar10() again, which downloads CIFAR-10 anew."
            ) from error
    if announce:
        print(f"{wrong}; {archive.name} beside it is unpacked again.")
    unpack(where, dataset)
    return _images(dataset(where, train=train))


def damage(where: Path, dataset: Batches) -> str | None:
    """Return what is wrong with the first bad file of the batches, or None if all are as they should be."""
    from torchvision.datasets.utils import check_integrity

    batches = where / dataset.base_folder
    if not batches.is_dir():
        return f"{batches} is not a folder"
    files = [*dataset.train_list, *dataset.test_list, [dataset.meta["filename"], dataset.meta["md5"]]]
    for name, md5 in files:
        path = batches / name
        try:
            path.open("rb").close()
            right = check_integrity(path, md5)
        except FileNotFoundError:
            return f"{path} is missing"
        except OSError as error:
            return f"{path} cannot be read ({error.strerror})"
        if not right:
            return f"{path} ({path.stat().st_size:,} bytes) is truncated or changed: its MD5 checksum is wrong"
    return None


def unpack(where: Path, dataset: Batches) -> None:
    """Unpack the archive beside its place and move the batches there in one step, so that no half of them is seen.

    Raises :class:`DataError` if the archive's checksum is wrong, or it cannot be read or unpacked.
    """
    from torchvision.datasets.utils import check_integrity, extract_archive

    archive, batches = where / dataset.filename, where / dataset.base_folder
    try:
        if not check_integrity(archive, dataset.tgz_md5):
            raise DataError(
                f"{archive} ({archive.stat().st_size:,} bytes) is truncated or changed: its MD5 checksum is wrong, so "
                "delete it and call data.cifar10() again, which downloads it anew."
            )
    except OSError as error:
        raise DataError(f"{archive} cannot be read ({error.strerror}): give yourself access to it.") from error
    try:
        with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=where) as work:
            extract_archive(os.fspath(archive), work)
            if complete(where, dataset):
                return  # another process was faster
            if batches.exists():
                batches.rename(Path(work) / "damaged")
            (Path(work) / dataset.base_folder).rename(batches)
    except OSError as error:
        raise disk_trouble(error, where, "unpacking CIFAR-10") from error


def _images(dataset: "CIFAR10") -> Images:
    pixels = torch.from_numpy(dataset.data).permute(0, 3, 1, 2).contiguous()
    return Images(pixels, torch.tensor(dataset.targets), tuple(dataset.classes), "original")
