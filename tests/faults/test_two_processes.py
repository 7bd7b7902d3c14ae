"""Two processes on one run, many writers of mail, locks, readers that stay, clocks that jump."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import apsw
import pytest

from tests.faults.clocks import StepClock
from tests.faults.jobs import RUN, cast
from tests.faults.lab import Case, Life, Server, wait_for
from windtunnel.errors import LeaseHeld, LeaseLost
from windtunnel.journal import SqliteStore, Status
from windtunnel.journal.lease import lives, this_process
from windtunnel.journal.lineage import Lineage
from windtunnel.run.session import play_run
from windtunnel.run.tape import Tape

TURNS = 150
PACE = 0.004  # seconds a turn: long enough to do something to a run while it plays


@pytest.fixture(scope="module")
def others() -> Iterator[list[Server]]:
    """More servers, for lives at the same time."""
    servers = [Server(), Server(), Server()]
    yield servers
    for server in servers:
        server.close()


@pytest.fixture(scope="module")
def start(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(server, tmp_path_factory.mktemp("two") / "start", "rules", TURNS).begin()


@pytest.fixture(scope="module")
def clean_head(start: Case) -> str:
    case = start.copy(start.folder.with_name("clean"))
    head: str = case.play().told["head"]
    return head


def play_here(case: Case, **more: Any) -> Any:
    """Play in this very process."""
    job = case.job("play")
    world, _, players = cast(job)
    store = SqliteStore(job.store)
    try:
        return asyncio.run(play_run(store, world, RUN, players=players, clock=StepClock(), **more))
    finally:
        store.close()


def turn_of(case: Case) -> int:
    db = apsw.Connection(str(case.folder / "store.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
    db.set_busy_timeout(5_000)  # the other opens its journal
    try:
        return int(db.execute("SELECT turn FROM run").get)
    finally:
        db.close()


def dump(case: Case) -> list[Any]:
    """Every row of every table."""
    db = apsw.Connection(str(case.folder / "store.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
    db.set_busy_timeout(5_000)
    tables = ("run", "entry", "operation", "effect", "inbox", "lease", "checkpoint", "segment")
    try:
        return [db.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall() for table in tables]
    finally:
        db.close()


class Started:
    """A life that goes on in another process until the test ends it."""

    def __init__(self, case: Case, **more: Any) -> None:
        self.case, self.job = case, case.job("play", **{"pace": PACE, **more})
        case.server.start(self.job)
        self.pid = case.server.pid(self.job)
        wait_for(lambda: turn_of(case) >= 2)

    def send(self, number: int) -> None:
        os.kill(self.pid, number)

    def end(self) -> Life:
        return self.case.server.end(self.job)


def test_a_second_process_is_turned_away_in_words_and_the_first_goes_on(
    start: Case, clean_head: str, tmp_path: Path
) -> None:
    case = start.copy(tmp_path / "run")
    first = Started(case)
    with pytest.raises(LeaseHeld, match=rf"run run is being played by process {first.pid} on ") as refused:
        play_here(case)
    assert refused.value.exit_code == 2
    assert refused.value.remedy
    assert first.end().told["head"] == clean_head


def test_after_kill_9_the_second_takes_over_at_once(start: Case, clean_head: str, tmp_path: Path) -> None:
    case = start.copy(tmp_path / "run")
    first = Started(case)
    first.send(signal.SIGKILL)
    assert first.end().killed
    before, began = case.sound(), time.monotonic()
    row = play_here(case)
    assert time.monotonic() - began < 5
    assert row.head_hash.hex() == clean_head
    assert case.sound().history[: len(before.history)] == before.history


@pytest.mark.parametrize("stop_after", [None, 60])
def test_one_that_slept_through_a_takeover_wakes_up_and_writes_nothing(
    start: Case, clean_head: str, tmp_path: Path, stop_after: int | None
) -> None:
    case = start.copy(tmp_path / "run")
    first = Started(case)
    first.send(signal.SIGSTOP)
    try:
        with pytest.raises(LeaseHeld):  # it lives, as far as anybody can tell
            play_here(case)
        store = SqliteStore(case.folder / "store.sqlite")
        fence = store.acquire(RUN, this_process(), force=True)
        store.release(RUN, fence)
        store.close()
        row = play_here(case, stop_after=stop_after)
        heads = (case.folder / "store.heads").read_text()
        before = dump(case)
    finally:
        first.send(signal.SIGCONT)
    told = first.end().told
    assert told["error"] == "LeaseLost", told
    assert "another process took run run over" in told["text"]
    assert told["exit_code"] == 3
    assert dump(case) == before
    woken = (case.folder / "store.heads").read_text()
    assert woken.startswith(heads)
    # It may have slept between a commit of its own and the line that tells of it: one older line, no more.
    assert len(woken.splitlines()) - len(heads.splitlines()) <= 1
    assert row.status is (Status.COMPLETED if stop_after is None else Status.PAUSED)
    if stop_after is not None:
        row = play_here(case)
    assert row.head_hash.hex() == clean_head
    case.sound()


def test_a_commit_in_doubt_is_not_taken_for_done_because_another_wrote_there(
    start: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first lost its lease and its disk at once; the rows it looks for are there, but another's."""
    case = start.copy(tmp_path / "run")
    store = SqliteStore(case.folder / "store.sqlite")
    fence = store.acquire(RUN, this_process())
    tape = Tape(Lineage(store, RUN), StepClock(), fence=fence)
    tape.operate("started")
    other = SqliteStore(case.folder / "store.sqlite")
    other.release(RUN, other.acquire(RUN, this_process(), force=True))
    other.close()
    assert case.play().told["status"] == "completed"
    real = SqliteStore._immediate

    def fails_once(self: SqliteStore) -> Any:
        monkeypatch.setattr(SqliteStore, "_immediate", real)
        raise apsw.IOError("disk I/O error")

    monkeypatch.setattr(SqliteStore, "_immediate", fails_once)
    with pytest.raises(LeaseLost):
        tape.flush()
    store.close()


