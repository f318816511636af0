"""Chapter 00: one neuron with two inputs, its sum written out."""

from collections.abc import Mapping
from typing import Any

from matplotlib.patches import Circle

from tutor.explorers.frame import Control, Frame, Question
from tutor.explorers.opening import Shown, opened
from tutor.plots import Picture
from tutor.plots.figure import COLOURS, drawing

SIDE: dict[str, Any] = {"low": -4, "high": 4, "apart": 0.5}
CONTROLS = (
    Control("x1", 1.0, "The first input.", **SIDE),
    Control("x2", 2.0, "The second input.", **SIDE),
    Control("w1", 3.0, "The weight that the first input is multiplied by.", **SIDE),
    Control("w2", -1.0, "The weight that the second input is multiplied by.", **SIDE),
    Control("bias", 0.5, "What is added at the end, whatever the inputs are.", **SIDE),
)


def neuron() -> Shown:
    """Explore one neuron: two inputs, their weights, and the bias."""
    return opened("A neuron", CONTROLS, exploring)


def exploring(values: Mapping[str, Any]) -> Frame:
    """Return what a neuron comes to."""
    x, w, b = (values["x1"], values["x2"]), (values["w1"], values["w2"]), values["bias"]
    products = [weight * number for weight, number in zip(w, x, strict=True)]
    z = sum(products) + b
    terms = [f"{_factor(weight)}·{_factor(number)}" for weight, number in zip(w, x, strict=True)]
    written = f"{' + '.join(terms)} + {_factor(b)} = {_short(z)}"
    slips = {
        "That leaves out the bias, which is added at the end.": z - b,
        "That takes the bias off; it is added.": z - 2 * b,
        "That adds the weights to the inputs; each weight multiplies its input.": sum(x) + sum(w) + b,
        "That gives each input the other one's weight.": w[1] * x[0] + w[0] * x[1] + b,
        "That leaves out a minus sign.": sum(map(abs, products)) + b,
        "That leaves out the second input.": products[0] + b,
        "That leaves out the first input.": products[1] + b,
    }
    sign = {1: "positive: a ReLU would let it through", 0: "0", -1: "negative: a ReLU would make it 0"}
    return Frame(
        r"z=w_1x_1+w_2x_2+b",
        "z=" + written.replace("·", r"\cdot "),
        f"Weighted sum plus bias: {written}.",
        f"The sum is {sign[(z > 0) - (z < 0)]}.",
        question=Question("What is z?", (z,), {why: (wrong,) for why, wrong in slips.items() if wrong != z}),
        draw=lambda: _picture(x, w, b, z),
    )


def _picture(x: tuple[float, float], w: tuple[float, float], b: float, z: float) -> Picture:
    """Draw inputs, weights as lines (wide: strong; dashed: negative), and the sum."""
    with drawing(2.6, 6.2) as picture:
        panel = picture.subplots()
        panel.set(xlim=(0, 6.2), ylim=(0, 2.6), aspect="equal")
        panel.axis("off")
        for number, weight, y, name in zip((*x, 1.0), (*w, b), (2.15, 1.3, 0.45), ("1", "2", ""), strict=True):
            style = "-" if weight >= 0 else "--"
            width = 0.6 + 1.6 * abs(weight)
            colour = COLOURS[0] if weight >= 0 else COLOURS[1]
            panel.plot([1.2, 4.25], [y, 1.3], linestyle=style, linewidth=width, color=colour, zorder=1)
            label = f"w{name} = {_short(weight)}" if name else f"bias = {_short(weight)}"
            at = 2.45, y + (1.3 - y) * 0.41
            panel.text(
                *at, label, ha="center", va="center", bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5}
            )
            panel.add_patch(Circle((0.95, y), 0.33, facecolor="white", edgecolor="#666666", zorder=2))
            panel.text(0.95, y, _short(number), ha="center", va="center", zorder=3)
            panel.text(0.5, y, f"x{name}" if name else "", ha="right", va="center")
        panel.add_patch(Circle((4.6, 1.3), 0.46, facecolor="#d3e6f4", edgecolor=COLOURS[0], linewidth=1.6, zorder=2))
        panel.text(4.6, 1.3, "sum", ha="center", va="center", zorder=3)
        panel.annotate("", (5.45, 1.3), (5.08, 1.3), arrowprops={"arrowstyle": "->", "color": "#555555"})
        panel.text(5.5, 1.3, f"z = {_short(z)}", ha="left", va="center", fontsize=12)
        told = ", ".join(
            f"input {_short(number)} by weight {_short(weight)}" for number, weight in zip(x, w, strict=True)
        )
        picture.alt = f"A neuron: {told}, bias {_short(b)}, sum {_short(z)}."
        return picture


def _short(value: float) -> str:
    """Return a number to two decimals, without trailing zeros and without a minus before 0."""
    return f"{round(value, 2) + 0.0:g}"


def _factor(value: float) -> str:
    """Return a number as it stands in a sum or product: in brackets when negative."""
    return f"({_short(value)})" if value < 0 else _short(value)
