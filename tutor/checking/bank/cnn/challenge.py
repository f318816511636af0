"""The challenge: a net of the learner's own, looked at for what would keep it from learning, then trained and measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import torch
from torch import Tensor, nn

from tutor.checking.apparatus import challenge
from tutor.checking.apparatus.challenge import CLASSES, FEWER, IMAGES
from tutor.checking.bank.cnn.common import CHAPTER
from tutor.checking.exercise import CONDUCT, CORE, RIGHT, Case, Draw, Exercise
from tutor.checking.results import STANDING

PERCENT = (60, 75, 85, 95)  # where the tiers of tutor.training's small challenge begin
CHANCE = 20  # percent: twice what guessing gets right
# A net comes out a little better or worse on hidden pictures than on the sample's own, by which learners go: a tier counts as
# reached there from so many percentage points below, so that this costs nobody a point.
SPARED = 4

LOOKED_AT = {
    "what came back": "a module",
    f"for {IMAGES} images": f"{CLASSES} numbers each",
    f"for {FEWER} of them": f"{CLASSES} numbers each",
    "for another image": "other numbers",
    "beside other images": "the same numbers",
}
SOUND = {
    "numbers": "logits: any numbers",
    "asked again": "the same numbers",
    "halfway between two images": "not halfway between their numbers",
}


@dataclass(frozen=True)
class Reached:
    """Stands for a net that has what is asked for and reaches so many tiers: what the oracle returns."""

    tiers: int


STANDING.append(Reached)


def _build(*, wrong: frozenset[str] = RIGHT) -> Any:
    """Return a small net, with the misconceptions that ``wrong`` names."""
    out = 9 if "too-few-classes" in wrong else 100 if "too-many-classes" in wrong else CLASSES
    layers: list[nn.Module] = [nn.Conv2d(3, 8, 4, stride=4)]
    if "batch-statistics" in wrong:
        layers += [nn.BatchNorm2d(8, track_running_stats=False)]
    layers += [nn.Identity() if "linear-only" in wrong else nn.ReLU()]
    layers += [_Applied(nn.functional.dropout)] if "random-in-evaluation" in wrong else []
    flat = "batch-flattened" in wrong
    layers += [nn.Flatten(0 if flat else 1), nn.Linear(512 * IMAGES if flat else 512, out)]
    ends: dict[str, nn.Module] = {
        "softmax-at-end": nn.Softmax(dim=1),
        "softmax-over-batch": nn.Softmax(dim=0),
        "relu-at-end": nn.ReLU(),
        "sigmoid-at-end": nn.Sigmoid(),
        "cut-off": _Applied(lambda output: output.detach()),
        "input-ignored": _Applied(lambda output: torch.zeros_like(output) + torch.arange(-5.0, 5.0)),
    }
    return nn.Sequential(*layers, *(module for name, module in ends.items() if name in wrong))


class _Applied(nn.Module):
    """A function as a layer."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, input: Tensor) -> Tensor:
        return self.function(input)


def _looked(found: Any, args: tuple[Any, ...]) -> dict[str, str]:
    """Return what there is to say of a net's rows and columns: what was asked for, but for what was odd."""
    return LOOKED_AT if isinstance(found, Reached) else LOOKED_AT | challenge.looks(found["outputs"])[0]


def _sound(labels: Tensor, spared: int, found: Any, args: tuple[Any, ...]) -> dict[str, str]:
    """Return what there is to say of a net's numbers.

    A net without any fault has learned something as well: outputs alone are easily made up.
    """
    numbers = {} if isinstance(found, Reached) else challenge.looks(found["outputs"])[1]
    reached = _reached(found, labels, spared)
    if numbers or isinstance(reached, Reached):
        return SOUND | numbers
    return SOUND | {"learns": reached or "not tried, because of what is wrong before"}


