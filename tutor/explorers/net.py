"""Chapter 06: a stack of layers, with shape, parameters and receptive field line by line."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tutor.explorers.frame import Control, Frame, Question
from tutor.explorers.opening import Shown, opened
from tutor.explorers.sizes import sliding
from tutor.plots import net as picture_of

COLOURS = 3  # channels of the image


class Layer(NamedTuple):
    """A layer with a window: what its shape comes from."""

    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1


LAYERS = {
    "nothing": Layer(1),
    "conv 3": Layer(3),
    "conv 3, padding 1": Layer(3, padding=1),
    "conv 3, padding 1, stride 2": Layer(3, 2, 1),
    "conv 3, padding 2, dilation 2": Layer(3, 1, 2, 2),
    "conv 5": Layer(5),
    "conv 5, padding 2": Layer(5, padding=2),
    "conv 1": Layer(1),
    "max pool 2": Layer(2, 2),
    "max pool 3, stride 2": Layer(3, 2),
    "average pool 2": Layer(2, 2),
}
ABOUT = "A layer with a window: its kernel size, and what differs from padding 0 and stride 1 (a pooling's is its kernel size)."
FIRST = ("conv 3, padding 1", "max pool 2", "conv 3, padding 1", "max pool 2", "nothing")
CONTROLS = (
    Control("image", 32, "How many rows and columns the image has, in three colours.", 8, 64),
    *(Control(f"layer {place}", name, ABOUT, options=tuple(LAYERS)) for place, name in enumerate(FIRST, 1)),
    Control("maps", 16, "How many maps the first convolution gives; each one after it gives twice as many.", 1, 32),
    Control("out_features", 10, "How many outputs the linear layer has: the classes.", 1, 20),
)


def net() -> Shown:
    """Explore a stack of layers: shapes, parameters, and how much of the image each number sees."""
    return opened("A net, layer by layer", CONTROLS, exploring)


def exploring(values: Mapping[str, Any]) -> Frame:
    """Return what a stack of layers comes to."""
    names = [values[f"layer {place}"] for place in range(1, len(FIRST) + 1)]
    side, maps, wanted, sees, jump, total = values["image"], COLOURS, values["maps"], 1, 1, 0
    stages: list[tuple[str, tuple[int, ...]]] = [("", (maps, side, side))]
    rows = [("layer", "shape", "parameters", "sees"), ("image", _shape(stages[0][1]), "", "1 pixel")]
    formula = r"\text{in}=\text{maps}\cdot\text{rows}\cdot\text{columns}"
    for name in (name for name in names if name != "nothing"):
        layer = LAYERS[name]
        size = sliding(side, layer.kernel, layer.stride, layer.padding, layer.dilation).size
        if size < 1:
            span, there = layer.dilation * (layer.kernel - 1) + 1, side + 2 * layer.padding
            problem = (
                f"{name} has a window of {span} by {span}, and only {there} by {there} pixels are left for it. Take a larger "
                "image, or fewer layers that make it smaller."
            )
            return Frame(formula, problem=problem)
        parameters = 0
        if name.startswith("conv"):
            parameters = (maps * layer.kernel**2 + 1) * wanted
            maps, wanted = wanted, 2 * wanted
        side, sees, jump = size, sees + layer.dilation * (layer.kernel - 1) * jump, jump * layer.stride
        total += parameters
        stages.append((name, (maps, side, side)))
        rows.append((name, _shape(stages[-1][1]), f"{parameters:,}", f"{sees} by {sees}"))
    inputs, outputs = maps * side * side, values["out_features"]
    total += (inputs + 1) * outputs
    stages += [("flatten", (inputs,)), ("linear", (outputs,))]
    rows.append(("flatten", _shape((inputs,)), "0", "all"))
    rows.append(("linear", _shape((outputs,)), f"{(inputs + 1) * outputs:,}", "all"))
    rows.append(("in all", "", f"{total:,}", ""))
    return Frame(
        formula,
        rf"\text{{in}}={maps}\cdot{side}\cdot{side}={inputs}",
        f"Inputs of the linear layer: {maps} · {side} · {side} = {inputs}.",
        f"A number of the last map sees {sees} by {sees} pixels"
        + (", more than there are." if sees > values["image"] else f" of {values['image']} by {values['image']}."),
        question=Question(
            "How many inputs has the linear layer?", (inputs,), _slips(values["image"], names, maps, side)
        ),
        draw=lambda: picture_of([(name.partition(",")[0], shape) for name, shape in stages]),
        rows=rows,
    )


def _slips(image: int, names: list[str], maps: int, side: int) -> dict[str, tuple[float, ...]]:
    """Return what is easily forgotten about the inputs of the linear layer, with the number that comes of it."""
    kept = cropped = image
    for layer in (LAYERS[name] for name in names):
        kept = sliding(kept, layer.kernel, 1, layer.padding, layer.dilation).size
        cropped = sliding(cropped, layer.kernel, layer.stride, 0, layer.dilation).size
    found = {
        "That leaves out the maps: each of them has rows and columns.": side * side,
        "That has one side of the maps; they have rows and columns.": maps * side,
        "That is the size of the image: the layers make it smaller.": maps * image * image,
        "That counts three colours; after a convolution there are as many channels as maps.": COLOURS * side * side,
        "That leaves out the strides, a pooling's too.": maps * kept * kept,
        "That leaves out the padding.": maps * cropped * cropped,
    }
    return {why: (float(wrong),) for why, wrong in found.items() if wrong != maps * side * side}


def _shape(shape: tuple[int, ...]) -> str:
    """Return a shape as torch writes it, without the batch."""
    return str(tuple(shape))
