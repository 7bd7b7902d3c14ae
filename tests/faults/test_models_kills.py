"""SIGKILL of a process whose agents ask models: what was durable is not asked again; what was not is asked
again under its key, counted, and reserved for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.faults import ledgers
from tests.faults.bank import KEY, MONEY, SECRET, civil, models
from tests.faults.jobs import RUN
from tests.faults.lab import Case, Server, State
from tests.faults.test_kills import sample
from windtunnel.codec import decode_body
from windtunnel.control import history
from windtunnel.control.catalog import Found
from windtunnel.journal import RunRow, SqliteStore, Status
from windtunnel.journal.lineage import Lineage
from windtunnel.models.budget import Amount
from windtunnel.models.hub import Hub
from windtunnel.run.calls import ModelCalls
from windtunnel.run.clock import Clock
from windtunnel.run.tape import Tape
from windtunnel.testing.provider import Exchange, Provider

pytestmark = pytest.mark.slow


class Uncut:
    """A run that nobody stopped, the moments it passed, and what its calls cost."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.provider = Provider(civil)
        self.provider.__enter__()
        self.start = Case(server, folder / "start", "bank", url=self.provider.openai).begin()
        self.case = self.start.copy(folder / "uncut")
        told = self.case.play(note=True).told
        assert told["status"] == "completed", told
        self.points: list[str] = told["points"]
        self.state = self.case.sound()
        self.bill = sum(map(ledgers.bill, self.provider.log))
        self.calls = len(self.provider.log)
        self.worst = worst_cases(self.case)


@pytest.fixture(scope="module")
def uncut(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Uncut]:
    uncut = Uncut(server, tmp_path_factory.mktemp("bank"))
    yield uncut
    uncut.provider.close()


def worst_cases(case: Case) -> dict[str, int]:
    """What each call could have taken, by its key: reckoned here from its request."""
    from windtunnel.models.prices import most_tokens
    from windtunnel.models.talk import Ask

    found = {}
    for key, effect in case.look().effects.items():
        used = most_tokens(decode_body(effect.request, Ask))
        found[key] = used.input + used.output
    return found


def account(case: Case) -> tuple[Amount, Amount]:
    """Spent, and in doubt, as the next process to play rebuilds it."""
    hub = Hub(models(case.about["url"], money=MONEY), environ={KEY: SECRET})
    store = SqliteStore(case.folder / "store.sqlite", read_only=True)
    try:
        purse: Any = ModelCalls(hub, Tape(Lineage(store, RUN), Clock(), fence=None)).accounts()[0]
        return purse.spent, purse.reserved
    finally:
        store.close()


def count(case: Case, kind: str) -> int:
    store = SqliteStore(case.folder / "store.sqlite", read_only=True)
    try:
        return sum(one.kind == kind for one in store.operations(RUN))
    finally:
        store.close()


def finish(uncut: Uncut, case: Case, heard_before: list[Exchange]) -> None:
    """Resume to the end; hold it against the run never stopped, and against what the provider heard."""
    before = case.sound()
    since = len(uncut.provider.log)
    assert case.play().told.get("status") == "completed"
    after = case.survives(before, uncut.state)
    assert after.status is Status.COMPLETED
    heard = list(uncut.provider.log)[since:]
    assert not {one.key for one in heard} & before.answered, "what was durable was asked for again"
    open_ = before.effects.keys() - before.answered
    asked = [one.key for one in heard if one.key in open_]
    assert sorted(asked) == sorted(open_), "what was in doubt is asked again once, under its key"
    assert count(case, "effect_in_doubt") == count(case, "model_doubt") == len(open_)
    spent, doubtful = account(case)
    billed_unseen = sum(ledgers.bill(one) for one in heard_before if one.key in open_)
    assert spent.money == uncut.bill
    assert doubtful.money == sum(uncut.worst[key] for key in open_)
    assert billed_unseen <= doubtful.money
    about = history.overview(Found(str(case.folder / "store.sqlite"), row(case)))
    assert (about.again.calls, about.again.money) == (len(open_), doubtful.money)


def row(case: Case) -> RunRow:
    store = SqliteStore(case.folder / "store.sqlite", read_only=True)
    try:
        return store.run(RUN)
    finally:
        store.close()


