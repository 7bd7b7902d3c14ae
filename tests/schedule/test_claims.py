"""Each due time once: catching up, clocks that jump, the dead, errors, overlaps."""

from __future__ import annotations

import pytest

from tests.schedule.fakes import NOON, VERBS, Clock, add, owner
from windtunnel.config.schedule import Scheduling
from windtunnel.control.schedule import Firing, Schedules, State
from windtunnel.control.schedule.claims import KEPT, Claims

HOUR = 3600


@pytest.fixture
def claims(schedules: Schedules) -> Claims:
    return Claims(schedules, owner(1))


@pytest.fixture
def other(schedules: Schedules) -> Claims:
    return Claims(schedules, owner(2))


def nobody(_: Firing) -> bool:
    return False


def everybody(_: Firing) -> bool:
    return True


def dues(firings: list[Firing]) -> list[int]:
    return [firing.due for firing in firings]


def fire(claims: Claims, state: State = State.DONE, reason: str | None = None) -> list[int]:
    """Take what is due, and end it so."""
    taken = claims.take(VERBS)
    for firing in taken:
        assert claims.begin(firing)
        assert claims.end(firing, state, reason=reason) is not None
    return dues(taken)


def test_a_due_time_is_taken_by_one_of_two(schedules, claims, other):
    add(schedules)
    assert dues(claims.take(VERBS)) == [NOON]
    assert (other.take(VERBS), other.recover(VERBS, nobody)) == ([], [])


def test_only_verbs_that_are_known_here_are_taken(schedules, claims):
    add(schedules, verbs={"evolve": None}, verb="evolve")
    assert (claims.next_at(VERBS), claims.take(VERBS)) == (None, [])
    assert dues(claims.take(["evolve"])) == [NOON]


def test_what_was_missed_is_made_up_for_once(schedules, claims, clock):
    add(schedules)
    fire(claims)
    clock.jump(5 * HOUR + 1800)
    (firing,) = claims.take(VERBS)
    assert (firing.due, firing.since) == (NOON + 5 * HOUR, NOON + HOUR)
    assert (claims.take(VERBS), schedules.find("one").due) == ([], NOON + 6 * HOUR)


def test_a_clock_that_is_set_back_fires_nothing_twice(schedules, claims, clock):
    add(schedules)
    fired = fire(claims)
    for _ in range(3):
        clock.jump(HOUR)
        fired += fire(claims)
    clock.jump(-2 * HOUR - 60)
    for _ in range(5 * 60):
        fired += fire(claims)
        clock.jump(60)
    assert fired == [NOON + hour * HOUR for hour in range(6)]


def test_a_clock_that_was_years_ahead_does_not_hold_it_up(schedules, claims, clock):
    add(schedules)
    fire(claims)
    clock.jump(4 * 365 * 86_400)
    (wrong,) = fire(claims)
    clock.jump(-4 * 365 * 86_400)
    assert fire(claims) == []
    clock.jump(HOUR)
    assert fire(claims) == [NOON + HOUR]
    clock.jump(4 * 365 * 86_400 - HOUR)
    assert wrong not in fire(claims)


def test_a_time_that_was_fired_too_early_is_passed_over_when_it_comes(schedules, claims, clock):
    add(schedules)
    fired = fire(claims)
    clock.jump(2 * HOUR)
    fired += fire(claims)
    clock.jump(-HOUR - 1800)
    for _ in range(3):
        fired += fire(claims)
        clock.jump(HOUR)
    assert fired == [NOON, NOON + 2 * HOUR, NOON + HOUR]
    assert fire(claims) == [NOON + 3 * HOUR]


def test_times_that_are_forgotten_stay_spent(schedules, claims, clock):
    add(schedules, "every 60s")
    fired = fire(claims)
    for _ in range(KEPT + 30):
        clock.jump(60)
        fired += fire(claims)
    assert len(schedules.history("one", 1000)) == KEPT
    assert claims.database.rows("SELECT spent FROM schedule") == [(NOON + 30 * 60,)]
    clock.jump(-86_400)
    for _ in range(20):
        fired += fire(claims)
        clock.jump(60)
    assert len(set(fired)) == len(fired) == KEPT + 31
    assert schedules.find("one").due == NOON + (KEPT + 31) * 60


