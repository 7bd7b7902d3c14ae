"""What only a store in PostgreSQL has: tables laid once, versions, letters in order, no driver."""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest

from tests.journal.test_store import operation, row
from windtunnel.errors import NotFound, StorageError, UsageError, VersionMismatch
from windtunnel.journal import Batch, Status, postgres, postgres_schema
from windtunnel.journal.lease import this_process
from windtunnel.journal.postgres import PostgresStore
from windtunnel.journal.postgres_link import Held, Link


@pytest.fixture
def store(postgres_url):
    with closing(PostgresStore(postgres_url, create=True)) as opened:
        yield opened


def sql(url: str, text: str) -> None:
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("SET search_path = journal")
        db.execute(text.encode())


def test_several_who_make_the_same_store_make_one(postgres_url):
    def make(number: int) -> str:
        with closing(PostgresStore(postgres_url, create=True)) as made:
            made.add_run(row(f"r{number}"))
        return f"r{number}"

    with ThreadPoolExecutor(6) as pool:
        names = list(pool.map(make, range(6)))
    with closing(PostgresStore(postgres_url, read_only=True)) as made:
        assert [one.run_id for one in made.runs()] == names


def test_a_database_without_a_store_is_said_to_hold_none(postgres_url):
    for read_only in (True, False):
        with pytest.raises(NotFound, match="holds no Windtunnel store"):
            PostgresStore(postgres_url, read_only=read_only)


def test_who_only_reads_writes_nothing(postgres_url, store):
    with (
        closing(PostgresStore(postgres_url, read_only=True)) as reader,
        pytest.raises(StorageError, match="read-only"),
    ):
        reader.add_run(row())
    assert store.runs() == []


def test_a_store_of_a_newer_windtunnel_is_refused(postgres_url, store):
    sql(postgres_url, "UPDATE meta SET value='99' WHERE key='layout'")
    with pytest.raises(VersionMismatch, match="reads up to"):
        PostgresStore(postgres_url)


def test_an_older_store_is_brought_up_to_date_also_for_who_reads(postgres_url, store, monkeypatch):
    store.add_run(row())
    step = "CREATE TABLE feather(run_id TEXT PRIMARY KEY)"
    monkeypatch.setattr(postgres_schema, "STEPS", (*postgres_schema.STEPS, step))
    postgres_schema.as_made.cache_clear()
    with closing(PostgresStore(postgres_url, read_only=True)) as newer:
        assert [one.run_id for one in newer.runs()] == ["r"]
        assert newer.altered() == []
    postgres_schema.as_made.cache_clear()
    monkeypatch.undo()
    with pytest.raises(VersionMismatch):
        PostgresStore(postgres_url)


def test_a_database_of_another_encoding_is_refused(postgres):
    url = postgres.database()
    name = url.rpartition("/")[2] + "_latin"
    sql(url, f"CREATE DATABASE {name} ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'")
    with pytest.raises(StorageError, match="encoding is LATIN1"):
        PostgresStore(url.rpartition("/")[0] + f"/{name}", create=True)


def test_a_missing_driver_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UsageError) as caught:
        PostgresStore("postgresql://h/d")
    assert caught.value.remedy == "pip install 'windtunnel[postgres]'"


def test_a_later_letter_is_never_seen_before_an_earlier_one(postgres_url, store, monkeypatch):
    """Otherwise a reader that has seen the later one would take the earlier one for seen as well."""
    store.add_run(row())
    begun, go = threading.Event(), threading.Event()
    with (
        closing(PostgresStore(postgres_url)) as slow,
        closing(PostgresStore(postgres_url)) as quick,
        ThreadPoolExecutor(2) as pool,
    ):
        real = slow._link.write

        def waits(write, *first):
            def held_up(db):
                number = write(db)
                begun.set()
                assert go.wait(30)
                return number

            return real(held_up, *first)

        monkeypatch.setattr(slow._link, "write", waits)
        first = pool.submit(slow.post, "r", "event", b"{}", "slow", 1.0)
        assert begun.wait(30)
        second = pool.submit(quick.post, "r", "event", b"{}", "quick", 2.0)
        time.sleep(0.2)
        assert not second.done()
        assert store.mail("r") == []
        go.set()
        assert second.result(30) == first.result(30) + 1
    assert [mail.sender for mail in store.mail("r")] == ["slow", "quick"]


def test_words_with_a_zero_in_them_stop_no_run(store):
    store.add_run(row())
    fence = store.acquire("r", this_process())
    store.post("r", "event", b"{}", "me\0", 1.0)
    store.commit([Batch("r", fence, operations=[operation()], reason="it said \0")])
    assert store.run("r").reason == "it said \ufffd"
    assert [mail.sender for mail in store.letters("r")] == ["me\ufffd"]


