"""Which numbers a step calculates with: float32, or half as many bits where that is faster and as accurate.

The weights stay in float32 throughout; only what autocast lists (convolutions, matrix products) runs in fewer bits:
"Mixed Precision Training" (Micikevicius et al., 2017). bfloat16 has float32's range. float16, for older GPUs, has not, so
that the loss is scaled while gradients are calculated.
"""

import time
from typing import Final

import torch

from tutor.training.errors import TrainingError

DTYPES: Final = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
WARM_UP: Final = 2  # steps of each kind that are not timed
TIMED: Final = 3


class Precision:
    """Chooses the numbers for each step, by measuring where it has to.

    ``asked`` is "auto" or one of ``DTYPES``. A GPU calculates in bfloat16 if it can, else in float16. On a CPU, some have
    instructions for bfloat16 and others only imitate it, far more slowly: with ``measure``, the first ten steps of the
    training take turns, and the faster kind wins; without, float32, so that the same seed gives the same numbers.
    """

    def __init__(self, asked: str, device: torch.device, *, measure: bool) -> None:
        if asked != "auto" and asked not in DTYPES:
            raise TrainingError(f"precision={asked!r} is unknown: choose one of auto, {', '.join(DTYPES)}.")
        self.device = device
        self._times: dict[str, list[float]] = {}
        if asked != "auto":
            self.name = asked
        elif device.type == "cuda":
            self.name = "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
        else:
            self.name = "float32"
            if measure and device.type == "cpu":
                self._times = {"float32": [], "bfloat16": []}
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.name == "float16")
        self._began = 0.0

    def autocast(self) -> torch.autocast:
        """Return the context in which the model is applied and the loss calculated; begins a step."""
        if self._times:
            self.name = min(self._times, key=lambda name: len(self._times[name]))
        self._began = time.perf_counter()
        return torch.autocast(self.device.type, dtype=DTYPES[self.name], enabled=self.name != "float32")

    def step_ended(self) -> None:
        """Note that the step is over; decide once there is enough to decide on."""
        if not self._times:
            return
        self._times[self.name].append(time.perf_counter() - self._began)
        if all(len(times) == WARM_UP + TIMED for times in self._times.values()):
            self.name = min(self._times, key=lambda name: min(self._times[name][WARM_UP:]))
            self._times = {}
