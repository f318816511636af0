"""Figures of convolutions: the numbers in their cells, kernels, feature maps, and whose pixels are where."""

import io

import matplotlib.image
import pytest
import torch
import torch.nn.functional as F

from tutor import plots
from tutor.plots import Picture, PlotError, cells

NINE = torch.arange(1.0, 10).view(3, 3)
FOUR = torch.tensor([[1.0, 2.0], [3.0, 4.0]])


def words(picture: Picture) -> list[str]:
    """Return all texts of a figure, from the top and from the left."""
    found = [(*reversed(text.get_position()), text.get_text()) for panel in picture.axes for text in panel.texts]
    return [text for _, _, text in sorted(found)]


def pixels(picture: Picture):
    """Return the figure as a reader sees it, (height, width, 3)."""
    return matplotlib.image.imread(io.BytesIO(picture.png()))[..., :3]


def frames(picture: Picture) -> list[tuple[float, float, float, float]]:
    """Return the thick frames as (width, height, left, top)."""
    thick = [patch for panel in picture.axes for patch in panel.patches if patch.get_linewidth() > 2]
    return [(patch.get_width(), patch.get_height(), patch.get_x(), patch.get_y()) for patch in thick]


@pytest.fixture
def written(monkeypatch) -> list[tuple[str, bool, bool]]:
    """Return the numbers that are drawn in cells as they come, with whether they are slanted and bold."""
    found, draw = [], cells.glyphs
    monkeypatch.setattr(cells, "glyphs", lambda *number: (found.append(number), draw(*number))[1])
    return found


def test_one_step_shows_the_window_the_sum_and_the_outputs_so_far(written):
    picture = plots.convolution(NINE, FOUR, step=1)
    assert "2·1 + 3·2 + 5·3 + 6·4 = 47" in words(picture)
    assert [number for number, *_ in written] == [*"123456789", *"1234", "37", "47"], "outputs to come are empty"
    assert "Output[0, 1]: the window is on rows 0 to 1, columns 1 to 2; 2·1 + 3·2 + 5·3 + 6·4 = 47." in picture.alt
    window, output = frames(picture)
    assert window[:3] == (2, 2, 1)
    assert output[:2] == (1, 1)


def test_the_numbers_are_those_of_torch_with_every_argument():
    torch.manual_seed(0)
    image, kernel = torch.randint(-9, 10, (2, 6, 5)).double()
    kernel = kernel[:2, :3]
    options = {"stride": (2, 1), "dilation": (1, 2), "padding": (2, 1)}
    expected = F.conv2d(image[None, None], kernel[None, None], **options)[0, 0]
    for step, value in enumerate(expected.flatten().tolist()):
        row, column = divmod(step, expected.shape[1])
        picture = plots.convolution(image, kernel, **options, step=step)
        assert f"Output[{row}, {column}]" in picture.alt
        sum_, result = picture.alt.rsplit("; ", 1)[1].rstrip(".").split(" = ")
        assert float(result) == eval(sum_.replace("·", "*")) == value


@pytest.mark.parametrize(("mode", "row"), [("zeros", "0 0 1 2 3 4 0 0"), ("reflect", "3 2 1 2 3 4 3 2")])
def test_padding_is_drawn_in_its_mode_and_set_apart_without_colour(mode, row, written):
    line = torch.tensor([[1.0, 2, 3, 4]])
    picture = plots.convolution(line, torch.ones(1, 2), padding=(0, 2), padding_mode=mode, step=6)
    assert f"row by row: {row}." in picture.alt
    assert [number for number, *_ in written[:8]] == row.split()
    assert [slanted for _, slanted, _ in written[:8]] == [True] * 2 + [False] * 4 + [True] * 2
    assert "padding" in words(picture), "named below the grids"


def test_dilation_frames_each_cell_that_the_window_looks_at():
    picture = plots.convolution(torch.arange(25.0).view(5, 5), FOUR, dilation=2)
    ones = [frame for frame in frames(picture) if frame[:2] == (1, 1)]
    assert len(ones) == 4 + 1, "four taps and the output"


def test_a_filmstrip_has_a_frame_for_each_step(written):
    picture = plots.convolution_steps(NINE, FOUR)
    assert [text for text in words(picture) if text.startswith("output[")] == [
        "output[0, 0]",
        "output[0, 1]",
        "output[1, 0]",
        "output[1, 1]",
    ]
    assert [number for number, *_ in written].count("37") == 4
    assert [number for number, *_ in written].count("77") == 1
    for value in (37, 47, 67, 77):
        assert f"= {value}." in picture.alt


