"""The receptive field: its size is what autograd says, and its pixels are those that the windows look at."""

import random

import pytest
import torch
import torch.nn.functional as F
from matplotlib.colors import to_hex

from tutor import plots
from tutor.plots import PlotError


@pytest.mark.parametrize("seed", range(12))
def test_the_field_is_what_has_a_gradient(seed):
    dice = random.Random(seed)
    layers = [(dice.randint(1, 3), dice.randint(1, 2), dice.randint(1, 2)) for _ in range(dice.randint(1, 3))]
    line = x = torch.ones(1, 1, 80, requires_grad=True)
    for kernel, stride, dilation in layers:
        x = F.conv1d(x, torch.ones(1, 1, kernel), stride=stride, dilation=dilation)
    x[0, 0, x.shape[2] // 2].backward()
    seen = line.grad.flatten().nonzero().flatten()
    field = int(seen[-1] - seen[0]) + 1
    picture = plots.receptive_field(layers)
    assert picture.alt.rpartition("; ")[2].partition(" sees ")[2].startswith(f"{field} by {field}, ")
    boxes = [patch for patch in picture.axes[0].patches if hasattr(patch, "get_width")]
    lowest = max(box.get_y() for box in boxes if box.get_fill())
    drawn = [box for box in boxes if box.get_fill() and box.get_y() == lowest]
    blue = [place for place, box in enumerate(drawn) if to_hex(box.get_facecolor()) != "#ffffff"]
    assert len(drawn) == field and blue == (seen - seen[0]).tolist()


def test_in_words_and_without_colour():
    picture = plots.receptive_field([3, (3, 2), (3, 1, 2)])
    assert picture.alt == (
        "The receptive field of one number after 3 layers, in pixels of the input. Layer 1: kernel 3 sees 3 by 3, 1 apart; "
        "layer 2: kernel 3, stride 2 sees 5 by 5, 2 apart; layer 3: kernel 3, dilation 2 sees 13 by 13, 2 apart."
    )
    squares = [patch for patch in picture.axes[0].patches if patch.get_linewidth() == 2.2]
    assert len({(str(patch.get_linestyle()), to_hex(patch.get_edgecolor())) for patch in squares}) == 3
    assert {"3", "5", "13"} <= {text.get_text() for text in picture.axes[0].texts}


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ([], "There are 0 layers; the field is drawn for 1 to 6"),
        ([3] * 7, "There are 7 layers"),
        ([(3, 0)], r"Layer 1 is \(3, 0\); give \(kernel_size, stride, dilation\)"),
        ([3, "3"], "Layer 2 is '3'"),
        ([(65,)], "The field is 65 pixels wide, too many"),
    ],
)
def test_what_can_not_be_drawn_is_told_in_a_sentence(layers, said):
    with pytest.raises(PlotError, match=said):
        plots.receptive_field(layers)
