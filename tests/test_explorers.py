"""Explorers: what torch says is what they show, whatever the sliders are set to; what is impossible is said in words."""

import base64
import importlib
import random
import re
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_notebook, new_output
from torch import nn

from tutor import explorers
from tutor.explorers import opening
from tutor.explorers.explorer import Explorer
from tutor.explorers.frame import Control, Frame, judge, numbers
from tutor.plots import Picture, PlotError

NAMES = explorers.__all__


def module(name: str) -> Any:
    """Return an explorer's module: its controls, and what it makes of their values."""
    return importlib.import_module(f"tutor.explorers.{name}")


def opened(name: str) -> Explorer:
    """Return an explorer as somebody at JupyterLab gets it."""
    return Explorer(name, module(name).CONTROLS, module(name).exploring)


def anything(control: Control, draw: random.Random) -> Any:
    """Return one of the values that a control can be set to."""
    if isinstance(control.value, bool):
        return draw.random() < 0.5
    if control.options:
        return draw.choice(control.options)
    places = round((control.high - control.low) / control.apart)
    return type(control.value)(control.low + control.apart * draw.randint(0, places))


def settings(name: str, many: int) -> list[dict[str, Any]]:
    """Return settings at random, the same each time."""
    draw = random.Random(name)
    return [{control.name: anything(control, draw) for control in module(name).CONTROLS} for _ in range(many)]


def shown_image(explorer: Explorer) -> bytes:
    """Return the picture that an explorer shows, as a PNG."""
    found = re.search(r"base64,([^\"]+)", explorer.picture.value)
    assert found, explorer.picture.value
    return base64.b64decode(found[1])


def by_torch(name: str, v: Mapping[str, Any]) -> tuple[int, ...]:
    """Return what the explorer asks for, as torch's own layer has it; raises what torch raises."""
    common = {word: v[word] for word in ("kernel_size", "stride", "padding", "dilation") if word in v}
    if name == "convolution":
        common.update(groups=v["groups"], padding_mode=v["padding_mode"])
        layer: nn.Module = nn.Conv2d(v["in_channels"], v["out_channels"], **common)
        return (layer(torch.zeros(1, v["in_channels"], v["n"], v["n"])).shape[-1],)
    if name == "conv_transpose":
        layer = nn.ConvTranspose2d(1, 1, output_padding=v["output_padding"], **common)
    elif v["mode"] == "max":
        layer = nn.MaxPool2d(ceil_mode=v["ceil_mode"], **common)
    elif common.pop("dilation") > 1:
        raise ValueError("average pooling has no dilation")
    else:
        layer = nn.AvgPool2d(ceil_mode=v["ceil_mode"], count_include_pad=v["count_include_pad"], **common)
    return (layer(torch.zeros(1, 1, v["n"], v["n"])).shape[-1],)


@pytest.mark.parametrize("name", ["convolution", "conv_transpose", "pooling"])
def test_sizes_are_torchs_and_what_torch_refuses_is_explained(name: str) -> None:
    refused = 0
    for values in settings(name, 400):
        frame = module(name).exploring(values)
        try:
            right = by_torch(name, values)
            if right == (0,):
                raise ValueError("an output without a number")
        except (RuntimeError, ValueError):
            refused += 1
            assert frame.problem.endswith("."), values
            assert len(frame.problem) < 260
        else:
            assert not frame.problem, (values, frame.problem)
            assert frame.question is not None
            assert frame.question.right == right, values
            assert frame.filled.endswith(f"={right[0]}") and frame.words.endswith(f"= {right[0]}."), values
    assert 20 < refused < 380


def test_a_linear_layer_has_torchs_shapes() -> None:
    for v in settings("linear", 100):
        frame = module("linear").exploring(v)
        images = torch.zeros(v["batch"], v["channels"], v["height"], v["width"])
        flat = images.flatten(v["start_dim"])
        layer = nn.Linear(flat.shape[-1], v["out_features"], bias=v["bias"])
        assert frame.question.right == tuple(layer.weight.shape)
        assert f"Parameters: {sum(p.numel() for p in layer.parameters())}." in frame.words
        assert frame.rows[2][1] == str(tuple(flat.shape)) and frame.rows[-1][1] == str(tuple(layer(flat).shape))
        assert ("mix" in frame.says or "hardly" in frame.says) == (v["start_dim"] == 0)


