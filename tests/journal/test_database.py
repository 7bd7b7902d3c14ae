"""The database beside the journals: rooms, transactions, and what two processes see of each other."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from windtunnel.errors import StorageError, VersionMismatch
from windtunnel.journal.database import Database, SqliteDatabase
from windtunnel.journal.postgres_database import PostgresDatabase

STEPS = ["CREATE TABLE bird(id {id}, name TEXT NOT NULL, weight {real}, egg {blob}, count {int})"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.sqlite"


@pytest.fixture(params=["sqlite", "postgres"])
def opens(request: Any, path: Path) -> Iterator[Callable[[], Database]]:
    """Opens the same database as often as it is called, each time by a connection of its own."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with ExitStack() as stack:

        def made() -> Database:
            opened: Database = PostgresDatabase(url) if url else SqliteDatabase(path)
            return stack.enter_context(closing(opened))

        yield made


@pytest.fixture
def database(opens: Callable[[], Database]) -> Database:
    made = opens()
    made.lay("birds", STEPS)
    return made


def names(database: Database) -> list[str]:
    return [name for (name,) in database.rows("SELECT name FROM bird ORDER BY id")]


def test_what_is_written_is_read_with_its_type(database: Database) -> None:
    sql = "INSERT INTO bird(name,weight,egg,count) VALUES(?,?,?,?) RETURNING id"
    assert database.rows(sql, ["wren", 9.5, b"\0\xff", 1 << 40]) == [(1,)]
    assert database.rows("SELECT name,weight,egg,count FROM bird") == [("wren", 9.5, b"\0\xff", 1 << 40)]


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    def begin_and_fail() -> None:
        with database.transaction() as rows:
            rows.each("INSERT INTO bird(name) VALUES(?)", [["owl"], ["jay"]])
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        begin_and_fail()
    assert names(database) == []


def test_many_values_are_written_all_or_none(database: Database) -> None:
    with pytest.raises(StorageError):
        database.each("INSERT INTO bird(id,name) VALUES(?,?)", [[1, "owl"], [1, "jay"]])
    assert names(database) == []


def test_tables_are_brought_up_step_by_step(database: Database, opens: Callable[[], Database]) -> None:
    database.rows("INSERT INTO bird(name) VALUES('owl')")
    later = opens()
    later.lay("birds", [*STEPS, "ALTER TABLE bird ADD COLUMN colour TEXT; CREATE INDEX c ON bird(colour)"])
    assert later.rows("SELECT name, colour FROM bird") == [("owl", None)]
    with pytest.raises(VersionMismatch, match="have version 2; this Windtunnel knows 1"):
        database.lay("birds", STEPS)


def test_a_write_of_another_process_is_seen_as_a_change(
    database: Database, opens: Callable[[], Database]
) -> None:
    database.changed()
    assert not database.changed()
    opens().rows("INSERT INTO bird(name) VALUES('owl')")
    assert database.changed()
    assert not database.changed()
    database.rows("INSERT INTO bird(name) VALUES('jay')")
    assert database.changed()


def test_threads_take_turns(database: Database) -> None:
    def count() -> None:
        for _ in range(50):
            with database.transaction() as rows:
                ((many,),) = rows.rows("SELECT count(*) FROM bird")
                rows.rows("INSERT INTO bird(name,count) VALUES('owl',?)", [many])

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert database.rows("SELECT count(DISTINCT count), max(count) FROM bird") == [(200, 199)]


def test_two_connections_take_turns_from_the_beginning_of_a_transaction(
    database: Database, opens: Callable[[], Database]
) -> None:
    def count(mine: Database) -> None:
        for _ in range(30):
            with mine.transaction() as rows:
                ((many,),) = rows.rows("SELECT count(*) FROM bird")
                rows.rows("INSERT INTO bird(name,count) VALUES('owl',?)", [many])
            mine.rows("INSERT INTO bird(name,count) SELECT 'jay', count(*) FROM bird")

    threads = [threading.Thread(target=count, args=(opens(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert database.rows("SELECT count(DISTINCT count), max(count) FROM bird") == [(180, 179)]


def test_text_is_ordered_byte_by_byte(database: Database) -> None:
    database.each("INSERT INTO bird(name) VALUES(?)", [["b"], ["A"], ["\u00e9"], ["a"], ["B_"], ["B1"]])
    ordered = [name for (name,) in database.rows("SELECT name FROM bird ORDER BY name")]
    assert ordered == ["A", "B1", "B_", "a", "b", "\u00e9"]


def test_marks_in_quotes_are_no_values(database: Database) -> None:
    database.rows("INSERT INTO bird(name) VALUES('100%s?')")
    sql = "SELECT name, '50%?' FROM bird WHERE name LIKE '100%' AND name<>? LIMIT ?"
    assert database.rows(sql, ["owl", 5]) == [("100%s?", "50%?")]


def test_sums_are_plain_numbers(database: Database) -> None:
    database.each("INSERT INTO bird(name,count) VALUES(?,?)", [["owl", 1 << 40], ["jay", True]])
    assert repr(database.rows("SELECT sum(count) FROM bird")) == f"[({(1 << 40) + 1},)]"


def test_its_clock_goes_forward(database: Database) -> None:
    moments = [database.now() for _ in range(5)]
    assert moments == sorted(moments)
    assert moments[0] > 1e9


def test_a_file_that_is_no_database_is_named(path: Path) -> None:
    path.write_bytes(b"x" * 5000)
    with pytest.raises(StorageError, match="damaged") as caught:
        SqliteDatabase(path)
    assert caught.value.where == str(path)
