"""The drawn cats, deer, dogs and horses, each in more than one pose."""

from itertools import pairwise

import numpy as np

from tutor.data import scenery
from tutor.data.animals import BLACK, eyes
from tutor.data.shapes import Field, Point, Sheet

FURS = (
    (0.5, 0.33, 0.18),
    (0.75, 0.55, 0.3),
    (0.2, 0.16, 0.14),
    (0.85, 0.8, 0.72),
    (0.5, 0.48, 0.46),
    (0.7, 0.38, 0.16),
)
BROWNS = ((0.55, 0.36, 0.2), (0.42, 0.27, 0.15), (0.65, 0.46, 0.27))
COATS = (*BROWNS, (0.16, 0.12, 0.1), (0.86, 0.84, 0.8), (0.35, 0.16, 0.08))
PINK = (0.88, 0.55, 0.55)


def legs(sheet: Sheet, colour: Field, places: tuple[float, ...], top: float, foot: float, width: float) -> None:
    """Paint legs that stand or walk: each foot is a little before or behind its hip."""
    for k, x in enumerate(places):
        step = x + sheet.draws.between(-0.12, 0.12)
        sheet.paint(colour * (0.7 if k % 2 else 1.0), sheet.line((x, top), (step, foot), width * 1.3, width))


def antlers(sheet: Sheet, x: float, y: float, size: float, opacity: Field) -> None:
    """Paint two antlers with their tines, where ``opacity`` is not 0."""
    bone = (0.75, 0.65, 0.5)
    for side in (-1.0, 1.0):
        beam: list[Point] = [
            (x, y),
            (x + side * 0.35 * size, y + 0.35 * size),
            (x + side * 0.3 * size, y + 0.85 * size),
        ]
        for start, end in pairwise(beam):
            sheet.paint(bone, sheet.line(start, end, 0.045, 0.035), opacity=opacity)
        for step in (0.35, 0.6):
            foot = (x + side * 0.33 * size, y + step * size)
            tine = (x + side * 0.65 * size, y + (step + 0.3) * size)
            sheet.paint(bone, sheet.line(foot, tine, 0.035, 0.025), opacity=opacity)


def cat_face(sheet: Sheet) -> None:
    """Paint a cat's face: two pointed ears, slit pupils, whiskers."""
    draws = sheet.draws
    scenery.room(sheet)
    sheet.pose(draws.between(-0.2, 0.2), draws.between(-0.25, 0.05), draws.between(0.8, 1.2), tilt=0.4)
    fur = draws.colour(*FURS)
    sheet.paint(fur * 0.85, sheet.ellipse(0.0, -0.95, 0.75, 0.6))
    for side in (-1.0, 1.0):
        corners = [(side * 0.1, 0.3), (side * 0.5, 0.85), (side * 0.62, 0.0)]
        inner = [(side * 0.24, 0.32), (side * 0.47, 0.68), (side * 0.54, 0.2)]
        sheet.paint(fur * 0.9, sheet.polygon(*(corners if side < 0 else corners[::-1])))
        sheet.paint(PINK, sheet.polygon(*(inner if side < 0 else inner[::-1])), opacity=0.7)
    sheet.paint(fur, sheet.ellipse(0.0, 0.0, 0.66, 0.52))
    striped = np.where(draws.chance(0.6), np.float32(0.8), np.float32(0))
    for x in (-0.16, 0.0, 0.16):
        sheet.paint(fur * 0.5, sheet.line((x, 0.3), (x * 1.4, 0.48), 0.035), opacity=striped)
    for side in (-1.0, 1.0):
        sheet.paint(fur * 0.5 + 0.45, sheet.ellipse(side * 0.13, -0.25, 0.18, 0.15))
    iris = draws.colour((0.65, 0.75, 0.2), (0.85, 0.65, 0.15), (0.4, 0.7, 0.75))
    eyes(sheet, 0.28, 0.06, 0.15, iris, (0.05, 0.13))
    sheet.paint(PINK, sheet.polygon((0.0, -0.24), (0.08, -0.14), (-0.08, -0.14)))
    for side in (-1.0, 1.0):
        for fall in (0.05, -0.1):
            whisker = sheet.line((side * 0.25, -0.24), (side * 0.85, -0.24 + fall), 0.012)
            sheet.paint((0.95, 0.95, 0.95), whisker, opacity=0.8)


