"""The database beside the journals: rooms, transactions, and what two processes see of each other."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from windtunnel.errors import StorageError, VersionMismatch
from windtunnel.journal.database import Database, SqliteDatabase

STEPS = ["CREATE TABLE bird(id {id}, name TEXT NOT NULL, weight {real}, egg {blob}, count {int})"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.sqlite"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    made = SqliteDatabase(path)
    made.lay("birds", STEPS)
    yield made
    made.close()


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


def test_tables_are_brought_up_step_by_step(database: Database, path: Path) -> None:
    database.rows("INSERT INTO bird(name) VALUES('owl')")
    later = SqliteDatabase(path)
    later.lay("birds", [*STEPS, "ALTER TABLE bird ADD COLUMN colour TEXT; CREATE INDEX c ON bird(colour)"])
    assert later.rows("SELECT name, colour FROM bird") == [("owl", None)]
    later.close()
    with pytest.raises(VersionMismatch, match="have version 2; this Windtunnel knows 1"):
        database.lay("birds", STEPS)


def test_a_write_of_another_process_is_seen_as_a_change(database: Database, path: Path) -> None:
    database.changed()
    assert not database.changed()
    other = SqliteDatabase(path)
    other.rows("INSERT INTO bird(name) VALUES('owl')")
    other.close()
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


def test_a_file_that_is_no_database_is_named(path: Path) -> None:
    path.write_bytes(b"x" * 5000)
    with pytest.raises(StorageError, match="damaged") as caught:
        SqliteDatabase(path)
    assert caught.value.where == str(path)
