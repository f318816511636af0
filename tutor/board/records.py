"""Event files record by record: the TFRecord framing that TensorBoard reads, with a fast checksum.

TensorBoard's own ``RecordWriter`` computes each checksum one byte at a time in Python, which for pictures takes as long
as compressing them, and its reader stops at a cut file without a word. Hence this module. The format, as given in
TensorFlow's ``tfrecord`` documentation: length (uint64), masked CRC of the length, data, masked CRC of the data, all
little-endian. The tests hold it against TensorBoard's writer and reader.
"""

import os
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tutor.board.errors import BoardError
from tutor.board.folders import unwritable

Words = NDArray[np.uint32]

CASTAGNOLI = 0x82F63B78  # the polynomial of CRC-32C (RFC 3720), lowest bit first
ONES = 0xFFFFFFFF
MARK = "tfevents"  # TensorBoard takes a file for an event file when its name contains this


def _advance(tables: Words, registers: Words) -> Words:
    """Return CRC registers (uint32, n) after as many zero bytes as the tables (4, 256) stand for."""
    parts = np.ascontiguousarray(registers).view(np.uint8).reshape(-1, 4)
    one, two, three, four = (table.take(parts[:, place]) for place, table in enumerate(tables))
    joined: Words = one ^ two ^ three ^ four
    return joined


def _tables() -> tuple[Words, list[Words]]:
    """Return the registers after each pair of bytes (65536), and tables for 1, 2, 4, ... zero bytes."""
    byte = np.arange(256, dtype="<u4")
    after = byte
    for _ in range(8):
        after = np.where(after & 1, (after >> 1) ^ np.uint32(CASTAGNOLI), after >> 1).astype("<u4")
    shifts = [np.stack([after, byte, byte << 8, byte << 16]).astype("<u4")]
    for _ in range(40):  # up to 2**40 bytes
        shifts.append(np.stack([_advance(shifts[-1], row) for row in shifts[-1]]))
    pair = np.arange(65536)
    return _advance(shifts[0], after[pair & 255]) ^ after[pair >> 8], shifts


PAIRS, SHIFTS = _tables()
BYTES = tuple(int(PAIRS[byte << 8]) for byte in range(256))  # a byte after a zero byte: the register starts at zero
SHORT = 800  # bytes; one after the other is faster up to here, as for each record's length


def crc32c(data: bytes) -> int:
    """Return the CRC-32C checksum of the data.

    A CRC is linear: the register after two pieces is that of the first, advanced by the length of the second, XOR that
    of the second. So all pairs of bytes are looked up at once, then neighbours are joined, level by level.
    """
    if len(data) <= SHORT:
        register = ONES
        for byte in data:
            register = BYTES[(register ^ byte) & 255] ^ register >> 8
        return register ^ ONES
    size = 2 << max(0, (len(data) - 1).bit_length() - 1)
    padded = np.zeros(size, np.uint8)  # zeros in front leave a register that starts at zero as it is
    padded[size - len(data) :] = np.frombuffer(data, np.uint8)
    registers = PAIRS.take(padded.view("<u2"))
    for shift in SHIFTS[1:]:
        if len(registers) == 1:
            break
        registers = _advance(shift, registers[0::2]) ^ registers[1::2]
    start = np.array([ONES], "<u4")  # a CRC's register really starts at all ones
    for power, shift in enumerate(SHIFTS):
        if len(data) >> power & 1:
            start = _advance(shift, start)
    return int(registers[0] ^ start[0]) ^ ONES


def _masked(data: bytes) -> int:
    """Return the checksum as records keep it: rotated right by 15 bits, plus a constant."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & ONES


def framed(data: bytes) -> bytes:
    """Return the data as one record."""
    length = struct.pack("<Q", len(data))
    return b"".join((length, struct.pack("<I", _masked(length)), data, struct.pack("<I", _masked(data))))


def event_files(folder: Path) -> list[Path]:
    """Return the event files that lie in the folder, in the order in which TensorBoard reads them."""
    return sorted(path for path in folder.iterdir() if MARK in path.name and path.is_file())


class EventFile:
    """A new event file in a folder, for use in a ``with`` statement; BoardError when it can't be written."""

    def __init__(self, folder: Path) -> None:
        """Open the file.

        TensorBoard reads the files of a run in the order of their names and never goes back, so the time in the name
        is moved on, if need be, until the new file comes last.
        """
        self.folder = folder
        present = event_files(folder)
        second = int(time.time())
        while True:
            name = f"events.out.{MARK}.{second:010d}.{socket.gethostname()}.{os.getpid()}.layer"
            if not present or name > present[-1].name:
                break
            second += 1
        try:
            self.file = (folder / name).open("xb")
        except OSError as error:
            raise unwritable(folder, error) from error

    def append(self, record: bytes) -> None:
        """Write a framed record."""
        try:
            self.file.write(record)
        except OSError as error:
            raise unwritable(self.folder, error) from error

    def __enter__(self) -> Self:
        """Return the open file."""
        return self

    def __exit__(self, *_: object) -> None:
        """Write what is still in memory, and close the file."""
        try:
            self.file.close()
        except OSError as error:
            raise unwritable(self.folder, error) from error


def records(path: Path, *, partial: bool = False) -> Iterator[bytes]:
    """Yield the data of each record of an event file.

    partial: end quietly at a record that is still being written.
    Raises BoardError when the file is cut off or damaged.
    """
    content = path.read_bytes()
    place = 0
    while place < len(content):
        end = place + 16
        if end <= len(content):
            end += struct.unpack_from("<Q", content, place)[0]
            if struct.unpack_from("<I", content, place + 8)[0] != _masked(content[place : place + 8]):
                raise BoardError(f"{_damaged(path)}: the length of the record at byte {place} fails its checksum.")
        if end > len(content):
            if partial:
                return
            raise BoardError(
                f"The event file {path} is cut off: its last record should end at byte {end} and the file does at byte "
                f"{len(content)}; close the writer before reading, or log the run again."
            )
        data = content[place + 12 : end - 4]
        if struct.unpack_from("<I", content, end - 4)[0] != _masked(data):
            raise BoardError(f"{_damaged(path)}: the record at byte {place} fails its checksum.")
        yield data
        place = end


def _damaged(path: Path) -> str:
    """Return how a sentence about a damaged file begins."""
    return f"The event file {path} is damaged, so log the run again"