def cat_sitting(sheet: Sheet) -> None:
    """Paint a cat that sits: small head with pointed ears, round body, long tail around it."""
    draws = sheet.draws
    scenery.room(sheet)
    sheet.pose(draws.between(-0.2, 0.2), draws.between(-0.1, 0.1), draws.between(0.8, 1.05), tilt=0.2)
    fur, chest = draws.colour(*FURS), draws.colour((0.92, 0.88, 0.82), (0.7, 0.55, 0.4))
    sheet.strokes(fur * 0.8, [(0.2, -0.82), (0.65, -0.75), (0.78, -0.35), (0.62, -0.02)], 0.09, 0.07)
    sheet.paint(fur, sheet.line((0.05, -0.55), (0.0, 0.0), 0.4, 0.22))
    sheet.paint(chest, sheet.ellipse(-0.04, -0.2, 0.14, 0.24), opacity=0.8)
    for x in (-0.14, 0.08):
        sheet.paint(fur * 0.85, sheet.line((x, -0.4), (x, -0.88), 0.08))
    for side in (-1.0, 1.0):
        ear = [(side * 0.04, 0.5), (side * 0.25, 0.85), (side * 0.33, 0.38)]
        sheet.paint(fur * 0.85, sheet.polygon(*(ear if side < 0 else ear[::-1])))
    sheet.paint(fur, sheet.ellipse(0.0, 0.38, 0.33, 0.28))
    eyes(sheet, 0.14, 0.42, 0.08, draws.colour((0.7, 0.8, 0.25), (0.85, 0.65, 0.2)), (0.03, 0.07))
    sheet.paint(PINK, sheet.ellipse(0.0, 0.29, 0.05, 0.04))


def deer_standing(sheet: Sheet) -> None:
    """Paint a deer from the side: thin legs, a slender raised neck, antlers in most pictures."""
    draws = sheet.draws
    scenery.outdoors(sheet, *scenery.GREENS, level=(0.3, 0.9))
    sheet.pose(draws.between(-0.15, 0.15), draws.between(-0.2, -0.05), draws.between(0.78, 1.0), tilt=0.15)
    fur = draws.colour(*BROWNS)
    stag = np.where(draws.chance(0.7), np.float32(1), np.float32(0))
    legs(sheet, fur * 0.85, (-0.42, -0.32, 0.2, 0.3), -0.05, -0.75, 0.042)
    sheet.paint(fur, sheet.line((-0.38, 0.0), (0.25, 0.03), 0.2, 0.19))
    sheet.paint((0.94, 0.9, 0.84), sheet.ellipse(-0.55, 0.06, 0.1, 0.13))
    sheet.paint(fur * 0.6 + 0.35, sheet.line((-0.3, -0.14), (0.2, -0.1), 0.05))
    spotted = np.where(draws.chance(0.5), np.float32(0.8), np.float32(0))
    for x, y in ((-0.35, 0.1), (-0.2, 0.02), (-0.05, 0.11), (0.1, 0.03)):
        sheet.paint((0.95, 0.9, 0.8), sheet.ellipse(x, y, 0.04, 0.035), opacity=spotted)
    sheet.paint(fur, sheet.line((0.28, 0.08), (0.48, 0.5), 0.14, 0.1))
    antlers(sheet, 0.46, 0.6, 0.55, stag)
    sheet.paint(fur * 0.8, sheet.line((0.42, 0.6), (0.25, 0.68), 0.07, 0.03))
    sheet.paint(fur, sheet.line((0.5, 0.55), (0.74, 0.45), 0.12, 0.075))
    sheet.paint(BLACK, sheet.ellipse(0.8, 0.45, 0.045, 0.045))
    sheet.paint(BLACK, sheet.ellipse(0.55, 0.59, 0.035, 0.035))


