"""Figures of matrices and of counts: every number in its cell, equal ones alike, and all of it in words."""

import pytest
import torch
from matplotlib.colors import to_rgb

from tutor import plots
from tutor.plots import Picture, PlotError

SMALL = torch.tensor([[1.0, 2.0, 0.0, -0.5], [0.0, 1.0, 2.0, 0.0]])
ROW = torch.tensor([1, 1, 2, 1, 1])


def cells(picture: Picture) -> dict[tuple[int, int], tuple[str, tuple[float, ...]]]:
    """Return for each cell at (row, column) its text, "" for none, and its filling."""
    panel = picture.axes[0]
    texts = {(int(y), int(x)): text.get_text() for text in panel.texts for x, y in [text.get_position()] if y > 0 < x}
    found = {}
    for patch in panel.patches:
        if (patch.get_width(), patch.get_height()) == (1, 1):
            place = round(patch.get_y()), round(patch.get_x())
            found[place] = texts.get(place, ""), tuple(patch.get_facecolor()[:3])
    return found


def light(filling: tuple[float, ...]) -> float:
    """Return the relative luminance of a colour (WCAG 2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in filling]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_entries_are_printed_equal_ones_alike_and_zeros_blank():
    found = cells(plots.matrix(SMALL))
    assert [found[0, column][0] for column in range(4)] == ["1", "2", "", "-0.5"]
    assert [found[1, column][0] for column in range(4)] == ["", "1", "2", ""]
    assert found[0, 0][1] == found[1, 1][1]
    assert found[0, 1][1] == found[1, 2][1]
    assert found[0, 2][1] == found[1, 0][1] == to_rgb("white")
    assert len({filling for _, filling in found.values()}) == 4


def test_shades_differ_in_lightness_and_leave_the_numbers_readable():
    nine = cells(plots.matrix(torch.arange(1.0, 10).view(1, 9)))
    levels = [light(nine[0, column][1]) for column in range(9)]
    assert levels == sorted(levels, reverse=True)
    assert len(set(levels)) == 9
    assert (levels[-1] + 0.05) / (light(to_rgb("#222222")) + 0.05) > 4.5


def test_heavy_lines_lie_between_blocks_only():
    def lines(**blocks):
        return [
            (list(line.get_xdata()), list(line.get_ydata())) for line in plots.matrix(SMALL, **blocks).axes[0].lines
        ]

    assert lines(column_block=2, row_block=1) == [([2, 2], [0, 2]), ([0, 4], [1, 1])]
    assert lines() == []


def test_a_matrix_in_words_has_every_entry_at_its_place():
    alt = plots.matrix(SMALL, rows="output", columns="input").alt
    assert alt.startswith("A matrix with 2 rows (output) and 4 columns (input); zeros are blank.")
    assert "Row 0: 1 2 in columns 0 to 1, -0.5 in column 3. Row 1: 1 2 in columns 1 to 2." in alt
    assert "Row 1: all zeros." in plots.matrix(torch.tensor([[1.0], [0.0]])).alt


def test_counts_share_one_scale_and_show_their_zeros():
    picture = plots.overlaps({"a": ROW, "b": torch.tensor([[0, 4]])})
    found = cells(picture)
    assert [found[0, column][0] for column in range(5)] == ["1", "1", "2", "1", "1"]
    assert light(found[0, 2][1]) < light(found[0, 1][1])
    first = [patch.get_facecolor() for patch in plots.overlaps({"a": ROW, "b": 2 * ROW}).axes[0].patches]
    assert first[2] == first[5], "a 2 in the first and a 2 in the second"
    fillings = {text.get_text(): patch for text, patch in zip(_numbers(picture), picture.axes[0].patches, strict=True)}
    assert fillings["0"].get_facecolor()[:3] == to_rgb("white")
    levels = [light(fillings[number].get_facecolor()[:3]) for number in "0124"]
    assert levels == sorted(levels, reverse=True)
    assert picture.alt == (
        "Counts, the larger the darker. a, 1 by 5, row by row: 1 1 2 1 1. b, 1 by 2, row by row: 0 4."
    )


def _numbers(picture: Picture) -> list:
    """Return the texts in cells, in the order in which they were drawn."""
    return [text for text in picture.axes[0].texts if text.get_text().isdigit()]


@pytest.mark.parametrize("shape", [(1, 1), (4, 16), (16, 4), (24, 3), (2, 27)])
def test_no_text_is_cut_off_or_overlaps_another(shape):
    picture = plots.matrix(torch.full(shape, -12.25), rows="output pixel", columns="input pixel")
    picture.canvas.draw()
    whole = picture.bbox
    boxes = [text.get_window_extent() for text in picture.axes[0].texts]
    for place, box in enumerate(boxes):
        assert whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 and box.y1 <= whole.y1
        assert not any(box.overlaps(other) for other in boxes[place + 1 :])


@pytest.mark.parametrize(
    ("draw", "part"),
    [
        (lambda: plots.matrix([[1.0]]), "The matrix has to be a tensor of shape (rows, columns); got list."),
        (lambda: plots.matrix(torch.ones(4)), "got shape (4,)."),
        (lambda: plots.matrix(torch.ones(0, 4)), "got shape (0, 4)."),
        (lambda: plots.matrix(torch.tensor([[float("nan")]])), "NaN or infinite"),
        (lambda: plots.matrix(torch.ones(4, 64)), "too many to read; draw a smaller part."),
        (lambda: plots.matrix(torch.ones(64, 4)), "64 high, too many to read"),
        (lambda: plots.matrix(SMALL, row_block=-1), "row_block=-1 is no number of lines"),
        (lambda: plots.overlaps({}), "There is nothing to draw"),
        (lambda: plots.overlaps(ROW), "There is nothing to draw"),
        (lambda: plots.overlaps({"a": ROW / 2}), "'a' holds numbers that are no counts"),
        (lambda: plots.overlaps({"a": -ROW}), "'a' holds numbers that are no counts"),
        (lambda: plots.overlaps({"a": torch.ones(1, 1, 3)}), "'a' has to be a tensor"),
        (lambda: plots.overlaps({"a": torch.ones(31)}), "too many to read"),
        (lambda: plots.overlaps({"long " * 10: ROW, "longer " * 10: ROW}), "shorten them or draw fewer"),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(draw, part):
    with pytest.raises(PlotError) as caught:
        draw()
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)
