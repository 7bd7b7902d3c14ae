"""The queue: order, claims as leases, what comes again, what left."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.databases import BOTH, made_for
from windtunnel.control.limits import Limits
from windtunnel.control.queue import Left, Queue, Standing, Ticket, put_again
from windtunnel.errors import UsageError
from windtunnel.journal.database import SqliteDatabase


@pytest.fixture(params=BOTH)
def queue(request: Any) -> Iterator[Queue]:
    made = Queue(made_for(request))
    yield made
    made.database.close()


def a(name: str, world: str = "toyland", **terms: object) -> Ticket:
    return Ticket(name, f"/runs/{name}.sqlite", world, **terms)  # type: ignore[arg-type]


def claim(
    queue: Queue,
    most: int = 10,
    world: str = "toyland",
    *,
    room: int = 10,
    worker: str = "w",
    run_id: str = "",
) -> list[Standing]:
    return queue.exchange(worker, world, most=most, concurrency=room, run_id=run_id)


def names(standing: list[Standing]) -> list[str]:
    return [one.ticket.run_id for one in standing]


def test_the_higher_priority_goes_first_and_then_who_came_first(queue):
    queue.put([a("b"), a("a"), a("urgent", priority=5), a("c")])
    assert names(claim(queue, 2)) == ["urgent", "b"]
    assert names(claim(queue)) == ["a", "c"]


def test_no_more_runs_are_claimed_than_may_be_played_at_once(queue):
    queue.put([a(str(n)) for n in range(9)])
    assert len(claim(queue, worker="one", room=5, most=3)) == 3
    assert len(claim(queue, worker="two", room=5)) == 2
    assert claim(queue, worker="two", room=5) == []


def test_nobody_overtakes_a_run_of_another_world(queue):
    queue.put([a("first", "elsewhere"), a("second")])
    assert claim(queue, room=1) == []
    assert names(claim(queue, room=1, world="elsewhere")) == ["first"]
    assert names(claim(queue, room=2)) == ["second"]


def test_a_run_that_needs_a_process_of_its_own_is_left_to_it(queue):
    queue.put([a("alone", limits=Limits(isolate=True)), a("small", limits=Limits(memory_mb=50)), a("other")])
    assert names(claim(queue)) == ["other"]
    assert not queue.waits("toyland")
    assert queue.waits("toyland", "alone")
    assert names(claim(queue, run_id="alone")) == ["alone"]
    assert names(claim(queue, run_id="small")) == ["small"]


def test_who_comes_back_with_an_old_claim_is_not_heard(queue):
    queue.put([a("run")])
    (old,) = claim(queue, worker="slow")
    queue.exchange("manager", "toyland", left=[Left(old, elsewhere=True)])
    (new,) = claim(queue, worker="quick")
    queue.exchange("slow", "toyland", left=[Left(old, "completed")])
    assert queue.find("run") == new
    assert queue.endings(0) == []
    queue.exchange("quick", "toyland", left=[Left(new, "completed")])
    assert queue.find("run") is None
    assert [(one.run_id, one.status) for one in queue.endings(0)] == [("run", "completed")]


def test_a_claim_of_the_same_worker_taken_twice_counts_once(queue):
    queue.put([a("run")])
    (old,) = claim(queue)
    queue.exchange("w", "toyland", left=[Left(old, elsewhere=True)])
    (new,) = claim(queue)
    queue.exchange("w", "toyland", left=[Left(old, "failed")])
    assert queue.find("run") == new


def test_a_run_that_is_put_while_it_is_played_comes_again_on_its_new_terms(queue):
    queue.put([a("run")])
    (first,) = claim(queue)
    queue.put([a("run", stop_after=9)])
    queue.exchange("w", "toyland", left=[Left(first, "waiting")])
    (second,) = claim(queue)
    assert second.ticket.stop_after == 9
    queue.exchange("w", "toyland", left=[Left(second, "completed")])
    assert queue.find("run") is None
    assert [one.status for one in queue.endings(0)] == ["completed"]


def test_what_happened_to_a_run_goes_with_it_to_the_next_worker(queue):
    queue.put([a("run")])
    (one,) = claim(queue)
    left = Left(one, elsewhere=True, alone=True, deaths=2, death_turn=7, played=1.5)
    queue.exchange("w", "toyland", left=[left])
    assert claim(queue) == []
    (again,) = claim(queue, run_id="run")
    assert (again.deaths, again.death_turn, again.played, again.tries, again.alone) == (2, 7, 1.5, 1, True)


def test_a_run_that_shall_wait_a_moment_does(queue):
    queue.put([a("run")])
    (one,) = claim(queue)
    queue.exchange("w", "toyland", left=[Left(one, elsewhere=True, after=60.0)])
    assert claim(queue) == []
    assert not queue.waits("toyland")
    assert queue.depth()["toyland"].ready == 1


def test_a_run_is_dropped_only_while_nobody_plays_it(queue):
    queue.put([a("one"), a("two")])
    claim(queue, 1)
    assert queue.drop("two")
    assert not queue.drop("one")
    assert not queue.drop("three")


def test_the_depth_tells_who_waits_and_who_plays(queue):
    queue.put([a("1"), a("2"), a("3", limits=Limits(isolate=True)), a("4", "elsewhere")])
    claim(queue, 1)
    depth = queue.depth()
    assert (depth["toyland"].ready, depth["toyland"].playing, depth["toyland"].alone) == (2, 1, 1)
    assert (depth["elsewhere"].ready, depth["elsewhere"].playing) == (1, 0)


def test_two_workers_never_get_the_same_run(tmp_path):
    path, got = tmp_path / "catalog.sqlite", []
    Queue(SqliteDatabase(path)).put([a(str(n)) for n in range(120)])

    def work(name: str) -> None:
        mine = Queue(SqliteDatabase(path))
        while claimed := claim(mine, 4, worker=name, room=1000):
            got.extend(names(claimed))

    workers = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sorted(got) == sorted(str(n) for n in range(120))


def test_only_what_is_missing_is_put_again(queue):
    queue.put([a("there", stop_after=3)])
    assert put_again(queue, [a("there"), a("lost")]) == 1
    assert [one.ticket.stop_after for one in queue.ready(9)] == [3, None]


def test_many_are_put_in_one_transaction_or_none(queue):
    with pytest.raises(UsageError, match="its world"):
        queue.put([a("fine"), a("bad", world="")])
    assert queue.depth() == {}


def test_endings_go_when_there_are_too_many(queue, monkeypatch):
    monkeypatch.setattr("windtunnel.control.queue.KEPT_ENDINGS", 2)
    queue.put([a(str(n)) for n in range(4)])
    queue.exchange("w", "toyland", left=[Left(one, "completed") for one in claim(queue)])
    queue.trim()
    assert [one.run_id for one in queue.endings(0)] == ["2", "3"]
