"""The drawn birds and frogs, each in more than one pose, and the eyes that other animals share."""

import numpy as np

from tutor.data import scenery
from tutor.data.shapes import Colour, Sheet

FEATHERS = (
    (0.75, 0.2, 0.15),
    (0.2, 0.4, 0.75),
    (0.5, 0.4, 0.3),
    (0.15, 0.15, 0.18),
    (0.9, 0.88, 0.85),
    (0.85, 0.7, 0.2),
)
FROGS = ((0.3, 0.6, 0.15), (0.45, 0.7, 0.2), (0.2, 0.45, 0.2), (0.5, 0.5, 0.2), (0.45, 0.38, 0.22))
BLACK = (0.05, 0.04, 0.04)


def eyes(sheet: Sheet, apart: float, y: float, size: float, iris: Colour, pupil: tuple[float, float]) -> None:
    """Paint two eyes on a face seen from the front; ``pupil`` is its half width and half height."""
    for side in (-1.0, 1.0):
        sheet.paint(iris, sheet.ellipse(side * apart, y, size, size * 0.9))
        sheet.paint(BLACK, sheet.ellipse(side * apart, y, *pupil))
        sheet.paint((1.0, 1.0, 1.0), sheet.ellipse(side * apart + 0.02, y + size * 0.4, 0.025, 0.025))


def bird_on_a_branch(sheet: Sheet) -> None:
    """Paint a small bird that sits: round body, folded wing, tail, beak."""
    draws = sheet.draws
    scenery.outdoors(sheet, *scenery.GREENS, level=(0.0, 0.4))
    sheet.pose(draws.between(-0.15, 0.15), draws.between(-0.1, 0.15), draws.between(0.75, 1.05), tilt=0.4)
    back, belly = draws.colour(*FEATHERS), draws.colour(*FEATHERS, (0.95, 0.9, 0.8))
    sheet.strokes((0.35, 0.25, 0.17), [(-1.4, -0.72), (0.0, -0.66), (1.4, -0.74)], 0.08)
    for x in (-0.02, 0.14):
        sheet.paint((0.75, 0.5, 0.2), sheet.line((x, -0.35), (x + 0.03, -0.65), 0.03))
    sheet.strokes(back * 0.7, [(-0.35, -0.2), (-0.9, -0.5)], 0.13, 0.08)
    sheet.paint(back, sheet.line((-0.25, -0.15), (0.2, 0.1), 0.27, 0.3))
    sheet.paint(belly, sheet.ellipse(0.16, -0.12, 0.26, 0.27))
    sheet.paint(back, sheet.ellipse(0.38, 0.42, 0.24, 0.23))
    sheet.paint((0.9, 0.6, 0.15), sheet.polygon((0.58, 0.34), (0.88, 0.36), (0.58, 0.5)))
    sheet.paint(back * 0.65, sheet.line((-0.42, -0.25), (0.05, 0.05), 0.08, 0.17))
    sheet.paint((0.95, 0.95, 0.9), sheet.ellipse(0.45, 0.47, 0.065, 0.065))
    sheet.paint(BLACK, sheet.ellipse(0.46, 0.47, 0.045, 0.045))


def bird_on_the_wing(sheet: Sheet) -> None:
    """Paint a bird that flies: two raised or lowered wings, a fan of a tail."""
    draws = sheet.draws
    scenery.sky(sheet)
    sheet.pose(draws.between(-0.15, 0.15), draws.between(-0.15, 0.15), draws.between(0.75, 1.1), tilt=0.5)
    back = draws.colour(*FEATHERS)
    lift = draws.between(0.5, 0.85) * np.where(draws.chance(0.7), np.float32(1), np.float32(-1))
    sweep = draws.between(-0.5, 0.1)
    sheet.strokes(back * 0.6, [(0.1, 0.02), (0.3, 0.6 * lift), (0.45 + sweep, lift)], 0.18, 0.02)
    sheet.paint(back * 0.8, sheet.polygon((-0.25, 0.05), (-0.92, 0.16), (-0.85, -0.16), (-0.25, -0.08)))
    sheet.paint(back, sheet.line((-0.3, -0.02), (0.3, 0.02), 0.11, 0.18))
    sheet.paint(back, sheet.ellipse(0.46, 0.1, 0.18, 0.16))
    sheet.paint((0.9, 0.6, 0.15), sheet.polygon((0.6, 0.03), (0.88, 0.05), (0.6, 0.16)))
    sheet.paint((0.95, 0.95, 0.9), sheet.ellipse(0.5, 0.14, 0.065, 0.065))
    sheet.paint(BLACK, sheet.ellipse(0.51, 0.14, 0.045, 0.045))
    sheet.strokes(back * 0.9, [(0.02, -0.02), (-0.05, 0.55 * lift), (sweep, 0.95 * lift)], 0.22, 0.02)
    sheet.strokes(back * 0.5, [(-0.1, 0.35 * lift), (sweep - 0.03, 0.85 * lift)], 0.06, 0.02)