def test_a_net_has_torchs_shapes_parameters_and_what_it_sees() -> None:
    drawn = 0
    for v in settings("net", 60):
        frame = module("net").exploring(v)
        layers, ins, outs = [], 3, v["maps"]
        for name in (v[f"layer {place}"] for place in range(1, 6)):
            kernel, stride, padding, dilation = module("net").LAYERS[name]
            if name.startswith("conv"):
                layers.append(nn.Conv2d(ins, outs, kernel, stride, padding, dilation))
                ins, outs = outs, 2 * outs
            elif name != "nothing":
                layers.append((nn.MaxPool2d if "max" in name else nn.AvgPool2d)(kernel, stride))
        net = nn.Sequential(*layers)
        image = torch.rand(1, 3, v["image"], v["image"])
        try:
            maps = net(image)
        except RuntimeError:
            assert frame.problem.endswith(".")
            continue
        drawn += 1
        assert frame.question.right == (maps[0].numel(),)
        shapes = [str(tuple(net[: place + 1](image).shape[1:])) for place in range(len(net))]
        assert [row[1] for row in frame.rows[2 : 2 + len(net)]] == shapes
        counted = sum(p.numel() for p in net.parameters()) + (maps[0].numel() + 1) * v["out_features"]
        assert frame.rows[-1][2] == f"{counted:,}"
    assert drawn > 20


def test_what_a_net_sees_is_where_its_gradient_is() -> None:
    v = {control.name: control.value for control in module("net").CONTROLS} | {
        "layer 5": "conv 3, padding 2, dilation 2"
    }
    frame = module("net").exploring(v)
    layers: list[nn.Module] = []
    for name in (v[f"layer {place}"] for place in range(1, 6)):
        kernel, stride, padding, dilation = module("net").LAYERS[name]
        layers.append(
            nn.Conv2d(1, 1, kernel, stride, padding, dilation) if "conv" in name else nn.AvgPool2d(kernel, stride)
        )
    image = torch.rand(1, 1, 64, 64, requires_grad=True)
    maps = nn.Sequential(*layers)(image)
    maps[0, 0, 8, 8].backward()
    rows = image.grad[0, 0].abs().sum(1).nonzero()
    assert f"sees {rows.max() - rows.min() + 1} by " in frame.says


