"""The figures: what they draw, what they say in words, and how a notebook gets both."""

import base64
import io
import re
import subprocess
import sys
from collections.abc import Callable

import matplotlib
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from matplotlib.colors import to_rgb
from PIL import Image
from torch import Tensor

from tutor import plots
from tutor.plots import Picture, PlotError
from tutor.plots.figure import COLOURS

PHOTOS = torch.linspace(0, 1, 4 * 3 * 6 * 6).view(4, 3, 6, 6)
FIGURES: dict[str, Callable[[], Picture]] = {
    "activations": lambda: plots.activations({"ReLU": F.relu, "Tanh": torch.tanh}),
    "gradient_by_depth": lambda: plots.gradient_by_depth({"Sigmoid": [1e-6, 1e-3, 1.0], "ReLU": [1.0, 1.0, 1.0]}),
    "histograms": lambda: plots.histograms({"input": torch.linspace(-2, 2, 9), "ReLU": torch.tensor([0.0, 0.0, 1.0])}),
    "images": lambda: plots.images(PHOTOS, titles=["cat", "ship", "frog", "dog"]),
    "before_after": lambda: plots.before_after(PHOTOS, torch.sigmoid(PHOTOS), titles=("before", "after the sigmoid")),
}
WORDS = {
    "activations": "2 panels, inputs from -4 to 4: ReLU goes from 0 to 4, its slope from 0 to 1; "
    "Tanh goes from -1 to 1, its slope from 0 to 1.",
    "gradient_by_depth": "Gradient norm by layer: Sigmoid from 1e-06 at layer 1 to 1 at layer 3; "
    "ReLU from 1 at layer 1 to 1 at layer 3.",
    "histograms": "2 histograms: input from -2 to 2, mean 0, 11 % exactly 0; "
    "ReLU from 0 to 1, mean 0.33, 67 % exactly 0.",
    "images": "4 pictures of 6 by 6 pixels: cat, ship, frog, dog.",
    "before_after": "4 pictures in two rows: before (values 0.00 to 1.00) and below, "
    "after the sigmoid (values 0.50 to 0.73).",
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_says_what_it_shows(name: str) -> None:
    figure = FIGURES[name]()
    assert figure.alt == WORDS[name] == repr(figure) == str(figure)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_opaque_legible_and_the_same_each_time(name: str) -> None:
    figure = FIGURES[name]()
    with Image.open(io.BytesIO(figure.png())) as image:
        pixels = np.asarray(image.convert("RGBA"))
        assert image.width == 200 * figure.get_figwidth()
    assert figure.get_figwidth() <= 8
    assert pixels[..., 3].min() == 255 and (pixels[0, 0] == 255).all(), "an opaque white background"
    sizes = [text.get_fontsize() for text in figure.findobj(matplotlib.text.Text) if text.get_text()]
    assert min(sizes) >= 9, "in a notebook, smaller letters can't be read"
    assert FIGURES[name]().png() == figure.png()


def test_nothing_is_kept_shown_or_changed_for_other_figures() -> None:
    code = """
import sys, matplotlib, torch
from tutor import plots
settings = lambda: {k: matplotlib.rcParams[k] for k in matplotlib.rcParams if k != "backend"}  # which loads pyplot
before = settings()
plots.images(torch.rand(2, 3, 4, 4)).png()
assert settings() == before, "rcParams changed"
assert "matplotlib.pyplot" not in sys.modules, "pyplot keeps figures"
assert not [name for name in sys.modules if name.startswith("tensorboard")], "plots needs no TensorBoard"
"""
    done = subprocess.run([sys.executable, "-W", "error::UserWarning", "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_style_of_ones_own_figures_does_not_matter() -> None:
    plain = FIGURES["gradient_by_depth"]().png()
    dark = {"figure.facecolor": "black", "savefig.facecolor": "black", "font.size": 30, "lines.linewidth": 9}
    with matplotlib.rc_context(dark):
        assert FIGURES["gradient_by_depth"]().png() == plain


def test_a_program_gets_a_png_with_alt_text_and_a_person_html(monkeypatch: pytest.MonkeyPatch) -> None:
    figure = plots.images(PHOTOS, titles=['"a"', "<b>", "c", "d"])
    monkeypatch.setattr("tutor.plots.figure.someone_watches", lambda: False)
    bundle, metadata = figure._repr_mimebundle_()
    assert set(bundle) == {"image/png", "text/plain"} and bundle["text/plain"] == figure.alt
    assert base64.b64decode(bundle["image/png"]) == figure.png()
    assert metadata == {"image/png": {"alt": figure.alt, "width": 640}}
    monkeypatch.setattr("tutor.plots.figure.someone_watches", lambda: True)
    bundle, metadata = figure._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"} and metadata == {}
    assert 'alt="4 pictures of 6 by 6 pixels: &quot;a&quot;, &lt;b&gt;, c, d."' in bundle["text/html"]
    [source] = re.findall(r'src="data:image/png;base64,([^"]*)"', bundle["text/html"])
    assert base64.b64decode(source) == figure.png()


def test_lines_differ_in_more_than_colour() -> None:
    panel = plots.gradient_by_depth({str(i): [1.0, i + 1.0] for i in range(6)}).axes[0]
    drawn = [(str(line.get_linestyle()), line._unscaled_dash_pattern, line.get_marker()) for line in panel.get_lines()]
    assert len({marker for *_, marker in drawn}) == 6
    assert len({(style, str(dashes)) for style, dashes, _ in drawn}) == 6
    curve, slope = plots.activations({"Tanh": torch.tanh}).axes[0].get_lines()[-2:]
    assert curve.get_linestyle() != slope.get_linestyle()


def test_colours_stand_out_from_white() -> None:
    def luminance(colour: str) -> float:  # WCAG 2.1, relative luminance
        r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour))
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    contrast = {colour: 1.05 / (luminance(colour) + 0.05) for colour in COLOURS}
    assert len(contrast) == 7 and min(contrast.values()) > 2, contrast
    assert min(contrast[colour] for colour in COLOURS[:3]) >= 3, (
        "WCAG asks 3:1 of graphics; most figures need no more than 3"
    )


def test_activations_draws_the_function_and_autograds_slope() -> None:
    panel = plots.activations({"Leaky ReLU": lambda x: F.leaky_relu(x, 0.1)}, low=-2, high=2).axes[0]
    curve, slope = panel.get_lines()[-2:]
    x, y = curve.get_data()
    assert (x[0], x[-1]) == (-2, 2)
    assert np.allclose(y, np.where(x > 0, x, 0.1 * x))
    at, value = slope.get_data()
    assert np.allclose(value[at < -0.01], 0.1) and np.allclose(value[at > 0.01], 1)
    assert np.isnan(value).sum() == 1, "one gap, at the kink"
    assert panel.get_title() == "Leaky ReLU"


def test_a_steep_slope_is_no_jump() -> None:
    _, slope = plots.activations({"steep": lambda x: torch.sigmoid(8 * x)}).axes[0].get_lines()[-2:]
    assert not np.isnan(slope.get_ydata()).any()


def test_norms_of_zero_are_marked() -> None:
    figure = plots.gradient_by_depth({"dead": torch.tensor([0.0, 0.0, 1e-3])})
    line, crosses = figure.axes[0].get_lines()
    assert np.isnan(line.get_ydata()).tolist() == [True, True, False]
    assert crosses.get_xdata().tolist() == [1, 2] and crosses.get_label() == "dead: exactly 0"
    assert figure.alt == "Gradient norm by layer: dead from 0 at layer 1 to 0.001 at layer 3."
    assert plots.gradient_by_depth({"all": [0.0, 0.0]}).png()
    assert figure.axes[0].get_yscale() == "log"


def test_softmax_draws_logits_powers_and_shares() -> None:
    logits = torch.tensor([2.0, 1.0, -1.0], dtype=torch.float64)
    figure = plots.softmax(logits, ["cat", "dog", "ship"])
    widths = [[bar.get_width() for bar in panel.patches] for panel in figure.axes]
    assert np.allclose(widths, [logits, logits.exp(), logits.softmax(0)])
    assert "cat: 2, 7.39, 70.5%; dog: 1, 2.72, 25.9%; ship: -1, 0.368, 3.5%." in figure.alt


def test_histograms_count_all_values_over_one_range() -> None:
    figure = plots.histograms({"a": torch.randn(500), "b": torch.full((40, 5), 2.0), "c": torch.zeros(1)}, bins=20)
    steps = [panel.patches[0].get_data() for panel in figure.axes]
    assert [round(float(values.sum()), 6) for values, *_ in steps] == [100, 100, 100]
    assert all(np.array_equal(edges, steps[0].edges) for _, edges, _ in steps)
    assert plots.histograms({"constant": torch.ones(3)}).alt == "One histogram: constant from 1 to 1, mean 1."


def test_images_are_drawn_pixel_by_pixel() -> None:
    photos = torch.rand(3, 3, 5, 7)
    figure = plots.images(photos)
    for panel, photo in zip(figure.axes, photos, strict=True):
        [image] = panel.get_images()
        assert np.allclose(image.get_array(), photo.permute(1, 2, 0))
    grey = plots.images((photos[:, :1] * 255).byte().numpy()).axes[0].get_images()[0]
    assert np.allclose(grey.get_array(), (photos[0, 0] * 255).byte() / 255)
    assert (grey.norm.vmin, grey.norm.vmax, grey.get_cmap().name) == (0, 1, "gray")


def test_limits_say_which_values_are_black_and_white() -> None:
    centred = PHOTOS - 0.5
    figure = plots.before_after(centred, F.relu(centred), limits=(-0.5, 0.5), after_limits=(0, 0.5))
    before, after = (figure.axes[place].get_images()[0].get_array() for place in (0, 4))
    assert np.allclose(before, PHOTOS[0].permute(1, 2, 0), atol=1e-6)
    assert np.allclose(after, (F.relu(centred[0]) * 2).permute(1, 2, 0), atol=1e-6)


@pytest.mark.parametrize(
    ("draw", "sentence"),
    [
        (lambda: plots.activations({}), r"activations draws a dict of functions, .* it got an empty one"),
        (lambda: plots.activations(F.relu), "activations draws a dict of functions, .* it got function"),
        (lambda: plots.activations({"x": torch.sum}), r"'x' should turn a tensor of shape \(801,\) .* it gave \(\)"),
        (lambda: plots.activations({"x": lambda x: None}), "'x' should turn a tensor .* it gave NoneType"),
        (
            lambda: plots.activations({"x": lambda x: F.relu(x.detach())}),
            "'x' has no gradient: compute with torch alone",
        ),
        (lambda: plots.activations({"x": F.relu}, low=1, high=1), "low=1 is not less than high=1"),
        (
            lambda: plots.gradient_by_depth({"x": [1.0, -1.0]}),
            "'x' has the norm -1 at layer 2; a norm is finite and not",
        ),
        (lambda: plots.gradient_by_depth({"x": [float("nan")]}), "'x' has the norm nan at layer 1"),
        (lambda: plots.gradient_by_depth({"x": []}), "'x' is empty, so there is nothing to draw"),
        (lambda: plots.gradient_by_depth({"x": ["a"]}), "'x' is no list or tensor of numbers but list"),
        (lambda: plots.softmax(torch.ones(3), ["cat"]), "3 logits and 1 names; .* one name for each"),
        (
            lambda: plots.softmax(torch.tensor([0.0, 1e3])),
            "e to the power of 1000 is too large .* largest logit from all",
        ),
        (lambda: plots.histograms({"x": torch.tensor([torch.inf])}), "'x' has NaN or infinite values"),
        (lambda: plots.images(PHOTOS[0]), r"The batch has shape \(3, 6, 6\), so it is one image; .*unsqueeze\(0\)"),
        (lambda: plots.images(torch.rand(2, 6, 4, 4)), r"The batch has shape \(2, 6, 4, 4\); images have the shape"),
        (lambda: plots.images("cat.png"), "The batch is of type str; give a tensor"),
        (lambda: plots.images(PHOTOS[:0]), "so there is nothing in it to draw"),
        (lambda: plots.images(torch.rand(101, 3, 2, 2)), r"has 101 images; draw up to 100, such as batch\[:100\]"),
        (lambda: plots.images(PHOTOS, titles=["a"]), "There are 4 images and 1 titles; give one title for each"),
        (lambda: plots.images(PHOTOS, columns=0), "columns=0 leaves no room"),
        (lambda: plots.images(PHOTOS * 2), r"has values from 0 to 2, outside limits=\(0, 1\); give limits that hold"),
        (lambda: plots.images(PHOTOS, limits=(1, 0)), r"limits=\(1, 0\) is no pair of a lower and a higher value"),
        (lambda: plots.images(PHOTOS * torch.nan), "The batch has values from nan to nan, outside limits"),
        (
            lambda: plots.before_after(PHOTOS, PHOTOS[:2]),
            "There are 4 images before and 2 after; each needs its partner",
        ),
        (lambda: plots.before_after(*[PHOTOS.repeat(3, 1, 1, 1)] * 2), "12 images are too many for one row"),
        (lambda: plots.before_after(PHOTOS, PHOTOS - 1), "After has values from -1 to 0, outside limits"),
    ],
)
def test_what_can_not_be_drawn_is_told_in_a_sentence(draw: Callable[[], Tensor], sentence: str) -> None:
    with pytest.raises(PlotError, match=sentence):
        draw()
