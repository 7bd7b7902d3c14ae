"""Mail across kills: what is injected is heard exactly once, and no wish to stop is lost."""

from __future__ import annotations

from pathlib import Path
from random import Random

import apsw
import pytest

from tests.faults.jobs import RUN
from tests.faults.lab import Case, Server
from windtunnel.journal import SqliteStore, Status

TURNS = 40


def write(case: Case, number: int) -> None:
    store = SqliteStore(case.folder / "store.sqlite")
    store.post(RUN, "event", b'{"kind":"letter","body":{"number":%d}}' % number, "writer", 0.0)
    store.close()


def heard(case: Case) -> dict[int, list[int]]:
    """Each letter by its number, with the turns of history that took it in."""
    db = apsw.Connection(str(case.folder / "store.sqlite"), flags=apsw.SQLITE_OPEN_READWRITE)
    sql = "SELECT json_extract(body, '$.body.body.number'), turn FROM entry WHERE kind='mail' ORDER BY seq"
    found: dict[int, list[int]] = {}
    for number, turn in db.execute(sql):
        found.setdefault(number, []).append(turn)
    db.close()
    return found


def exactly_once(start: Case, folder: Path, random: Random, rounds: int, points: int) -> None:
    for number in range(rounds):
        case = start.copy(folder / f"{number}")
        plans = [random.randrange(points // 3) for _ in range(5)]
        promised: dict[int, int] = {}  # what a turn took in, by a commit that was seen
        for letter, plan in enumerate(plans):
            write(case, letter)
            life = case.play(kill_at=plan)
            state = case.sound()
            marks = {mail_id: taken for mail_id, _, _, taken in state.inbox if taken is not None}
            for mail_id, turn in promised.items():
                assert marks.get(mail_id) == turn, f"letter {mail_id} moved from turn {turn}; kills: {plans}"
            promised = marks
            if not life.killed:
                break
        if case.look().status is not Status.COMPLETED:
            assert case.play().told["status"] == "completed"
        state, told = case.sound(), heard(case)
        letters = [mail for mail in state.inbox if mail[1] == "event"]  # others answer for what is in doubt
        for letter, (mail_id, _, _, taken) in enumerate(letters):
            turns = told.get(letter, [])
            assert turns == ([] if taken is None else [taken]), f"letter {letter}: {turns}; kills: {plans}"
            assert promised.get(mail_id, taken) == taken
        assert any(told.values())


@pytest.fixture(scope="module", params=["rules", "asking"])
def start(request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Case:
    turns = {"rules": TURNS, "asking": 5}[request.param]
    return Case(server, tmp_path_factory.mktemp("mail") / "start", request.param, turns).begin()


@pytest.mark.slow
def test_an_event_from_outside_is_heard_exactly_once_whatever_dies(
    start: Case, tmp_path: Path, random: Random
) -> None:
    points = len(start.copy(tmp_path / "note").play(note=True).told["points"])
    exactly_once(start, tmp_path, random, 4, points)


@pytest.mark.soak
def test_events_from_outside_are_heard_exactly_once_through_500_kills(
    start: Case, tmp_path: Path, random: Random
) -> None:
    points = len(start.copy(tmp_path / "note").play(note=True).told["points"])
    exactly_once(start, tmp_path, random, 100, points)


def steered(server: Server, folder: Path, wish: str, random: Random | None) -> None:
    """A wish that comes in the middle of a turn, and a kill at any moment after it."""
    start = Case(server, folder / "start", "asking", 6, steer=wish).begin()
    uncut = start.copy(folder / "uncut").play(note=True).told
    end = {"pause": "paused", "cancel": "cancelled"}[wish]
    assert uncut["status"] == end, uncut
    points: list[str] = uncut["points"]
    moments = list(range(points.index("outside.steers") + 1, len(points)))
    assert len(moments) > 10
    if random:
        # Always those where the turn is about to be sealed: wishes were seen, and much was committed.
        sealing = [moment for moment in moments if points[moment] == "seal.before"]
        moments = sorted({*sealing, *random.sample(moments, 4)})
    for moment in moments:
        case = start.copy(folder / f"{moment}")
        life = case.play(kill_at=moment)
        before = case.sound()
        # When the wish is seen is a matter of time, so the run may have left before its moment came.
        assert life.killed or before.status is Status(end)
        posted = bool(before.inbox)
        if before.status is not Status(end):
            told = case.play().told
            assert told["status"] == end, (
                f"a {wish} was lost by a kill at moment {moment} ({points[moment]}), posted: {posted}: {told}"
            )
        if wish == "pause":
            assert case.play().told["status"] == "completed", "paused once is enough"
        case.sound()


@pytest.mark.slow
@pytest.mark.parametrize("wish", ["pause", "cancel"])
def test_a_wish_to_stop_survives_a_kill(server: Server, tmp_path: Path, random: Random, wish: str) -> None:
    steered(server, tmp_path, wish, random)


@pytest.mark.soak
@pytest.mark.parametrize("wish", ["pause", "cancel"])
def test_a_wish_to_stop_survives_a_kill_at_every_moment(server: Server, tmp_path: Path, wish: str) -> None:
    steered(server, tmp_path, wish, None)
