"""Layers at work, step by step: the numbers are torch's, and what a step looks at gives what it computes."""

import base64
import inspect
import io
import random
import re
from html.parser import HTMLParser

import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from tutor import plots
from tutor.plots import PlotError, animation, scenes
from tutor.plots.scene import Kind, Scene

MANY = range(30)  # sets of arguments drawn at random for each layer


def integers(dice: random.Random, *shape: int) -> Tensor:
    """Return whole numbers, whose sums are exact in any order."""
    return torch.tensor([float(dice.randint(-4, 5)) for _ in range(torch.Size(shape).numel())]).double().view(shape)


def fitting(seed: int, build) -> tuple[tuple, dict, Scene]:
    """Return the first random arguments that fit, and their scene."""
    dice = random.Random(seed)
    for _ in range(200):
        arguments, options = build(dice)
        try:
            return arguments, options, getattr(scenes, build.__name__)(*arguments, **options)
        except PlotError:
            continue
    raise AssertionError("no arguments fit")


def pair(dice: random.Random, low: int, high: int) -> int | tuple[int, int]:
    return dice.choice((dice.randint(low, high), (dice.randint(low, high), dice.randint(low, high))))


def convolution(dice):
    groups, per, out = dice.choice((1, 1, 2)), dice.randint(1, 2), dice.randint(1, 2)
    modes = ("zeros", "zeros", "reflect", "replicate", "circular")
    options = {"stride": pair(dice, 1, 3), "dilation": pair(dice, 1, 2), "padding_mode": dice.choice(modes)}
    options |= {"padding": dice.choice((pair(dice, 0, 2), "same", "valid")), "groups": groups}
    kernel = (dice.randint(1, 3), dice.randint(1, 3))
    input = integers(dice, groups * per, dice.randint(2, 6), dice.randint(2, 6))
    return (input, integers(dice, groups * out, per, *kernel)), options


def conv_transpose(dice):
    groups, per, out = dice.choice((1, 1, 2)), dice.randint(1, 2), dice.randint(1, 2)
    options = {"stride": pair(dice, 1, 3), "dilation": pair(dice, 1, 2), "padding": pair(dice, 0, 3)}
    options |= {"output_padding": pair(dice, 0, 2), "groups": groups, "view": dice.choice(("scatter", "zeros"))}
    kernel = (dice.randint(1, 3), dice.randint(1, 3))
    input = integers(dice, groups * per, dice.randint(1, 4), dice.randint(1, 4))
    return (input, integers(dice, groups * per, out, *kernel)), options


def pooling(dice):
    mode = dice.choice(("max", "average"))
    options = {"stride": dice.choice((None, pair(dice, 1, 3))), "padding": pair(dice, 0, 1), "mode": mode}
    options |= {"ceil_mode": dice.random() < 0.5, "count_include_pad": dice.random() < 0.5}
    options["dilation"] = pair(dice, 1, 2) if mode == "max" else 1
    input = integers(dice, dice.randint(1, 2), dice.randint(2, 7), dice.randint(2, 7))
    return (input, pair(dice, 1, 3)), options


def pooled(input: Tensor, kernel: object, options: dict) -> Tensor:
    """Return torch's pooling."""
    stride, padding, ceil_mode = (options[name] for name in ("stride", "padding", "ceil_mode"))
    if options["mode"] == "max":
        return F.max_pool2d(input[None], kernel, stride, padding, options["dilation"], ceil_mode)[0]
    return F.avg_pool2d(input[None], kernel, stride, padding, ceil_mode, options["count_include_pad"])[0]


def convolved(input: Tensor, weight: Tensor, options: dict) -> Tensor:
    """Return torch's convolution, through the module, which knows the modes of padding."""
    (out, _, *kernel), channels = weight.shape, input.shape[0]
    layer = torch.nn.Conv2d(channels, out, kernel, bias=False, dtype=torch.float64, **options)
    layer.weight = torch.nn.Parameter(weight)
    return layer(input[None])[0].detach()


