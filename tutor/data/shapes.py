"""Many small pictures painted at once, in steps that give the same bytes on every machine.

A shape is a signed distance: negative inside, positive outside, in the units of the thing that is drawn. Only
``+ - * /``, square roots, comparisons and rounding of float32 arrays are used, one operation at a time: IEEE 754 fixes
the result of each of them to the last bit, which it does not for sines, exponentials, or the order of a long sum.
"""

import math
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

SIDE = 32

Field: TypeAlias = NDArray[np.floating[Any]]  # float32; the stubs lose that on the way
Value: TypeAlias = float | Field
Colour: TypeAlias = tuple[float, float, float] | Field
Point: TypeAlias = tuple[Value, Value]


class Draws:
    """Random numbers for ``n`` pictures, one for each, from the raw 64-bit output of numpy's PCG64.

    numpy promises the raw output of a bit generator for ever, and the methods of ``Generator`` for one version only.
    """

    def __init__(self, n: int, *seed: int) -> None:
        """Start the stream that belongs to ``seed`` (whole numbers >= 0)."""
        self.n = n
        self._bits = np.random.default_rng(np.random.SeedSequence(seed)).bit_generator

    def unit(self, *shape: int) -> Field:
        """Return numbers in [0, 1), multiples of 2**-24, of shape ``(n, *shape)``."""
        count = self.n
        for length in shape:
            count *= length
        raw = np.asarray(self._bits.random_raw(count), dtype=np.uint64) >> np.uint64(40)
        return (raw.astype(np.float32) * np.float32(2.0**-24)).reshape(self.n, *shape)

    def between(self, low: float, high: float) -> Field:
        """Return numbers in [low, high), shape (n, 1, 1)."""
        return low + (high - low) * self.unit(1, 1)

    def chance(self, share: float) -> NDArray[np.bool_]:
        """Return True for about ``share`` of the pictures, shape (n, 1, 1)."""
        return self.unit(1, 1) < share

    def colour(self, *palette: tuple[float, float, float], spread: float = 0.1) -> Field:
        """Return a colour for each picture, shape (n, 3, 1, 1), in [0, 1].

        It is one of the palette, made lighter or darker by up to ``spread``, and each channel by a third of that more.
        """
        chosen = (self.unit() * len(palette)).astype(np.int64)
        colours = np.asarray(palette, dtype=np.float32)[chosen].reshape(self.n, 3, 1, 1)
        lighter, tint = 2 * self.unit(1, 1, 1) - 1, (2 * self.unit(3, 1, 1) - 1) / 3
        mixed: Field = np.clip(colours + spread * (lighter + tint), 0, 1)
        return mixed


