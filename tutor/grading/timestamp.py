"""When a submission was handed in, by the file that nbgrader puts beside it and that a learner can write as well."""

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tutor.grading.files import read_file
from tutor.grading.submission import IntakeError, Remark, quoted

NAME = "timestamp.txt"
BYTES = 1_000
CLOCKS_DIFFER = timedelta(minutes=10)
LATEST = 250_000_000_000  # seconds since 1970, still in the calendar; a file's may be anything
FORM = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,6})?) ?(Z|[+-]\d\d:?\d\d|[A-Za-z]+(?:/[A-Za-z_]+)*)?")
UTC_NAMES = ("UTC", "GMT", "Z")


def read_timestamp(folder: Path, changed: float, now: datetime) -> tuple[datetime | None, list[Remark]]:
    """Return the time in ``timestamp.txt`` (UTC, without a zone, as nbgrader stores it) and what is odd about it.

    changed: when the notebook was last written, in seconds since 1970. now: the present; a time after it can't be right
    and isn't taken. One before the notebook's last change is taken, with a remark: files that were copied may look so too.
    """
    try:
        data = read_file(folder, NAME, BYTES).data
        stated = _parsed(data.decode("utf-8").strip())
    except (IntakeError, ValueError) as error:
        why = str(error) if isinstance(error, IntakeError) else "it holds no date and time"
        return None, [Remark("timestamp", f"{NAME} can't be used: {why}; whether it was late isn't known")]
    if stated > now + CLOCKS_DIFFER:
        said = f"{NAME} says {stated:%Y-%m-%d %H:%M} UTC, which is still to come; whether it was late isn't known"
        return None, [Remark("timestamp", said)]
    remarks = []
    written = datetime.fromtimestamp(min(max(changed, 0), LATEST), UTC)
    if stated < written - CLOCKS_DIFFER:
        said = (
            f"{NAME} says {stated:%Y-%m-%d %H:%M} UTC, but the notebook was written later, {written:%Y-%m-%d %H:%M} UTC: "
            "it was copied since, or the time is forged"
        )
        remarks.append(Remark("timestamp", said))
    return stated.replace(tzinfo=None), remarks


def _parsed(text: str) -> datetime:
    """Read a time as nbgrader writes it, such as ``2030-01-31 12:00:00.000000 UTC`` (ValueError for anything else)."""
    found = FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"no date and time: {quoted(text)}")
    day, clock, zone = found.groups()
    moment = datetime.fromisoformat(f"{day} {clock.ljust(15, '0') if '.' in clock else clock}")
    try:
        return moment.replace(tzinfo=_zone(zone)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("beyond the calendar") from error


def _zone(name: str | None) -> timezone | ZoneInfo:
    """Return a time zone by its offset or name; nbgrader means UTC where there is none."""
    if name is None or name in UTC_NAMES:
        return UTC
    if name[0] in "+-":
        offset = timedelta(hours=int(name[1:3]), minutes=int(name[-2:]))
        return timezone(-offset if name[0] == "-" else offset)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError) as error:  # OSError: the name of a folder of zones
        raise ValueError(f"no time zone: {quoted(name)}") from error