def _reached(found: Any, labels: Tensor, spared: int) -> Reached | str | None:
    """Return the tiers that a net's answers reach, or why it learns nothing; None where something about the net is odd.

    ``found`` comes from beside the answer and may be anything.
    """
    if isinstance(found, Reached):
        return found
    if any(challenge.looks(found["outputs"])):
        return None
    classes = found["classes"]
    if isinstance(classes, str):
        return classes
    if not isinstance(classes, Tensor) or classes.shape != labels.shape or classes.dtype != labels.dtype:
        return "it gives no class for each picture"
    right = 100 * int((classes == labels).sum()) / len(labels)
    if right < CHANCE:
        return "no more than by guessing"
    return Reached(sum(right >= percent - spared for percent in PERCENT))


def _learns(labels: Tensor, spared: int, found: Any, args: tuple[Any, ...]) -> dict[str, str]:
    reached = _reached(found, labels, spared)  # what isn't sound may well learn; it is told first what is wrong
    return {"learns": reached if isinstance(reached, str) else "yes"}


def _tier(number: int, labels: Tensor, spared: int, found: Any, args: tuple[Any, ...]) -> dict[str, str]:
    reached, percent = _reached(found, labels, spared), PERCENT[number - 1]
    if not isinstance(reached, Reached):
        return {"images right": "not tried, because of what is wrong before"}
    return {"images right": f"{percent} % or more" if reached.tiers >= number else f"less than {percent} %"}


@lru_cache(maxsize=8)
def _pictures(stream: int | None) -> tuple[tuple[Tensor, ...], Tensor]:
    """Return pictures to be told apart, and their classes: the sample's own test pictures, or some of another stream.

    The pictures come in several tensors, none of which is too large to be sent to where an answer runs.
    """
    from tutor.data.sample import draw  # a check of anything else does without it

    drawn = draw(train=False, stream=stream)
    return torch.split(drawn.pixels, 200), drawn.labels


challenge_net = Exercise(
    "challenge_net",
    CHAPTER,
    lambda: Reached(len(PERCENT)),
    weights={"sound-numbers": 2.0, CONDUCT: 0.0},
    time_limit=60.0,
)


@challenge_net.cases
def _(draw: Draw) -> Iterable[Case]:
    # Each image has a colour of its own: nets that average whole images see differences too.
    images = (0.7 * draw.uniform(IMAGES, 3, 1, 1) + 0.3 * draw.uniform(IMAGES, 3, 32, 32)).float()

    # The learner's own look at the net shows the sample's test pictures, and so does the check; hidden ones are new, of one
    # of so many streams that nobody can try them all to get at the classes.
    pictures, labels = _pictures(draw.integer(0, 2**31 - 2) if draw.hidden else None)
    spared = SPARED if draw.hidden else 0
    shown = partial(challenge.shown, images, pictures)
    # ``random``: one call is enough, since a second one would be trained once more.
    yield Case(CORE, (), observe=partial(challenge.shown, images, ()), judge=_looked, random=True)
    yield Case(CORE, (), observe=shown, judge=partial(_learns, labels, spared), random=True)
    yield Case("sound-numbers", (), observe=shown, judge=partial(_sound, labels, spared), random=True)
    for number, percent in enumerate(PERCENT, 1):
        judge = partial(_tier, number, labels, spared)
        yield Case(f"{percent}-percent-right", (), observe=shown, judge=judge, random=True)


challenge_net.model("softmax-at-end", "too-few-classes", "random-in-evaluation", "linear-only")(_build)
challenge_net.alone(
    _build,
    "too-many-classes",
    "relu-at-end",
    "sigmoid-at-end",
    "softmax-over-batch",
    "batch-flattened",
    "batch-statistics",
    "input-ignored",
    "cut-off",
)
challenge_net.twin("class-returned")(lambda: nn.Sequential)
challenge_net.twin("list-returned")(lambda: list(_build()))
challenge_net.twin("nothing-to-learn")(lambda: _build().requires_grad_(False))


def _stops_below(number: int) -> Callable[[], Reached]:
    return lambda: Reached(number)


for _number, _percent in enumerate(PERCENT):
    challenge_net.twin(f"below-{_percent}-percent")(_stops_below(_number))