def cells(scene: Scene, step: int, role: str) -> list[tuple[int, list[float]]]:
    """Return for each mark of a role its grid and the numbers in its cells when the step is done."""
    marks = [mark for mark in scene.at(step).marks if mark.role == role]
    return [(mark.grid, [float(scene.grids[mark.grid].at(step)[cell]) for cell in mark.cells]) for mark in marks]


def last(scene: Scene, channels: int, kept: tuple[Kind, ...] = (Kind.DATA, Kind.EXTRA)) -> Tensor:
    """Return what stands in the last column when all is done, without what is cut off."""
    grids = scene.grids[-channels:]
    found = []
    for grid in grids:
        keep = torch.isin(grid.kinds, torch.tensor([int(kind) for kind in kept], dtype=torch.int8))
        rows, columns = keep.any(1), keep.any(0)
        found.append(grid.at(scene.steps - 1)[rows][:, columns])
    return torch.stack(found)


def gathers(scene: Scene) -> None:
    """Check that each step's sum of products is the number that it writes, and that nothing else is written."""
    for step in range(scene.steps):
        seen, used, [(grid, [result])] = (cells(scene, step, role) for role in ("looked", "used", "result"))
        assert (
            sum(a * b for (_, x), (_, w) in zip(seen, used, strict=True) for a, b in zip(x, w, strict=True)) == result
        )
        before = scene.grids[grid].at(step - 1) if step else torch.full(scene.grids[grid].shape, torch.nan)
        assert int((before.isnan() != scene.grids[grid].at(step).isnan()).sum()) == 1


def scatters(scene: Scene) -> None:
    """Check that each step adds its number times the kernel to what was there."""
    for step in range(scene.steps):
        [(_, [value])], used = cells(scene, step, "looked"), cells(scene, step, "used")
        marks = [mark for mark in scene.at(step).marks if mark.role == "result"]
        for mark, (_, kernel) in zip(marks, used, strict=True):
            grid = scene.grids[mark.grid]
            before = grid.at(step - 1).nan_to_num(0.0) if step else torch.zeros(grid.shape).double()
            for cell, weight in zip(mark.cells, kernel, strict=True):
                before[cell] += value * weight
            assert torch.equal(before, grid.at(step).nan_to_num(0.0))


@pytest.mark.parametrize("seed", MANY)
def test_a_convolution_is_torchs_and_each_step_is_its_sum(seed):
    (input, weight), options, scene = fitting(seed, convolution)
    expected = convolved(input, weight, options)
    assert torch.equal(scene.output, expected) and torch.equal(last(scene, len(weight)), expected)
    gathers(scene)


@pytest.mark.parametrize("seed", MANY)
def test_a_transpose_convolution_is_torchs_in_both_views(seed):
    (input, weight), options, scene = fitting(seed, conv_transpose)
    view = options.pop("view")
    expected = F.conv_transpose2d(input[None], weight, **options)[0]
    assert torch.equal(scene.output, expected) and torch.equal(last(scene, len(expected)), expected)
    (scatters if view == "scatter" else gathers)(scene)


@pytest.mark.parametrize("seed", MANY)
def test_a_pooling_is_torchs_and_each_step_its_window(seed):
    (input, kernel), options, scene = fitting(seed, pooling)
    expected = pooled(input, kernel, options)
    assert torch.equal(scene.output, expected) and torch.equal(last(scene, len(input)), expected)
    for step in range(scene.steps):
        [(grid, seen)], [(_, [result])] = (cells(scene, step, role) for role in ("looked", "result"))
        there = [value for value in seen if value == value]
        if options["mode"] == "max":
            assert max(there) == result and cells(scene, step, "chosen")[0][1] == [result]
        else:
            [mark] = [mark for mark in scene.at(step).marks if mark.role == "looked"]
            padding = sum(int(scene.grids[grid].kinds[cell]) == Kind.PADDING for cell in mark.cells)
            number = len(there) - (0 if options["count_include_pad"] else padding)
            assert sum(there) / number == pytest.approx(result)
            assert eval(scene.at(step).words.partition(" = ")[0]) == pytest.approx(result)


