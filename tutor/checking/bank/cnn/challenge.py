"""The challenge: a net of the learner's own, looked at for what would keep it from learning, then trained and measured."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tutor.checking.bank.cnn.common import CHAPTER
from tutor.checking.exercise import CONDUCT, CORE, RIGHT, Case, Draw, Exercise

CLASSES = 10
PERCENT = (60, 75, 85, 95)  # where the tiers of tutor.training's small challenge begin
CHANCE = 0.2  # twice what guessing gets right
IMAGES, FEWER = 64, 10  # two sizes of batch
REMEMBERED = 8  # nets

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


def _look(value: Any, images: Tensor) -> tuple[dict[str, str], dict[str, str]]:
    """Say what a net does to images before it has learned anything: its rows and columns, and whether its numbers are sound."""
    looked, sound = dict(LOOKED_AT), dict(SOUND)
    if not isinstance(value, nn.Module):
        is_class = isinstance(value, type) and issubclass(value, nn.Module)
        looked["what came back"] = "a class, and not one of its kind" if is_class else f"a {type(value).__name__}"
        return looked, sound
    with torch.no_grad():
        value.eval()
        outputs = []
        for count in (IMAGES, FEWER):
            output = _applied(value, images[:count])
            looked[f"for {count} {'images' if count == IMAGES else 'of them'}"] = _size(output, count)
            outputs.append(output)
        all_of_them, some = outputs
        if not isinstance(all_of_them, Tensor) or all_of_them.dim() != 2 or len(all_of_them) != IMAGES:
            return looked, sound
        sound["numbers"] = _kind(all_of_them)
        if sound["numbers"] == "nan or infinite":
            return looked, sound
        torch.manual_seed(1)
        if not _close(value(images), all_of_them):
            sound["asked again"] = "other numbers"
        elif _close(all_of_them, all_of_them[:1].expand_as(all_of_them)):
            looked["for another image"] = "the same numbers"
        else:
            if isinstance(some, Tensor) and not _close(some, all_of_them[:FEWER]):
                looked["beside other images"] = "other numbers"
            half = IMAGES // 2
            between = value((images[:half] + images[half:]) / 2)
            if _close(between, (all_of_them[:half] + all_of_them[half:]) / 2):
                sound["halfway between two images"] = "halfway between their numbers"
    return looked, sound


def _applied(net: nn.Module, images: Tensor) -> Any:
    torch.manual_seed(0)
    try:
        return net(images)
    except Exception as error:  # whatever a net of the learner's own raises is what there is to say about it
        return type(error).__name__


def _size(output: Any, count: int) -> str:
    if isinstance(output, str):
        return f"it raises a {output}"
    if not isinstance(output, Tensor):
        return f"a {type(output).__name__} and no tensor"
    if output.dim() == 2 and len(output) == count:
        columns = output.shape[1]
        more = "fewer" if columns < CLASSES else "more"
        return f"{CLASSES} numbers each" if columns == CLASSES else f"{more} than {CLASSES} numbers each"
    if output.numel() == CLASSES and count != 1:
        return f"{CLASSES} numbers for all images together"
    return "a shape that isn't (images, classes)"


def _kind(output: Tensor) -> str:
    if not bool(output.isfinite().all()):
        return "nan or infinite"
    if bool((output >= 0).all()):
        if _close(output.sum(1), torch.ones(len(output))):
            return "probabilities, which add up to 1"
        # What a ReLU cuts off is exactly 0; a sigmoid comes to that for large numbers only.
        return "none below 0" if bool((output == 0).any() or (output > 1).any()) else "between 0 and 1"
    return SOUND["numbers"]


def _close(one: Tensor, other: Tensor) -> bool:
    """Tell whether two outputs differ by no more than rounding, seen against how much an output's numbers vary."""
    if one.shape != other.shape:
        return False
    vary = float((other - other.mean(0)).abs().max())
    return bool(((one - other).abs() <= 1e-4 * vary + 1e-6 * float(other.abs().max())).all())


_reached: dict[str, Reached | str] = {}


def _trained(net: nn.Module) -> Reached | str:
    """Train a copy of the net and return the tiers that it reaches, or why it learns nothing.

    The same net is trained once, however many cases ask: training depends on nothing but the net.
    """
    from tutor import training  # a check of anything else does without it

    key = hashlib.sha256(repr(net).encode())
    images = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for tensor in (*net.state_dict().values(), net(images)):
            key.update(tensor.detach().contiguous().numpy().tobytes())
    name = key.hexdigest()
    if name not in _reached:
        try:
            score = training.small_challenge(copy.deepcopy(net))
        except training.TrainingError as error:
            found: Reached | str = str(error)
        else:
            found = Reached(score.tier) if score.accuracy >= CHANCE else "no more than by guessing"
        while len(_reached) >= REMEMBERED:
            _reached.pop(next(iter(_reached)))
        _reached[name] = found
    return _reached[name]


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

    def look(value: Any, args: tuple[Any, ...]) -> Any:
        return LOOKED_AT if isinstance(value, Reached) else _look(value, images)[0]

    def sound(value: Any, args: tuple[Any, ...]) -> Any:
        return SOUND if isinstance(value, Reached) else _look(value, images)[1]

    def reached(value: Any) -> Reached | str | None:
        if isinstance(value, Reached):
            return value
        return _trained(value) if _look(value, images) == (LOOKED_AT, SOUND) else None

    def learns(value: Any, args: tuple[Any, ...]) -> Any:
        found = reached(value)  # what isn't sound may well learn; it is told first what is wrong
        return {"learns": found if isinstance(found, str) else "yes"}

    def tier(number: int) -> Callable[[Any, tuple[Any, ...]], Any]:
        def right(value: Any, args: tuple[Any, ...]) -> Any:
            found, percent = reached(value), PERCENT[number - 1]
            if not isinstance(found, Reached):
                return {"images right": "not tried, because of what is wrong before"}
            return {"images right": f"{percent} % or more" if found.tiers >= number else f"less than {percent} %"}

        return right

    # ``random``: one call is enough, since a second one would be trained once more.
    yield Case(CORE, (), observe=look, random=True)
    yield Case(CORE, (), observe=learns, random=True)
    yield Case("sound-numbers", (), observe=sound, random=True)
    for number, percent in enumerate(PERCENT, 1):
        yield Case(f"{percent}-percent-right", (), observe=tier(number), random=True)


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