def deer_face(sheet: Sheet) -> None:
    """Paint a deer that looks at us: ears to the sides, a narrow face, antlers in most pictures."""
    draws = sheet.draws
    scenery.outdoors(sheet, *scenery.GREENS, level=(0.3, 1.1))
    sheet.pose(draws.between(-0.2, 0.2), draws.between(-0.3, -0.1), draws.between(0.75, 1.0), tilt=0.3)
    fur = draws.colour(*BROWNS)
    sheet.paint(fur * 0.8, sheet.line((0.0, -0.3), (0.15, -1.4), 0.28, 0.5))
    antlers(sheet, 0.0, 0.45, 0.85, np.where(draws.chance(0.75), np.float32(1), np.float32(0)))
    for side in (-1.0, 1.0):
        sheet.paint(fur * 0.75, sheet.line((side * 0.25, 0.32), (side * 0.72, 0.46), 0.13, 0.05))
        sheet.paint((0.85, 0.68, 0.6), sheet.line((side * 0.36, 0.35), (side * 0.62, 0.43), 0.06, 0.03))
    sheet.paint(fur, sheet.line((0.0, 0.25), (0.0, -0.32), 0.33, 0.17))
    sheet.paint(fur * 0.5 + 0.42, sheet.ellipse(0.0, -0.38, 0.17, 0.14))
    sheet.paint(BLACK, sheet.ellipse(0.0, -0.34, 0.11, 0.075))
    for side in (-1.0, 1.0):
        sheet.paint(BLACK, sheet.ellipse(side * 0.24, 0.14, 0.075, 0.085))


def dog_face(sheet: Sheet) -> None:
    """Paint a dog's face: hanging ears, a long muzzle, a black nose, a tongue in some pictures."""
    draws = sheet.draws
    scenery.outdoors(sheet, level=(0.2, 0.9))
    sheet.pose(draws.between(-0.2, 0.2), draws.between(-0.1, 0.15), draws.between(0.8, 1.15), tilt=0.4)
    fur = draws.colour(*FURS)
    ears = np.where(draws.chance(0.5)[..., None], fur * 0.6, draws.colour(*FURS))
    sheet.paint(fur * 0.85, sheet.line((0.0, -0.4), (0.0, -1.3), 0.4, 0.6))
    sheet.paint(fur, sheet.ellipse(0.0, 0.12, 0.5, 0.52))
    for side in (-1.0, 1.0):
        sheet.paint(ears, sheet.line((side * 0.45, 0.42), (side * 0.6, -0.2), 0.13, 0.19))
    tongue = np.where(draws.chance(0.5), np.float32(1), np.float32(0))
    sheet.paint((0.85, 0.35, 0.4), sheet.line((0.0, -0.5), (0.02, -0.72), 0.11), opacity=tongue)
    sheet.paint(fur * 0.5 + 0.42, sheet.ellipse(0.0, -0.27, 0.33, 0.3))
    sheet.paint(BLACK, sheet.line((0.0, -0.2), (0.0, -0.42), 0.02))
    sheet.paint(BLACK, sheet.ellipse(0.0, -0.12, 0.15, 0.11))
    eyes(sheet, 0.22, 0.22, 0.085, (0.2, 0.1, 0.05), (0.06, 0.06))


def dog_standing(sheet: Sheet) -> None:
    """Paint a dog from the side: short legs, a raised tail, a hanging ear."""
    draws = sheet.draws
    scenery.outdoors(sheet)
    sheet.pose(draws.between(-0.15, 0.15), draws.between(-0.15, 0.1), draws.between(0.8, 1.05), tilt=0.15)
    fur, ear = draws.colour(*FURS), draws.colour(*FURS)
    shadow = sheet.ellipse(-0.05, -0.65, 0.7, 0.08)
    sheet.paint(BLACK, shadow, opacity=0.4)
    sheet.strokes(fur * 0.9, [(-0.5, 0.05), (-0.78, 0.3), (-0.8, 0.55)], 0.08, 0.05)
    legs(sheet, fur, (-0.45, -0.35, 0.22, 0.32), -0.1, -0.6, 0.075)
    sheet.paint(fur, sheet.line((-0.4, -0.05), (0.3, 0.0), 0.2, 0.24))
    sheet.paint(fur, sheet.line((0.3, 0.1), (0.5, 0.4), 0.18, 0.15))
    sheet.paint(fur, sheet.ellipse(0.53, 0.45, 0.23, 0.2))
    sheet.paint(fur * 0.9, sheet.line((0.6, 0.38), (0.84, 0.32), 0.12, 0.1))
    sheet.paint(BLACK, sheet.ellipse(0.94, 0.36, 0.06, 0.055))
    sheet.paint(BLACK, sheet.ellipse(0.62, 0.5, 0.045, 0.045))
    sheet.paint(ear * 0.75, sheet.line((0.42, 0.52), (0.36, 0.22), 0.09, 0.11))


