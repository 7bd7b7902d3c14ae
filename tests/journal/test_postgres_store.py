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
from windtunnel.journal import Batch, postgres_schema
from windtunnel.journal.lease import this_process
from windtunnel.journal.postgres import PostgresStore


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
