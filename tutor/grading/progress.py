"""How far a run over a class is: a live bar in a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from tqdm import tqdm

EVERY = 10.0  # seconds between two lines where there is no terminal
BAR = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt} of {total_fmt}, {rate_noinv_fmt}, {remaining} to go"
LINE = "{desc}: {n_fmt} of {total_fmt}, {rate_noinv_fmt}, {remaining} to go"


@contextmanager
def progress(total: int, file: TextIO | None = None) -> Iterator[Callable[[], object]]:
    """Show how many of ``total`` submissions are done, how fast and for how long still; yield what to call after each.

    file: standard error unless given.
    """
    out = file or sys.stderr
    if out.isatty():
        with tqdm(
            total=total, desc="grading", unit=" submissions", bar_format=BAR, file=out, dynamic_ncols=True
        ) as bar:
            yield bar.update
        return
    start = said = time.monotonic()
    done = 0

    def advance() -> None:
        nonlocal done, said, start
        done += 1
        if done == 1:
            start = time.monotonic()  # what comes before the first is no measure for the others
        if done == total or time.monotonic() - said >= EVERY:
            said = time.monotonic()
            line = tqdm.format_meter(
                done, total, said - start, initial=1, prefix="grading", unit=" submissions", bar_format=LINE
            )
            print(line, file=out, flush=True)

    yield advance
