"""The download: resumed, verified, kept apart until it is whole, and refused in one sentence when it can't be had."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from data_server import Server, page, ranged, serving, status, without_range
from data_tiny import tiny_cifar10, without_privileges

from tutor.data import DataError, Images
from tutor.data.download import Patience, fetch
from tutor.data.loading import Memory, load

PATIENCE = Patience(answer=2.0, attempts=3, pause=0.0)


class Place:
    """An empty data folder, and a server that has the tiny CIFAR-10's archive."""

    def __init__(self, root: Path, server: Server, shelf: Path) -> None:
        self.root, self.server = root, server
        self.tiny = tiny_cifar10(shelf)
        self.content = server.content = (shelf / self.tiny.filename).read_bytes()
        self.tiny.url = server.url
        self.archive = root / self.tiny.filename
        self.part = root / f"{self.tiny.filename}.part"
        self.memory = Memory()

    def get(self, source: str = "auto", *, announce: bool = False, patience: Patience = PATIENCE) -> Images:
        return load(
            True,
            root=self.root,
            source=source,
            announce=announce,
            dataset=self.tiny,
            memory=self.memory,
            patience=patience,
        )

    def refusal(self, source: str = "auto", patience: Patience = PATIENCE) -> str:
        """Return the one sentence with which the download fails; what is no archive must not pass for one."""
        with pytest.raises(DataError) as caught:
            self.get(source, patience=patience)
        text = str(caught.value)
        assert "\n" not in text
        assert text.endswith(".")
        assert not self.archive.exists()
        assert not (self.root / self.tiny.base_folder).exists()
        return text


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.delenv("TUTOR_DATA", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with tempfile.TemporaryDirectory() as name, serving(b"") as server:
        top = Path(name)
        top.chmod(0o755)
        (top / "root").mkdir()
        yield Place(top / "root", server, top / "shelf")


def test_a_download_gives_the_original(place: Place) -> None:
    images = place.get()
    assert (images.source, len(images)) == ("original", 20)
    assert sorted(path.name for path in place.root.iterdir()) == sorted([place.tiny.base_folder, place.tiny.filename])
    assert place.server.asked == [None]


def test_what_is_there_is_not_downloaded_again(place: Place) -> None:
    first = place.get("download")
    assert place.get("download") is first
    place.memory = Memory()
    assert torch.equal(place.get("download").pixels, first.pixels)
    assert place.server.asked == [None]


def test_damaged_batches_without_archive_can_be_downloaded_anew(place: Place) -> None:
    expected = place.get()
    place.memory = Memory()
    place.archive.unlink()
    (place.root / place.tiny.base_folder / "data_batch_1").unlink()
    assert torch.equal(place.get("download").pixels, expected.pixels)


def test_a_break_is_mended_within_the_call(place: Place) -> None:
    place.server.replies = [ranged(1000), ranged(500), ranged()]
    assert place.get().source == "original"
    assert place.server.asked == [None, "bytes=1000-", "bytes=1500-"]


def test_a_break_is_mended_by_the_next_call(place: Place) -> None:
    place.server.replies = [ranged(1000), status(503)]
    text = place.refusal()
    assert f"1.00kB are kept in {place.part}, and the next call goes on from there" in text
    assert "broke off 3 times" in text
    assert "503" in text
    assert place.part.read_bytes() == place.content[:1000]
    place.server.replies = [ranged()]
    assert place.get().source == "original"
    assert place.server.asked[-1] == "bytes=1000-"
    assert not place.part.exists()


def test_silence_in_the_middle_is_a_break(place: Place) -> None:
    place.server.replies = [place.server.hang_after(700), ranged()]
    assert place.get(patience=Patience(answer=0.3, attempts=3, pause=0)).source == "original"
    assert place.server.asked == [None, "bytes=700-"]


def test_half_a_download_is_never_the_real_thing(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.part.write_bytes(place.content[:1000])
    place.tiny.url = "http://127.0.0.1:9/cifar-10-python.tar.gz"
    assert place.get(announce=True).source == "sample"
    assert "NOT CIFAR-10" in capsys.readouterr().out
    assert place.part.read_bytes() == place.content[:1000]


@pytest.mark.parametrize("reply", [page(), page("application/octet-stream")])
def test_a_web_page_is_no_archive(place: Place, reply: object) -> None:
    place.server.replies = [reply]  # type: ignore[list-item]
    assert "127.0.0.1 answered with a web page or other file in place of CIFAR-10" in place.refusal()
    assert not place.part.exists()


def test_a_web_page_does_not_harm_what_is_kept(place: Place) -> None:
    place.part.write_bytes(place.content[:1000])
    place.server.replies = [page()]
    assert "log in with a browser" in place.refusal()
    assert place.part.read_bytes() == place.content[:1000]


@pytest.mark.parametrize("code", [403, 404, 410])
def test_a_refusal_is_final(place: Place, code: int) -> None:
    place.server.replies = [status(code)]
    assert f"{place.server.url} was refused with HTTP {code}" in place.refusal()
    assert len(place.server.asked) == 1


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_server_that_is_busy_is_asked_again(place: Place, code: int) -> None:
    place.server.replies = [status(code), ranged()]
    assert place.get().source == "original"
    place.server.replies = [status(code)]
    shutil.rmtree(place.root)
    place.root.mkdir()
    place.memory = Memory()
    assert f"HTTP {code}" in place.refusal()


def test_a_whole_part_needs_only_its_checksum(place: Place) -> None:
    place.part.write_bytes(place.content)
    assert place.get().source == "original"
    assert place.server.asked == [f"bytes={len(place.content)}-"]


def test_a_part_that_is_too_long_is_begun_anew(place: Place) -> None:
    place.part.write_bytes(place.content + b"more")
    assert place.get().source == "original"
    assert place.server.asked == [f"bytes={len(place.content) + 4}-", None]


def test_a_part_of_something_else_is_begun_anew(place: Place) -> None:
    place.part.write_bytes(b"x" * 1000)
    assert place.get().source == "original"
    assert place.server.asked == ["bytes=1000-", None]


def test_a_server_without_range_sends_all_of_it(place: Place) -> None:
    place.part.write_bytes(b"x" * 1000)
    place.server.replies = [without_range()]
    assert place.get().source == "original"
    assert place.server.asked == ["bytes=1000-"]


def test_a_server_without_range_ends_a_part_that_is_too_long(place: Place) -> None:
    place.part.write_bytes(place.content + b"more")
    place.server.replies = [without_range()]
    assert place.get().source == "original"
    assert len(place.server.asked) == 1


def test_a_server_without_range_that_breaks_off_earlier_loses_nothing(place: Place) -> None:
    place.part.write_bytes(place.content[:1000])
    place.server.replies = [without_range(400)]
    assert "1.00kB are kept" in place.refusal()
    assert place.part.read_bytes() == place.content[:1000]


@pytest.mark.parametrize("replies", [[without_range(length=False)], [without_range(900, length=False), ranged()]])
def test_a_server_that_does_not_say_how_long_it_is(place: Place, replies: list[object]) -> None:
    place.server.replies = replies  # type: ignore[assignment]
    assert place.get().source == "original"


def test_a_wrong_checksum_is_refused_and_not_kept(place: Place) -> None:
    place.server.content = place.content[:-9] + bytes(9)
    assert "its MD5 checksum is wrong" in place.refusal()
    assert not place.part.exists()
    assert len(place.server.asked) == 1


def test_without_a_server_the_sample_is_announced_and_remembered(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.tiny.url = "http://127.0.0.1:9/cifar-10-python.tar.gz"
    assert place.get(announce=True).source == "sample"
    told = capsys.readouterr()
    assert told.out.count("\n") == 1
    assert "NOT CIFAR-10, because 127.0.0.1 cannot be reached (Connection refused)" in told.out
    assert told.err == ""
    assert list(place.root.iterdir()) == []
    assert "127.0.0.1 cannot be reached" in place.refusal("download")

    assert place.get(announce=True).source == "sample"
    assert capsys.readouterr().out == ""


def test_a_server_that_could_not_be_reached_is_asked_again_only_on_demand(place: Place) -> None:
    place.server.replies = [place.server.hang, ranged()]
    sources = [place.get(patience=Patience(answer=0.4)).source for _ in range(2)]
    assert (sources, place.server.asked) == (["sample", "sample"], [None])
    assert place.get("download").source == "original"
    assert place.get().source == "original"
    assert place.server.asked == [None, None]


def test_a_server_that_never_answers_is_no_network(place: Place) -> None:
    place.server.replies = [place.server.hang]
    assert place.get(patience=Patience(answer=0.2)).source == "sample"
    assert len(place.server.asked) == 1


def test_a_server_that_takes_for_ever_to_answer_is_no_network(place: Place) -> None:
    """Each byte comes in time, the answer does not: as with a name server, no socket's timeout ends it."""
    place.server.replies = [place.server.trickle]
    assert place.get(patience=Patience(answer=0.5)).source == "sample"


def test_a_network_that_goes_away_is_a_break(place: Place) -> None:
    place.server.replies = [ranged(1000), place.server.hang]
    text = place.refusal(patience=Patience(answer=0.3, attempts=2, pause=0))
    assert "broke off 2 times in a row (127.0.0.1 cannot be reached" in text
    assert "1.00kB are kept" in text


def test_a_name_that_nobody_knows_is_no_network(place: Place) -> None:
    place.tiny.url = "http://cifar.invalid/cifar-10-python.tar.gz"
    assert "cifar.invalid cannot be reached (" in place.refusal("download")


def test_a_full_disk_is_named(place: Place) -> None:
    place.part.symlink_to("/dev/full")
    text = place.refusal()
    assert f"The disk that {place.root} lies on is full" in text
    assert "350 MB" in text


def test_a_folder_that_may_not_be_written_is_named(place: Place) -> None:
    place.get()
    shutil.rmtree(place.root)
    place.root.mkdir()
    place.root.chmod(0o555)
    place.memory = Memory()
    with without_privileges():
        text = place.refusal()
    place.root.chmod(0o755)
    assert f"{place.root} cannot be written to (Permission denied), which the download of CIFAR-10 needs" in text


def test_two_downloads_at_once_do_no_harm(place: Place) -> None:
    """A second process that began later writes the same bytes at the same places."""
    inner: list[str] = []

    def meanwhile(handler: object, content: bytes) -> None:
        inner.append("started")
        fetch(place.server.url, place.archive, place.tiny.tgz_md5, announce=False, patience=PATIENCE)
        inner.append("done")
        ranged()(handler, content)  # type: ignore[arg-type]

    place.server.replies = [ranged(1000), meanwhile, ranged()]
    fetch(place.server.url, place.archive, place.tiny.tgz_md5, announce=False, patience=PATIENCE)
    assert inner == ["started", "done"]
    assert hashlib.md5(place.archive.read_bytes()).hexdigest() == place.tiny.tgz_md5
    assert os.listdir(place.root) == [place.archive.name]


def test_a_progress_bar_keeps_off_stderr(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.server.replies = [place.server.hang_after(700), ranged()]
    place.get(announce=True, patience=Patience(answer=0.8, attempts=3, pause=0))
    told = capsys.readouterr()
    assert told.err == ""
    assert place.tiny.filename in told.out
