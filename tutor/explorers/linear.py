"""Chapter 05: flattening and a linear layer, shape by shape, and what goes wrong with a whole batch flattened."""

from collections.abc import Mapping
from math import prod
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from tutor.explorers.frame import Control, Frame, Question
from tutor.explorers.opening import Shown, opened
from tutor.plots import Picture
from tutor.plots.figure import COLOURS, drawing

CONTROLS = (
    Control("batch", 4, "N: how many images are in a batch.", 1, 6),
    Control("channels", 3, "C: how many channels an image has; 3 for red, green and blue.", 1, 8),
    Control("height", 32, "H: how many rows an image has.", 1, 32),
    Control("width", 32, "W: how many columns an image has.", 1, 32),
    Control("start_dim", 1, "flatten from this dimension on: 1 keeps the images apart, 0 does not.", 0, 1),
    Control("out_features", 10, "How many numbers the layer gives for each row.", 1, 20),
    Control("bias", True, "Whether a number is added to each output."),
)


def linear() -> Shown:
    """Explore flatten and a linear layer: shapes and parameters."""
    return opened("Flatten, then a linear layer", CONTROLS, exploring)


def exploring(values: Mapping[str, Any]) -> Frame:
    """Return what flatten and a linear layer come to."""
    images = tuple(values[name] for name in ("batch", "channels", "height", "width"))
    whole = values["start_dim"] == 0
    flat = (prod(images),) if whole else (images[0], prod(images[1:]))
    inputs, outputs = flat[-1], values["out_features"]
    weights, biases = inputs * outputs, outputs if values["bias"] else 0
    out = (*flat[:-1], outputs)
    count, channels = images[:2]
    slips: dict[str, tuple[float, ...]] = {
        "That is the other way round: torch keeps a weight as (out_features, in_features).": (inputs, outputs),
        "That leaves out the channels: an image has C·H·W numbers.": (outputs, inputs // channels),
        "That counts the whole batch: each image is a row of its own.": (outputs, prod(images)),
        "That counts one image: with start_dim=0 the whole batch becomes one row.": (outputs, prod(images[1:])),
        "That is the shape of the output.": out,
    }
    factors = images if whole else images[1:]
    letters = r"N\cdot C\cdot H\cdot W" if whole else r"C\cdot H\cdot W"
    product = r"\cdot ".join(map(str, factors))
    added = r"+\text{out}" if biases else ""
    return Frame(
        rf"\text{{in}}={letters}\qquad\quad\text{{parameters}}=\text{{out}}\cdot\text{{in}}{added}",
        rf"\text{{in}}={product}={inputs}\qquad\quad\text{{parameters}}={outputs}\cdot{inputs}"
        + (f"+{outputs}" if biases else "")
        + f"={weights + biases}",
        f"Inputs: {product.replace(chr(92) + 'cdot ', ' · ')} = {inputs}. Parameters: {weights + biases}.",
        _told(count, outputs, whole),
        question=Question(
            "What shape has the layer's weight? Two numbers.",
            (outputs, inputs),
            {why: wrong for why, wrong in slips.items() if wrong != (outputs, inputs)},
        ),
        draw=lambda: _picture(images, flat, out, whole),
        rows=(
            ("", "shape", "numbers"),
            ("images", _shape(images), f"{prod(images):,}"),
            (f"flatten(start_dim={values['start_dim']})", _shape(flat), f"{prod(flat):,}"),
            ("weight", _shape((outputs, inputs)), f"{weights:,}"),
            ("bias", _shape((outputs,)) if biases else "none", f"{biases:,}"),
            ("output", _shape(out), f"{prod(out):,}"),
        ),
    )


def _told(count: int, outputs: int, whole: bool) -> str:
    """Say whether the images are kept apart."""
    if not whole:
        return f"Each of the {count} images becomes a row of its own, and has {outputs} outputs of its own."
    if count == 1:
        return "With one image in the batch the mistake hardly shows: only the batch dimension is gone."
    return (
        f"Wrong for a batch: all {count} images are one row, and its {outputs} outputs mix them. No loss can compare that with "
        f"{count} labels, and a batch of another size doesn't fit the weight."
    )


def _picture(images: tuple[int, ...], flat: tuple[int, ...], out: tuple[int, ...], whole: bool) -> Picture:
    """Draw each image with its number, the rows that flatten makes of them, and the rows of the output."""
    count = images[0]
    with drawing(3.3, 7.4) as picture:
        panel = picture.subplots()
        panel.set(xlim=(0, 7.4), ylim=(0, 3.3), aspect="equal")
        panel.axis("off")
        tall = 2.3 / count
        for number in range(count):
            y = 2.5 - (number + 0.93) * tall
            side = min(0.86 * tall, 0.9)
            _box(panel, (0.8 - side / 2, y + (0.86 * tall - side) / 2), (side, side), number)
            if whole:
                _box(panel, (2.2 + number * 3 / count, 1.17), (3 / count, 0.36), number)
            else:
                _box(panel, (2.2, y + tall * 0.43 - 0.12), (3.0, 0.24), number)
                _box(panel, (6.3, y + tall * 0.43 - 0.12), (0.7, 0.24), number)
        if whole:
            _box(panel, (6.3, 1.17), (0.7, 0.36), None if count > 1 else 0)
        for x, text in (
            (0.8, f"images\n{_shape(images)}"),
            (3.7, f"flattened\n{_shape(flat)}"),
            (6.65, f"output\n{_shape(out)}"),
        ):
            panel.text(x, 2.95, text, ha="center", va="center")
        for x in (1.55, 5.55):
            panel.annotate("", (x + 0.4, 1.35), (x, 1.35), arrowprops={"arrowstyle": "->", "color": "#555555"})
        rows = "one row with all images" if whole else f"{count} rows, one for each image"
        picture.alt = (
            f"{count} images of shape {_shape(images[1:])} are flattened to {rows}; the output is {_shape(out)}."
        )
        return picture


def _box(panel: Axes, at: tuple[float, float], size: tuple[float, float], number: int | None) -> None:
    """Draw what belongs to one image, with its number; None for what belongs to all of them."""
    colour = "#dddddd" if number is None else COLOURS[number]
    panel.add_patch(Rectangle(at, *size, facecolor=colour, alpha=0.3, linewidth=0))
    panel.add_patch(Rectangle(at, *size, fill=False, edgecolor="#555555", linewidth=0.9))
    text = "mixed" if number is None else str(number)
    panel.text(at[0] + size[0] / 2, at[1] + size[1] / 2, text, ha="center", va="center", fontsize=9.5)


def _shape(shape: tuple[int, ...]) -> str:
    """Return a shape as torch writes it."""
    return str(tuple(shape))
