"""What lies behind the drawn things: skies, ground, water, roads, rooms."""

import numpy as np
from numpy.typing import NDArray

from tutor.data.shapes import Colour, Field, Sheet, Value

BLUE_SKIES = ((0.36, 0.6, 0.92), (0.55, 0.75, 0.95), (0.25, 0.45, 0.8))
SKIES = (*BLUE_SKIES, (0.75, 0.8, 0.85), (0.6, 0.65, 0.72), (0.95, 0.72, 0.5), (0.85, 0.88, 0.95))
GREENS = ((0.3, 0.5, 0.2), (0.45, 0.6, 0.25), (0.25, 0.4, 0.2), (0.5, 0.55, 0.3))
EARTHS = ((0.6, 0.5, 0.35), (0.5, 0.4, 0.3), (0.7, 0.62, 0.45), (0.45, 0.42, 0.38))
ROADS = ((0.35, 0.35, 0.37), (0.5, 0.5, 0.5), (0.6, 0.57, 0.52), (0.28, 0.28, 0.32))
WALLS = ((0.75, 0.68, 0.58), (0.6, 0.45, 0.4), (0.55, 0.6, 0.65), (0.85, 0.82, 0.78), (0.4, 0.35, 0.4))
SEAS = ((0.15, 0.35, 0.55), (0.2, 0.45, 0.5), (0.3, 0.45, 0.6), (0.35, 0.42, 0.45), (0.1, 0.25, 0.4))


def height(sheet: Sheet) -> Field:
    """Return how far up each pixel lies in its picture, 0 at the bottom to 1 at the top, shape (1, 32, 32)."""
    rows = sheet.pixels.shape[2]
    up = (rows - 0.5 - np.arange(rows, dtype=np.float32)) / rows
    return np.broadcast_to(up[None, :, None], (1, rows, sheet.pixels.shape[3]))


def fill(sheet: Sheet, colour: Colour, *, patches: int = 4, strength: float = 0.25) -> None:
    """Cover the pictures with a colour that soft patches make lighter and darker."""
    sheet.blend(colour, np.ones_like(sheet.x))
    mottle(sheet, np.ones_like(sheet.x), patches=patches, strength=strength)


def mottle(sheet: Sheet, cover: Field, *, patches: int, strength: float) -> None:
    """Lighten and darken what is covered, in soft patches."""
    change = strength * (sheet.texture(patches) - 0.5) * cover
    sheet.pixels += change[:, None]


def sky(sheet: Sheet, *palette: tuple[float, float, float], clouds: float = 0.6) -> None:
    """Paint a sky that is paler lower down, with clouds in some pictures."""
    draws = sheet.draws
    sheet.blend(draws.colour(*(palette or SKIES)), np.ones_like(sheet.x))
    sheet.blend((1.0, 1.0, 1.0), (1 - height(sheet)) * draws.between(0.0, 0.5))
    thick = np.where(draws.chance(clouds), draws.between(0.3, 0.9), np.float32(0))
    sheet.blend((0.97, 0.97, 0.98), np.clip(sheet.texture(3) * 3 - 1.6, 0, 1) * thick)


def ground(sheet: Sheet, level: Value, *palette: tuple[float, float, float], patches: int = 8) -> None:
    """Paint ground up to ``level`` (0 bottom to 1 top), darker toward the front."""
    cover = np.clip((level - height(sheet)) * sheet.pixels.shape[2] + 0.5, 0, 1)
    sheet.blend(sheet.draws.colour(*palette), cover)
    sheet.blend((0.0, 0.0, 0.0), cover * (1 - height(sheet)) * sheet.draws.between(0.0, 0.35))
    mottle(sheet, cover, patches=patches, strength=0.25)


def outdoors(sheet: Sheet, *grounds: tuple[float, float, float], level: tuple[float, float] = (0.25, 0.65)) -> None:
    """Paint a sky or trees with ground in front of them."""
    draws = sheet.draws
    sky(sheet)
    trees = np.where(draws.chance(0.5), draws.between(0.75, 1.5), np.float32(0))
    cover = np.clip((trees - height(sheet) + 0.2 * sheet.texture(6)) * 12, 0, 1) * draws.between(0.6, 1.0)
    sheet.blend(draws.colour(*GREENS), cover)
    mottle(sheet, cover, patches=10, strength=0.4)
    ground(sheet, draws.between(*level), *(grounds or (*GREENS, *EARTHS)))


def room(sheet: Sheet) -> None:
    """Paint a wall, sometimes in two halves, and a floor or cushion."""
    draws = sheet.draws
    fill(sheet, draws.colour(*WALLS), patches=3)
    edge = draws.between(-0.8, 0.8)
    sheet.paint(draws.colour(*WALLS, *GREENS), edge - sheet.x, opacity=draws.between(0.0, 0.8))
    ground(sheet, draws.between(0.0, 0.45), *WALLS, *EARTHS, patches=4)


def finish(sheet: Sheet) -> NDArray[np.uint8]:
    """Give the pictures light, contrast and grain, and return them as uint8 (n, 3, 32, 32)."""
    draws = sheet.draws
    contrast = draws.between(0.6, 1.1)[..., None]
    light = draws.between(-0.12, 0.12)[..., None]
    tint = 0.06 * (draws.unit(3, 1, 1) - 0.5)
    shape = sheet.pixels.shape[1:]
    grain = draws.between(0.02, 0.16)[..., None] * (draws.unit(*shape) + draws.unit(*shape) - 1)
    pixels = (sheet.pixels - 0.5) * contrast + 0.5 + light + tint + grain
    rounded: NDArray[np.uint8] = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    return rounded