@pytest.mark.parametrize("seed", MANY)
def test_unpooling_puts_each_number_where_torch_does(seed):
    dice = random.Random(seed)
    channels, high, wide = dice.randint(1, 2), dice.randint(2, 7), dice.randint(2, 7)
    input = torch.arange(1.0, channels * high * wide + 1).double().view(channels, high, wide)
    input, size = input[:, torch.randperm(high)], dice.randint(1, 2)
    found, indices = F.max_pool2d(input[None], size, stride=2, return_indices=True)
    expected = F.max_unpool2d(found, indices, size, stride=2, output_size=(high, wide))[0]
    scene = scenes.unpooling(found[0], indices[0], size, stride=2, output_size=(high, wide))
    assert torch.equal(scene.output, expected) and torch.equal(last(scene, channels), expected)
    for step in range(scene.steps):
        [(_, value), (_, [index])], [(_, result)] = cells(scene, step, "looked"), cells(scene, step, "result")
        assert value == result
        [to] = next(mark.cells for mark in scene.at(step).marks if mark.role == "result")
        assert to[0] * wide + to[1] == index


@pytest.mark.parametrize("of", ["input", "weight"])
@pytest.mark.parametrize("seed", MANY[:12])
def test_what_flows_back_through_a_convolution_is_autograds(seed, of):
    (input, weight), options, forward = fitting(seed, convolution)
    padding = options["padding"] if not isinstance(options["padding"], str) else 0
    options = {name: options[name] for name in ("stride", "dilation", "groups")} | {"padding": padding}
    try:
        forward = scenes.convolution(input, weight, **options)
    except PlotError:
        input = torch.nn.functional.pad(
            input, (2, 2, 2, 2)
        )  # room for the kernel without the padding that was left out
        forward = scenes.convolution(input, weight, **options)
    upstream = integers(random.Random(seed), *forward.output.shape)
    leaves = {"input": input.clone().requires_grad_(), "weight": weight.clone().requires_grad_()}
    F.conv2d(leaves["input"][None], leaves["weight"], **options)[0].backward(upstream)
    scene = scenes.convolution_backward(upstream, input, weight, **options, of=of)
    expected = leaves[of].grad
    assert torch.equal(scene.output, expected)
    assert torch.equal(last(scene, len(expected.flatten(0, -3))), expected.flatten(0, -3))
    (scatters if of == "input" else gathers)(scene)


@pytest.mark.parametrize("seed", MANY)
def test_what_flows_back_through_a_pooling_is_autograds(seed):
    (input, kernel), options, forward = fitting(seed, pooling)
    upstream = integers(random.Random(seed), *forward.output.shape)
    leaf = input.clone().requires_grad_()
    pooled(leaf, kernel, options).backward(upstream)
    scene = scenes.pooling_backward(upstream, input, kernel, **options)
    assert torch.allclose(scene.output, leaf.grad) and torch.allclose(last(scene, len(input)), leaf.grad)


