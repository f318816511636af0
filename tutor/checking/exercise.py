"""What an exercise is: an oracle, a generator of cases, and the wrong twins that people tend to write."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import torch

Function = Callable[..., Any]
CORE = "values"  # the aspect without which an answer earns nothing
CONDUCT = "conduct"  # keeps its input, its dtype, and says the same thing twice
GRADIENT = "gradient"
RIGHT: frozenset[str] = frozenset()  # what a model of an exercise is given to have none of its misconceptions


class Folder:
    """Stands in a case's arguments for a folder: a fresh, empty one for each call."""


@dataclass(frozen=True)
class Used:
    """What ``observe`` gets for a :class:`Folder`: its path, and whether a thread of the answer's may still write there."""

    path: Path
    busy: bool


@dataclass(frozen=True)
class Case:
    """One call of the answer, and what to look at afterwards.

    ``aspect`` says which part of the score the case belongs to. ``gradient`` also compares the gradients of every
    floating-point argument, for a random upstream gradient. ``random`` allows two calls to differ. A case that is not
    ``required`` costs no points: what it finds is mentioned, nothing more.

    ``judge(value, args)`` turns what came back into facts (numbers, strings, tuples, dictionaries) where the value itself
    can't be compared, for instance because it is random, or because it may come in several types; ``args`` are the case's
    own. In grading, it works where no answer can reach it, and all that is known of a right answer beforehand is its affair.

    ``observe(value, args)`` is for what only lives where the answer was called: files, nets. It turns them into plain
    values for ``judge``; in ``args`` each :class:`Folder` is then a :class:`Used`. In grading it works beside the answer,
    which may put something else in its place: so it measures, and says nothing of what would be right.

    ``build(*args)`` makes what the answer is called with out of plain arguments, anew for each call: for answers that are to
    change what they get, such as a model and the optimizer that holds its parameters. ``observe`` then gets what it built,
    after the call.
    """

    aspect: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    gradient: bool = False
    observe: Callable[[Any, tuple[Any, ...]], Any] | None = None
    random: bool = False
    required: bool = True
    build: Callable[..., tuple[Any, ...]] | None = None
    judge: Callable[[Any, tuple[Any, ...]], Any] | None = None

    @property
    def given(self) -> tuple[Any, ...]:
        """The arguments as the answer gets them."""
        return self.args if self.build is None else self.build(*self.args)

    def in_float32(self) -> Case:
        """Return the case with float32 arguments and the aspect of conduct: for how an answer treats its input."""
        args = (arg.float() if isinstance(arg, torch.Tensor) and arg.is_floating_point() else arg for arg in self.args)
        return replace(self, aspect=CONDUCT, args=tuple(args))


