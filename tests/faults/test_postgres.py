"""PostgreSQL goes away, answers get lost, players die: nothing is lost, nothing is there twice."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.faults.cutting import cutting
from tests.journal import flights
from tests.journal.test_store import HASH, SAID, chained, held, naming, row
from windtunnel.errors import LeaseHeld, LeaseLost, StorageError
from windtunnel.journal import GENESIS, Batch, Owner, SqliteStore, Status, postgres_beat, postgres_link
from windtunnel.journal.lease import this_process
from windtunnel.journal.postgres import PostgresStore
from windtunnel.journal.postgres_bell import Bell
from windtunnel.journal.postgres_database import PostgresDatabase
from windtunnel.journal.postgres_link import Lost
from windtunnel.journal.verify import verify

ROOT = Path(__file__).parents[2]
STEPS = ["CREATE TABLE bird(name TEXT)"]


@pytest.fixture
def store(postgres_url, tmp_path):
    with closing(PostgresStore(postgres_url, create=True, heads=tmp_path / "heads")) as opened:
        yield opened


def sql(url: str, text: str, *values: object) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("SET search_path = journal, control")
        done = db.execute(text.encode(), values or None)
        return done.fetchall() if done.description else []


@pytest.mark.slow
@pytest.mark.parametrize("immediate", [True, False])
def test_a_server_restarted_in_the_middle_of_commits_loses_and_doubles_nothing(postgres, store, immediate):
    fence, stop = held(store), threading.Event()
    restarts = 0

    def restart() -> None:
        nonlocal restarts
        while not stop.wait(0.15) and restarts < 6:
            postgres.restart(immediate=immediate)
            restarts += 1

    breaker = threading.Thread(target=restart)
    breaker.start()
    seq, prev = 0, GENESIS
    try:
        deadline = time.monotonic() + 120
        while restarts < 6 and time.monotonic() < deadline:
            entries = chained(40 if seq % 3 else 3, seq, prev)
            store.commit([Batch("r", fence, entries=entries)])
            seq, prev = seq + len(entries), entries[-1].hash
    finally:
        stop.set()
        breaker.join()
    assert restarts == 6
    assert [entry.seq for entry in store.entries("r")] == list(range(seq))
    assert (store.run("r").head_seq, store.run("r").head_hash) == (seq - 1, prev)
    assert store.head_outside("r").seq == seq - 1


@pytest.mark.parametrize("deliver", [True, False])
def test_a_commit_whose_answer_is_lost_is_looked_at(postgres, postgres_url, deliver, monkeypatch):
    monkeypatch.setattr(postgres_link, "PATIENCE", 20.0)
    written = []
    real = PostgresStore._write_batches

    def counted(self, db, batches):
        written.append(1)
        return real(self, db, batches)

    monkeypatch.setattr(PostgresStore, "_write_batches", counted)
    with cutting(postgres.port) as proxy:
        url = postgres_url.replace(str(postgres.port), str(proxy.port))
        with closing(PostgresStore(url, create=True)) as store:
            fence = held(store)
            proxy.arm(b"COMMIT", deliver=deliver)
            store.commit([Batch("r", fence, entries=chained(3))])
            assert proxy.cuts == 1
            assert len(written) == (1 if deliver else 2), "it is written again only if it did not arrive"
            assert [entry.seq for entry in store.entries("r")] == [0, 1, 2]


@pytest.mark.parametrize("deliver", [True, False])
def test_a_row_whose_answer_is_lost_is_written_once(postgres, postgres_url, deliver):
    with cutting(postgres.port) as proxy:
        url = postgres_url.replace(str(postgres.port), str(proxy.port))
        with closing(PostgresDatabase(url)) as database:
            database.lay("birds", STEPS)
            proxy.arm(b"COMMIT", deliver=deliver)
            assert database.rows("INSERT INTO bird VALUES('owl') RETURNING name") == [("owl",)]
            assert proxy.cuts == 1
            assert database.rows("SELECT name FROM bird") == [("owl",)]


def test_a_transaction_that_is_cut_off_says_that_nothing_was_written(postgres, postgres_url):
    def twice(database: PostgresDatabase, proxy) -> None:
        with database.transaction() as rows:
            rows.rows("INSERT INTO bird VALUES('owl')")
            proxy.arm(b"INSERT", deliver=False)
            rows.rows("INSERT INTO bird VALUES('wren')")

    with cutting(postgres.port) as proxy:
        url = postgres_url.replace(str(postgres.port), str(proxy.port))
        with closing(PostgresDatabase(url)) as database:
            database.lay("birds", STEPS)
            with pytest.raises(Lost, match="nothing was written"):
                twice(database, proxy)
            assert database.rows("SELECT name FROM bird") == []


@pytest.mark.slow
def test_what_is_read_survives_a_restart(postgres, store):
    fence = held(store)
    store.commit([Batch("r", fence, entries=chained(3))])
    entries = store.entries("r")
    next(entries)
    postgres.restart(immediate=True)
    assert store.run("r").head_seq == 2
    assert [entry.seq for entry in entries] == [1, 2]


@pytest.mark.slow
def test_a_server_that_stays_away_is_an_error_in_words(postgres, store, monkeypatch):
    fence = held(store)
    monkeypatch.setattr(postgres_link, "PATIENCE", 0.3)
    monkeypatch.setattr("windtunnel.journal.postgres.PATIENCE", 0.3)
    postgres.stop()
    try:
        with pytest.raises(StorageError, match="does not answer") as caught:
            store.commit([Batch("r", fence, entries=chained(1))])
    finally:
        postgres.start()
    assert "pass-word" not in str(caught.value)
    store.commit([Batch("r", fence, entries=chained(1))])
    assert store.run("r").head_seq == 0


# --- leases ---

ELSEWHERE = Owner("elsewhere", "another boot", 7, "1")


def test_a_holder_elsewhere_is_believed_while_it_beats_and_fenced_off_when_it_comes_back(postgres_url, store):
    store.add_run(row())
    with closing(PostgresStore(postgres_url)) as theirs:
        old = theirs.acquire("r", ELSEWHERE)
        with pytest.raises(LeaseHeld, match="process 7 on elsewhere"):
            store.acquire("r", this_process())
        sql(postgres_url, "UPDATE lease SET beat = beat - 31000")
        lease = store.lease("r")
        assert lease is not None
        assert lease.owner is None
        new = store.acquire("r", this_process())
        assert new == old + 1
        with pytest.raises(LeaseLost):
            theirs.commit([Batch("r", old, entries=chained(1))])
        theirs.release("r", old)
        store.commit([Batch("r", new, entries=chained(1))])


def test_a_machine_of_the_same_name_is_not_taken_for_this_one(postgres_url, store):
    store.add_run(row())
    with closing(PostgresStore(postgres_url)) as theirs:
        theirs.acquire("r", this_process()._replace(boot="another boot"))
    with pytest.raises(LeaseHeld):
        store.acquire("r", this_process())


def test_whoever_holds_a_lease_beats_and_stops_when_it_lets_go(postgres_url, store, monkeypatch):
    monkeypatch.setattr(postgres_beat, "BEAT_SECONDS", 0.02)

    def beats() -> bool:
        sql(postgres_url, "UPDATE lease SET beat = 0")
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if sql(postgres_url, "SELECT beat FROM lease") != [(0,)]:
                return True
            time.sleep(0.01)
            if not [one for one in threading.enumerate() if one.name == "windtunnel-beat"]:
                return False
        return False

    fence = held(store)
    assert beats()
    store.release("r", fence)
    for _ in range(2000):
        if not [one for one in threading.enumerate() if one.name == "windtunnel-beat"]:
            break
        time.sleep(0.01)
    assert not beats()


# --- players ---

PLAY = """
import os, signal, sys
from tests.journal import flights
from tests.journal.stores import open_at

