"""Logging batches before and after a layer."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from tutor import board
from tutor.board import BoardError


@pytest.fixture(autouse=True)
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUTOR_BUILD", str(tmp_path / "build"))
    return tmp_path / "build"


def batches(number: int = 3, size: int = 10) -> list[tuple[Tensor, Tensor]]:
    torch.manual_seed(1)
    return [(torch.rand(size, 3, 8, 8), torch.arange(size)) for _ in range(number)]


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("channels", [1, 3])
def test_the_same_tags_steps_and_pixels_as_the_plain_loop(tmp_path: Path, channels: int) -> None:
    given = [images[:, :channels] for images, _ in batches(5)]
    writer = SummaryWriter(str(tmp_path / "peer"))
    for step, images in enumerate(given):
        writer.add_images("sigmoid/input", images, step)
        writer.add_images("sigmoid/output", torch.sigmoid(images), step)
    writer.close()
    folder = board.log_layer("sigmoid", torch.sigmoid, given, folder=tmp_path / "ours")

    ours, peers = board.read(folder).images, board.read(tmp_path / "peer").images
    assert {tag: list(steps) for tag, steps in ours.items()} == {tag: list(steps) for tag, steps in peers.items()}
    assert list(ours) == ["sigmoid/input", "sigmoid/output"] and list(ours["sigmoid/input"]) == [0, 1, 2, 3, 4]
    assert all(torch.equal(ours[tag][step], peers[tag][step]) for tag in ours for step in ours[tag])


def test_a_layer_that_works_in_place_does_not_change_what_went_in() -> None:
    [(images, labels)] = batches(1)
    folder = board.log_layer(
        "relu", nn.ReLU(inplace=True), [(images - 0.5, labels)], scale="clip", input_scale=(-0.5, 0.5)
    )
    logged = board.read(folder).images
    assert torch.equal(logged["relu/input"][0][:8, :8].permute(2, 0, 1), (images[0].sub(0.5).add(0.5) * 255).byte())
    assert (logged["relu/output"][0] == 0).any()


def test_a_convolution_gives_feature_maps_beside_each_other() -> None:
    conv = nn.Conv2d(3, 6, 3)
    logged = board.read(board.log_layer("conv", conv, batches(1, size=4), scale="tile")).images
    assert torch.equal(
        logged["conv/output"][0][..., 0], board.feature_maps(conv(batches(1, size=4)[0][0]), scale="tile")[0]
    )
    assert logged["conv/input"][0].shape == (8, 32, 3)


def test_without_gradients_and_in_the_mode_the_layer_is_in() -> None:
    seen = []

    class Look(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            seen.append((self.training, torch.is_grad_enabled()))
            return images

    board.log_layer("look", Look(), batches(1))
    assert seen == [(True, False)] and torch.is_grad_enabled()


def test_limit_takes_no_more_batches_than_it_logs() -> None:
    taken = []

    def endless() -> Iterator[Tensor]:
        while True:
            taken.append(1)
            yield torch.rand(2, 3, 4, 4)

    logged = board.read(board.log_layer("same", torch.clone, endless(), limit=3)).images
    assert list(logged["same/input"]) == [0, 1, 2] and len(taken) == 3


def test_two_layers_in_one_folder_and_a_fresh_folder_without_one(build: Path) -> None:
    folder = board.run("both")
    board.log_layer("one", torch.sigmoid, batches(1), folder=folder)
    board.log_layer("two", torch.sigmoid, batches(2), folder=folder)
    assert {tag: len(steps) for tag, steps in board.read(folder).images.items()} == {
        "one/input": 1,
        "one/output": 1,
        "two/input": 2,
        "two/output": 2,
    }
    assert board.log_layer("both", torch.relu, batches(1)) == folder == build / "runs" / "both"
    assert board.read(folder).tags == ["both/input", "both/output"]


def test_run_gives_an_empty_folder_each_time(build: Path) -> None:
    folder = board.run("first.try_1")
    assert folder == build / "runs" / "first.try_1" and list(folder.iterdir()) == []
    (folder / "sub").mkdir()
    (folder / "sub" / "old").write_text("old")
    assert list(board.run("first.try_1").iterdir()) == []


def test_run_takes_a_link_away_and_not_what_it_points_to(build: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("keep")
    (build / "runs").mkdir(parents=True)
    (build / "runs" / "linked").symlink_to(tmp_path / "precious")
    assert list(board.run("linked").iterdir()) == []
    assert (tmp_path / "precious" / "file").read_text() == "keep"


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "with space", 3, None])
def test_names_that_are_none(name: object, build: Path) -> None:
    for call in (board.run, lambda name: board.log_layer(name, torch.relu, batches(1))):
        with pytest.raises(BoardError, match="can't name a run or a layer; use letters, digits"):
            call(name)  # type: ignore[arg-type]
    assert not build.exists()


def test_an_earlier_run_stays_until_there_is_something_new() -> None:
    folder = board.log_layer("kept", torch.sigmoid, batches(2))
    before = files(folder)
    for layer, given in [(lambda images: images.flatten(1), batches(1)), (torch.relu, [])]:
        with pytest.raises(BoardError):
            board.log_layer("kept", layer, given)
    assert files(folder) == before and len(board.read(folder).images["kept/output"]) == 2


def test_what_a_layer_raises_is_passed_on_and_what_was_logged_is_kept(build: Path) -> None:
    def fails_later(images: Tensor) -> Tensor:
        if images.sum() == 0:
            raise OSError("of the layer's own")
        return images

    with pytest.raises(OSError, match="of the layer's own"):
        board.log_layer("fails", fails_later, [batches(1)[0], torch.zeros(2, 3, 8, 8)])
    assert list(board.read(build / "runs" / "fails").images["fails/input"]) == [0]


@pytest.mark.parametrize(
    ("layer", "given", "sentence"),
    [
        (None, batches(1), "The layer is of type NoneType; give a module or a function, such as"),
        (torch.relu, batches(1)[0][0], r"batches is of type Tensor; give a list of batches, such as \[images\]"),
        (torch.relu, 3, "batches is of type int; give a list of batches"),
        (torch.relu, [], "There are no batches to log for 'bad': give a list of tensors, or images.batches"),
        (lambda x: x.tolist(), batches(1), "The layer's output for batch 0 is of type list, not a tensor"),
        (lambda x: None, batches(1), "The layer's output for batch 0 is of type NoneType"),
        (lambda x: x.flatten(1), batches(1), r"The layer's output for batch 0 has shape \(10, 192\)"),
        (lambda x: x - 1, batches(1), "The layer's output for batch 0 has values from -.* to -.*say how to show"),
        (torch.relu, [[1, 2]], "The input, batch 0, is of type int, not a tensor"),
        (torch.relu, [torch.rand(3, 8, 8)], "The input, batch 0, has shape .* no batch axis"),
    ],
)
def test_what_can_not_be_logged_is_told_in_a_sentence(layer, given, sentence) -> None:
    with pytest.raises(BoardError, match=sentence):
        board.log_layer("bad", layer, given)


def test_a_limit_that_logs_nothing() -> None:
    with pytest.raises(BoardError, match="limit=0 logs nothing; give the number of batches"):
        board.log_layer("none", torch.relu, batches(1), limit=0)


def test_a_file_in_the_way_of_the_log_folder(tmp_path: Path, build: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        for log in (lambda f: board.log_layer("x", torch.relu, batches(1), folder=f), board.writer):
            with pytest.raises(BoardError, match=r"The log folder .*file.* can't be made: a file is in its place"):
                log(folder)
    (build / "runs").mkdir(parents=True)
    (build / "runs" / "x").write_text("in the way")
    with pytest.raises(BoardError, match="can't be made: a file is in its place; remove it"):
        board.run("x")


@pytest.mark.skipif(os.name != "posix", reason="rights are set another way here")
def test_a_log_folder_without_the_right_to_write() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)  # root may write everywhere
        try:
            for log in (
                lambda: board.log_layer("x", torch.relu, batches(1), folder=folder),
                lambda: board.writer(folder),
            ):
                with pytest.raises(
                    BoardError, match=r"The log folder .* can't be written \(Permission denied\); mend that"
                ):
                    log()
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o755)
        assert files(folder) == []


def test_a_disk_on_which_there_is_no_more_room() -> None:
    resource = pytest.importorskip("resource", reason="file sizes can't be limited on Windows")
    folder = board.run("large")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(BoardError, match=r"The log folder .*large can't be written \(File too large\); mend that"):
            board.log_layer("x", torch.relu, batches(40), folder=folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_nothing_is_printed_for_a_short_run(capsys: pytest.CaptureFixture[str]) -> None:
    board.log_layer("quiet", torch.relu, batches(3))
    assert capsys.readouterr() == ("", "")