def test_a_filmstrip_too_wide_for_one_line_goes_on_below():
    wide = plots.convolution_steps(torch.ones(4, 9), torch.ones(2, 2), steps=(0, 1, 2, 3, 4, 5))
    tops = {text.get_position()[1] for text in wide.axes[0].texts if text.get_text().startswith("output[")}
    assert len(tops) > 1
    assert wide.get_figwidth() <= plots.figure.WIDTH


def test_a_frame_at_the_edge_is_as_thick_as_elsewhere():
    seen = pixels(plots.convolution(NINE, FOUR))
    blue = abs(seen - torch.tensor([0x00, 0x72, 0xB2]).numpy() / 255).max(axis=-1) < 0.02
    line = blue[:, : seen.shape[1] // 3].sum(axis=0)  # of each column of pixels, how many are in the frame
    upright = (line > line.max() / 2).nonzero()[0]
    left, right = (upright < upright.mean()).sum(), (upright > upright.mean()).sum()
    assert abs(left - right) <= 1
    assert left > 3


def test_drawing_changes_nothing():
    image = NINE.clone().requires_grad_()
    plots.convolution(image, FOUR, padding=1).png()
    assert torch.equal(image, NINE)


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        ((NINE[0], FOUR), {}, r"input has to be a tensor of shape \(height, width\).*got shape \(3,\)"),
        ((NINE, "kernel"), {}, "kernel has to be a tensor .*got str"),
        ((NINE, torch.ones(4, 4)), {}, "kernel of 4 by 4 .*doesn't fit an input of 3 by 3"),
        ((NINE, FOUR), {"stride": 0}, "stride=0 is neither a whole number of at least 1"),
        ((NINE, FOUR), {"padding": (1, 2, 3)}, r"padding=\(1, 2, 3\)"),
        ((NINE, FOUR), {"padding": 3, "padding_mode": "reflect"}, r"Padding 3 \(reflect\) doesn't fit"),
        ((NINE, FOUR), {"padding_mode": "mirror"}, "padding_mode='mirror' is unknown"),
        ((NINE, FOUR), {"step": 4}, "no step 4: this convolution has steps 0 to 3"),
        ((torch.ones(2, 60), FOUR), {}, "too many cells to be told apart"),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(arguments, options, said):
    with pytest.raises(PlotError, match=said):
        plots.convolution(*arguments, **options)


def test_no_step_is_no_filmstrip():
    with pytest.raises(PlotError, match="1 to 8 steps, not 0"):
        plots.convolution_steps(NINE, FOUR, steps=())


def shown(picture: Picture):
    """Return the image of each panel that has one."""
    return [panel.images[0] for panel in picture.axes if panel.images]


def test_kernels_are_scaled_each_on_its_own_with_zero_in_the_middle():
    weight = torch.zeros(2, 3, 2, 2)
    weight[0, 0, 0, 0], weight[0, 1, 1, 1], weight[1, 2, 0, 1] = 0.5, -0.25, -7.0
    picture = plots.kernels(weight, titles=["first", "second"])
    panels = shown(picture)
    assert len(panels) == 2 * 4, "each kernel in colour, red, green and blue"
    colour, red, green = (panels[at].get_array() for at in (0, 2, 4))
    assert colour[0, 0].tolist() == [1.0, 0.5, 0.5]
    assert red.tolist() == [[1.0, 0.5], [0.5, 0.5]]
    assert green.tolist() == [[0.5, 0.5], [0.5, 0.25]]
    assert panels[1].get_array()[0, 1].tolist() == [0.5, 0.5, 0.0]
    assert "2 kernels of 2 by 2 in colour" in picture.alt
    assert "first, second" in picture.alt


def test_kernels_of_nothing_but_zeros_are_grey():
    (panel,) = shown(plots.kernels(torch.zeros(1, 1, 2, 2)))
    assert panel.get_array().tolist() == [[0.5, 0.5], [0.5, 0.5]]


def test_feature_maps_share_a_scale_around_zero():
    image = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(0))
    maps = torch.stack([torch.full((2, 3), -1.0), torch.full((2, 3), 3.0)])
    picture = plots.feature_maps(image, maps, titles=["left", "right"])
    first, left, right = shown(picture)[:3]
    assert first.get_array().shape == (4, 4, 3)
    assert left.get_clim() == right.get_clim() == (-3.0, 3.0)
    assert [panel.get_title() for panel in picture.axes[:3]] == ["input", "left", "right"]
    assert "black -3, white 3: left from -1 to -1; right from 3 to 3" in picture.alt


