"""The four drawn vehicles: airplane, automobile, ship and truck, each from more than one side."""

import numpy as np

from tutor.data import scenery
from tutor.data.shapes import Field, Sheet, Value

PAINTS = (
    (0.8, 0.1, 0.1),
    (0.1, 0.25, 0.7),
    (0.9, 0.9, 0.92),
    (0.12, 0.12, 0.14),
    (0.6, 0.62, 0.65),
    (0.9, 0.75, 0.15),
    (0.1, 0.45, 0.25),
    (0.85, 0.45, 0.1),
)
PALE = ((0.95, 0.95, 0.97), (0.8, 0.82, 0.86), (0.65, 0.68, 0.74), (0.9, 0.85, 0.75))
GLASS = (0.15, 0.2, 0.28)
RUBBER = (0.06, 0.06, 0.07)
LAMP = (0.98, 0.95, 0.7)


def airplane_from_the_side(sheet: Sheet) -> None:
    """Paint an airliner in the air or, in some pictures, over a runway."""
    draws = sheet.draws
    scenery.sky(sheet)
    runway = np.where(draws.chance(0.35), draws.between(0.15, 0.35), np.float32(-1))
    scenery.ground(sheet, runway, *scenery.ROADS, *scenery.GREENS)
    sheet.pose(draws.between(-0.2, 0.2), draws.between(-0.15, 0.2), draws.between(0.7, 1.05), tilt=0.4)
    body, trim = draws.colour(*PALE), draws.colour(*PAINTS)
    shade = body * 0.7
    sheet.paint(shade, sheet.polygon((-0.12, 0.05), (0.2, 0.05), (-0.25, 0.5), (-0.4, 0.5)))
    sheet.paint(trim, sheet.polygon((-0.85, 0.0), (-0.5, 0.0), (-0.75, 0.5), (-0.95, 0.5)))
    sheet.paint(body, sheet.line((-0.78, 0.03), (-0.35, 0.0), 0.06, 0.14))
    sheet.paint(body, sheet.line((-0.35, 0.0), (0.68, -0.02), 0.14, 0.12))
    sheet.paint(GLASS, sheet.line((-0.5, 0.04), (0.5, 0.03), 0.022))
    sheet.paint(GLASS, sheet.line((0.68, 0.03), (0.74, 0.01), 0.035))
    sheet.paint(shade * 0.6, sheet.ellipse(0.08, -0.22, 0.13, 0.07))
    sheet.paint(shade, sheet.polygon((-0.55, -0.55), (-0.38, -0.55), (0.25, -0.05), (-0.15, -0.05)))
    sheet.paint(shade, sheet.polygon((-0.98, -0.08), (-0.88, -0.08), (-0.6, 0.06), (-0.78, 0.06)))


def airplane_from_below(sheet: Sheet) -> None:
    """Paint an airplane seen from below or above, at any slant."""
    draws = sheet.draws
    scenery.sky(sheet)
    dark = draws.chance(0.4)
    sheet.pose(draws.between(-0.2, 0.2), draws.between(-0.2, 0.2), draws.between(0.65, 1.05), tilt=1.3)
    body = np.where(dark[..., None], draws.colour((0.25, 0.28, 0.33)), draws.colour(*PALE))
    sweep = draws.between(0.0, 0.5)
    for side in (-1.0, 1.0):
        wing = [(0.0, 0.28), (side * 0.92, 0.1 - sweep), (side * 0.92, -0.02 - sweep), (0.0, -0.08)]
        tail = [(0.0, -0.5), (side * 0.36, -0.62), (side * 0.36, -0.74), (0.0, -0.7)]
        for corners in (wing, tail):
            sheet.paint(body * 0.85, sheet.polygon(*(corners if side < 0 else corners[::-1])))
        sheet.paint(body * 0.5, sheet.line((side * 0.4, 0.0), (side * 0.4, 0.18), 0.055))
    sheet.paint(body, sheet.line((0.0, -0.8), (0.0, 0.75), 0.07, 0.11))
    sheet.paint(GLASS, sheet.line((-0.04, 0.74), (0.04, 0.74), 0.035))