class Draw:
    """A seeded source of sizes and values for the cases.

    The same (exercise, seed, hidden) gives the same cases on every machine. Hidden cases have other values and sizes.
    """

    def __init__(self, name: str, seed: int, hidden: bool) -> None:
        self.hidden = hidden
        self._generator = torch.Generator().manual_seed(zlib.crc32(f"{name}/{seed}/{hidden}".encode()))

    def integer(self, low: int, high: int) -> int:
        """Return an integer from ``low`` to ``high``, both included."""
        return int(torch.randint(low, high + 1, (), generator=self._generator))

    def size(self, shown: int) -> int:
        """Return ``shown`` in the cases that learners see, and up to two more in hidden ones."""
        return shown + self.integer(0, 2) if self.hidden else shown

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
        """Return a float64 tensor of the given shape, uniform in [low, high)."""
        return low + (high - low) * torch.rand(shape, generator=self._generator, dtype=torch.float64)

    def normal(self, *shape: int, scale: float = 1.0) -> torch.Tensor:
        """Return a float64 tensor of the given shape, normal with mean 0 and deviation ``scale``."""
        return scale * torch.randn(shape, generator=self._generator, dtype=torch.float64)

    def digits(self, *shape: int, negative: float = 0.3) -> torch.Tensor:
        """Return whole numbers from 1 to 9 as float64 that seldom repeat and can be followed by hand; a share is negative."""
        count = math.prod(shape)
        found = self.uniform(-(-count // 9), 9).argsort(dim=1).flatten()[:count] + 1
        return torch.where(self.uniform(count) < negative, -found, found).double().reshape(shape)

    def off_zero(self, *shape: int, low: float = 0.2, high: float = 3.0) -> torch.Tensor:
        """Return values of either sign whose magnitude is in [low, high): clear of a kink at zero.

        A tensor of three or more elements has at least two negative numbers and a positive one, so that no case
        misses half of a function, nor whether two negative numbers are treated alike; of several rows, the first
        is all negative.
        """
        values = self.uniform(*shape, low=low, high=high)
        signs = torch.where(self.uniform(*shape) < 0.5, -1.0, 1.0).to(values.dtype)
        flat = signs.view(-1)
        if flat.numel() > 2:
            if len(flat) > shape[-1]:
                flat[: shape[-1]] = -1.0
            flat[0], flat[1], flat[-1] = -1.0, -1.0, 1.0
        return values * signs


class Exercise:
    """An exercise of the bank: the right function, its cases, and what people get wrong.

    ``forbids`` names torch's operators, as its dispatcher calls them, that an answer may not use; with ``by_hand``
    autograd is one of them. With ``prediction`` there is one right answer for everybody, which no report gives away.
    ``weights`` are the aspects' shares of the score (1 unless named), ``time_limit`` is in seconds a call, ``links`` are
    groups of (argument, dimension) that have the same size, and ``rtol`` and ``atol`` hold for float64.
    """

    def __init__(
        self,
        name: str,
        chapter: str,
        oracle: Function,
        *,
        forbids: Iterable[str] = (),
        by_hand: bool = False,
        prediction: bool = False,
        weights: dict[str, float] | None = None,
        time_limit: float = 5.0,
        links: Sequence[Sequence[tuple[int, int]]] = (),
        rtol: float = 1e-6,
        atol: float = 1e-8,
    ) -> None:
        self.name, self.chapter, self.oracle = name, chapter, oracle
        self.forbids = frozenset(forbids)
        self.by_hand = by_hand
        self.prediction = prediction
        self.weights = {CORE: 2.0, **(weights or {})}
        self.time_limit = time_limit
        self.links = tuple(tuple(group) for group in links)
        self.rtol, self.atol = rtol, atol
        self.twins: dict[str, Function] = {}
        self._model: Function | None = None
        self._switches: tuple[str, ...] = ()
        self._cases: Callable[[Draw], Iterable[Case]] | None = None

    def cases(self, generate: Callable[[Draw], Iterable[Case]]) -> Callable[[Draw], Iterable[Case]]:
        """Register (as a decorator) the generator of this exercise's cases."""
        self._cases = generate
        return generate

    def twin(self, identity: str) -> Callable[[Function], Function]:
        """Register (as a decorator) a wrong twin: the whole function with one misconception in it."""

        def register(function: Function) -> Function:
            function.__name__ = function.__qualname__ = self.name
            self.twins[identity] = function
            return function

        return register

    def model(self, *switches: str) -> Callable[[Function], Function]:
        """Register (as a decorator) a function with misconceptions that can be switched on together.

        It takes the exercise's own arguments and the keyword ``wrong``, a frozenset of some of ``switches``. Each
        switch becomes a twin, and each pair of them is recognised as two mistakes at once.
        """

        def register(function: Function) -> Function:
            self._model, self._switches = function, switches
            for switch in switches:
                self.twins[switch] = self._with(function, switch)
            return function

        return register

    def alone(self, model: Function, *identities: str) -> None:
        """Register wrong twins that ``model`` (see :meth:`model`) can be, each on its own: too rare to be paired."""

        for identity in identities:
            self.twins[identity] = self._with(model, identity)

    def pairs(self) -> Iterator[tuple[tuple[str, str], Function]]:
        """Yield each pair of switchable misconceptions with the function that has both."""
        if self._model is not None:
            for first, second in combinations(self._switches, 2):
                yield (first, second), self._with(self._model, first, second)

    def mistakes(self) -> dict[frozenset[str], Function]:
        """Return every wrong function that is known: each twin and each pair, by what is wrong with it."""
        singles = {frozenset([identity]): twin for identity, twin in self.twins.items()}
        return singles | {frozenset(pair): function for pair, function in self.pairs()}

    def _with(self, model: Function, *wrong: str) -> Function:
        def twin(*args: Any, **kwargs: Any) -> Any:
            return model(*args, wrong=frozenset(wrong), **kwargs)

        twin.__name__ = twin.__qualname__ = self.name
        return twin

    def draw(self, *, seed: int = 0, hidden: bool = False) -> list[Case]:
        """Return the cases for a seed, the ones of the core aspect first."""
        if self._cases is None:
            raise ValueError(f"exercise {self.name!r} has no cases: decorate a generator with @{self.name}.cases")
        drawn = list(self._cases(Draw(self.name, seed, hidden)))
        return sorted(drawn, key=lambda case: (not case.required, case.aspect != CORE))

    def aspects(self, cases: Iterable[Case]) -> list[str]:
        """Return the aspects that the score is made of, in order."""
        required = [case for case in cases if case.required]
        found = [case.aspect for case in required] + [CONDUCT]
        if any(case.gradient for case in required):
            found.append(GRADIENT)
        return list(dict.fromkeys(found))
