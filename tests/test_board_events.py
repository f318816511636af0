"""Event files read back."""

import re
from pathlib import Path

import pytest
import torch
from torch.utils.tensorboard import SummaryWriter

from tutor import board
from tutor.board import BoardError


def test_every_step_of_what_pytorch_writes(tmp_path: Path) -> None:
    values = torch.linspace(-1, 2, 50)
    picture = torch.randint(0, 256, (3, 5, 4), dtype=torch.uint8)
    with board.writer(tmp_path / "new") as writer:
        assert isinstance(writer, SummaryWriter)
        for step in range(300):  # TensorBoard itself keeps a sample
            writer.add_scalar("loss", step / 2, step)
        writer.add_scalar("new style", 1.5, 7, new_style=True)
        writer.add_histogram("weights", values, 2)
        writer.add_image("one", picture, 4)
    events = board.read(tmp_path / "new")

    assert events.scalars["loss"] == {step: step / 2 for step in range(300)}
    assert events.scalars["new style"] == {7: 1.5}
    histogram = events.histograms["weights"][2]
    assert (histogram.number, histogram.lowest, histogram.highest) == (50, -1, 2)
    assert histogram.total == pytest.approx(25)
    assert histogram.counts.sum() == 50 and histogram.edges.shape == histogram.counts.shape
    assert torch.equal(events.images["one"][4], picture.permute(1, 2, 0))
    assert events.tags == ["loss", "new style", "one", "weights"]
    assert repr(events) == (
        "Events(images 'one': 1 step, scalars 'loss': 300 steps, scalars 'new style': 1 step, "
        "histograms 'weights': 1 step)"
    )


def test_of_two_at_one_step_the_later_one(tmp_path: Path) -> None:
    for value in (1.0, 2.0):
        with board.writer(tmp_path) as writer:
            writer.add_scalar("loss", value, 0)
    assert board.read(tmp_path).scalars == {"loss": {0: 2.0}}


def test_a_folder_that_is_missing_or_a_file(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match=f"There is no log folder {re.escape(str(tmp_path / 'none'))}; log something"):
        board.read(tmp_path / "none")
    (tmp_path / "file").touch()
    with pytest.raises(BoardError, match="is a file; name the folder that it lies in"):
        board.read(tmp_path / "file")


def test_a_folder_without_event_files_names_the_runs_inside(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="holds no event file; log something into it first"):
        board.read(tmp_path)
    for name in ("b", "a"):
        with board.writer(tmp_path / name) as writer:
            writer.add_scalar("loss", 1.0, 0)
    with pytest.raises(BoardError, match="holds no event file; name one of the runs inside it: a, b"):
        board.read(tmp_path)


def test_a_file_in_which_nothing_was_logged(tmp_path: Path) -> None:
    board.writer(tmp_path).close()
    with pytest.raises(
        BoardError, match=r"Nothing was logged in .*; log something, and close the writer before you read"
    ):
        board.read(tmp_path)


def test_a_file_that_is_cut_off(tmp_path: Path) -> None:
    board.log_layer("cut", torch.relu, [torch.rand(2, 3, 8, 8)], folder=tmp_path)
    [path] = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(
        BoardError, match=f"The event file {re.escape(str(path))} is cut off: its last record should end"
    ):
        board.read(tmp_path)
