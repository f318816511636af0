"""In which numbers a step calculates, and with how many threads: whatever is fastest here and now, and as accurate.

The weights stay in float32 throughout; only what autocast lists (convolutions, matrix products) runs in fewer bits:
"Mixed Precision Training" (Micikevicius et al., 2017). bfloat16 has float32's range. float16, for older GPUs, has not, so
that the loss is scaled while gradients are calculated.
"""

import time
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

import torch

from tutor.training.errors import TrainingError

DTYPES: Final = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
WARM_UP: Final = 1  # steps in either kind of numbers that are not timed
TIMED: Final = 2
PATIENCE: Final = 25  # a way that was slower is tried again after so many times what it took

Way = TypeVar("Way")


class Arithmetic:
    """Chooses how to calculate each step, by measuring where it has to.

    ``asked`` is "auto" or one of ``DTYPES``. A GPU calculates in bfloat16 if it can, else in float16. On a CPU, some have
    instructions for bfloat16 and others only imitate it, far more slowly: with ``measure`` the first six steps of the
    training take turns, and the faster numbers win. Several threads are faster than one until other programs want the
    processor as well, and then wait for each other, up to a hundred times as long: with ``measure`` the numbers of
    threads compete as long as the training lasts. Without it, a CPU calculates in float32 with torch's own number of
    threads, so that the same seed gives the same numbers.
    """

    def __init__(self, asked: str, device: torch.device, *, measure: bool) -> None:
        if asked != "auto" and asked not in DTYPES:
            raise TrainingError(f"precision={asked!r} is unknown: choose one of auto, {', '.join(DTYPES)}.")
        self.device = device
        self.precision = "float32" if asked == "auto" else asked
        if asked == "auto" and device.type == "cuda":
            self.precision = "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.precision == "float16")
        measure = measure and device.type == "cpu"
        self._numbers = Turns(["bfloat16", "float32"]) if measure and asked == "auto" else None
        threads = torch.get_num_threads()
        self._threads = Race([1, threads]) if measure and threads > 1 else None
        self._began = 0.0

    def autocast(self) -> torch.autocast:
        """Begin a step; return the context in which the model is applied and the loss calculated."""
        self._began = time.perf_counter()
        if self._numbers:
            self.precision = self._numbers.next()
        if self._threads:
            torch.set_num_threads(1 if self._numbers else self._threads.next(self._began))
        dtype, enabled = DTYPES[self.precision], self.precision != "float32"
        return torch.autocast(self.device.type, dtype=dtype, enabled=enabled)

    def step_ended(self) -> None:
        """Note that the step is over, and how long it took."""
        now = time.perf_counter()
        if self._numbers:
            self._numbers.took(now - self._began)
            if self._numbers.over():
                self.precision = self._numbers.fastest()
                self._numbers = None
        elif self._threads:
            self._threads.took(now - self._began, now)


class Turns(Generic[Way]):
    """Ways to do the same thing that take turns until each was timed."""

    def __init__(self, ways: list[Way]) -> None:
        self.times: dict[Way, list[float]] = {way: [] for way in ways}

    def next(self) -> Way:
        """Return the way whose turn it is."""
        return min(self.times, key=lambda way: len(self.times[way]))

    def took(self, seconds: float) -> None:
        """Note how long that way took."""
        self.times[self.next()].append(seconds)

    def over(self) -> bool:
        """Tell whether each was timed often enough."""
        return all(len(times) >= WARM_UP + TIMED for times in self.times.values())

    def fastest(self) -> Way:
        """Return the way that took the least time."""
        return min(self.times, key=lambda way: sum(self.times[way][WARM_UP:]))


@dataclass
class Record:
    """What is known of a way: how long it took of late, and when it was tried last."""

    seconds: float
    tried: float


@dataclass
class Race(Generic[Way]):
    """Ways to do the same thing, of which now one and now another is faster.

    The one that was fastest of late is taken. Each other one is tried again when the time since its last try is
    ``PATIENCE`` times what it took then, so that trying it costs one part in 25 at most.
    """

    ways: list[Way]
    records: dict[Way, Record] = field(default_factory=dict)
    _now: Way | None = None

    def next(self, now: float) -> Way:
        """Return the way to take at that time, in seconds."""
        for way in self.ways:
            record = self.records.get(way)
            if record is None or now - record.tried > PATIENCE * record.seconds:
                self._now = way
                return way
        self._now = min(self.ways, key=lambda way: self.records[way].seconds)
        return self._now

    def took(self, seconds: float, now: float) -> None:
        """Note how long the way took that ``next`` gave, and what time it is."""
        assert self._now is not None
        before = self.records.get(self._now)
        self.records[self._now] = Record(seconds if before is None else (before.seconds + seconds) / 2, now)