def kill_everywhere(uncut: Uncut, folder: Path, moments: list[int]) -> tuple[int, int]:
    """How many kills left a call in doubt, and how many of those the provider had answered."""
    doubts = paid = 0
    for moment in moments:
        case = uncut.start.copy(folder / f"{moment}")
        since = len(uncut.provider.log)
        assert case.play(kill_at=moment).killed, f"moment {moment} ({uncut.points[moment]}) did not come"
        heard = list(uncut.provider.log)[since:]
        try:
            state = case.look()
            open_ = state.effects.keys() - state.answered
            doubts += bool(open_)
            paid += any(one.key in open_ and one.outcome == "answered" for one in heard)
            finish(uncut, case, heard)
        except AssertionError as error:
            error.add_note(f"killed at moment {moment}: {uncut.points[moment]}")
            raise
    return doubts, paid


def test_a_kill_at_each_kind_of_moment_loses_no_reply_and_pays_none_twice(
    uncut: Uncut, tmp_path: Path, random: Random
) -> None:
    assert {"effect.before-intent", "effect.before-result", "effect.after-result"} <= set(uncut.points)
    doubts, paid = kill_everywhere(uncut, tmp_path, sample(uncut.points, random, 14))
    assert doubts > 1
    assert paid > 0, "no kill fell between an answer and its commit"


@pytest.mark.soak
def test_a_kill_at_every_moment_loses_no_reply_and_pays_none_twice(uncut: Uncut, tmp_path: Path) -> None:
    kill_everywhere(uncut, tmp_path, list(range(len(uncut.points))))


def moment_of(uncut: Uncut, name: str, nth: int) -> int:
    return [number for number, point in enumerate(uncut.points) if point == name][nth]


def test_a_reply_that_is_durable_and_not_used_yet_is_not_asked_for_again(
    uncut: Uncut, tmp_path: Path
) -> None:
    case = uncut.start.copy(tmp_path / "case")
    since = len(uncut.provider.log)
    assert case.play(kill_at=moment_of(uncut, "effect.after-result", 2)).killed
    state = case.look()
    assert len(state.answered) == 3
    assert not state.effects.keys() - state.answered
    finish(uncut, case, list(uncut.provider.log)[since:])
    assert len(uncut.provider.log) - since == uncut.calls
    assert count(case, "effect_in_doubt") == 0


def test_a_reply_that_came_and_is_not_durable_is_asked_for_again_under_its_key_counted_and_shown(
    uncut: Uncut, tmp_path: Path
) -> None:
    case = uncut.start.copy(tmp_path / "case")
    since = len(uncut.provider.log)
    assert case.play(kill_at=moment_of(uncut, "effect.before-result", 2)).killed
    state: State = case.look()
    (key,) = state.effects.keys() - state.answered
    heard = list(uncut.provider.log)[since:]
    assert [one.outcome for one in heard if one.key == key] == ["answered"]
    finish(uncut, case, heard)
    again = [one for one in list(uncut.provider.log)[since:] if one.key == key]
    assert len(again) == 2
    assert len(uncut.provider.log) - since == uncut.calls + 1


def test_kills_one_after_another_reserve_for_each_attempt_that_nobody_knows_of(
    uncut: Uncut, tmp_path: Path
) -> None:
    """The same call, cut off before its reply was durable, in life after life."""
    case = uncut.start.copy(tmp_path / "case")
    assert case.play(kill_at=moment_of(uncut, "effect.before-result", 1)).killed
    (key,) = case.look().effects.keys() - case.look().answered
    spent = account(case)[0].money
    for lives in range(1, 4):
        points = case.copy(tmp_path / f"noted {lives}").play(note=True).told["points"]
        assert case.play(kill_at=points.index("effect.before-result")).killed
        now, doubtful = account(case)
        assert (now.money, doubtful.money) == (spent, lives * uncut.worst[key])
        assert count(case, "model_doubt") == lives
    assert case.play().told["status"] == "completed"
    now, doubtful = account(case)
    assert (now.money, doubtful.money) == (uncut.bill, 4 * uncut.worst[key])
    assert case.look().head == uncut.state.head