# --- storms -----------------------------------------------------------------------------------------


def storm_of(case: Case, others: list[Server], letters: int, **more: Any) -> list[Life]:
    jobs = [case.job("storm", sender=f"sender-{n}", letters=letters) for n in range(len(others))]
    first = Started(case, **more)
    for other, job in zip(others, jobs, strict=True):
        other.start(job)
    lives = [other.end(job) for other, job in zip(others, jobs, strict=True)]
    return [first.end(), *lives]


def weather(start: Case, others: list[Server], folder: Path, turns: int, letters: int) -> None:
    case = start.copy(folder)
    lives = storm_of(case, others, letters)
    assert lives[0].told.get("status") == "completed", lives[0].told
    assert len(case.sound().inbox) == letters * len(others), "a letter was lost on its way in"
    heard = letters_in_history(case)
    assert len(heard) == len(set(heard)), "a letter was heard twice"
    assert len(heard) > letters // 4, "the storm was over before the run began"
    assert sorted(heard) == letters_taken(case), "what was taken is not what was heard"


def letters_in_history(case: Case) -> list[tuple[str, int, int]]:
    """Sender, number and turn of every letter that reached the world."""
    return _letters(
        case,
        "SELECT sender, number, turn FROM (SELECT turn, json_extract(body, '$.sender') AS sender,"
        " json_extract(body, '$.body.body.number') AS number, seq FROM entry WHERE kind='mail') ORDER BY seq",
    )


def letters_taken(case: Case) -> list[tuple[str, int, int]]:
    """The same of every letter that the inbox calls taken, in order."""
    number = "json_extract(body, '$.body.number')"
    return _letters(case, f"SELECT sender, {number}, taken FROM inbox WHERE taken IS NOT NULL ORDER BY 1, 2")