def test_feature_maps_of_one_sign_and_given_limits():
    image = torch.zeros(1, 2, 2)
    assert "black 0, white 4" in plots.feature_maps(image, torch.arange(5.0).view(1, 1, 5)).alt
    assert "black -9, white 9" in plots.feature_maps(image, torch.ones(1, 2, 2), limits=(-9, 9)).alt


@pytest.mark.parametrize("number", [1, 6, 8, 9, 16])
def test_every_feature_map_has_its_panel(number):
    picture = plots.feature_maps(torch.zeros(1, 4, 4), torch.rand(number, 4, 4))
    assert [panel.get_title() for panel in picture.axes if panel.get_title()] == [
        "input",
        *(f"map {place}" for place in range(number)),
    ]


def labels(images: int, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
    image = torch.arange(images).view(-1, 1, 1, 1).expand(images, channels, 5, 5)
    map_ = torch.arange(channels).view(1, -1, 1, 1).expand(images, channels, 5, 5)
    return torch.reshape(image, (-1, 3, 5, 5)), torch.reshape(map_, (-1, 3, 5, 5))


def test_owners_of_six_channels_as_three_stay_with_their_image_but_move():
    picture = plots.owners(*labels(2, 6))
    assert "Picture 1: red is image 0, map 3; green is image 0, map 4; blue is image 0, map 5." in picture.alt
    assert words(picture).count("image 1, map 0") == 1


def test_owners_of_four_channels_as_three_mix():
    told = plots.owners(*labels(3, 4)).alt
    assert "Picture 1: red is image 0, map 3; green is image 1, map 0; blue is image 1, map 1." in told


def test_owners_within_one_channel_are_all_named():
    images = torch.tensor([[[[0, 1, 2]]]])
    assert "grey is images 0 to 2, maps 0, 2, 5." in plots.owners(images, torch.tensor([[[[5, 2, 0]]]])).alt


def test_owners_are_told_apart_without_colour():
    (panel,) = plots.owners(*labels(2, 6)).axes
    hatches = [patch.get_hatch() for patch in panel.patches if patch.get_fill()]
    assert hatches == [""] * 6 + ["///"] * 6


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (lambda: plots.kernels(torch.ones(2, 6, 3, 3)), "These kernels have 6 channels"),
        (lambda: plots.kernels(torch.ones(3, 3, 3)), r"got shape \(3, 3, 3\)"),
        (lambda: plots.kernels(torch.full((1, 1, 2, 2), torch.nan)), "NaN or infinite"),
        (lambda: plots.kernels(torch.ones(17, 1, 2, 2)), "There are 17 kernels; draw up to 16"),
        (lambda: plots.kernels(torch.ones(2, 1, 2, 2), titles=["one"]), "2 kernels and 1 titles"),
        (lambda: plots.feature_maps(torch.ones(3, 4, 4), torch.ones(1, 2, 4, 4)), r"got shape \(1, 2, 4, 4\)"),
        (lambda: plots.feature_maps(torch.ones(2, 4, 4), torch.ones(2, 4, 4)), "image has 2 channels"),
        (lambda: plots.feature_maps(2 * torch.ones(3, 4, 4), torch.ones(2, 4, 4)), "values from 2 to 2"),
        (lambda: plots.feature_maps(torch.ones(3, 4, 4), torch.ones(2, 4, 4), limits=(1, 1)), "limits=.* no pair"),
        (lambda: plots.owners(torch.ones(2, 3, 2, 2), torch.ones(2, 3, 2, 2)), "float32 .*whole numbers"),
        (lambda: plots.owners(labels(2, 6)[0], labels(3, 6)[1]), "they have to be alike"),
    ],
)
def test_what_cannot_be_pictured_is_one_sentence(draw, said):
    with pytest.raises(PlotError, match=said) as caught:
        draw()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.convolution(NINE, torch.ones(3, 3), padding=1, step=4),
        lambda: plots.convolution_steps(NINE, FOUR, padding=1, steps=(0, 5, 10, 15)),
        lambda: plots.kernels(torch.rand(8, 3, 5, 5)),
        lambda: plots.feature_maps(torch.zeros(3, 8, 8), torch.rand(6, 6, 6)),
        lambda: plots.owners(*labels(4, 6)),
    ],
    ids=["convolution", "steps", "kernels", "maps", "owners"],
)
def test_nothing_is_cut_off_at_the_edges(draw):
    """The outermost pixels are blank: no text or frame runs out of the figure."""
    picture = draw()
    seen = pixels(picture)
    for edge in (seen[0], seen[-1], seen[:, 0], seen[:, -1]):
        assert (edge == 1).all()
    assert picture.get_figwidth() <= plots.figure.WIDTH + 0.01