class Sheet:
    """``n`` pictures of 32x32 pixels with a frame in which things are drawn: x to the right, y up, about -1 to 1."""

    def __init__(self, draws: Draws) -> None:
        """Start with black pictures, and with the frame that covers each picture exactly."""
        self.draws = draws
        self.pixels = np.zeros((draws.n, 3, SIDE, SIDE), dtype=np.float32)
        step = (np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2) / (SIDE / 2)
        self._across, self._up = step[None, None, :], -step[None, :, None]
        self.pixels_per_unit: Value = SIDE / 2
        self.x: Field = np.broadcast_to(self._across, (draws.n, SIDE, SIDE))
        self.y: Field = np.broadcast_to(self._up, (draws.n, SIDE, SIDE))

    def pose(self, x: Value, y: Value, size: Value, *, tilt: float = 0.0, mirror: bool = True) -> None:
        """Put the frame's origin at (x, y), its unit at ``size``, turned by up to about ``tilt`` radians."""
        across, up = self._across - x, self._up - y
        # With t = tan(angle / 2), cosine and sine are fractions of t: a rotation without calling either.
        t = self.draws.between(-tilt / 2, tilt / 2)
        cosine, sine = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
        flip = np.where(self.draws.chance(0.5 if mirror else 0.0), np.float32(-1), np.float32(1))
        self.x = flip * (cosine * across + sine * up) / size
        self.y = (cosine * up - sine * across) / size
        self.pixels_per_unit = size * (SIDE / 2)

    def paint(self, colour: Colour, distance: Field, *, opacity: Value = 1.0) -> None:
        """Paint the inside of a shape, its edge softened over one pixel."""
        cover = opacity * np.clip(0.5 - distance * self.pixels_per_unit, 0, 1)
        self.blend(colour, cover)

    def blend(self, colour: Colour, cover: Field) -> None:
        """Mix a colour in, by the share ``cover`` (n, 32, 32) in [0, 1] of each pixel."""
        paint = np.asarray(colour, dtype=np.float32).reshape(-1, 3, 1, 1)
        self.pixels += (paint - self.pixels) * cover[:, None]

    def ellipse(self, x: Value, y: Value, rx: Value, ry: Value) -> Field:
        """Return the (nearly exact) distance to an ellipse around (x, y)."""
        u, v = (self.x - x) / rx, (self.y - y) / ry
        near = np.sqrt(u * u + v * v)
        slope = np.sqrt((u / rx) * (u / rx) + (v / ry) * (v / ry))
        distance: Field = near * (near - 1) / np.maximum(slope, np.float32(1e-6))
        return distance

    def line(self, start: Point, end: Point, width: Value, end_width: Value | None = None) -> Field:
        """Return the distance to a stroke with round ends; the widths are radii at its two ends."""
        dx, dy = end[0] - start[0], end[1] - start[1]
        u, v = self.x - start[0], self.y - start[1]
        along = np.clip((u * dx + v * dy) / (dx * dx + dy * dy + 1e-6), 0, 1)
        u, v = u - along * dx, v - along * dy
        radius = width if end_width is None else width + (end_width - width) * along
        distance: Field = np.sqrt(u * u + v * v) - radius
        return distance

    def polygon(self, *corners: Point) -> Field:
        """Return the distance to a convex polygon whose corners are named counterclockwise."""
        distance: Field = np.full_like(self.x, -np.inf)
        for (x0, y0), (x1, y1) in zip(corners, (*corners[1:], corners[0]), strict=True):
            dx, dy = x1 - x0, y1 - y0
            squared = dx * dx + dy * dy
            length = math.sqrt(squared) if isinstance(squared, float) else np.sqrt(squared)
            distance = np.maximum(distance, ((self.x - x0) * dy - (self.y - y0) * dx) / length)
        return distance

    def box(self, left: Value, bottom: Value, right: Value, top: Value) -> Field:
        """Return the distance to an upright rectangle."""
        beside: Field = np.maximum(left - self.x, self.x - right)
        distance: Field = np.maximum(beside, np.maximum(bottom - self.y, self.y - top))
        return distance

    def strokes(self, colour: Colour, points: list[Point], width: Value, end_width: Value | None = None) -> None:
        """Paint strokes from point to point whose half width goes from ``width`` to ``end_width``."""
        last = width if end_width is None else end_width
        count = len(points) - 1
        for k, (start, end) in enumerate(pairwise(points)):
            first, second = (width + (last - width) * (j / count) for j in (k, k + 1))
            self.paint(colour, self.line(start, end, first, second))

    def texture(self, cells: int) -> Field:
        """Return soft random patches in [0, 1], shape (n, 32, 32), about ``cells`` of them across."""
        knots = self.draws.unit(cells + 1, cells + 1)
        where = (np.arange(SIDE, dtype=np.float32) + 0.5) * (cells / SIDE)
        left = where.astype(np.int64)
        part = where - left.astype(np.float32)
        part = part * part * (3 - 2 * part)
        rows: Field = knots[:, left] + (knots[:, left + 1] - knots[:, left]) * part[None, :, None]
        patches: Field = rows[:, :, left] + (rows[:, :, left + 1] - rows[:, :, left]) * part[None, None, :]
        return patches