def _letters(case: Case, sql: str) -> list[tuple[str, int, int]]:
    db = apsw.Connection(str(case.folder / "store.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        found: Any = db.execute(sql).fetchall()
        return list(found)
    finally:
        db.close()


@pytest.mark.slow
def test_a_storm_of_mail_neither_stops_the_run_nor_loses_a_letter(
    start: Case, others: list[Server], tmp_path: Path
) -> None:
    weather(start, others, tmp_path / "run", TURNS, 60)


@pytest.mark.soak
def test_a_long_storm_of_mail_neither_stops_the_run_nor_loses_a_letter(
    server: Server, others: list[Server], tmp_path: Path
) -> None:
    start = Case(server, tmp_path / "start", "rules", 5000).begin()
    weather(start, others, tmp_path / "run", 5000, 2000)


@pytest.mark.slow
def test_a_lock_of_a_second_only_delays_the_run(
    start: Case, others: list[Server], clean_head: str, tmp_path: Path
) -> None:
    case = start.copy(tmp_path / "run")
    first, locker = Started(case), case.job("lock", pace=1.0)
    others[0].start(locker)
    told = first.end().told
    others[0].end(locker)
    assert told["head"] == clean_head


@pytest.mark.slow
def test_a_lock_that_stays_is_told_in_words_and_the_run_resumes(
    start: Case, others: list[Server], clean_head: str, tmp_path: Path
) -> None:
    case = start.copy(tmp_path / "run")
    first, locker = Started(case, busy_seconds=0.3), case.job("lock", pace=2.5)
    others[0].start(locker)
    told = first.end().told
    others[0].end(locker)
    assert told["error"] == "StorageError"
    assert "another process kept the store locked for" in told["text"]
    assert told["exit_code"] == 3
    before = case.sound()
    assert case.play().told["head"] == clean_head
    assert case.sound().history[: len(before.history)] == before.history


def test_processes_that_make_the_same_store_at_once_do_not_disturb_each_other(
    server: Server, others: list[Server], tmp_path: Path
) -> None:
    for number in range(10):
        case = Case(server, tmp_path / f"{number}", "rules")
        jobs = [case.job("create", sender=f"{n}") for n in range(len(others))]
        for other, job in zip(others, jobs, strict=True):
            other.start(job)
        for other, job in zip(others, jobs, strict=True):
            assert not other.end(job).killed


# --- readers ----------------------------------------------------------------------------------------


def wal_size(case: Case) -> int:
    wal = case.folder / "store.sqlite-wal"
    return wal.stat().st_size if wal.exists() else 0


@pytest.mark.slow
def test_a_reader_that_stays_pins_the_wal_only_as_long_as_it_stays(server: Server, tmp_path: Path) -> None:
    case = Case(server, tmp_path / "run", "rules", 3000).begin()
    reader = apsw.Connection(str(case.folder / "store.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
    reader.execute("BEGIN")
    turns = reader.execute("SELECT max(turn) FROM entry").get
    told = case.play(stop_after=1500).told
    assert told["status"] == "paused", told
    pinned = wal_size(case)
    assert pinned > 1 << 20, "the reader pinned nothing"
    assert reader.execute("SELECT max(turn) FROM entry").get == turns, "the reader's moment changed"
    reader.execute("COMMIT")
    store = SqliteStore(case.folder / "store.sqlite")  # somebody else has it open, so that closing is no help
    assert case.play().told["status"] == "completed"
    assert wal_size(case) <= pinned, "the WAL went on growing after the reader left"
    store.close()
    reader.close()
    assert wal_size(case) == 0
    case.sound()


# --- clocks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_clock_that_jumps_changes_no_head(start: Case, clean_head: str, tmp_path: Path, seed: int) -> None:
    case = start.copy(tmp_path / "run")
    assert case.play(clock_seed=seed).told["head"] == clean_head
    case.sound()


def test_a_clock_that_jumps_between_lives_changes_no_head(
    start: Case, clean_head: str, tmp_path: Path, random: Random
) -> None:
    case = start.copy(tmp_path / "run")
    told: dict[str, Any] = {}
    for stop in (*sorted(random.sample(range(1, TURNS), 4)), None):
        told = case.play(clock_seed=random.randrange(1000), stop_after=stop).told
    assert told["head"] == clean_head
    case.sound()


def test_a_killed_process_that_nobody_buried_holds_no_lease() -> None:
    """Its entry in the table of processes is still there, and so is its id."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        me = this_process()
        started = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[19]
        owner = me._replace(pid=child.pid, started=started)
        assert lives(owner)
        assert not lives(owner._replace(started="1")), "another process with the same id"
        assert not lives(owner._replace(boot="another boot"))
        child.kill()
        wait_for(lambda: " Z " in Path(f"/proc/{child.pid}/stat").read_text())
        assert not lives(owner)
    finally:
        child.kill()
        assert child.stdin is not None
        child.stdin.close()
        child.wait(10)