def test_what_was_claimed_by_the_dead_is_taken_over_as_it_is(schedules, claims, other):
    add(schedules)
    (firing,) = claims.take(VERBS)
    assert other.recover(["health"], everybody) == []  # not of a verb that it does not know
    (ours,) = other.recover(VERBS, everybody)
    assert (ours.due, ours.attempt, ours.token) == (firing.due, 1, other.token)
    assert not claims.begin(firing)  # it lived after all, and was too late
    assert other.begin(ours)
    assert schedules.find("one").errors == 0


def test_what_the_dead_had_begun_is_done_again_at_once_with_its_notes_and_is_no_error(
    schedules, claims, other
):
    add(schedules)
    (firing,) = claims.take(VERBS)
    claims.begin(firing)
    claims.note(firing, {"run_id": "r1"})
    assert other.recover(VERBS, everybody) == []
    found = schedules.find("one")
    assert (found.errors, found.last_error, found.last_state) == (0, None, "interrupted")
    assert other.untold(everybody) == []  # nobody is alarmed
    assert claims.end(firing, State.DONE) is None  # whoever was taken for dead has no say any more
    (again,) = other.take(VERBS)
    assert (again.due, again.attempt, again.noted) == (NOON, 2, {"run_id": "r1"})
    assert again.key == firing.key


def cut_off(schedules: Schedules, pid: int) -> None:
    """A process takes what is due, begins, and dies."""
    claims = Claims(schedules, owner(pid))
    (firing,) = claims.take(VERBS)
    assert claims.begin(firing)
    Claims(schedules, owner(99)).recover(VERBS, everybody)


def test_a_server_that_is_killed_at_every_firing_does_not_disable_it(schedules, claims, clock):
    add(schedules)
    for restart in range(8):
        cut_off(schedules, 10 + restart)
        assert fire(claims) == [NOON + restart * HOUR]
        clock.jump(HOUR)
    found = schedules.find("one")
    assert (found.enabled, found.errors) == (True, 0)


def test_a_due_time_that_has_seen_three_processes_die_is_an_error_that_is_told(schedules, claims, clock):
    add(schedules, "weekly")
    waits = []
    for restart in range(3):
        cut_off(schedules, 10 + restart)
        found = schedules.find("one")
        assert found.retry_at is not None
        waits.append(found.retry_at - clock.wall())
        assert found.errors == (restart == 2)
        clock.jump(300)
    assert waits == [0, 300, 300]
    assert "3 times" in (schedules.find("one").last_error or "")
    (told,) = claims.untold(everybody)
    assert told.attempt == 3
    for restart in range(3, 15):
        cut_off(schedules, 10 + restart)
        clock.jump(300)
    assert not schedules.find("one").enabled  # what ends every process has an end itself


def test_an_error_is_tried_again_after_five_minutes(schedules, claims, clock):
    add(schedules)
    fire(claims, State.FAILED, "no")
    clock.jump(299)
    assert (claims.take(VERBS), claims.next_at(VERBS)) == ([], NOON + 300)
    clock.jump(1)
    assert fire(claims) == [NOON]
    found = schedules.find("one")
    assert (found.errors, found.last_error, found.retry_at, found.due) == (0, None, None, NOON + HOUR)


def test_the_next_due_time_takes_the_place_of_another_attempt(schedules, claims, clock):
    add(schedules, "every 90s")
    fire(claims, State.FAILED, "no")
    clock.jump(90)
    assert fire(claims) == [NOON + 90]
    clock.jump(230)
    assert fire(claims) == [NOON + 270]
    assert schedules.find("one").retry_at is None


def test_five_errors_in_a_row_disable_it_and_enabling_forgets_them(schedules, claims, clock):
    add(schedules)
    for attempt in range(1, 6):
        assert fire(claims, State.FAILED, "no") == [NOON], attempt
        clock.jump(300)
    found = schedules.find("one")
    assert (found.enabled, found.errors, found.off) == (False, 5, "disabled after 5 errors in a row")
    clock.jump(86_400)
    assert claims.take(VERBS) == []
    found = schedules.enable("one")
    assert (found.errors, found.off, found.due > clock.wall()) == (0, None, True)


def test_a_good_firing_between_errors_begins_the_count_again(schedules, claims, clock):
    add(schedules)
    for state in (State.FAILED,) * 4 + (State.DONE,) + (State.FAILED,) * 4:
        assert fire(claims, state, "no")
        clock.jump(HOUR)
    assert (schedules.find("one").errors, schedules.find("one").enabled) == (4, True)


