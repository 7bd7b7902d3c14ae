"""Adding, removing, switching and looking."""

from __future__ import annotations

import pytest

from tests.schedule.fakes import NOON, VERBS, add
from windtunnel.config.schedule import Scheduling
from windtunnel.control.schedule import Schedules, Wanted
from windtunnel.control.schedule.claims import Claims
from windtunnel.errors import NotFound, UsageError, WrongState


def test_the_first_firing_comes_at_once_and_then_as_planned(schedules):
    assert add(schedules).upcoming(3) == [NOON, NOON + 3600, NOON + 7200]
    assert add(schedules, "daily at 7:30", "cron").upcoming(2) == [NOON, NOON + 70_200]


def test_it_waits_for_its_first_time_when_told_so(schedules):
    assert add(schedules, first_now=False).upcoming(2) == [NOON + 3600, NOON + 7200]
    assert add(schedules, "daily at 7:30", "cron", first_now=False).next_at == NOON + 70_200


def test_what_is_kept_is_what_was_said(schedules, database, clock):
    made = add(schedules, "0 3 * * 1-5", zone="Europe/Berlin", arguments={"a": [1, "é"]}, limit_seconds=9.5)
    again = Schedules(database, now=clock.wall)
    assert again.list() == [made] == [again.find("one")]
    assert (made.zone, made.arguments, made.limit_seconds) == ("Europe/Berlin", {"a": [1, "é"]}, 9.5)
    assert made.plain(2)["upcoming"] == made.upcoming(2)


def test_times_are_meant_in_the_zone_of_the_settings(database, clock):
    schedules = Schedules(database, Scheduling(zone="Asia/Tokyo"), now=clock.wall)
    assert add(schedules, "daily at 9:00", first_now=False).next_at == NOON + 12 * 3600  # midnight UTC


def test_a_verb_that_nobody_knows_is_refused_with_those_that_are_known(schedules):
    with pytest.raises(UsageError, match=r"no verb 'evolve'.*health, run"):
        schedules.add(Wanted("one", "hourly", "evolve"), VERBS)
    assert schedules.list() == []


def test_a_verb_judges_its_arguments_when_it_is_added(schedules):
    class Verb:
        def check(self, arguments):
            if "seed" not in arguments:
                raise UsageError("no seed")
            return {**arguments, "judged": True}

    with pytest.raises(UsageError, match="no seed"):
        add(schedules, verbs={"run": Verb()})
    assert add(schedules, verbs={"run": Verb()}, arguments={"seed": 1}).arguments == {
        "seed": 1,
        "judged": True,
    }


def test_a_name_is_taken_once(schedules):
    add(schedules)
    with pytest.raises(WrongState, match="'one' already"):
        add(schedules, "daily")
    assert schedules.find("one").time == "hourly"


@pytest.mark.parametrize("name", ["", "a b", "-x", "a/b", "x" * 65, "é"])
def test_a_name_that_is_none_is_refused(schedules, name):
    with pytest.raises(UsageError, match="no name"):
        add(schedules, name=name)


@pytest.mark.parametrize("limit", [0, -1, 1e9])
def test_a_limit_that_is_none_is_refused(schedules, limit):
    with pytest.raises(UsageError, match="limit"):
        add(schedules, limit_seconds=limit)


def test_arguments_that_are_no_json_or_too_large_are_refused(schedules):
    with pytest.raises(UsageError, match="no JSON"):
        add(schedules, arguments={"x": object()})
    with pytest.raises(UsageError, match="too large"):
        add(schedules, arguments={"x": "y" * 70_000})


def test_one_that_is_not_there_is_named_with_the_nearest(schedules):
    add(schedules, name="nightly")
    for verb in (schedules.find, schedules.remove, schedules.enable, schedules.disable, schedules.history):
        with pytest.raises(NotFound, match="did you mean 'nightly'"):
            verb("nightli")


def test_one_that_is_removed_leaves_its_name_and_nothing_else(schedules, clock):
    add(schedules)
    claims = Claims(schedules)
    (firing,) = claims.take(VERBS)
    assert schedules.remove("one").name == "one"
    assert (schedules.list(), schedules.going(), claims.take(VERBS)) == ([], [], [])
    assert not claims.begin(firing)
    add(schedules)  # at the same due time: another schedule, which fires
    (again,) = claims.take(VERBS)
    assert (again.due, claims.begin(again)) == (firing.due, True)


def test_one_that_is_disabled_does_not_fire_and_goes_on_from_now_when_enabled(schedules, clock):
    add(schedules, first_now=False)
    off = schedules.disable("one", by="kim")
    assert (off.enabled, off.off, off.next_at, off.upcoming()) == (False, "disabled by kim", None, [])
    clock.jump(5 * 3600 + 60)
    assert Claims(schedules).take(VERBS) == []
    assert schedules.enable("one").next_at == NOON + 6 * 3600  # five were missed, and are not made up for
    assert Claims(schedules).take(VERBS) == []


def test_enabling_what_is_enabled_and_due_does_not_put_it_off(schedules):
    add(schedules)
    assert schedules.enable("one").next_at == NOON
