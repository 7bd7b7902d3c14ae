"""When a schedule is due: intervals, times of day, and cron, from words to seconds since 1970.

An interval counts from its anchor, so that it never drifts. A time of day or a cron expression is meant in a
zone; what summer time does to it is cronsim's rule, which is Debian's: a fixed time that a clock skips comes
right after the gap, one that a clock shows twice comes once. Nothing here reads a clock. Refused: what never
comes, zones nobody knows, intervals below a second or beyond a year.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError
from msgspec import Struct

from windtunnel.errors import UsageError
from windtunnel.words import quote, suggest

UNITS = {
    "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hour": 3600,
    "d": 86_400, "day": 86_400, "w": 604_800, "week": 604_800,
}  # fmt: skip
NAMED = {"hourly": "hour", "daily": "day", "weekly": "week"}
DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
LONGEST = 366 * 86_400
REMEDY = (
    "such as hourly, every 6 hours, every 90s, daily at 07:30 Europe/Berlin, weekly on monday at 9:00, "
    "or cron: 0 3 * * 1-5"
)
_DAY = 86_400
_WINDOWS = (2 * _DAY, 62 * _DAY, 800 * _DAY, 9 * 366 * _DAY, 60 * 366 * _DAY)
_LONG = 200  # characters
_MOVED = 3 * 3600  # seconds before a due time in which clocks may have moved
_STEPS = 100_000  # of cron that are looked at; one a minute for two months is below it

_AT = re.compile(
    r"(?:(?P<often>daily|every day|weekdays|every weekday)|(?:weekly on |every |on )?(?P<day>[a-z]+?)s?)"
    r" at (?P<hour>\d{1,2}):(?P<minute>\d{2})(?P<zone> \S+)?"
)
_EVERY = re.compile(r"(?:every )?(?:(?P<count>\d+) ?)?(?P<unit>[a-z]+?)s?")


class When(Struct, frozen=True):
    """`text` as people wrote it. Either `seconds` or `cron` says when; `zone` is also how times are shown."""

    text: str
    zone: str
    seconds: int = 0
    cron: str = ""

    def after(self, moment: int, anchor: int) -> int:
        """The first due time after a moment. An interval's are whole intervals away from the anchor."""
        if self.seconds:
            return anchor + ((moment - anchor) // self.seconds + 1) * self.seconds
        for found in self._cron(moment):
            return found
        raise _never(self.text)

    def latest(self, due: int, moment: int, anchor: int) -> int:
        """The last due time from `due`, which is one, up to a moment."""
        if self.seconds:
            return max(due, anchor + (moment - anchor) // self.seconds * self.seconds)
        for window in _WINDOWS:
            start = max(due, moment - window)
            last = due if start == due else None
            for found in self._cron(start):
                if found > moment:
                    break
                last = found
            if last is not None:
                return last
        return due

    def next_few(self, due: int, anchor: int, count: int) -> list[int]:
        """A due time and those that follow it."""
        times = [due]
        while len(times) < count:
            times.append(self.after(times[-1], anchor))
        return times

    def _cron(self, moment: int) -> Iterator[int]:
        """What the expression names after a moment, each later than the one before."""
        last, zone = moment, ZoneInfo(self.zone)
        steps = CronSim(self.cron, datetime.fromtimestamp(moment, zone))
        for _ in range(_STEPS):
            found = next(steps, None)
            if found is None:
                return
            seconds = int(found.timestamp())
            if seconds <= last:  # in an hour that clocks show twice it begins with the first of both
                continue
            before = datetime.fromtimestamp(seconds - _MOVED, zone)
            if before.utcoffset() != found.utcoffset() and (nearer := self._nearer(last, seconds, zone)):
                steps, seconds = CronSim(self.cron, nearer), int(nearer.timestamp())
            yield seconds
            last = seconds

    def _nearer(self, last: int, until: int, zone: ZoneInfo) -> datetime | None:
        """cronsim walks in whole hours, and may step over the begin of one where clocks moved by half of one
        (Lord Howe Island): after clocks moved, the time since is looked at minute by minute."""
        begin = max(last, until - _MOVED) // 60 * 60
        for minute in range(begin + 60, until, 60):
            found = next(CronSim(self.cron, datetime.fromtimestamp(minute - 1, zone)), None)
            if found is not None and last < found.timestamp() < until:
                return found
        return None


def read_when(text: str, zone: str = "", *, default_zone: str = "UTC") -> When:
    """What a person wrote; UsageError with examples if it is none of the forms."""
    if len(text) > _LONG:
        raise UsageError("this is too long to say when", where="when", remedy=REMEDY)
    words = " ".join(text.replace("_", " ").split()) if "/" not in text else " ".join(text.split())
    lowered = words.lower()
    if found := _AT.fullmatch(_with_zone_kept(lowered, words)):
        return _at_a_time(found, words, zone, default_zone)
    if found := _EVERY.fullmatch(lowered):
        unit = NAMED.get(found["unit"], found["unit"])
        if unit in UNITS:
            return _interval(int(found["count"] or 1) * UNITS[unit], lowered, zone or default_zone)
    fields = words.split()
    if len(fields) in (5, 6) and not fields[0][0].isalpha():
        named = fields[5] if len(fields) == 6 else ""
        return _checked(
            When(" ".join(fields[:5]), _zone(named, zone, default_zone), cron=" ".join(fields[:5]))
        )
    raise UsageError(f"{quote(text)} does not say when", where="when", remedy=REMEDY)


def read_seconds(text: str, where: str) -> int:
    """An age or a length of time: `30d`, `12 hours`, `90`."""
    found = re.fullmatch(r"(\d+) ?([a-z]*?)s?", text.strip().lower())
    unit = UNITS.get(found[2] or "s") if found else None
    if found is None or unit is None:
        raise UsageError(f"{quote(text)} is no length of time", where=where, remedy="such as 30d, 12h, 90min")
    return int(found[1]) * unit


@lru_cache(maxsize=1024)
def known_when(text: str, zone: str) -> When:
    """`read_when` for what was read and kept before."""
    return read_when(text, zone)


def moment_text(seconds: float, zone: str) -> str:
    """A moment as the clocks of a zone show it: `2026-03-29 03:00 CEST`."""
    shown = datetime.fromtimestamp(seconds, ZoneInfo(zone))
    return shown.strftime("%Y-%m-%d %H:%M" + (":%S" if shown.second else "") + " %Z")


def _with_zone_kept(lowered: str, words: str) -> str:
    """Small letters, but for the name of a zone at the end, which has its own."""
    last = words.rpartition(" ")[2]
    return lowered[: len(lowered) - len(last)] + last if ":" not in last else lowered


def _interval(seconds: int, text: str, zone: str) -> When:
    if not 1 <= seconds <= LONGEST:
        remedy = "between 1 second and 366 days; for a date of the year use cron: 0 0 1 1 *"
        raise UsageError(f"{quote(text)} is no interval", where="when", remedy=remedy)
    return When(text, _zone("", zone, "UTC"), seconds=seconds)


def _at_a_time(found: re.Match[str], words: str, zone: str, default_zone: str) -> When:
    hour, minute = int(found["hour"]), int(found["minute"])
    if hour > 23 or minute > 59:
        raise UsageError(f"{hour}:{minute:02} is no time of day", where="when", remedy="00:00 to 23:59")
    named = (found["zone"] or "").strip()
    days = "1-5" if (found["often"] or "").endswith(("weekdays", "weekday")) else "*"
    if day := found["day"]:
        near = [number for number, name in enumerate(DAYS) if len(day) >= 3 and name.startswith(day)]
        if day != "day" and not near:
            raise UsageError(f"{quote(day)} is no day", where="when", remedy=suggest(day, DAYS))
        days = str(near[0]) if near else "*"
    text = words[: len(words) - len(named)].strip().lower()
    chosen = _zone(named, zone, default_zone)
    return _checked(When(text, chosen, cron=f"{minute} {hour} * * {days}"))


def _checked(when: When) -> When:
    try:
        CronSim(when.cron, datetime.fromtimestamp(0, ZoneInfo("UTC")))
    except (CronSimError, AssertionError, TypeError, ValueError) as error:
        said = str(error).lower().removeprefix("bad ") or "an expression"
        raise UsageError(
            f"{quote(when.text)}: {said} is not valid",
            where="when",
            remedy="five fields: minute hour day-of-month month day-of-week, as in 0 3 * * 1-5",
        ) from None
    when.after(0, 0)
    return when


def _never(text: str) -> UsageError:
    return UsageError(f"{quote(text)} never comes", where="when", remedy="name a day that months have")


def _zone(written: str, chosen: str, default: str) -> str:
    if written and chosen and written != chosen:
        raise UsageError(f"two zones: {written} and {chosen}", where="zone", remedy="name one of them")
    name = written or chosen or default
    try:
        ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        known = available_timezones()
        remedy = suggest(name, sorted(known)) if known else "pip install tzdata: this system has no zones"
        raise UsageError(f"there is no time zone {quote(name)}", where="zone", remedy=remedy) from None
    return name
