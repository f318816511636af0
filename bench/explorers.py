"""How long the kernel works on one frame of each explorer: from a slider that has moved to the picture that is sent."""

import importlib
import itertools
import statistics
import time

from bench import Row
from tutor import explorers
from tutor.explorers.explorer import Explorer

NAME = "one frame of an explorer after a slider moves"
GOAL = ""  # under 150 ms it follows the hand; no peer does the same
FRAMES = 20
MOVED = {"neuron": "w1", "activation": "x", "linear": "height", "net": "image"}  # the others: step


def measure() -> list[Row]:
    """Move one slider of each explorer to and fro, at default sizes, and take the median CPU time of a frame."""
    rows = []
    for name in explorers.__all__:
        module = importlib.import_module(f"tutor.explorers.{name}")
        explorer = Explorer(name, module.CONTROLS, module.exploring)
        slider = explorer.controls[MOVED.get(name, "step")]
        places = itertools.cycle([slider.value - slider.step, slider.value])
        times = []
        for _ in range(FRAMES + 2):
            before, place = explorer.picture.value, next(places)
            start = time.process_time()
            slider.value = place
            times.append(1000 * (time.process_time() - start))
            if explorer.picture.value == before:
                raise AssertionError(f"the slider of {name} moved, and its picture stayed as it was")
        rows.append(
            Row(f"explorers.{name}, {slider.description}", statistics.median(times[2:]), None, "ms", None, GOAL)
        )
    return rows
