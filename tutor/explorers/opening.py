"""Where somebody can move a slider, the widgets; everywhere else a still picture of the same thing."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeAlias, Union

from tutor.explorers.frame import Control, Exploring, still
from tutor.frontend import someone_watches
from tutor.plots import Picture

if TYPE_CHECKING:
    from tutor.explorers.explorer import Explorer

Shown: TypeAlias = Union["Explorer", Picture]


def opened(title: str, controls: Sequence[Control], exploring: Exploring) -> Shown:
    """Return an ``Explorer``, or a ``Picture`` when a program runs the notebook or ipywidgets is not installed."""
    if not someone_watches() or find_spec("ipywidgets") is None:
        return still(controls, exploring)
    from tutor.explorers.explorer import Explorer  # not above: ipywidgets may be missing

    return Explorer(title, controls, exploring)