SQUARE, THREE = torch.arange(25.0).view(5, 5), torch.ones(3, 3)
POOLED, INDICES = F.max_pool2d(SQUARE[None, None], 2, return_indices=True)


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (
            lambda: scenes.convolution(SQUARE, THREE, dilation=3),
            "A kernel of 3 by 3 with dilation 3 spans 7 rows, which doesn't",
        ),
        (
            lambda: scenes.convolution(SQUARE, THREE, padding="same", stride=2),
            "padding='same' keeps the size .* stride is 2",
        ),
        (lambda: scenes.convolution(SQUARE, THREE, padding="full"), "padding='full' is unknown"),
        (
            lambda: scenes.convolution(SQUARE, torch.ones(2, 2, 3, 3)),
            "input has 1 channel, .* each kernel needs 1; .* has 2",
        ),
        (
            lambda: scenes.convolution(torch.ones(3, 5, 5), torch.ones(2, 1, 3, 3), groups=2),
            "groups=2 doesn't divide the 3 input",
        ),
        (lambda: scenes.convolution(SQUARE * torch.nan, THREE), "The input holds NaN"),
        (
            lambda: scenes.convolution(SQUARE, THREE, padding=6, padding_mode="circular"),
            "Padding 6 .circular. doesn't fit",
        ),
        (
            lambda: scenes.conv_transpose(SQUARE, THREE, output_padding=1),
            "output_padding=1 is too much: .* the stride .1.",
        ),
        (lambda: scenes.conv_transpose(SQUARE[:1], THREE, padding=2), "Nothing is left of the output: it has 3 rows"),
        (lambda: scenes.conv_transpose(torch.ones(2, 5, 5), THREE), "input has 2 channels and the weight .* is for 1"),
        (lambda: scenes.conv_transpose(SQUARE, THREE, view="matrix"), "view='matrix' is unknown"),
        (lambda: scenes.pooling(SQUARE, 3, padding=2), "padding is at most half of the window, here 1"),
        (lambda: scenes.pooling(SQUARE, 2, dilation=2, mode="average"), "dilation=2 is for max pooling only"),
        (lambda: scenes.pooling(SQUARE, (2, 6)), "A window of 2 by 6 spans 6 columns"),
        (lambda: scenes.unpooling(POOLED[0], INDICES[0].float(), 2), r"have to be whole numbers \(int64\)"),
        (lambda: scenes.unpooling(POOLED[0], INDICES[0], 2), "Index 18 is outside the output, whose 4 by 4 places"),
        (
            lambda: scenes.unpooling(POOLED[0], INDICES[0], 2, output_size=(9, 5)),
            "with stride 2, only 3 to 5 rows are pooled to 2",
        ),
        (
            lambda: scenes.convolution_backward(SQUARE, SQUARE, THREE),
            "the output's shape: 3 by 3, and this one is 5 by 5",
        ),
        (lambda: scenes.pooling_backward(SQUARE, SQUARE, 2), "the output's shape: 2 by 2, and this one is 5 by 5"),
        (lambda: scenes.convolution(SQUARE, THREE).draw(9), "no step 9: this convolution has steps 0 to 8"),
        (lambda: scenes.convolution(SQUARE, THREE).film(range(9)), "1 to 8 steps, not 9"),
        (lambda: scenes.convolution(torch.ones(20, 20), THREE).animation(), "1 to 100 steps, not 324"),
        (lambda: scenes.convolution(torch.ones(200, 200), THREE).draw(), "too many cells to be told apart"),
    ],
)
def test_arguments_that_do_not_fit_are_explained_in_a_sentence(build, said):
    with pytest.raises(PlotError, match=said) as caught:
        build()
    assert "\n" not in str(caught.value)