def wheel(sheet: Sheet, x: Value, y: Value, radius: Value) -> None:
    """Paint a tyre with its hub."""
    sheet.paint(RUBBER, sheet.ellipse(x, y, radius, radius))
    sheet.paint((0.7, 0.7, 0.72), sheet.ellipse(x, y, radius * 0.45, radius * 0.45))


def street(sheet: Sheet) -> None:
    """Paint a road with trees or sky behind it, or houses."""
    draws = sheet.draws
    scenery.outdoors(sheet, *scenery.ROADS, *scenery.EARTHS, level=(0.3, 0.55))
    houses = np.where(draws.chance(0.4), np.float32(1), np.float32(0)) * draws.between(0.5, 1.0)
    left = draws.between(-1.2, 0.3)
    block = sheet.box(left, -0.1, left + draws.between(0.6, 1.4), draws.between(0.4, 1.2))
    sheet.paint(draws.colour(*scenery.WALLS), block, opacity=houses)


def shadow(sheet: Sheet, y: Value, width: Value) -> None:
    """Darken the ground under a vehicle."""
    sheet.paint((0.05, 0.05, 0.05), sheet.ellipse(0.0, y, width, 0.09), opacity=0.6)


def automobile_from_the_side(sheet: Sheet) -> None:
    """Paint a car: a low body, a cabin with windows, two wheels."""
    draws = sheet.draws
    street(sheet)
    sheet.pose(draws.between(-0.15, 0.15), draws.between(-0.25, 0.1), draws.between(0.75, 1.05), tilt=0.12)
    body = draws.colour(*PAINTS)
    rear, roof, length = draws.between(-0.8, -0.45), draws.between(0.3, 0.42), draws.between(0.78, 0.92)
    shadow(sheet, -0.48, length)
    cabin = sheet.polygon((rear, 0.0), (0.5, 0.0), (0.2, roof), (rear + 0.15, roof))
    window = sheet.polygon((rear + 0.1, 0.05), (0.38, 0.05), (0.16, roof - 0.07), (rear + 0.18, roof - 0.07))
    sheet.paint(body, cabin)
    sheet.paint(GLASS, window)
    sheet.paint(body, sheet.box(-0.12, 0.0, -0.05, roof))
    sheet.paint(body, np.minimum(sheet.box(-length, -0.32, length, -0.02), sheet.ellipse(0.0, -0.1, length, 0.16)))
    sheet.paint(body * 0.6, sheet.box(-length, -0.36, length, -0.26))
    sheet.paint(LAMP, sheet.ellipse(length - 0.06, -0.12, 0.07, 0.06))
    sheet.paint((0.7, 0.05, 0.05), sheet.ellipse(0.05 - length, -0.1, 0.05, 0.06))
    for x in (-0.5, 0.5):
        wheel(sheet, x, -0.34, 0.19)


def automobile_from_the_front(sheet: Sheet) -> None:
    """Paint a car that comes toward us: windscreen, bonnet, two headlights."""
    draws = sheet.draws
    street(sheet)
    sheet.pose(draws.between(-0.2, 0.2), draws.between(-0.15, 0.1), draws.between(0.8, 1.1), tilt=0.12)
    body, wide = draws.colour(*PAINTS), draws.between(0.6, 0.78)
    shadow(sheet, -0.58, wide + 0.1)
    for side in (-1.0, 1.0):
        sheet.paint(RUBBER, sheet.line((side * (wide - 0.1), -0.55), (side * (wide - 0.1), -0.35), 0.12))
    sheet.paint(body * 0.8, sheet.polygon((-wide, 0.05), (wide, 0.05), (wide - 0.22, 0.5), (0.22 - wide, 0.5)))
    glass = sheet.polygon((0.1 - wide, 0.08), (wide - 0.1, 0.08), (wide - 0.26, 0.42), (0.26 - wide, 0.42))
    sheet.paint(GLASS, glass)
    sheet.paint((0.6, 0.7, 0.8), sheet.line((-0.2, 0.15), (-0.1, 0.38), 0.03), opacity=0.7)
    sheet.paint(body, sheet.box(-wide - 0.04, -0.45, wide + 0.04, 0.08))
    sheet.paint(body * 0.8 + 0.2, sheet.box(0.1 - wide, -0.02, wide - 0.1, 0.06), opacity=0.7)
    sheet.paint(RUBBER, sheet.box(-0.25, -0.28, 0.25, -0.14))
    sheet.paint(body * 0.45, sheet.box(-wide - 0.04, -0.48, wide + 0.04, -0.38))
    for side in (-1.0, 1.0):
        sheet.paint(LAMP, sheet.ellipse(side * (wide - 0.13), -0.16, 0.11, 0.09))


