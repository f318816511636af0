"""Chapter 01: an activation function, its value and its gradient at one place."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.explorers.frame import Control, Frame, Question
from tutor.explorers.opening import Shown, opened
from tutor.plots import Picture, activations
from tutor.plots.figure import COLOURS

LOW, HIGH = -5.0, 5.0


class Bend(NamedTuple):
    """An activation function: from a tensor and the parameter, its formula, and what the parameter is called."""

    compute: Callable[[Tensor, float], Tensor]
    formula: str
    parameter: str = ""


# The formulas are those of torch.nn's documentation.
BENDS = {
    "relu": Bend(lambda x, a: F.relu(x), r"\mathrm{relu}(x)=\max(0,x)"),
    "leaky_relu": Bend(F.leaky_relu, r"\mathrm{leaky\_relu}(x)=\max(0,x)+a\min(0,x)", "negative_slope"),
    "elu": Bend(F.elu, r"\mathrm{elu}(x)=\max(0,x)+\min(0,\;a\,(e^x-1))", "alpha"),
    "sigmoid": Bend(lambda x, a: torch.sigmoid(x), r"\sigma(x)=\dfrac{1}{1+e^{-x}}"),
    "tanh": Bend(lambda x, a: torch.tanh(x), r"\tanh(x)=\dfrac{e^x-e^{-x}}{e^x+e^{-x}}"),
}
CONTROLS = (
    Control("function", "leaky_relu", "Which activation function.", options=tuple(BENDS)),
    Control("parameter", 0.2, "a: negative_slope of leaky_relu, alpha of elu; the others have none.", 0, 2, 0.1),
    Control("x", -2.0, "Where to look at value and gradient.", LOW, HIGH, 0.1),
)


def activation() -> Shown:
    """Explore an activation function: its value and its gradient, place by place."""
    return opened("An activation function", CONTROLS, exploring)


def exploring(values: Mapping[str, Any]) -> Frame:
    """Return what an activation function comes to at one place."""
    bend, a, place = BENDS[values["function"]], round(values["parameter"], 1), round(values["x"], 1) + 0.0
    x = torch.tensor(place, dtype=torch.float64, requires_grad=True)
    y = bend.compute(x, a)
    (slope,) = torch.autograd.grad(y, x)
    value, gradient = y.item(), slope.item()
    numbers = rf"x={place:g}:\quad y={value:.3g},\quad \text{{gradient }} {gradient:.3g}"
    using = f"Here a is {bend.parameter}={a:g}." if bend.parameter else f"No parameter in {values['function']}."
    slips = {
        "That is the gradient; asked is the value.": gradient,
        "That leaves out the minus sign.": -value,
        "That is x itself: the function bends it.": place,
        "That is relu: this function lets a little of what is negative through.": max(0.0, place),
        "That leaves out the parameter a, which multiplies what is negative.": bend.compute(x, 1.0).item(),
    }
    within = 0.05
    known = {why: (wrong,) for why, wrong in slips.items() if abs(wrong - value) > 2 * within}
    return Frame(
        bend.formula,
        numbers,
        f"{values['function']} at x = {place:g}: value {value:.3g}, gradient {gradient:.3g}.",
        f"{using} {_about(gradient, place)}",
        question=Question(f"What is y at x = {place:g}? (0.05 up or down counts.)", (value,), known, within),
        draw=lambda: _picture(values["function"], lambda x: bend.compute(x, a), place, value, gradient),
    )


def _about(gradient: float, place: float) -> str:
    """Say what the gradient does to learning."""
    if gradient == 0:
        return "The gradient is 0: nothing is learned from this place" + (
            " (torch takes 0 at the kink)." if place == 0 else "."
        )
    if abs(gradient) < 0.05:
        return "The gradient has nearly vanished: what is behind this place learns very slowly."
    if gradient == 1:
        return "The gradient is 1: it passes unchanged."
    return f"The gradient on its way back is multiplied by {gradient:.3g}."


def _picture(name: str, function: Callable[[Tensor], Tensor], x: float, y: float, slope: float) -> Picture:
    """Draw the function and its slope, with the place, its tangent, and the gradient there."""
    picture = activations({name: function}, low=LOW, high=HIGH)
    panel = picture.axes[0]
    panel.axvline(x, color="#777777", linewidth=1, linestyle=":")
    panel.plot(
        [x - 1, x + 1], [y - slope, y + slope], color=COLOURS[0], linewidth=5, alpha=0.35, solid_capstyle="round"
    )
    panel.plot([x], [y], "o", color=COLOURS[0], markersize=9, markeredgecolor="white")
    panel.plot([x], [slope], "s", color=COLOURS[1], markersize=8, markeredgecolor="white")
    picture.alt += f" Marked at {x:g}: the value {y:.3g} with its tangent, and the gradient {slope:.3g}."
    return picture