def frog_face(sheet: Sheet) -> None:
    """Paint a frog that looks at us: bulging eyes on top, a wide mouth, folded legs."""
    draws = sheet.draws
    scenery.fill(sheet, draws.colour(*scenery.GREENS, *scenery.EARTHS, *scenery.SEAS), patches=6, strength=0.45)
    sheet.pose(draws.between(-0.2, 0.2), draws.between(-0.15, 0.15), draws.between(0.7, 1.05), tilt=0.35)
    skin = draws.colour(*FROGS)
    for side in (-1.0, 1.0):
        sheet.paint(skin * 0.75, sheet.ellipse(side * 0.62, -0.4, 0.28, 0.34))
        sheet.paint(skin * 0.6, sheet.line((side * 0.35, -0.75), (side * 0.8, -0.78), 0.07))
    sheet.paint(skin, sheet.ellipse(0.0, -0.28, 0.58, 0.48))
    sheet.paint(skin * 0.4 + 0.5, sheet.ellipse(0.0, -0.45, 0.38, 0.3))
    sheet.paint(skin, sheet.ellipse(0.0, 0.1, 0.62, 0.34))
    for side in (-1.0, 1.0):
        sheet.paint(skin, sheet.ellipse(side * 0.36, 0.38, 0.22, 0.22))
    eyes(sheet, 0.36, 0.4, 0.15, draws.colour((0.9, 0.8, 0.3), (0.95, 0.95, 0.85)), (0.09, 0.075))
    for side in (-1.0, 1.0):
        sheet.paint(BLACK, sheet.line((0.0, -0.1), (side * 0.48, 0.03), 0.025))


def frog_sitting(sheet: Sheet) -> None:
    """Paint a frog from the side: a sloping back, a folded hind leg, an eye on top of the head."""
    draws = sheet.draws
    scenery.fill(sheet, draws.colour(*scenery.GREENS, *scenery.EARTHS, *scenery.SEAS), patches=6, strength=0.4)
    scenery.ground(sheet, draws.between(0.15, 0.5), *scenery.GREENS, *scenery.EARTHS, *scenery.SEAS)
    sheet.pose(draws.between(-0.15, 0.15), draws.between(-0.1, 0.15), draws.between(0.75, 1.1), tilt=0.25)
    skin = draws.colour(*FROGS)
    sheet.paint(BLACK, sheet.ellipse(0.0, -0.58, 0.85, 0.1), opacity=0.4)
    sheet.paint(skin, sheet.line((-0.45, -0.3), (0.3, 0.1), 0.24, 0.32))
    sheet.paint(skin * 0.4 + 0.5, sheet.line((-0.1, -0.4), (0.45, -0.1), 0.1, 0.16))
    sheet.paint(skin, sheet.line((0.3, 0.15), (0.62, 0.12), 0.26, 0.17))
    for x, y in ((-0.3, -0.05), (-0.05, 0.12), (0.12, 0.3)):
        sheet.paint(skin * 0.6, sheet.ellipse(x, y, 0.07, 0.06))
    sheet.strokes(skin * 0.85, [(0.3, -0.2), (0.38, -0.52), (0.55, -0.56)], 0.08, 0.05)
    sheet.strokes(skin * 0.75, [(-0.55, -0.35), (-0.12, -0.2), (-0.5, -0.52), (-0.05, -0.56)], 0.15, 0.06)
    sheet.paint(skin, sheet.ellipse(0.38, 0.4, 0.18, 0.17))
    sheet.paint((0.92, 0.82, 0.3), sheet.ellipse(0.4, 0.42, 0.12, 0.11))
    sheet.paint(BLACK, sheet.ellipse(0.42, 0.42, 0.08, 0.06))
    sheet.paint(BLACK, sheet.line((0.45, 0.0), (0.78, 0.07), 0.022))
