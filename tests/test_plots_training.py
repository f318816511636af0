"""Figures of a training, and of a net: what they draw, what they say, and what they refuse."""

import pytest
import torch

from tutor import plots
from tutor.plots import PlotError, training

COUNTS = torch.tensor([[8, 2, 0], [1, 7, 2], [0, 0, 0]])


@pytest.fixture
def watched(monkeypatch):
    monkeypatch.setattr(training, "someone_watches", lambda: True)


def test_both_curves_are_drawn_over_their_epochs():
    picture = plots.training_curves([2.0, 1.0, 0.5], [0.2, 0.5, 0.4], chance=0.1)
    lines = [panel.get_lines()[0] for panel in picture.axes]
    assert [list(line.get_xdata()) for line in lines] == [[1, 2, 3]] * 2
    assert [list(line.get_ydata()) for line in lines] == [[2.0, 1.0, 0.5], [0.2, 0.5, 0.4]]
    assert picture.axes[1].get_ylim() == (0, 1) and picture.axes[0].get_ylim()[0] == 0
    assert list(picture.axes[1].get_lines()[1].get_ydata()) == [0.1, 0.1]


def test_programs_are_told_which_way_it_goes_and_people_the_numbers_too(monkeypatch):
    def told():
        return plots.training_curves([2.0, 1.0, 0.5], [0.2, 0.5, 0.4]).alt

    assert told() == "Two curves over 3 epochs. The training loss falls in every epoch; the test accuracy rises."
    monkeypatch.setattr(training, "someone_watches", lambda: True)
    assert "falls: 2.00, 1.00, 0.50; the test accuracy rises: 0.20, 0.50, 0.40." in told()


def test_the_matrix_has_every_count_in_its_cell_and_the_names_on_both_sides():
    panel = plots.confusion_matrix(COUNTS, ["cat", "dog", "frog"]).axes[0]
    assert {text.get_position(): text.get_text() for text in panel.texts} == {
        (column, row): str(int(COUNTS[row, column])) for row in range(3) for column in range(3)
    }
    assert [label.get_text() for label in panel.get_xticklabels()] == ["cat", "dog", "frog"]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["cat", "dog", "frog"]
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("what the net says", "what is right")
    shades = panel.get_images()[0].get_array()
    assert shades[0, 0].sum() < shades[0, 1].sum() < shades[0, 2].sum(), "the larger the darker"


def test_the_matrix_in_words():
    assert plots.confusion_matrix(COUNTS).alt == (
        "A confusion matrix of 3 classes and 20 images, more than half of them on the diagonal."
    )
    assert "at most half" in plots.confusion_matrix(COUNTS.flip(1)).alt
    assert "all of them" in plots.confusion_matrix(torch.eye(2)).alt


def test_the_matrix_in_words_for_people(watched):
    alt = plots.confusion_matrix(COUNTS, ["cat", "dog", "frog"]).alt
    assert (
        "15 of them on the diagonal. cat: 8 right, 2 as dog; dog: 7 right, 1 as cat, 2 as frog; frog: 0 right." in alt
    )


def test_a_net_has_a_block_of_sheets_for_each_stage_and_its_shapes_in_words():
    picture = plots.net([("", (3, 8, 8)), ("conv", (4, 8, 8)), ("pool", (4, 4, 4)), ("linear", (10,))])
    texts = [text.get_text() for text in picture.axes[0].texts if text.get_text()]
    assert [text for text in texts if text[0].isalpha()] == ["conv", "pool", "linear"]
    assert [text for text in texts if text[0].isdigit()] == [
        shape.replace("x", "\N{MULTIPLICATION SIGN}") for shape in ("3x8x8", "4x8x8", "4x4x4", "10")
    ]
    tall = [patch.get_height() for patch in picture.axes[0].patches if hasattr(patch, "get_height")]
    assert tall[0] == 2 * tall[-2], "half the size is half as high"
    assert picture.alt == (
        "A net as a row of blocks: 3 maps of 8 by 8; conv to 4 maps of 8 by 8; pool to 4 maps of 4 by 4; linear to 10 numbers."
    )


@pytest.mark.parametrize(
    ("draw", "told"),
    [
        (lambda: plots.training_curves([1.0], [0.5, 0.6]), "There are 1 losses and 2 accuracies"),
        (lambda: plots.training_curves([1.0], [50.0]), "shares from 0 to 1, not percent"),
        (lambda: plots.training_curves([], []), "losses has to hold finite numbers"),
        (lambda: plots.training_curves([float("nan")], [0.5]), "losses has to hold finite numbers"),
        (lambda: plots.confusion_matrix(torch.ones(2, 3)), r"got shape \(2, 3\)"),
        (lambda: plots.confusion_matrix(-torch.ones(2, 2)), "a count is 0 or more"),
        (lambda: plots.confusion_matrix(torch.ones(2, 2), ["cat"]), "There are 2 rows and 1 names"),
        (lambda: plots.confusion_matrix(torch.ones(30, 30)), "30 classes are too many"),
        (lambda: plots.net([]), "There are 0 stages"),
        (lambda: plots.net([("conv", (3, 8))]), "is no stage"),
        (lambda: plots.net([("conv", (3, 8, 0))]), "positive whole numbers"),
    ],
)
def test_what_can_not_be_drawn_is_said_in_a_sentence(draw, told):
    with pytest.raises(PlotError, match=told):
        draw()
