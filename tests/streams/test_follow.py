"""A run's news since a cursor: nothing missed and nothing twice, whoever writes, dies or comes back."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.journal import flights
from tests.journal.flights import made_older
from tests.streams.scribe import Scribe
from windtunnel.control.follow import (
    NOWHERE,
    Follower,
    Position,
    Told,
    head_of,
    read_cursor,
    read_news,
    write_cursor,
)
from windtunnel.errors import NotFound, UsageError
from windtunnel.journal import SqliteStore, Status
from windtunnel.journal.lineage import Lineage
from windtunnel.journal.transfer import copy_run, make_whole


def all_of(store, run_id, after=NOWHERE, most=500):
    rows, at = [], after
    while (news := read_news(store, run_id, at, most=most)).rows:
        rows += news.rows
        at = news.at
    return rows, at


def names(rows):
    return [(row.source, row.number) for row in rows]


def written(store, run_id):
    row = store.run(run_id)
    entries = [("entry", entry.seq + 1) for entry in Lineage(store, run_id).entries()]
    operations = [("operation", number + 1) for number in range(row.op_seq + 1)]
    return {*entries, *operations, *(("effect", one.number) for one in store.arrivals(run_id))}


@pytest.fixture
def store(flown):
    store = SqliteStore(flown, read_only=True)
    yield store
    store.close()


@pytest.mark.parametrize("most", [1, 7, 500])
@pytest.mark.parametrize("run_id", ["r1", "f1"])
def test_all_of_a_run_is_told_once_in_pieces_of_any_size(store, run_id, most):
    rows, at = all_of(store, run_id, most=most)
    told = names(rows)
    assert len(told) == len(set(told))
    assert set(told) == written(store, run_id)
    assert at == head_of(store, run_id).at
    for source in ("entry", "operation", "effect"):
        assert [n for s, n in told if s == source] == sorted(n for s, n in told if s == source)


def test_a_fork_tells_the_past_it_shares(store):
    entries = [row.thing.kind for row in all_of(store, "f1")[0] if row.source == "entry"]
    assert entries[0] == "started"
    assert "forked" in entries


def test_a_fork_that_is_made_whole_tells_nothing_twice(flown):
    store = SqliteStore(flown)
    _, at = all_of(store, "f1")
    make_whole(store, "f1")
    assert names(all_of(store, "f1", at)[0]) == []
    store.close()


@settings(max_examples=40, deadline=None)
@given(chance=st.randoms(use_true_random=False))
def test_a_reader_that_comes_back_at_any_cursor_goes_on_from_there(flown_once, chance):
    store = SqliteStore(flown_once, read_only=True)
    at, told = NOWHERE, []
    for _ in range(200):
        news = read_news(store, "r1", at, most=chance.randint(1, 30))
        if not news.rows:
            break
        kept = news.rows[: chance.randint(1, len(news.rows))]  # the line breaks somewhere in the piece
        for row in kept:
            at = at.after(row)
        told += names(kept)
        at = read_cursor("r1", write_cursor("r1", at))
    assert len(told) == len(set(told))
    assert set(told) == written(store, "r1")
    store.close()


def test_an_effect_is_told_when_it_is_asked_and_when_it_is_answered(tmp_path):
    scribe = Scribe(tmp_path / "x.sqlite", "r")
    scribe.start()
    reader = SqliteStore(tmp_path / "x.sqlite", read_only=True)
    follower = Follower(reader, "r")
    assert follower.poll() == []
    effect = scribe.ask()
    (asked,) = follower.poll()
    assert isinstance(asked.thing, Told)
    assert (asked.source, asked.thing.arrival.answered, asked.thing.effect.result) == ("effect", False, None)
    scribe.answer(effect)
    (answered,) = follower.poll()
    assert isinstance(answered.thing, Told)
    assert answered.thing.arrival.answered
    assert answered.thing.effect.result == b'{"ok":"buy"}'
    scribe.play()
    assert {row.source for row in follower.poll()} == {"entry"}
    assert follower.poll() == []
    reader.close()
    scribe.close()


def test_effects_stand_before_the_entries_of_their_turn(tmp_path):
    scribe = Scribe(tmp_path / "x.sqlite", "r")
    scribe.start()
    for _ in range(3):
        scribe.answer(scribe.ask())
        scribe.play()
    rows, _ = all_of(scribe.store, "r")
    turns = [
        (row.thing.turn, "entry") if row.source == "entry" else (row.thing.arrival.turn, "effect")
        for row in rows
        if row.source != "operation"
    ]
    assert turns == sorted(turns)
    scribe.close()


def test_nothing_is_read_beyond_the_bound(store):
    bound = Position(20, 2, 3)
    rows, at = [], Position(5, 3, 1)  # ahead of the bound in one source
    while (news := read_news(store, "r1", at, upto=bound, most=4)).rows:
        rows += names(news.rows)
        at = news.at
    assert at == Position(20, 3, 3)
    assert set(rows) == {("effect", 2), ("effect", 3), *(("entry", number) for number in range(6, 21))}


def test_a_follower_that_begins_far_behind_goes_on_though_nobody_writes(store):
    follower, told = Follower(store, "r1", NOWHERE), []
    while rows := follower.poll(7):
        told += names(rows)
    assert set(told) == written(store, "r1")


def test_a_cursor_is_refused_where_it_means_nothing(store):
    for wrong in ("", "1", "x" * 100, "abcdef01.1.2", "abcdef01.-1.2.3", "0.0.0.0", "١٢٣٤٥٦٧٨.1.1.1"):
        with pytest.raises(UsageError, match="no cursor"):
            read_cursor("r1", wrong)
    with pytest.raises(UsageError, match="another run"):
        read_cursor("f1", write_cursor("r1", NOWHERE))
    head = head_of(store, "r1").at
    for ahead in (Position(head.entry + 1), Position(0, head.operation + 1)):
        with pytest.raises(UsageError, match="ahead of run r1"):
            read_news(store, "r1", ahead)


def test_a_pruned_run_is_an_error_and_no_silence(tmp_path):
    scribe = Scribe(tmp_path / "x.sqlite", "r")
    scribe.start()
    scribe.play()
    middle = Position(2, 0, 0)
    scribe.store.release("r", scribe.fence)
    scribe.store.erase("r", 9.0)
    with pytest.raises(NotFound, match="pruned"):
        read_news(scribe.store, "r", middle)
    scribe.close()


def test_an_old_store_is_followed_without_its_effects_until_it_is_written_to(tmp_path):
    path = tmp_path / "x.sqlite"
    scribe = Scribe(path, "r")
    scribe.start()
    effect = scribe.ask()
    scribe.close()
    made_older(path, 2)
    reader = SqliteStore(path, read_only=True)
    rows, at = all_of(reader, "r")
    assert {row.source for row in rows} == {"entry", "operation"}
    scribe = Scribe(path, "r")
    scribe.answer(effect)
    assert [(row.source, row.thing.arrival.answered) for row in all_of(reader, "r", at)[0]] == [
        ("effect", True)
    ]
    reader.close()
    scribe.close()


def test_a_run_that_moved_is_followed_on_where_it_lies_now(tmp_path):
    path = tmp_path / "x.sqlite"
    source = SqliteStore(path, create=True)
    flights.fly(source, stops=())
    _, at = all_of(source, "r1")
    target = SqliteStore(tmp_path / "y.sqlite", create=True)
    copy_run(source, target, "r1")
    assert all_of(target, "r1", at) == ([], at)
    assert written(target, "r1") == written(source, "r1")
    for store in (source, target):
        store.close()


def play_elsewhere(path, turns):
    scribe = [sys.executable, "-m", "tests.streams.scribe", str(path), "r", str(turns), "0.002"]
    return subprocess.Popen(scribe)


@pytest.mark.slow
def test_a_writer_that_is_killed_and_resumed_is_followed_without_a_gap(tmp_path):
    path, chance = tmp_path / "x.sqlite", random.Random(7)
    Scribe(path, "r").close()
    writer = play_elsewhere(path, 150)
    told, at, kills = [], NOWHERE, 0
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        reader = SqliteStore(path, read_only=True)
        follower = Follower(reader, "r", at)
        for _ in range(chance.randint(1, 6)):
            rows = follower.poll(chance.randint(1, 40))
            kept = rows[: chance.randint(0, len(rows))] if chance.random() < 0.3 else rows
            for row in kept:
                at = at.after(row)
            told += names(kept)
            if kept != rows:
                break
            time.sleep(0.005)
        ended = follower.run.status is Status.COMPLETED
        at_work = resumed(reader) == kills  # one that is killed before it took the run up has resumed nothing
        reader.close()
        if kills < 5 and at_work and len(told) > (kills + 1) * 150:
            os.kill(writer.pid, signal.SIGKILL)
            writer.wait(30)
            writer, kills = play_elsewhere(path, 150), kills + 1
        if ended and not all_rows_left(path, at):
            break
    assert writer.wait(30) == 0
    assert kills == 5
    assert len(told) == len(set(told))
    store = SqliteStore(path, read_only=True)
    assert set(told) == written(store, "r")
    assert resumed(store) == 5
    store.close()


def resumed(store):
    return store.count_operations("r", "resumed")


def all_rows_left(path, at):
    reader = SqliteStore(path, read_only=True)
    left = all_of(reader, "r", at)[0]
    reader.close()
    return left
