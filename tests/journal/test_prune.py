"""Old runs go, their heads stay, and nothing that is needed goes with them."""

from __future__ import annotations

import msgspec
import pytest

from tests.journal import flights
from tests.journal.flights import replayed, rows
from windtunnel.errors import LeaseHeld, UsageError, WrongState
from windtunnel.journal import SqliteStore, Status, Store
from windtunnel.journal.lease import this_process
from windtunnel.journal.prune import plan_prune, prune
from windtunnel.journal.verify import verify


@pytest.fixture
def store(flown_store):
    return flown_store


def test_a_pruned_run_leaves_a_tombstone_with_its_head(store):
    head = store.run("f1").head_hash
    assert prune(store, ["f1"], at=5.0).runs == ["f1"]
    row = store.run("f1")
    assert (row.head_hash, row.pruned) == (head, 5.0)
    verdict = verify(store, "f1")
    assert (verdict.intact, verdict.complete, verdict.pruned) == (True, True, True)
    assert "pruned" in verdict.notes[-1]
    assert rows(store, "SELECT count(*) FROM entry WHERE run_id='f1'") == [(0,)]
    assert verify(store, "r1").intact


def test_a_parent_goes_only_after_its_forks_were_made_whole(store):
    result = prune(store, ["r1"], at=5.0)
    assert (result.runs, result.made_whole) == (["r1"], ["f1"])
    assert verify(store, "f1").intact
    assert replayed(store, "f1")


def test_a_parent_and_its_fork_may_go_together(store):
    flights.forked(store, "f1", "7", "g1")
    result = prune(store, ["r1", "f1"], at=5.0)
    assert (result.runs, result.made_whole) == (["f1", "r1"], ["g1"])
    assert verify(store, "g1").intact
    assert replayed(store, "g1")


def test_the_store_itself_refuses_to_erase_a_parent_under_its_forks(store):
    with pytest.raises(WrongState, match="the past of its fork f1"):
        store.erase("r1", 5.0)
    assert verify(store, "r1").intact


@pytest.mark.parametrize("played", ["r1", "f1"])
def test_nothing_goes_while_the_run_or_its_fork_is_played(store, played):
    store.acquire(played, this_process())
    with pytest.raises(LeaseHeld):
        prune(store, ["r1"], at=5.0)
    assert store.run("r1").pruned is None
    assert store.run("f1").parent == "r1"


def test_a_pruned_run_is_not_played_forked_or_pruned_again(store):
    prune(store, ["f1"], at=5.0)
    with pytest.raises(WrongState, match="pruned"):
        store.acquire("f1", this_process())
    orphan = msgspec.structs.replace(store.run("r1"), run_id="g1", parent="f1", parent_seq=1, parent_turn=0)
    with pytest.raises(WrongState, match="pruned"):
        store.add_run(orphan)
    assert prune(store, ["f1"], at=6.0).runs == []
    assert store.run("f1").pruned == 5.0


@pytest.mark.slow
def test_the_file_gets_smaller(tmp_path):
    store = SqliteStore(tmp_path / "x.sqlite", create=True)
    for name in "abcdef":
        flights.fly(store, name, turns=60, stops=())
    store.close()
    before = store.path.stat().st_size
    store = SqliteStore(store.path)
    prune(store, list("abcde"), at=5.0)
    store.close()
    assert store.path.stat().st_size < before / 2


def texts(store: Store) -> set[str]:
    return {body for (body,) in rows(store, "SELECT body FROM text")}


def test_texts_go_when_no_effect_names_them_any_more(store):
    flights.fly(store, "s1", turns=4, stops=())
    shared = texts(store)
    prune(store, ["r1", "f1"], at=5.0)
    left = texts(store)
    assert left < shared, "the later turns of r1 and f1 had reasons of their own"
    assert flights.BRIEF in left
    assert verify(store, "s1").intact
    assert replayed(store, "s1")
    prune(store, ["s1"], at=6.0)
    assert texts(store) == set()


def test_a_fork_that_took_its_past_over_keeps_its_texts(store):
    before = texts(store)
    prune(store, ["r1"], at=5.0)
    assert texts(store) == before
    assert verify(store, "f1").intact


def test_texts_left_by_a_prune_that_was_cut_short_go_with_the_next(store):
    store.erase("f1", 5.0)
    store.erase("r1", 5.0)
    assert texts(store), "a kill came here"
    prune(store, ["r1"], at=6.0)
    assert texts(store) == set()


def test_an_effect_that_cannot_be_read_keeps_all_texts(store):
    before = texts(store)
    flights.edit(store, "UPDATE effect SET request=' {' WHERE run_id='r1' AND turn=2")
    assert "cannot be read" in prune(store, ["f1"], at=5.0).note
    assert texts(store) == before


def test_a_tombstone_with_another_head_than_the_one_outside_is_found(store):
    prune(store, ["f1"], at=5.0)
    flights.edit(store, "UPDATE run SET head_hash=zeroblob(32) WHERE run_id='f1'")
    assert verify(store, "f1").complete is False


def plan(store: Store, **how):
    base = store.run("r1")
    rows = [
        msgspec.structs.replace(base, run_id=f"x{age}", updated=100.0 - age, status=status, pruned=pruned)
        for age, status, pruned in (
            (10, Status.COMPLETED, None),
            (20, Status.FAILED, None),
            (30, Status.PAUSED, None),
            (40, Status.COMPLETED, None),
            (50, Status.COMPLETED, 3.0),
            (60, Status.RUNNING, None),
        )
    ]
    return plan_prune(rows, now=100.0, sizes={row.run_id: 10 for row in rows}, **how)


def test_a_plan_takes_ended_runs_by_age_number_status_and_size(store):
    assert plan(store, older_than=15.0) == ["x40", "x20"]
    assert plan(store, keep_last=1) == ["x40", "x20"]
    assert plan(store, keep_last=2, older_than=1.0) == ["x40"]
    assert plan(store, status=[Status.PAUSED, Status.RUNNING]) == ["x30"]
    assert plan(store, max_bytes=45) == ["x40"]
    assert plan(store, max_bytes=1000) == []


def test_a_plan_without_a_condition_is_refused(store):
    with pytest.raises(UsageError, match="every run"):
        plan(store)


def test_the_weight_of_a_run_counts_what_it_stores(store):
    bodies = rows(store, "SELECT sum(length(body)) FROM entry WHERE run_id='r1'")[0][0]
    assert store.weigh("r1") > bodies
    before = store.weigh("r1")
    flights.edit(store, "DELETE FROM text WHERE body=?", flights.BRIEF)
    assert store.weigh("r1") == before - len(flights.BRIEF)
    assert store.weigh("nobody") == 0
