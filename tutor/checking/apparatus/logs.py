"""What the exercises that log to TensorBoard look at: the event files in the folder that an answer has written to."""

from __future__ import annotations

from typing import Any

MOST = 40_000  # numbers in a picture; those that are asked for have a fifth of that
STEPS = 50  # of what is logged under one tag


def written(value: Any, args: tuple[Any, ...]) -> dict[str, Any]:
    """Say what stands in the event files of the folder that comes first in ``args`` (as ``observe``).

    pictures: (tag, step, uint8 (H, W, 3), or None where it is very large); numbers: (tag, step, number); histograms:
    (tag, step, how many numbers, their sum, the least, the greatest); folders: what the folders below it are called; busy:
    whether a writer was left open. Nothing stands in files that are missing, or only half written.
    """
    from tutor import board  # only now: it takes a while

    folder = args[0].path
    try:
        events = board.read(folder)
    except board.BoardError:
        events = board.Events()
    return {
        "pictures": [
            (tag, step, picture if picture.numel() <= MOST else None)
            for tag, found in events.images.items()
            for step, picture in sorted(found.items())[:STEPS]
        ],
        "numbers": [
            (tag, step, float(number))
            for tag, found in events.scalars.items()
            for step, number in sorted(found.items())[:STEPS]
        ],
        "histograms": [
            (tag, step, one.number, one.total, one.lowest, one.highest)
            for tag, found in events.histograms.items()
            for step, one in sorted(found.items())[:STEPS]
        ],
        "folders": sorted(path.name for path in folder.iterdir() if path.is_dir()),
        "busy": args[0].busy,
    }
