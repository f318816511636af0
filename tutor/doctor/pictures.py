"""The data folder: which pictures the notebooks will show, without the network."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.doctor.finding import Finding
from tutor.places import build_folder

if TYPE_CHECKING:
    from tutor.data.original import Batches

SUBJECT = "pictures"


def pictures(asked: str, root: str, dataset: "Batches | None" = None) -> Iterator[Finding]:
    """Look at what there is of CIFAR-10.

    asked: the value of ``TUTOR_DATA``. root: that of ``CIFAR10_ROOT``; "" where they aren't set. dataset: the class that
    knows files and checksums (default: torchvision's). Reads all of CIFAR-10 where it is there, in about a second.
    """
    if asked == "sample":
        yield Finding(SUBJECT, "ok", "The notebooks show the drawn sample, as TUTOR_DATA=sample asks for.")
        return
    where = Path(root).expanduser() if root else build_folder() / "data"
    if not root and not (where.is_dir() and os.listdir(where)):
        what = f"CIFAR-10 isn't in {where} yet: the first notebook downloads it (170 MB), or draws a sample without a network."
        yield Finding(SUBJECT, "ok", what)
        return
    from torchvision.datasets import CIFAR10

    from tutor.data import folder, loading, original
    from tutor.data.images import DataError

    batches = dataset or CIFAR10
    try:
        where = loading.data_folder(root or None)
        if (where / batches.base_folder).exists():
            wrong = original.damage(where, batches)
            if wrong and not (where / batches.filename).exists():
                how = f"Delete {where / batches.base_folder}: the first notebook then downloads CIFAR-10 anew."
                yield Finding(SUBJECT, "mend", f"{wrong}.", how)
                return
            what = f"The original CIFAR-10 is in {where}" + (
                ", to be unpacked again from its archive." if wrong else "."
            )
        elif (where / batches.filename).exists():
            what = f"The archive of CIFAR-10 is in {where}; the first notebook unpacks it."
        elif folder.present(where):
            folder.check(where)
            what = f"A folder of images with CIFAR-10's ten classes is in {where}."
        else:
            what = f"CIFAR-10 isn't in {where} yet: the first notebook downloads it (170 MB), or draws a sample."
    except DataError as error:
        yield Finding(SUBJECT, "mend", "The pictures of CIFAR-10 can't be used.", str(error))
        return
    yield Finding(SUBJECT, "ok", what)
