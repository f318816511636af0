"""How long a full check takes, for a right and a wrong answer, beside a bare run of torch's own on the same cases."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from bench import Row
from tutor.checking import bank, run

NAME = "one full check of an exercise"
GOAL = ""  # a learner waits for it: what counts is milliseconds, and no peer does the same
PAIRS = 15


def relu(input: torch.Tensor) -> torch.Tensor:
    """Answer as a learner would."""
    return torch.where(input > 0, input, torch.zeros_like(input))


def softmax(input: torch.Tensor, dim: int) -> torch.Tensor:
    """Answer as a learner would."""
    powers = torch.exp(input - input.amax(dim, keepdim=True))
    return powers / powers.sum(dim, keepdim=True)


def rrelu(input: torch.Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> torch.Tensor:
    """Answer as a learner would."""
    slopes = lower + (upper - lower) * torch.rand_like(input) if training else (lower + upper) / 2
    return torch.where(input > 0, input, slopes * input)


RIGHT: dict[str, Callable[..., Any]] = {"relu": relu, "softmax": softmax, "rrelu": rrelu}
WRONG = {"relu": "absolute-value", "softmax": "dim-zero", "rrelu": "one-slope-for-all"}


def milliseconds(call: Callable[[], object]) -> float:
    """Return the wall time of a call."""
    start = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - start)


def bare(name: str) -> None:
    """Run torch's own function on every case of the exercise, as plainly as possible."""
    exercise = bank.get(name)
    for case in exercise.draw():
        exercise.oracle(*case.args, **case.kwargs)


def measure() -> list[Row]:
    """Time checks and bare runs in pairs, one right after the other, after one unmeasured pair."""
    rows = []
    for name in RIGHT:
        answers = {"right": RIGHT[name], f"wrong ({WRONG[name]})": bank.twin(name, WRONG[name])}
        for kind, answer in answers.items():
            if run(name, answer).passed != (kind == "right"):
                raise AssertionError(f"the {kind} answer to {name} is judged otherwise")

            def check(name: str = name, answer: Callable[..., Any] = answer) -> object:
                return run(name, answer)

            def oracle(name: str = name) -> None:
                bare(name)

            pairs = [(milliseconds(check), milliseconds(oracle)) for _ in range(PAIRS + 1)][1:]
            ours, peer = (statistics.median(side) for side in zip(*pairs, strict=True))
            ratio = statistics.median(ours / peer for ours, peer in pairs)
            rows.append(Row(f"check of {name}, {kind} / torch's own on its cases", ours, peer, "ms", ratio, ""))
    return rows