def truck_from_the_side(sheet: Sheet) -> None:
    """Paint a lorry: a tall load, a cab before it, three wheels."""
    draws = sheet.draws
    street(sheet)
    sheet.pose(draws.between(-0.12, 0.12), draws.between(-0.2, 0.0), draws.between(0.78, 1.05), tilt=0.1)
    load, cab = draws.colour(*PALE, *PAINTS), draws.colour(*PAINTS)
    top, open_top = draws.between(0.35, 0.65), draws.between(0.1, 0.3)
    shadow(sheet, -0.55, 0.95)
    sheet.paint((0.1, 0.1, 0.1), sheet.box(-0.9, -0.4, 0.85, -0.25))
    sheet.paint(load, sheet.box(-0.95, -0.28, 0.28, top))
    sheet.paint(load * 0.75, sheet.box(-0.95, -0.28, 0.28, -0.18))
    sheet.paint(load * 0.8, np.abs(sheet.x + 0.35) - 0.02 + np.maximum(sheet.box(-0.95, -0.28, 0.28, top), 0))
    sheet.paint(
        cab,
        sheet.polygon((0.36, -0.32), (0.92, -0.32), (0.92, -0.02), (0.78, open_top + 0.2), (0.36, open_top + 0.2)),
    )
    sheet.paint(GLASS, sheet.polygon((0.5, 0.0), (0.86, 0.0), (0.74, open_top + 0.13), (0.5, open_top + 0.13)))
    sheet.paint(LAMP, sheet.ellipse(0.9, -0.2, 0.05, 0.06))
    for x in (-0.7, -0.32, 0.62):
        wheel(sheet, x, -0.42, 0.17)


def truck_from_the_front(sheet: Sheet) -> None:
    """Paint a lorry that comes toward us: a tall flat cab, the load above it."""
    draws = sheet.draws
    street(sheet)
    sheet.pose(draws.between(-0.2, 0.2), draws.between(-0.1, 0.05), draws.between(0.75, 1.0), tilt=0.08)
    load, cab, wide = draws.colour(*PALE, *PAINTS), draws.colour(*PAINTS), draws.between(0.48, 0.62)
    shadow(sheet, -0.85, wide + 0.15)
    for side in (-1.0, 1.0):
        sheet.paint(RUBBER, sheet.line((side * (wide - 0.1), -0.82), (side * (wide - 0.1), -0.6), 0.12))
        sheet.paint(RUBBER, sheet.line((side * (wide + 0.12), 0.02), (side * (wide + 0.12), 0.25), 0.05))
    sheet.paint(load, sheet.box(-wide - 0.08, -0.3, wide + 0.08, 0.85))
    sheet.paint(cab, sheet.box(-wide, -0.7, wide, 0.5))
    sheet.paint(GLASS, sheet.box(0.07 - wide, 0.02, wide - 0.07, 0.42))
    sheet.paint(cab * 0.8, sheet.box(-0.02, 0.02, 0.02, 0.42))
    sheet.paint((0.75, 0.75, 0.78), sheet.box(-0.3, -0.48, 0.3, -0.1))
    for level in (-0.4, -0.29, -0.18):
        sheet.paint(RUBBER, sheet.line((-0.27, level), (0.27, level), 0.025))
    sheet.paint((0.2, 0.2, 0.22), sheet.box(-wide - 0.04, -0.75, wide + 0.04, -0.62))
    for side in (-1.0, 1.0):
        sheet.paint(LAMP, sheet.ellipse(side * (wide - 0.1), -0.52, 0.09, 0.08))


