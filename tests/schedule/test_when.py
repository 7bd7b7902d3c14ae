"""When something is due: the words that say it, and the nights on which clocks change."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.schedule.fakes import NOON
from windtunnel.control.schedule.when import moment_text, read_seconds, read_when
from windtunnel.errors import UsageError

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"

INTERVALS = [
    ("hourly", 3600), ("every hour", 3600), ("every 6 hours", 21_600), ("every_6_hours", 21_600),
    ("every 90s", 90), ("90s", 90), ("every 15 min", 900), ("daily", 86_400), ("Weekly", 604_800),
    ("every 2 weeks", 1_209_600),
]  # fmt: skip


@pytest.mark.parametrize(("text", "seconds"), INTERVALS)
def test_an_interval_is_read_from_words(text, seconds):
    assert read_when(text).seconds == seconds


TIMES = [
    ("daily at 07:30 Europe/Berlin", "30 7 * * *", BERLIN),
    ("every day at 0:05", "5 0 * * *", "UTC"),
    ("every weekday at 9:05", "5 9 * * 1-5", "UTC"),
    ("weekly on monday at 07:30 America/New_York", "30 7 * * 1", NEW_YORK),
    ("sundays at 23:59", "59 23 * * 0", "UTC"),
    ("every fri at 12:00", "0 12 * * 5", "UTC"),
    ("0 3 * * 1-5 Europe/Berlin", "0 3 * * 1-5", BERLIN),
    ("*/15 * * * *", "*/15 * * * *", "UTC"),
]


@pytest.mark.parametrize(("text", "cron", "zone"), TIMES)
def test_a_time_of_day_is_read_from_words(text, cron, zone):
    read = read_when(text)
    assert (read.cron, read.zone) == (cron, zone)
    assert read_when(read.text, read.zone) == read  # as it is kept


REFUSED = [
    ("", "does not say when"),
    ("soon", "does not say when"),
    ("every 0s", "no interval"),
    ("every 400 days", "no interval"),
    ("every 99999999999999999999 s", "no interval"),
    ("daily at 24:00", "no time of day"),
    ("someday at 7:00", "'someday' is no day.*sunday"),
    ("* * * *", "does not say when"),
    ("61 * * * *", "minute is not valid"),
    ("* * * * L/2", "day-of-week is not valid"),
    ("0 0 30 2 *", "not valid"),
    ("0 0 * 2 1#5/5", "not valid"),
    ("0 3 * * * Europe/Berln", "no time zone.*Europe/Berlin"),
    ("0 3 * * * ../../etc/passwd", "no time zone"),
    ("0 3 * * * Europe", "no time zone"),
    ("9" * 300, "too long"),
]


@pytest.mark.parametrize(("text", "said"), REFUSED)
def test_what_says_no_time_is_refused_with_a_remedy(text, said):
    with pytest.raises(UsageError, match=said) as caught:
        read_when(text)
    assert caught.value.remedy


def test_two_zones_are_refused():
    with pytest.raises(UsageError, match="two zones"):
        read_when("daily at 7:30 Europe/Berlin", NEW_YORK)
    assert read_when("daily at 7:30 Europe/Berlin", BERLIN).zone == BERLIN


@pytest.mark.parametrize(("text", "seconds"), [("30d", 2_592_000), ("12 hours", 43_200), ("90", 90)])
def test_a_length_of_time_is_read(text, seconds):
    assert read_seconds(text, "--for") == seconds


def test_a_length_of_time_with_an_unknown_unit_is_refused():
    with pytest.raises(UsageError, match="no length of time"):
        read_seconds("3 moons", "--for")


def test_an_interval_counts_from_its_anchor_and_never_drifts():
    when = read_when("every 90s")
    for late in (0, 1, 89):
        assert when.after(NOON + 900 + late, NOON) == NOON + 990
    assert when.latest(NOON + 90, NOON + 1000, NOON) == NOON + 990


def night(cron: str, zone: str, day: str, count: int) -> list[str]:
    """What a schedule does from a noon on, as the clocks there show it."""
    when = read_when(cron, zone)
    moment = int(datetime.fromisoformat(f"{day} 12:00").replace(tzinfo=ZoneInfo(zone)).timestamp())
    return [moment_text(due, zone).partition(" ")[2] for due in when.next_few(moment, 0, count + 1)[1:]]


NIGHTS = [
    # a fixed time in the hour that is skipped comes right after it
    ("30 2 * * *", BERLIN, "2026-03-28", ["03:00 CEST", "02:30 CEST"]),
    ("30 2 * * *", NEW_YORK, "2026-03-07", ["03:00 EDT", "02:30 EDT"]),
    ("15 2 * * *", LORD_HOWE, "2026-10-03", ["02:30 +11", "02:15 +11"]),
    # a fixed time in the hour that clocks show twice comes once, the first time
    ("30 2 * * *", BERLIN, "2026-10-24", ["02:30 CEST", "02:30 CET"]),
    ("30 1 * * *", NEW_YORK, "2026-10-31", ["01:30 EDT", "01:30 EST"]),
    ("45 1 * * *", LORD_HOWE, "2026-04-04", ["01:45 +11", "01:45 +1030"]),
    # what comes every so many minutes follows the time that passes, and not the clocks
    ("*/30 1-3 * * *", BERLIN, "2026-03-28", ["01:00 CET", "01:30 CET", "03:00 CEST", "03:30 CEST"]),
    ("*/30 2 * * *", BERLIN, "2026-10-24", ["02:00 CEST", "02:30 CEST", "02:00 CET", "02:30 CET"]),
    ("*/15 2 * * *", LORD_HOWE, "2026-04-04", ["02:00 +1030", "02:15 +1030", "02:30 +1030", "02:45 +1030"]),
]


@pytest.mark.parametrize(("cron", "zone", "day", "shown"), NIGHTS)
def test_a_night_on_which_clocks_change(cron, zone, day, shown):
    assert night(cron, zone, day, len(shown)) == shown


CHANGES = {
    BERLIN: ("2026-03-28", "2026-10-24"),
    NEW_YORK: ("2026-03-07", "2026-10-31"),
    LORD_HOWE: ("2026-04-04", "2026-10-03"),
}
CRONS = (
    "30 2 * * *", "45 1 * * *", "15 2 * * *", "0 * * * *", "*/20 * * * *", "0 */2 * * *", "0,30 1-3 * * *",
    "*/15 2 * * *", "* 2 * * *", "0 3 * * 1-5", "5 0-6 * * *",
)  # fmt: skip


@pytest.mark.slow
@settings(deadline=None)
@given(
    zone=st.sampled_from(sorted(CHANGES)), cron=st.sampled_from(CRONS), autumn=st.booleans(),
    late=st.integers(0, 86_400),
)  # fmt: skip
def test_from_wherever_one_looks_the_same_times_are_due(zone, cron, autumn, late):
    when = read_when(cron, zone)
    begin = int(datetime.fromisoformat(CHANGES[zone][autumn] + " 12:00").timestamp())
    times = [when.after(begin, 0)]
    while times[-1] <= begin + 86_400:
        times.append(when.after(times[-1], 0))
    assert all(one < other for one, other in pairwise(times))
    moment = begin + late
    assert when.after(moment, 0) == next(due for due in times if due > moment)
    if times[0] <= moment:
        assert when.latest(times[0], moment, 0) == max(due for due in times if due <= moment)


@pytest.mark.parametrize("cron", ["* * * * *", "0 4 1 * *", "0 0 29 2 *", "*/5 3 * 7 *"])
def test_the_last_of_many_missed_times_is_found_fast(cron):
    when = read_when(cron)
    first = when.after(NOON - 3 * 366 * 86_400, 0)
    last = when.latest(first, NOON, 0)
    assert first <= last <= NOON < when.after(last, 0)


@pytest.mark.parametrize(
    ("cron", "zone", "twice"),
    [
        ("45 2 * * *", BERLIN, "2026-10-25 02:30"),
        ("45 1 * * *", NEW_YORK, "2026-11-01 01:30"),
        ("50 1 * * *", LORD_HOWE, "2026-04-05 01:40"),
    ],
)
def test_when_clocks_show_an_hour_again_a_fixed_time_does_not_come_again(cron, zone, twice):
    again = datetime.fromisoformat(twice).replace(tzinfo=ZoneInfo(zone), fold=1)
    moment = int(again.timestamp())
    assert read_when(cron, zone).after(moment, 0) > moment + 20 * 3600
