"""A run in its first moments is in memory only; then its store has it whole, as if it had always been."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from pathlib import Path
from typing import Any

import pytest

from bench import connect
from windtunnel.errors import NotFound, StorageError, WrongState
from windtunnel.journal import SqliteStore, Status, sqlite
from windtunnel.journal.draft import Draft
from windtunnel.journal.gathering import MANY, PATIENCE_SECONDS, Gathering
from windtunnel.journal.heads import read_heads
from windtunnel.journal.verify import verify
from windtunnel.run.begin import begin
from windtunnel.run.session import play_run
from windtunnel.world import AgentSpec, Scenario

SEATS = (AgentSpec("a"), AgentSpec("b"))


@pytest.fixture
def store(tmp_path: Path) -> Any:
    made = SqliteStore(tmp_path / "runs.sqlite", create=True)
    yield made
    made.close()


def match(store: Any, run_id: str, *, stop_after: int | None = None) -> Any:
    begin(store, connect.world, Scenario("connect", turns=60, seed=5, agents=SEATS), run_id)
    return asyncio.run(play_run(store, connect.world, run_id, stop_after=stop_after))


def test_a_drafted_run_ends_in_the_head_of_one_that_was_not(store: SqliteStore) -> None:
    draft = Draft(store)
    row = match(draft, "drafted")
    assert draft.held
    with pytest.raises(NotFound):
        store.run("drafted")
    draft.publish()
    plain = match(store, "plain")
    assert (row.head_hash, row.turn, row.status) == (plain.head_hash, plain.turn, Status.COMPLETED)
    assert store.run("drafted") == row
    kinds = [[one.kind for one in store.operations(name)] for name in ("drafted", "plain")]
    assert kinds[0] == kinds[1]
    said = verify(store, "drafted")
    assert said.intact
    assert said.complete
    lease = store.lease("drafted")
    assert lease is None or lease.owner is None


def test_a_run_that_stopped_in_its_first_moments_goes_on_from_its_store(store: SqliteStore) -> None:
    draft = Draft(store)
    assert match(draft, "begun", stop_after=4).status is Status.PAUSED
    draft.publish()
    row = asyncio.run(play_run(store, connect.world, "begun"))
    assert row.head_hash == match(store, "plain").head_hash
    assert verify(store, "begun").intact


def test_what_comes_from_outside_brings_the_run_in_before_it_is_used(store: SqliteStore) -> None:
    seen: list[bool] = []
    draft = Draft(store)

    async def asks(observation: Any, context: Any) -> connect.Drop:
        async def work() -> int:
            seen.append(draft.held)
            return 3

        if context.turn == 3:
            await context.once({"which": "column"}, work)
        return connect.scripted(observation, context)

    seats = (AgentSpec("a", kind="python"), AgentSpec("b"))
    scenario = Scenario("connect", turns=60, seed=5, agents=seats)
    begin(draft, connect.world, scenario, "asking", players={"a": asks})
    row = asyncio.run(play_run(draft, connect.world, "asking", players={"a": asks}))
    assert row.status is Status.COMPLETED
    assert seen == [False]
    assert store.run("asking") == row
    assert verify(store, "asking").complete


def test_the_same_run_is_not_begun_twice(store: SqliteStore) -> None:
    first, second = Draft(store), Draft(store)
    for draft in (first, second):
        match(draft, "one")
    first.publish()
    with pytest.raises(WrongState):
        second.publish()


def test_whatever_else_is_asked_brings_it_in(store: SqliteStore) -> None:
    draft = Draft(store)
    match(draft, "asked")
    assert draft.weigh("asked") > 0
    assert not draft.held
    assert store.run("asked").status is Status.COMPLETED


def gathered(store: SqliteStore, *names: str) -> list[Any]:
    """Matches played into drafts, and brought in together."""

    async def go() -> list[Any]:
        gathering, drafts = Gathering(store), [Draft(store) for _ in names]
        for draft, name in zip(drafts, names, strict=True):
            begin(draft, connect.world, Scenario("connect", turns=60, seed=5, agents=SEATS), name)
            await play_run(draft, connect.world, name)
        work = (gathering.publish(draft) for draft in drafts)
        return await asyncio.gather(*work, return_exceptions=True)

    return asyncio.run(go())


def test_drafts_that_are_done_in_one_moment_come_in_by_one_commit(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought: list[list[str]] = []
    bring_all = store.bring_all

    def counted(runs: Any, **terms: Any) -> Any:
        brought.append([row.run_id for row, _ in runs])
        return bring_all(runs, **terms)

    monkeypatch.setattr(store, "bring_all", counted)
    assert gathered(store, "one", "two", "three") == [None, None, None]
    assert brought == [["one", "two", "three"]]
    heads = {store.run(name).head_hash for name in brought[0]}
    assert heads == {match(store, "plain").head_hash}
    assert all(verify(store, name).intact for name in brought[0])
    assert read_heads(store.heads).keys() >= {"one", "two", "three"}


def test_a_store_in_which_another_writes_is_not_waited_for_where_that_is_not_wished(
    store: SqliteStore,
) -> None:
    draft = Draft(store)
    match(draft, "one")
    with SqliteStore(store.path)._immediate():
        assert store.bring_all([draft.whole()], wait=False) is None
        assert store.runs() == []
    settle = store.bring_all([draft.whole()], wait=False)
    assert settle is not None
    settle()
    assert verify(store, "one").complete


@pytest.mark.parametrize("many", [1, MANY])
def test_others_play_on_while_another_writes(store: SqliteStore, many: int) -> None:
    """Whether there are many drafts, or nothing else to do for those who made them."""
    names = [f"run-{number}" for number in range(many)]
    drafts = [Draft(store) for _ in names]
    for draft, name in zip(drafts, names, strict=True):
        begin(draft, connect.world, Scenario("connect", turns=60, seed=5, agents=SEATS), name)

    async def go() -> int:
        gathering, turns = Gathering(store), 0
        with SqliteStore(store.path)._immediate():
            work = asyncio.gather(*[gathering.publish(draft) for draft in drafts])
            until = time.monotonic() + PATIENCE_SECONDS / 2
            while time.monotonic() < until:
                await asyncio.sleep(0.001)
                turns += 1
            assert not work.done()
        await asyncio.wait_for(work, 5)
        return turns

    assert asyncio.run(go()) > 20
    assert {row.run_id for row in store.runs()} == set(names)


def test_one_that_cannot_come_in_keeps_no_other_out(store: SqliteStore) -> None:
    match(store, "there")
    first, second, third = gathered(store, "one", "there", "three")
    assert (first, third) == (None, None)
    assert isinstance(second, WrongState)
    assert "there is a run there already" in str(second)
    assert [row.run_id for row in store.runs()] == ["there", "one", "three"]
    assert verify(store, "three").complete


def test_what_came_in_though_its_head_could_not_be_kept_is_in(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageError("the head of the run cannot be written: No space left on device")

    monkeypatch.setattr(sqlite, "append_heads", full)
    assert gathered(store, "one", "two") == [None, None]
    assert [row.run_id for row in store.runs()] == ["one", "two"]


def test_nobody_hears_of_a_run_before_the_disk_has_it(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[set[str]] = []
    fsync = os.fsync

    def seen(file: int) -> None:
        assert os.path.samestat(os.fstat(file), Path(f"{store.path}-wal").stat())
        synced.append(set(read_heads(store.heads)))
        fsync(file)

    monkeypatch.setattr(os, "fsync", seen)
    assert gathered(store, "one", "two") == [None, None]
    assert synced == [set()]  # once, and before their heads are told
    assert store._db.pragma("synchronous") == 2  # FULL again: other commits wait for the disk themselves


def test_a_disk_that_takes_nothing_leaves_them_as_they_stand(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_file: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", broken)
    first, second = gathered(store, "one", "two")
    assert isinstance(first, WrongState)  # it is there: whoever plays it takes it as it stands
    assert isinstance(second, WrongState)
    assert store._db.pragma("synchronous") == 2


def test_nobody_is_left_waiting_by_an_error_that_nobody_thought_of(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_runs: object, **_terms: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(store, "bring_all", broken)
    assert gathered(store, "one", "two") == [None, None]  # each by itself
    assert verify(store, "two").complete
