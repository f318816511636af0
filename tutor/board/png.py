"""PNG files fast: one filter for all lines and zlib's run-length strategy.

Pillow tries five filters on each line, which takes longer than compressing it; for a grid of photographs the files of
this module are a tenth larger and made in a quarter of the time, and zlib lets other threads work meanwhile. The format
is that of the PNG specification (ISO/IEC 15948), chapters 5 and 9; the tests decode it with Pillow.
"""

import struct
import zlib

import numpy as np
from torch import Tensor

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPE = {1: 0, 3: 2}  # channels → greyscale, truecolour
UP = 2  # the filter that stores each byte minus the one above it


def encoded(picture: Tensor) -> bytes:
    """Return a picture, uint8 (1 or 3, height, width), as the bytes of a PNG file."""
    channels, height, width = picture.shape
    pixels = picture.permute(1, 2, 0).reshape(height, width * channels).numpy()
    lines = np.empty((height, 1 + width * channels), np.uint8)
    lines[:, 0] = UP
    lines[0, 1:] = pixels[0]
    np.subtract(pixels[1:], pixels[:-1], out=lines[1:, 1:])
    packer = zlib.compressobj(level=1, strategy=zlib.Z_RLE)
    header = struct.pack(">IIBBBBB", width, height, 8, COLOUR_TYPE[channels], 0, 0, 0)
    data = packer.compress(lines.data) + packer.flush()
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    """Return one chunk of a PNG file: length, kind, data, and a CRC of the latter two."""
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))))