place, last = sys.argv[1], int(sys.argv[2])
real = flights.Rules.apply

def apply(self, state, *more):
    if state.turn == last:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self, state, *more)

flights.Rules.apply = apply
flights.play(open_at(place), "r1")
"""


@pytest.mark.slow
def test_a_killed_player_is_resumed_to_the_head_of_one_never_killed(postgres_url, store, tmp_path):
    from windtunnel.run.begin import begin

    begin(store, flights.WORLD, flights.scene(60), "r1", players=flights.PLAYERS)
    for last in (5, 20, 45):
        words = [sys.executable, "-c", PLAY, postgres_url, str(last)]
        assert subprocess.run(words, cwd=ROOT, check=False, timeout=120).returncode == -signal.SIGKILL
        assert 0 < store.run("r1").turn <= last
    assert store.run("r1").status is Status.RUNNING
    flights.play(store, "r1")
    with closing(SqliteStore(tmp_path / "x.sqlite", create=True)) as never:
        flights.fly(never, "r1", turns=60, stops=())
        assert store.run("r1").head_hash == never.run("r1").head_hash
    verdict = verify(store, "r1")
    assert verdict.intact, verdict.problems


# --- texts, and who follows ---


@pytest.mark.slow
def test_a_sweep_takes_no_text_that_is_just_being_named(postgres_url, store):
    fence = held(store)
    turn, stop = 0, threading.Event()

    def sweep() -> None:
        with closing(PostgresStore(postgres_url)) as other:
            while not stop.is_set():
                other.sweep()

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    try:
        for turn in range(1, 60):
            store.commit([Batch("r", fence, effects=[naming(turn)], texts={HASH: SAID})])
            assert store.text(HASH) == SAID
            sql(postgres_url, "DELETE FROM effect")
    finally:
        stop.set()
        sweeper.join()
    assert turn == 59


def test_a_commit_and_a_letter_are_heard_of(postgres, postgres_url, store):
    with closing(Bell(postgres_url)) as bell:
        assert bell.wait(0) is None, "it begins to listen"
        assert bell.wait(0.01) == frozenset()
        fence = held(store)
        store.commit([Batch("r", fence, entries=chained(1))])
        assert bell.wait(10) == frozenset({"r"})
        store.post("r", "pause", b"{}", "me", 1.0)
        assert bell.wait(10) == frozenset({"r"})
        postgres.restart(immediate=True)
        heard: list[frozenset[str] | None] = [bell.wait(5), bell.wait(0.01)]
        assert None in heard, "words may have been missed"
        store.post("r", "pause", b"{}", "me", 1.0)
        assert bell.wait(10) == frozenset({"r"})
