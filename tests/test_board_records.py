"""Event files and PNGs, byte by byte, against TensorBoard's own reader and writer and against Pillow."""

import io
import os
import time
from pathlib import Path

import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import crc32c as reference
from tensorboard.summary.writer.record_writer import RecordWriter

from tutor.board import BoardError, png, records


@pytest.mark.parametrize("size", [*range(20), 255, 256, 257, 4095, 10_000])
def test_the_checksum_is_tensorboards(size: int) -> None:
    data = os.urandom(size)
    assert records.crc32c(data) == reference(data)


def test_the_checksum_of_the_standards_example() -> None:
    assert records.crc32c(b"123456789") == 0xE3069283
    assert records.crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4


def event_file(folder: Path, contents: list[bytes]) -> Path:
    with records.EventFile(folder) as file:
        for content in contents:
            file.append(records.framed(content))
    return records.event_files(folder)[-1]


def test_tensorboard_reads_what_is_written_here(tmp_path: Path) -> None:
    contents = [b"", b"a", os.urandom(5000)]
    assert list(RawEventFileLoader(str(event_file(tmp_path, contents))).Load()) == contents


def test_what_tensorboard_writes_is_read_here(tmp_path: Path) -> None:
    contents = [b"a", os.urandom(300)]
    with (tmp_path / "events.out.tfevents.1").open("wb") as file:
        for content in contents:
            RecordWriter(file).write(content)
    assert list(records.records(tmp_path / "events.out.tfevents.1")) == contents


@pytest.mark.parametrize("missing", [1, 5, 90, 105])
def test_a_cut_file_is_told_with_the_place(tmp_path: Path, missing: int) -> None:
    path = event_file(tmp_path, [b"first", b"x" * 84])  # the second record has 100 bytes
    whole = path.stat().st_size
    path.write_bytes(path.read_bytes()[:-missing])
    with pytest.raises(
        BoardError, match=rf"is cut off: its last record .* byte {whole - missing}; .* log the run again"
    ):
        list(records.records(path))
    assert list(records.records(path, partial=True)) == ([b"first"] if missing <= 100 else [])


@pytest.mark.parametrize(("place", "what"), [(0, "length of the record at byte 0"), (14, "record at byte 0")])
def test_a_damaged_file_is_told_with_the_place(tmp_path: Path, place: int, what: str) -> None:
    path = event_file(tmp_path, [b"some data"])
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(BoardError, match=f"damaged, so log the run again: the {what} fails its checksum"):
        list(records.records(path, partial=True))


def test_a_new_file_comes_after_those_that_are_there(tmp_path: Path) -> None:
    first = event_file(tmp_path, [b"1"])
    later = tmp_path / f"events.out.tfevents.{int(time.time()) + 3600:010d}.another"
    later.write_bytes(records.framed(b"2"))
    newest = event_file(tmp_path, [b"3"])
    assert records.event_files(tmp_path) == [first, later, newest]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(1, 1), (7, 5), (256, 256)])
def test_pillow_decodes_the_same_pixels(channels: int, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    for picture in (torch.randint(0, 256, (channels, *size), dtype=torch.uint8), torch.full((channels, *size), 200)):
        with Image.open(io.BytesIO(png.encoded(picture.to(torch.uint8)))) as image:
            assert image.mode == {1: "L", 3: "RGB"}[channels]
            pixels = torch.tensor(list(image.tobytes())).view(*size, channels).permute(2, 0, 1)
        assert torch.equal(pixels, picture.long())
