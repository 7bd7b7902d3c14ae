"""A store in one SQLite file, met by strangers, crowds and damage."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import apsw
import pytest

from tests.journal import flights
from windtunnel.errors import NotFound, StorageError, UsageError, VersionMismatch
from windtunnel.journal import Batch, Effect, SqliteStore, sqlite, sqlite_rows
from windtunnel.journal.lease import this_process
from windtunnel.journal.verify import verify
from windtunnel.run.begin import begin


@pytest.mark.slow
def test_many_processes_may_create_the_same_store_at_once(tmp_path):
    script = (
        "import sys, time\nfrom windtunnel.journal import SqliteStore\n"
        "time.sleep(max(0, float(sys.argv[2]) - time.time()))\n"
        "store = SqliteStore(sys.argv[1], create=True)\nprint(store.runs())\nstore.close()"
    )
    path = str(tmp_path / "x.sqlite")
    start = str(time.time() + 1.5)
    children = [
        subprocess.Popen(
            [sys.executable, "-c", script, path, start], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(6)
    ]
    ends = [child.communicate() for child in children]
    assert [end[0] for end in ends] == [b"[]\n"] * 6, ends
    assert SqliteStore(path).altered() == []


@pytest.mark.parametrize("read_only", [False, True])
def test_a_strangers_database_is_refused_and_left_alone(tmp_path, read_only):
    path = tmp_path / "mine.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE recipes(name)")
    db.close()
    before = path.read_bytes()
    for create in (False, True):
        with pytest.raises(NotFound, match="no Windtunnel store"):
            SqliteStore(path, read_only=read_only, create=create)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"name: growth\nworld: economy\n" * 100, b"\x00" * 8192])
def test_a_file_that_is_no_database_is_refused(tmp_path, content):
    path = tmp_path / "x.sqlite"
    path.write_bytes(content)
    with pytest.raises(StorageError, match="no SQLite database"):
        SqliteStore(path)
    assert path.read_bytes() == content


def test_an_empty_file_is_no_store_until_it_is_created(tmp_path):
    path = tmp_path / "x.sqlite"
    path.touch()
    with pytest.raises(NotFound):
        SqliteStore(path)
    SqliteStore(path, create=True).close()
    SqliteStore(path).close()


def test_a_missing_file_is_not_made_by_looking(tmp_path):
    for read_only in (False, True):
        with pytest.raises(NotFound):
            SqliteStore(tmp_path / "x.sqlite", read_only=read_only)
    assert list(tmp_path.iterdir()) == []


def test_a_store_of_another_format_is_refused_with_a_reason(flown):
    with sqlite3.connect(flown) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(VersionMismatch, match="format 99"):
        SqliteStore(flown)


def test_a_truncated_file_is_an_error_or_a_verdict_and_no_traceback(flown):
    size = flown.stat().st_size
    with flown.open("r+b") as file:
        file.truncate(size // 2 // 4096 * 4096)
    try:
        store = SqliteStore(flown)
        verdict = verify(store, "r1")
    except StorageError as error:
        found = error.message
    else:
        found = "" if verdict.intact else verdict.problems[0]["message"]
    assert found


def test_closing_leaves_a_plain_file_whose_copy_is_whole(tmp_path):
    store = SqliteStore(tmp_path / "x.sqlite", create=True)
    flights.fly(store, stops=())
    store.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.heads", "x.sqlite"]
    shutil.copy(store.path, tmp_path / "y.sqlite")
    assert verify(SqliteStore(tmp_path / "y.sqlite"), "r1").intact


def test_closing_does_not_wait_long_for_a_reader(flown, monkeypatch):
    monkeypatch.setattr(sqlite, "CLOSE_SECONDS", 0)
    reader, writer = SqliteStore(flown), SqliteStore(flown)
    with reader.snapshot():
        writer.post("r1", "pause", b"{}", "me", 1.0)
        writer.close()
    reader.close()
    assert not Path(f"{flown}-wal").exists()


def test_a_store_is_read_where_no_shared_memory_lies(flown):
    assert not Path(f"{flown}-shm").exists()
    store = SqliteStore(flown, read_only=True)
    assert verify(store, "r1").complete is True
    store.close()


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0, reason="gives up the rights of root to see what is left"
)
@pytest.mark.parametrize("waits", [False, True])
def test_a_store_in_a_folder_that_cannot_be_written_is_read_or_says_why_not(flown, waits):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(flown, folder / "x.sqlite")
        if waits:
            (folder / "x.sqlite-wal").write_bytes(b"\x37\x7f\x06\x82" + b"\x00" * 60)
        for path in folder.iterdir():
            path.chmod(0o444)
        folder.chmod(0o555)
        child = os.fork()
        if child == 0:
            code = 3
            try:
                os.setuid(65534)
                store = SqliteStore(folder / "x.sqlite", read_only=True)
                code = 0 if len(store.runs()) == 2 else 4
            except StorageError as error:
                code = 1 if "copy the store" in str(error) else 5
            finally:
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        folder.chmod(0o755)
    assert code == (1 if waits else 0)


def test_a_store_kept_locked_is_a_clear_error_and_the_store_goes_on(flown, monkeypatch):
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    store = SqliteStore(flown)
    other = apsw.Connection(str(flown))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="kept the store locked"):
        store.post("r1", "pause", b"{}", "me", 1.0)
    other.execute("ROLLBACK")
    other.close()
    assert store.post("r1", "pause", b"{}", "me", 1.0) > 0
    store.close()


def test_an_effect_whose_commit_lost_its_answer_arrives_once(tmp_path, monkeypatch):
    store = SqliteStore(tmp_path / "x.sqlite", create=True)
    begin(store, flights.WORLD, flights.scene(), "r", players=flights.PLAYERS)
    fence = store.acquire("r", this_process())
    effect = Effect(2, "plan", "a", 0, "quote", "k", b"{}", None, asked=3.0)
    real, lost = sqlite_rows.write_batch, list[object]()

    def commits_and_fails(db, batch, where, **more):
        head = real(db, batch, where, **more)
        if not lost:
            lost.append(db.execute("COMMIT"))
            raise apsw.IOError
        return head

    monkeypatch.setattr(sqlite, "write_batch", commits_and_fails)
    store.commit([Batch("r", fence, effects=[effect])])
    assert len(lost) == 1
    assert [one.number for one in store.arrivals("r")] == [1]
    effect.result = b'{"ok":1}'
    lost.clear()
    store.commit([Batch("r", fence, effects=[effect])])
    assert [one.answered for one in store.arrivals("r")] == [False, True]
    store.close()


def test_a_store_may_not_be_called_like_its_own_heads(tmp_path):
    with pytest.raises(UsageError):
        SqliteStore(tmp_path / "x.heads", create=True)