def sea(sheet: Sheet) -> Field:
    """Paint sky over water, and return the horizon's height as y."""
    draws = sheet.draws
    scenery.sky(sheet)
    level = draws.between(0.35, 0.6)
    scenery.ground(sheet, level, *scenery.SEAS, patches=9)
    return level * 2 - 1


def wake(sheet: Sheet, y: Value, length: Value) -> None:
    """Paint foam along the waterline and the reflection below it."""
    sheet.paint((0.05, 0.1, 0.15), sheet.ellipse(0.0, y - 0.12, length, 0.12), opacity=0.4)
    sheet.paint((0.9, 0.94, 0.96), sheet.line((-length, y), (length, y), 0.03), opacity=0.7)


def steamer(sheet: Sheet) -> None:
    """Paint a cargo or passenger ship: hull, decks, funnel and masts."""
    draws = sheet.draws
    horizon = sea(sheet)
    sheet.pose(draws.between(-0.12, 0.12), horizon - draws.between(-0.05, 0.2), draws.between(0.75, 1.05), tilt=0.12)
    hull, decks, funnel = draws.colour(*PAINTS), draws.colour(*PALE), draws.colour(*PAINTS)
    wake(sheet, -0.3, 0.8)
    for x, top in ((0.5, draws.between(0.4, 0.7)), (-0.1, draws.between(0.4, 0.8))):
        sheet.paint((0.25, 0.22, 0.2), sheet.line((x, 0.0), (x, top), 0.025))
    stern = draws.between(-0.7, -0.3)
    sheet.paint(funnel, sheet.box(stern + 0.14, 0.2, stern + 0.32, draws.between(0.5, 0.65)))
    sheet.paint(decks, sheet.box(stern, -0.05, stern + draws.between(0.45, 0.8), 0.17))
    sheet.paint(decks * 0.9, sheet.box(stern + 0.05, 0.1, stern + 0.4, 0.32))
    sheet.paint(GLASS, sheet.line((stern + 0.1, 0.08), (stern + 0.38, 0.08), 0.025))
    sheet.paint(hull, sheet.polygon((-0.72, -0.3), (0.62, -0.3), (0.95, 0.05), (-0.85, 0.0)))
    sheet.paint((0.55, 0.12, 0.1), sheet.polygon((-0.72, -0.3), (0.62, -0.3), (0.7, -0.22), (-0.74, -0.22)))


def sailing_ship(sheet: Sheet) -> None:
    """Paint a boat under sail: a small hull, a mast, two sails."""
    draws = sheet.draws
    horizon = sea(sheet)
    sheet.pose(draws.between(-0.2, 0.2), horizon + draws.between(-0.1, 0.15), draws.between(0.7, 1.0), tilt=0.25)
    hull, sails, top = draws.colour(*PAINTS), draws.colour(*PALE, *PAINTS[:2]), draws.between(0.7, 0.9)
    wake(sheet, -0.52, 0.6)
    sheet.paint((0.3, 0.22, 0.15), sheet.line((-0.02, -0.3), (-0.02, top), 0.03))
    sheet.paint(sails, sheet.polygon((0.05, -0.2), (draws.between(0.4, 0.65), -0.2), (0.03, top - 0.03)))
    sheet.paint(sails * 0.85, sheet.polygon((draws.between(-0.6, -0.4), -0.16), (-0.09, -0.2), (-0.07, top - 0.15)))
    sheet.paint(hull, sheet.polygon((-0.5, -0.52), (0.45, -0.52), (0.75, -0.25), (-0.65, -0.25)))
    sheet.paint(hull * 0.5 + 0.4, sheet.line((-0.62, -0.27), (0.7, -0.27), 0.025))