class Outline(HTMLParser):
    """Collects a page's tags with their attributes, and which are left open."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("img", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def played():
    return plots.convolution_animation(SQUARE, THREE, padding=1, stride=2)


def test_a_person_gets_a_player_that_needs_nothing_from_outside(played, monkeypatch):
    monkeypatch.setattr(animation, "someone_watches", lambda: True)
    bundle, _ = played._repr_mimebundle_()
    page, outline = bundle["text/html"], Outline(bundle["text/html"])
    assert outline.open == [] and set(bundle) == {"text/html", "text/plain"}
    whole, change = outline.all("img")
    assert whole["alt"].startswith("A convolution. Input (padding 1 included)") and change["alt"] == ""
    assert "Output[0, 0]: the window is on rows 0 to 2" in whole["alt"]
    [slider] = outline.all("input")
    assert slider["aria-label"] == "Step" and slider["max"] == "9"
    assert [button["class"] for button in outline.all("button")] == ["previous", "play", "next"]
    assert all("data-lm-suppress-shortcuts" in control for control in [slider, *outline.all("button")]), "keys for Lab"
    assert not re.findall(r"https?://", page), "nothing is loaded from a network"
    assert len(re.findall("data:image/png;base64,", page)) == 1 + 1 + 9
    assert Outline(played.player()).tags[0][1]["id"] != outline.tags[0][1]["id"], "two in one notebook"


def test_the_players_frames_are_the_pictures_of_the_steps(played):
    sources = re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]*)", played.player())
    ground, *changes = [Image.open(io.BytesIO(base64.b64decode(source))).convert("RGBA") for source in sources]
    assert len({image.size for image in (ground, *changes)}) == 1, "nothing jumps"
    for place, change in enumerate(changes[1:]):  # the first stands in the page twice
        made = Image.alpha_composite(ground, change).convert("RGB")
        assert made.tobytes() == played.draw(place).flat().convert("RGB").tobytes()


def test_a_program_gets_a_filmstrip_and_words(played, monkeypatch):
    monkeypatch.setattr(animation, "someone_watches", lambda: False)
    bundle, metadata = played._repr_mimebundle_()
    assert set(bundle) == {"image/png", "text/plain"}
    assert bundle["text/plain"] == repr(played) == metadata["image/png"]["alt"]
    assert (
        repr(played).startswith("An animation of 9 steps. A convolution. Input") and repr(played).count("Output[") == 9
    )


def test_a_gif_has_a_frame_for_each_step(played, tmp_path):
    played.save(tmp_path / "steps.gif")
    with Image.open(tmp_path / "steps.gif") as gif:
        assert gif.n_frames == len(played) == 9
        assert gif.info["loop"] == 0 and gif.info["duration"] == 1000
    with pytest.raises(PlotError, match=r"'steps.mp4' doesn't end in \.gif"):
        played.save("steps.mp4")


def test_all_steps_have_one_size_and_large_grids_no_numbers(monkeypatch):
    scene = scenes.convolution(torch.arange(49.0).view(7, 7) / 3, -THREE / 7, padding=1)
    assert len({tuple(scene.draw(step).get_size_inches()) for step in range(scene.steps)}) == 1
    written = []
    draw = plots.cells.glyphs
    monkeypatch.setattr(plots.cells, "glyphs", lambda *number: (written.append(number), draw(*number))[1])
    scenes.convolution(torch.ones(28, 28), THREE).draw(3)
    assert not written
    scenes.convolution(SQUARE, THREE).draw(numbers=False)
    assert not written
    scenes.convolution(SQUARE, THREE).draw()
    assert written


NAMES = ("convolution", "conv_transpose", "pooling", "unpooling", "convolution_backward", "pooling_backward")


@pytest.mark.parametrize("name", NAMES)
def test_each_layer_is_seen_in_three_ways_with_the_layers_own_arguments(name):
    build = inspect.signature(getattr(scenes, name)).parameters
    for suffix, own in (("", "step"), ("_steps", "steps"), ("_animation", "steps")):
        view = getattr(plots, name + suffix)
        assert view.__name__ == name + suffix and view.__doc__.startswith(("Draw ", "Play "))
        assert set(inspect.signature(view).parameters) == {*build, own}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_cut_off_and_letters_can_be_read(name):
    arguments = {
        "unpooling": lambda: (POOLED[0, 0], INDICES[0, 0], 2, (5, 5)),
        "convolution_backward": lambda: (THREE, SQUARE, THREE),
        "pooling_backward": lambda: (torch.ones(2, 2), SQUARE, 2),
        "pooling": lambda: (SQUARE, 2),
    }.get(name, lambda: (SQUARE, THREE))()
    options = {"output_size": (5, 5)} if name == "unpooling" else {}
    scene = getattr(scenes, name)(*arguments[:3], **options)
    for picture in (scene.draw(), scene.film()):
        pixels = torch.tensor(list(picture.flat().convert("L").tobytes())).view(*reversed(picture.flat().size))
        for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]):
            assert bool((edge == 255).all())
        assert picture.get_figwidth() <= plots.figure.WIDTH + 0.01
        assert min(text.get_fontsize() for panel in picture.axes for text in panel.texts) >= 9
