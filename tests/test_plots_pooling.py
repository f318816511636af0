"""Figures of pooling: every number in its cell, windows and results framed alike, and all of it in words."""

import pytest
import torch
from matplotlib.colors import to_hex

from tutor import plots
from tutor.plots import Picture, PlotError

GRID = torch.tensor([[1.0, 3, 2, 4], [5, 6, 1, 2], [7, 2, 8, 3], [4, 5, 9, 0]])
NOTHING = "\N{MINUS SIGN}∞"
ROW = torch.tensor([[1.0, 2, 3, 4, 5]])


def texts(picture: Picture) -> list[str]:
    """Return the numbers in cells, in the order in which they were drawn."""
    return [text.get_text() for text in picture.axes[0].texts if text.get_text() not in ("input", "output", "→")]


def frames(picture: Picture) -> list[tuple[float, float, str, object]]:
    """Return the thick frames as (width, height, colour, dashes)."""
    thick = [patch for patch in picture.axes[0].patches if patch.get_linewidth() > 2]
    return [(p.get_width(), p.get_height(), to_hex(p.get_edgecolor()), str(p.get_linestyle())) for p in thick]


def test_the_numbers_of_both_grids_and_the_chosen_ones_in_bold():
    picture = plots.pooling(GRID, 2)
    assert texts(picture) == [*"1324561272834590", *"6479"]
    bold = [text.get_text() for text in picture.axes[0].texts if text.get_fontweight() == "bold"]
    assert bold == ["4", "6", "7", "9"]
    means = plots.pooling(GRID, 2, mode="average")
    assert texts(means)[16:] == ["3.75", "2.25", "4.5", "5"]
    assert not [text for text in means.axes[0].texts if text.get_fontweight() == "bold"]


def test_a_window_and_its_number_have_the_same_frame_and_no_two_windows_do():
    found = frames(plots.pooling(GRID, 2))
    assert len(found) == 8
    for window, number in zip(found[::2], found[1::2], strict=True):
        assert window[2:] == number[2:]
        assert window[0] > number[0]
    assert len({frame[2] for frame in found}) == len({frame[3] for frame in found}) == 4


def test_padding_is_grey_and_what_hangs_over_is_empty():
    padded = plots.pooling(ROW, (1, 2), padding=(0, 1), ceil_mode=True)
    assert texts(padded) == [NOTHING, *"12345", NOTHING, *"135"]
    zeros = plots.pooling(ROW, (1, 2), padding=(0, 1), mode="average")
    assert texts(zeros)[:7] == ["0", *"12345", "0"]
    over = plots.pooling(ROW, (1, 2), ceil_mode=True)
    assert texts(over) == [*"12345", *"245"]
    assert len([patch for patch in over.axes[0].patches if patch.get_linestyle() == ":" and not patch.get_fill()]) >= 1


def test_in_words():
    alt = plots.pooling(GRID, 2).alt
    assert alt.startswith("Max pooling. Input, row by row: 1 3 2 4; 5 6 1 2; 7 2 8 3; 4 5 9 0. Windows of 2, stride 2,")
    assert "Output[0, 1]: of 2 4 1 2 comes 4." in alt
    assert "Output[1, 0]: of 7 2 4 5 comes 4.5." in plots.pooling(GRID, 2, mode="average").alt


def test_changes_by_shift_are_lines_that_differ_in_colour_dashes_and_marks():
    picture = plots.change_by_shift({"nothing": [0.1, 0.2], "global": [0.0, 0.0]}, [1, 2])
    lines = picture.axes[0].get_lines()
    assert [list(line.get_ydata()) for line in lines] == [[10.0, 20.0], [0.0, 0.0]]
    assert len({(line.get_color()) for line in lines}) == len({str(line.get_linestyle()) for line in lines}) == 2
    assert len({line.get_marker() for line in lines}) == 2
    assert picture.alt == (
        "Change of the output by shift in pixels. nothing: 10.0 % at 1, 20.0 % at 2; global: 0.0 % at 1, 0.0 % at 2."
    )


@pytest.mark.parametrize(("shape", "kernel"), [((1, 9), (1, 2)), ((8, 8), 2), ((3, 10), (3, 1))])
def test_no_text_is_cut_off_or_overlaps_another(shape, kernel):
    picture = plots.pooling(torch.full(shape, -12.25), kernel)
    picture.canvas.draw()
    boxes = [text.get_window_extent() for text in picture.axes[0].texts]
    for place, box in enumerate(boxes):
        assert picture.bbox.x0 <= box.x0 and box.x1 <= picture.bbox.x1
        assert picture.bbox.y0 <= box.y0 and box.y1 <= picture.bbox.y1
        assert not any(box.overlaps(other) for other in boxes[place + 1 :])


@pytest.mark.parametrize(
    ("draw", "part"),
    [
        (lambda: plots.pooling([[1.0]], 2), "The input has to be a tensor of shape (height, width)"),
        (lambda: plots.pooling(torch.ones(1, 4, 4), 2), "got shape (1, 4, 4)."),
        (lambda: plots.pooling(GRID, 0), "kernel_size=0 is neither"),
        (lambda: plots.pooling(GRID, 2, stride=(1, 2, 3)), "stride=(1, 2, 3) is neither"),
        (lambda: plots.pooling(GRID, 2, padding=-1), "padding=-1 is neither"),
        (lambda: plots.pooling(GRID, 2, padding=2), "padding is at most half of the window, here 1,"),
        (lambda: plots.pooling(GRID, 5), "doesn't fit an input of 4 by 4"),
        (lambda: plots.pooling(GRID, 2, mode="median"), "mode='median' is unknown"),
        (lambda: plots.pooling(torch.ones(10, 10), 2), "25 windows are too many"),
        (lambda: plots.pooling(torch.ones(1, 40), (1, 4)), "too many to read"),
        (lambda: plots.change_by_shift({}, [1]), "There is nothing to draw"),
        (lambda: plots.change_by_shift({"a": [0.1]}, []), "There is nothing to draw"),
        (lambda: plots.change_by_shift({"a": [0.1]}, [1, 2]), "'a' has 1 changes for 2 shifts"),
        (lambda: plots.change_by_shift({"a": [float("nan")]}, [1]), "'a' holds NaN"),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(draw, part):
    with pytest.raises(PlotError) as caught:
        draw()
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)