def test_how_patient_it_is_stands_in_the_settings(database, clock):
    schedules = Schedules(database, Scheduling(retry_seconds=7, errors=2), now=clock.wall)
    add(schedules)
    claims = Claims(schedules)
    fire(claims, State.FAILED)
    assert schedules.find("one").retry_at == NOON + 7
    clock.jump(7)
    fire(claims, State.FAILED)
    assert not schedules.find("one").enabled


def test_another_attempt_is_not_put_off_by_a_clock_that_went_back(schedules, claims, clock):
    add(schedules)
    fire(claims, State.FAILED)
    clock.jump(-86_400)
    claims.take(VERBS)
    assert schedules.find("one").retry_at == NOON - 86_400 + 300


def test_a_firing_that_still_goes_makes_the_next_one_skip(schedules, claims, clock):
    add(schedules)
    (first,) = claims.take(VERBS)
    claims.begin(first)
    clock.jump(HOUR)
    assert claims.take(VERBS) == []
    skipped, going = schedules.history("one")
    assert (skipped.state, skipped.due, going.state) == (State.SKIPPED, NOON + HOUR, State.BEGUN)
    assert skipped.reason == f"the firing of {NOON} still goes"
    claims.end(first, State.DONE)
    clock.jump(HOUR)
    assert fire(claims) == [NOON + 2 * HOUR]


def test_firings_may_overlap_where_that_is_said(schedules, claims, clock):
    add(schedules, overlap=True)
    claims.begin(claims.take(VERBS)[0])
    clock.jump(HOUR)
    assert dues(claims.take(VERBS)) == [NOON + HOUR]


def test_one_that_is_disabled_before_it_began_does_not_begin(schedules, claims):
    add(schedules)
    (firing,) = claims.take(VERBS)
    schedules.disable("one")
    assert not claims.begin(firing)
    assert schedules.history("one")[0].state is State.SKIPPED
    assert schedules.going() == []


def test_a_process_that_ends_in_order_leaves_its_work_to_the_next(schedules, claims, other, clock):
    add(schedules, name="begun")
    add(schedules, name="claimed")
    begun, _ = claims.take(VERBS)
    claims.begin(begun)
    claims.let_go()
    assert [(firing.schedule, firing.attempt) for firing in other.recover(VERBS, nobody)] == [("claimed", 1)]
    (again,) = other.take(VERBS)
    assert (again.schedule, again.due, again.attempt) == ("begun", NOON, 2)
    assert schedules.find("begun").errors == 0  # an end that was asked for is no error


def test_a_beat_says_whether_it_is_still_ours(schedules, claims, other):
    add(schedules)
    (firing,) = claims.take(VERBS)
    claims.begin(firing)
    assert claims.beat(firing)
    assert schedules.going()[0].beat == 1
    other.recover(VERBS, everybody)
    assert not claims.beat(firing)


def test_a_firing_whose_schedule_is_removed_may_go_on_to_its_end(schedules, claims):
    add(schedules)
    (firing,) = claims.take(VERBS)
    claims.begin(firing)
    schedules.remove("one")
    assert claims.beat(firing)
    assert claims.end(firing, State.DONE) is None


def test_what_a_verb_gave_is_kept_within_bounds(schedules, claims, clock):
    add(schedules)
    for outcome, kept in (({"turns": 3}, {"turns": 3}), ("x" * 20_000, {"too_large": 20_002})):
        (firing,) = claims.take(VERBS)
        claims.begin(firing)
        claims.end(firing, State.DONE, outcome=outcome)
        assert schedules.history("one")[0].outcome == kept
        clock.jump(HOUR)
    (firing,) = claims.take(VERBS)
    claims.begin(firing)
    claims.end(firing, State.FAILED, reason="y" * 9000)
    assert len(schedules.find("one").last_error or "") == 2000


def test_a_clock_far_before_all_plans_does_not_stop_it(database):
    clock = Clock(NOON)
    schedules = Schedules(database, now=clock.wall)
    add(schedules, first_now=False)
    clock.jump(-NOON + 10)  # a machine whose battery is empty wakes up in 1970
    claims = Claims(schedules)
    assert claims.take(VERBS) == []
    clock.jump(HOUR)
    assert len(fire(claims)) == 1
    clock.jump(NOON)
    assert len(fire(claims)) == 1