@pytest.mark.parametrize("name", ["neuron", "activation"])
def test_numbers_are_computed_as_torch_does(name: str) -> None:
    for v in settings(name, 60):
        frame = module(name).exploring(v)
        if name == "neuron":
            expected = torch.dot(torch.tensor([v["x1"], v["x2"]]), torch.tensor([v["w1"], v["w2"]])) + v["bias"]
        else:
            options = {"leaky_relu": {"negative_slope": v["parameter"]}, "elu": {"alpha": v["parameter"]}}
            function = getattr(nn.functional, v["function"])
            expected = function(torch.tensor(v["x"]), **options.get(v["function"], {}))
        assert frame.question.right[0] == pytest.approx(float(expected), abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_shows_a_picture_or_a_sentence(name: str) -> None:
    explorer, pictures = opened(name), set()
    for values in settings(name, 7):
        for control, value in values.items():
            if control != "step":
                explorer._updating = True  # together: torch and the pictures are not asked about each on its own
                explorer.controls[control].value = value
        explorer._updating = False
        explorer._update()
        impossible = "Not possible: " in explorer.message.value
        assert impossible == bool(module(name).exploring(values).problem), values
        assert "Traceback" not in explorer.message.value and "Error" not in explorer.message.value
        pictures.add(shown_image(explorer))
    assert len(pictures) > 1


@pytest.mark.parametrize("name", NAMES)
def test_a_slider_changes_the_picture_and_the_formula(name: str) -> None:
    explorer = opened(name)
    before, formula = shown_image(explorer), explorer.formula.value
    slider = explorer.controls[{"neuron": "x1", "activation": "x", "linear": "width", "net": "image"}.get(name, "n")]
    slider.value -= slider.step
    assert shown_image(explorer) != before
    assert explorer.formula.value != formula


def test_what_is_impossible_leaves_the_picture_and_says_what_it_is_of() -> None:
    explorer = opened("convolution")
    before = shown_image(explorer)
    explorer.controls["groups"].value = 2
    assert "Not possible: groups=2 has to divide in_channels=1" in explorer.message.value
    assert shown_image(explorer) == before
    assert "The picture is still that of groups = 1." in explorer.picture.value
    explorer.controls["groups"].value = 1
    assert "Not possible" not in explorer.message.value and "still that of" not in explorer.picture.value


def test_the_room_for_the_picture_never_shrinks() -> None:
    explorer = opened("convolution")
    sizes = []
    for n in (5, 7, 2):
        explorer.controls["n"].value = n
        found = re.search(r"aspect-ratio: (\d+) / (\d+)", explorer.picture.value)
        assert found
        sizes.append((int(found[1]), int(found[2])))
    assert sizes[0][1] < sizes[1][1] and sizes[2] == sizes[1]


def test_steps_go_as_far_as_there_are_any() -> None:
    explorer = opened("convolution")
    step = explorer.controls["step"]
    explorer.controls["n"].value = 7
    assert step.max == 48
    step.value = 48
    assert "output[6, 6]" in explorer.picture.value.lower()
    explorer.controls["n"].value = 1  # with padding 1, one place is left
    assert (step.value, step.disabled) == (0, True)
    assert step.max > step.min, "the slider of the browser can't be drawn without room"


def test_predicting_hides_the_answer_until_it_is_given() -> None:
    explorer = opened("convolution")
    explorer.controls["dilation"].value = 2
    explorer.predict.value = True
    assert "<img" not in explorer.picture.value and "3" not in explorer.formula.value.split("<div>")[2]
    assert explorer.question.value == "How many rows (and columns) has the output?"
    explorer.prediction.value = "many"
    assert "in digits" in explorer.message.value and "<img" not in explorer.picture.value
    explorer.prediction.value = "5"
    assert "You said 5; it is 3." in explorer.message.value
    assert "takes the kernel as k cells long" in explorer.message.value
    assert "<img" in explorer.picture.value
    explorer.controls["step"].value += 1
    assert "You said 5" in explorer.message.value, "the step is not part of the question"
    explorer.controls["dilation"].value = 1
    assert "<img" not in explorer.picture.value and explorer.prediction.value == ""
    explorer.prediction.value = "5 x 5"
    assert "✓ Right: it is 5." in explorer.message.value
    explorer.predict.value = False
    assert "Right" not in explorer.message.value and "<img" in explorer.picture.value


@pytest.mark.parametrize(
    ("name", "setting", "said", "named"),
    [
        ("convolution", {"n": 6, "padding": 1, "stride": 2, "kernel_size": 2}, "3", "leaves out the padding"),
        ("convolution", {"n": 6, "padding": 1, "stride": 2, "kernel_size": 3}, "4", "rounds up"),
        ("convolution", {"n": 7, "padding": 0, "kernel_size": 3}, "4", "forgets the + 1"),
        ("convolution", {"n": 8, "padding": 0, "stride": 3, "kernel_size": 2}, "7", "stride 1"),
        ("conv_transpose", {"n": 3, "stride": 3, "output_padding": 1, "padding": 1}, "7", "forgets the + 1"),
        ("conv_transpose", {"n": 3, "stride": 3, "output_padding": 2, "padding": 1}, "7", "leaves out output_padding"),
        ("conv_transpose", {"n": 3, "stride": 3, "padding": 1}, "10", "n·s"),
        ("pooling", {"n": 5, "padding": 0, "ceil_mode": True}, "2", "ceil_mode rounds up"),
        ("pooling", {"n": 5, "padding": 1, "ceil_mode": True}, "4", "the last window has to begin"),
        ("linear", {"out_features": 10}, "3072, 10", "other way round"),
        ("linear", {"out_features": 10}, "10 1024", "leaves out the channels"),
        ("linear", {"out_features": 10, "batch": 4}, "10 12288", "counts the whole batch"),
        ("net", {"image": 32}, "64", "leaves out the maps"),
        ("neuron", {}, "1", "leaves out the bias"),
        ("activation", {"function": "relu", "x": 2.0}, "1", "That is the gradient"),
    ],
)
def test_what_was_forgotten_is_named(name: str, setting: dict[str, Any], said: str, named: str) -> None:
    values = {control.name: control.value for control in module(name).CONTROLS} | setting
    question = module(name).exploring(values).question
    right, sentence = judge(question, numbers(said))
    assert not right
    assert named in sentence
    assert judge(question, question.right)[0]


def test_nothing_is_named_that_does_not_fit() -> None:
    question = module("pooling").exploring(settings("pooling", 1)[0] | {"n": 5, "padding": 0, "dilation": 1}).question
    assert judge(question, (77.0,))[1].endswith(
        "None of the usual slips gives that: compare with the formula, term by term."
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_control_has_a_name_that_fits_and_a_tooltip(name: str) -> None:
    explorer = opened(name)
    for control in explorer.controls.values():
        assert 0 < len(control.description) <= 17
        assert control.tooltip.endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_a_program_gets_the_same_picture_each_time(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "someone_watches", lambda: False)
    first, second = getattr(explorers, name)(), getattr(explorers, name)()
    assert isinstance(first, Picture)
    assert first.alt == second.alt and first.png() == second.png()
    frame = module(name).exploring({control.name: control.value for control in module(name).CONTROLS})
    assert first.alt.startswith(frame.words)
    assert len(first.alt) > len(frame.words) + 40


def test_widgets_come_with_a_picture_for_where_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "someone_watches", lambda: True)
    explorer = explorers.pooling()
    assert isinstance(explorer, Explorer)
    bundle = explorer._repr_mimebundle_()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.widget.model_id
    assert "<img" in bundle["text/html"]
    assert bundle["text/plain"] == repr(explorer)
    assert repr(explorer).startswith("Pooling. Output size: ")
    notebook = new_notebook(cells=[new_code_cell("", outputs=[new_output("display_data", data=bundle)])])
    page, _ = HTMLExporter().from_notebook_node(notebook)
    assert base64.b64encode(shown_image(explorer)).decode() in page, "what is printed is a bare widget"
    monkeypatch.setattr(opening, "find_spec", lambda name: None)
    assert isinstance(explorers.pooling(), Picture)


def test_a_frame_without_a_picture_says_why() -> None:
    with pytest.raises(PlotError, match=r"^Too small\.$"):
        Frame("m", problem="Too small.").picture()