@pytest.mark.slow
def test_writers_that_wait_for_each_other_in_a_ring_both_come_through(postgres_url, store):
    """The server ends one of the two; nothing of it was written, so it is written again."""
    met = threading.Barrier(2)
    both = [0, 0]

    def write(number: int) -> None:
        first = True

        def locked(db):
            nonlocal first
            db.execute("SELECT pg_advisory_xact_lock(%s)", [number])
            if first:
                first = False
                met.wait(30)
            db.execute("SELECT pg_advisory_xact_lock(%s)", [1 - number])
            both[number] += 1

        with closing(PostgresStore(postgres_url)) as mine:
            mine._link.write(locked)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(write, number) for number in (0, 1)]:
            done.result(60)
    assert both == [1, 1]


# --- what became of a transaction ---


def test_a_number_that_the_server_gave_again_is_not_taken_for_ours(postgres_url, store):
    """A server that crashed gives the numbers again that had not reached its disk."""
    with closing(Link(postgres_url, "journal", marks=True)) as ours:
        with ours.transaction():
            pass
        with closing(Link(postgres_url, "journal", marks=True)) as other, other.transaction() as db:
            ((given_again,),) = db.execute("SELECT pg_current_xact_id()::text").fetchall()
        assert ours.arrived(Held(given_again, 1, 1))
        assert not ours.arrived(Held(given_again, 1, 2))


def test_a_number_that_was_not_given_yet_did_not_arrive(postgres_url, store):
    with closing(Link(postgres_url, "journal", marks=True)) as link:
        assert not link.arrived(Held("99999999", 1, 1))


def test_what_an_open_transaction_wrote_did_not_arrive_and_is_ended(postgres_url, store):
    store.add_run(row())
    with psycopg.connect(postgres_url) as db, closing(Link(postgres_url, "journal", marks=True)) as link:
        held = db.execute("SELECT pg_current_xact_id()::text, pg_backend_pid()").fetchone()
        assert held is not None
        assert not link.arrived(Held(held[0], held[1], 1))
        with pytest.raises(psycopg.errors.AdminShutdown):
            db.execute("SELECT 1")


def test_a_connection_that_the_library_gave_up_is_made_anew(postgres_url, store):
    """As when the server goes in the middle of a pipeline: no code of an error, and nothing is closed."""
    broken = [psycopg.OperationalError("cannot exit pipeline mode while busy")]

    def ask(db: psycopg.Connection) -> int:
        if broken:
            raise broken.pop()
        return db.info.backend_pid

    before = store._link.connected().info.backend_pid
    assert store._link.again(ask) not in (before, None)


def test_a_connection_takes_its_mark_with_it(postgres_url, store):
    store.add_run(row())
    link = Link(postgres_url, "journal", marks=True)
    with link.transaction():
        pass
    marks = "SELECT count(*) FROM mark"
    assert store._link.ask(marks) == [(2,)]
    link.close()
    assert store._link.ask(marks) == [(1,)]


# --- which runs were written ---


def written(store: PostgresStore, since: str) -> tuple[set[str], str]:
    rows, word, _ = store.written(since)
    return {one.run_id for one in rows}, word


@pytest.fixture
def forgetful(monkeypatch):
    """So that nothing is told twice without a reason."""
    monkeypatch.setattr(postgres, "AGAIN", 0)


def test_only_the_runs_that_were_written_since_are_told(store, forgetful):
    for name in "abc":
        store.add_run(row(name, status=Status.PAUSED))
    told, word = written(store, "")
    assert told == {"a", "b", "c"}
    told, word = written(store, word)
    assert told == set()
    store.set_status("b", Status.CANCELLED, 5.0)
    told, word = written(store, word)
    assert told == {"b"}
    assert written(store, word)[0] == set()


def test_a_run_whose_commit_was_under_way_at_a_look_is_told_at_the_next(postgres_url, store, forgetful):
    for name in "ab":
        store.add_run(row(name, status=Status.PAUSED))
    with psycopg.connect(postgres_url) as slow:
        slow.execute("UPDATE journal.run SET updated=7 WHERE run_id='a'")
        store.set_status("b", Status.CANCELLED, 5.0)
        _, word = written(store, "")
        slow.commit()
    assert "a" in written(store, word)[0]


def test_runs_that_are_played_are_told_always(store, forgetful):
    store.add_run(row("a", status=Status.RUNNING))
    _, word = written(store, "")
    assert written(store, word)[0] == {"a"}


def test_what_a_server_that_crashed_wrote_under_numbers_given_again_is_told(store):
    """Numbers up to where the look was are given again."""
    store.add_run(row("a", status=Status.PAUSED))
    _, word = written(store, "")
    server, _, number = word.rpartition("/")
    assert written(store, f"{server}/{int(number) + 1000}")[0] == {"a"}  # it may still be far behind
    assert written(store, word)[0] == {"a"}


def test_after_a_restart_of_the_server_all_runs_are_told(store, forgetful):
    store.add_run(row("a", status=Status.PAUSED))
    _, word = written(store, "")
    assert store.written(f"1{word}")[2]
    assert not store.written(word)[2]