def horse_standing(sheet: Sheet) -> None:
    """Paint a horse from the side: a strong neck with its mane, a long tail, tall legs."""
    draws = sheet.draws
    scenery.outdoors(sheet)
    sheet.pose(draws.between(-0.15, 0.15), draws.between(-0.1, 0.05), draws.between(0.8, 1.02), tilt=0.12)
    coat, hair = draws.colour(*COATS), draws.colour((0.1, 0.08, 0.07), (0.85, 0.75, 0.55), (0.3, 0.2, 0.12))
    sheet.paint(BLACK, sheet.ellipse(-0.05, -0.85, 0.7, 0.07), opacity=0.4)
    sheet.strokes(hair, [(-0.58, 0.12), (-0.78, -0.05), (-0.8, -0.5)], 0.06, 0.09)
    legs(sheet, coat * 0.9, (-0.46, -0.36, 0.24, 0.34), -0.1, -0.8, 0.062)
    sheet.paint(coat, sheet.line((-0.38, 0.0), (0.28, 0.0), 0.26, 0.25))
    sheet.strokes(hair, [(0.2, 0.3), (0.42, 0.68), (0.55, 0.82)], 0.14, 0.1)
    sheet.paint(coat, sheet.line((0.34, 0.1), (0.56, 0.6), 0.22, 0.14))
    sheet.paint(coat, sheet.polygon((0.46, 0.7), (0.6, 0.68), (0.54, 0.92)))
    sheet.paint(coat, sheet.line((0.57, 0.62), (0.86, 0.3), 0.15, 0.1))
    sheet.paint(coat * 0.5, sheet.ellipse(0.9, 0.24, 0.08, 0.07))
    sheet.paint(BLACK, sheet.ellipse(0.64, 0.62, 0.04, 0.04))


def horse_head(sheet: Sheet) -> None:
    """Paint a horse's head and neck from the side: a long face, a mane, upright ears."""
    draws = sheet.draws
    scenery.outdoors(sheet, level=(0.1, 0.6))
    sheet.pose(draws.between(-0.2, 0.1), draws.between(-0.15, 0.1), draws.between(0.8, 1.1), tilt=0.3)
    coat, hair = draws.colour(*COATS), draws.colour((0.1, 0.08, 0.07), (0.85, 0.75, 0.55), (0.3, 0.2, 0.12))
    sheet.strokes(hair, [(0.05, 0.62), (-0.4, 0.3), (-0.75, -0.4), (-0.85, -1.2)], 0.16, 0.22)
    sheet.paint(coat, sheet.line((0.0, 0.35), (-0.4, -1.2), 0.3, 0.5))
    for x in (0.02, 0.16):
        sheet.paint(coat * 0.85, sheet.polygon((x - 0.08, 0.52), (x + 0.1, 0.52), (x + 0.02, 0.92)))
    sheet.paint(coat, sheet.line((0.1, 0.38), (0.62, -0.42), 0.28, 0.15))
    blaze = np.where(draws.chance(0.5), np.float32(0.9), np.float32(0))
    sheet.paint((0.95, 0.93, 0.9), sheet.line((0.36, 0.42), (0.72, -0.2), 0.05, 0.05), opacity=blaze)
    sheet.paint(coat * 0.55, sheet.ellipse(0.66, -0.48, 0.16, 0.13))
    sheet.paint(BLACK, sheet.ellipse(0.72, -0.42, 0.04, 0.035))
    sheet.paint(BLACK, sheet.ellipse(0.22, 0.38, 0.065, 0.06))
