"""Garbage from agents, in files, from other versions: taken as what it is, and told in words."""

from __future__ import annotations

import asyncio
import json
import math
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import apsw
import msgspec
import numpy as np
import pytest

from tests.faults import worlds
from tests.faults.clocks import StepClock
from tests.faults.jobs import RUN
from tests.faults.worlds import Move
from windtunnel.errors import ScenarioError, StorageError, VersionMismatch, WindtunnelError
from windtunnel.journal import SqliteStore, Status
from windtunnel.journal.model import entry_hash
from windtunnel.journal.schema import FORMAT
from windtunnel.run.begin import begin
from windtunnel.run.replay import replay
from windtunnel.run.session import play_run
from windtunnel.world import AgentSpec, Log, World


class Strange:
    __slots__ = ()


class Impostor(msgspec.Struct, tag="Move", tag_field="type"):
    by: float = 0.5


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def looped() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


GARBAGE: dict[str, Callable[[], Any]] = {
    "nothing": lambda: None,
    "nan": lambda: math.nan,
    "infinity": lambda: {"type": "Move", "by": math.inf},
    "nan in an action": lambda: Move(math.nan),  # type: ignore[arg-type]
    "out of bounds": lambda: Move(1001),
    "beyond 64 bits": lambda: Move(10**40),
    "a float that is an int": lambda: {"type": "Move", "by": 1.5},
    "a text": lambda: "Move",
    "a huge text": lambda: "x" * (9 << 20),
    "a huge field": lambda: {"type": "Move", "by": "9" * 100_000},
    "unknown type": lambda: {"type": "Fly", "by": 1},
    "no type": lambda: {"by": 1},
    "unknown field": lambda: {"type": "Move", "by": 1, "so": 2},
    "type of the wrong kind": lambda: {"type": ["Move"], "by": 1},
    "a list": lambda: [Move(1)],
    "deep": lambda: deep(150),
    "deeper than the stack": lambda: deep(100_000),
    "in a circle": looped,
    "bytes": lambda: b"\xff\xfe",
    "half a character": lambda: {"type": "Move", "by": "\ud800"},
    "a set": lambda: {1, 2},
    "a class": lambda: Move,
    "an object": Strange,
    "an impostor": Impostor,
    "an array": lambda: np.array([1.0, math.nan]),
    "an array of objects": lambda: np.array([Strange()], dtype=object),
    "a number of numpy": lambda: np.float64("nan"),
    "a function": lambda: deep,
    "keys that are no text": lambda: {1: "type", None: 2},
    "a generator": lambda: (x for x in "ab"),
    "a complex number": lambda: 1j,
    "an exception": lambda: ValueError("garbage"),
    "true": lambda: True,
}


class Garbler:
    """A new piece of garbage each time it is asked, and again whenever it is asked again."""

    def __init__(self, order: list[str]) -> None:
        self.order = order

    def decide(self, seen: Any, context: Any) -> Any:
        return GARBAGE[self.order[context.turn % len(self.order)]]()


class AsyncGarbler(Garbler):
    async def decide(self, seen: Any, context: Any) -> Any:
        return super().decide(seen, context)


def play(store: SqliteStore, world: World, players: Any = None) -> Any:
    return asyncio.run(play_run(store, world, RUN, players=players, clock=StepClock()))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Garbler, AsyncGarbler])
def test_garbage_from_an_agent_is_a_recorded_no_op_and_the_run_goes_on(
    tmp_path: Path, random: Random, kind: type[Garbler]
) -> None:
    order = sorted(GARBAGE)
    random.shuffle(order)
    turns = len(order) + 3
    players = {"b": kind(order)}
    scenario = msgspec.structs.replace(
        worlds.rules_scenario(turns), agents=(AgentSpec("a"), AgentSpec("b", kind="python"), AgentSpec("c"))
    )
    store = SqliteStore(tmp_path / "a.sqlite", create=True)
    begin(store, worlds.rules_world(), scenario, RUN, players=players)
    assert play(store, worlds.rules_world(), players).status is Status.COMPLETED
    last = {
        entry.turn: json.loads(entry.body) for entry in store.entries(RUN) if entry.kind == "judged"
    }  # the last round of each turn
    assert last.keys() == set(range(1, turns + 1))
    for turn, judged in last.items():
        what = order[turn % len(order)]
        verdict = judged["verdicts"]["b"]
        assert verdict["kind"] == "no_op", f"{what} passed for an action: {verdict}"
        assert verdict["reason"].startswith("illegal: "), f"{what} was refused without a reason"
    for entry in store.entries(RUN):
        if entry.kind == "scored":
            assert json.loads(entry.body)["metrics"]["b"]["wealth"] == 0, "garbage moved something"
    assert asyncio.run(replay(store, worlds.rules_world(), RUN, players=players)).identical
    store.close()


# --- other versions ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def half_way(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a run that stands in its middle."""
    path = tmp_path_factory.mktemp("half") / "a.sqlite"
    store = SqliteStore(path, create=True)
    begin(store, worlds.rules_world(), worlds.rules_scenario(40), RUN)
    asyncio.run(play_run(store, worlds.rules_world(), RUN, clock=StepClock(), stop_after=20))
    store.close()
    return path


@pytest.fixture
def path(half_way: Path, tmp_path: Path) -> Path:
    for file in half_way.parent.iterdir():
        shutil.copy(file, tmp_path)
    return tmp_path / "a.sqlite"


def test_a_journal_of_a_newer_version_is_refused_with_a_reason(path: Path) -> None:
    db = apsw.Connection(str(path))
    db.pragma("user_version", FORMAT + 1)
    db.close()
    with pytest.raises(
        VersionMismatch, match=rf"this journal has format {FORMAT + 1}; this Windtunnel reads"
    ) as refused:
        SqliteStore(path)
    assert refused.value.remedy
    assert refused.value.exit_code == 2


def test_an_entry_of_a_newer_kind_is_refused_by_its_name_and_place(path: Path) -> None:
    db = apsw.Connection(str(path))
    last: Any = db.execute("SELECT max(seq), turn, hash FROM entry").fetchone()
    seq, turn, prev = last
    hash = entry_hash(prev, seq + 1, turn, "fork", "dreamt", "", b"{}")
    db.execute(
        "INSERT INTO entry(run_id,seq,turn,phase,kind,actor,body,prev,hash)"
        " VALUES(?,?,?,'fork','dreamt','','{}',?,?)",
        [RUN, seq + 1, turn, prev, hash],
    )
    db.execute("UPDATE run SET head_seq=?, head_hash=?", [seq + 1, hash])
    db.close()
    store = SqliteStore(path)
    with pytest.raises(VersionMismatch, match=rf"entry {seq + 1} \(turn {turn}, fork: dreamt\) is of a kind"):
        play(store, worlds.rules_world())
    store.close()


class Wider(msgspec.Struct):
    turn: int
    at: dict[str, float]
    heard: list[str]
    ledger: Any


def test_a_state_of_changed_types_is_refused_naming_the_field(path: Path) -> None:
    world = msgspec.structs.replace(worlds.rules_world(), state=Wider)
    store = SqliteStore(path)
    before = store.run(RUN)
    with pytest.raises(VersionMismatch, match="state of rules has changed since this run"):
        play(store, world)

    class State(msgspec.Struct):
        turn: int
        at: dict[str, float]
        heard: list[str]
        ledger: Log[str]

    with pytest.raises(VersionMismatch, match=r"State\.at was dict\[str, int\], now is dict\[str, float\]"):
        play(store, msgspec.structs.replace(worlds.rules_world(), state=State))
    assert store.run(RUN).head_hash == before.head_hash
    assert play(store, worlds.rules_world()).status is Status.COMPLETED, "the refusal broke the run"
    store.close()


# --- broken files -----------------------------------------------------------------------------------


def use(path: Path) -> str:
    """Open, list, play and replay; what was wrong, in words, or nothing. Anything but our errors gets out."""
    store = None
    try:
        store = SqliteStore(path)
        store.runs()
        play(store, worlds.rules_world())
        told = asyncio.run(replay(store, worlds.rules_world(), RUN))
        return "" if told.identical else str(told.first_difference)
    except WindtunnelError as error:
        if not (error.where or error.remedy or isinstance(error, ScenarioError)):
            raise AssertionError(f"an error that leads nowhere: {error.message}") from error
        return str(error)
    finally:
        if store is not None:
            store.close()


@pytest.mark.parametrize("size", [0, 1, 15, 16, 99, 100, 512, 4095, 4096, 5000, 12288])
def test_a_truncated_store_is_told_in_words(path: Path, size: int) -> None:
    whole = path.read_bytes()
    assert len(whole) > 20_000
    path.write_bytes(whole[:size])
    assert use(path)


@pytest.mark.parametrize("start", [0, 16, 100, 4096, 8192])
def test_a_store_zeroed_from_some_byte_on_is_told_in_words(path: Path, start: int) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:start] + b"\0" * (len(whole) - start))
    assert use(path)


def test_a_file_of_random_bytes_is_told_in_words(path: Path, random: Random) -> None:
    path.write_bytes(random.randbytes(50_000))
    with pytest.raises(StorageError, match="no SQLite database"):
        SqliteStore(path)


def scribble(path: Path, random: Random, rounds: int) -> None:
    """Random bytes over random places. What is then found may be anything, but it must be told in words."""
    whole = path.read_bytes()
    for number in range(rounds):
        raw = bytearray(whole)
        for _ in range(random.choice((1, 1, 2, 8))):
            place, length = random.randrange(len(raw)), random.choice((1, 1, 4, 30, 400))
            raw[place : place + length] = random.randbytes(len(raw[place : place + length]))
        path.write_bytes(raw)
        for beside in path.parent.glob("a.sqlite-*"):
            beside.unlink()
        try:
            use(path)
        except Exception as error:
            error.add_note(f"round {number}")
            raise


@pytest.mark.slow
def test_random_bytes_over_a_store_never_end_in_a_traceback(path: Path, random: Random) -> None:
    scribble(path, random, 60)


@pytest.mark.soak
def test_random_bytes_over_a_store_never_end_in_a_traceback_3000_times(path: Path, random: Random) -> None:
    scribble(path, random, 3000)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("memory", '{"a":{"moves":999,"last":0}}'),
        ("memory", "{"),
        ("deferred", '[{"effect":"x"}]'),
        ("state", b"x"),
    ],
)
def test_a_checkpoint_that_history_does_not_know_is_passed_over(path: Path, column: str, value: Any) -> None:
    db = apsw.Connection(str(path))
    clean = path.with_name("clean.sqlite")
    shutil.copy(path, clean)
    db.execute(f"UPDATE checkpoint SET {column}=? WHERE turn=(SELECT max(turn) FROM checkpoint)", [value])
    db.close()
    heads = []
    for file in (path, clean):
        store = SqliteStore(file)
        heads.append(play(store, worlds.rules_world()).head_hash)
        refused = [op.kind for op in store.operations(RUN) if op.kind == "checkpoint_refused"]
        assert bool(refused) is (file == path)
        store.close()
    assert heads[0] == heads[1]


@pytest.mark.parametrize("body", ["", "{", "null", b"\xff\xc5\x00", '{"state":5}'])
@pytest.mark.parametrize("kind", ["started", "mail", "consolidated"])
def test_an_entry_that_is_no_json_any_more_is_told_by_its_place(path: Path, kind: str, body: Any) -> None:
    store = SqliteStore(path)
    store.post(RUN, "event", b'{"kind":"letter"}', "ida", 0.0)
    asyncio.run(play_run(store, worlds.rules_world(), RUN, clock=StepClock(), stop_after=24))
    store.close()
    db = apsw.Connection(str(path))
    db.execute("DELETE FROM checkpoint WHERE turn>0")
    seq = db.execute("SELECT max(seq) FROM entry WHERE kind=?", [kind]).get
    db.execute("UPDATE entry SET body=CAST(? AS TEXT) WHERE seq=?", [body, seq])
    db.close()
    told = use(path)
    assert re.search(rf"entry {seq} \(|no first entry|lost its first entry", told), told


@pytest.mark.parametrize("owner", [b"[\xca\xfe", "[", "5", '["host"]', '{"pid":1}', '["a","b","c","d"]'])
def test_a_lease_that_says_nothing_any_more_is_told_in_words(path: Path, owner: Any) -> None:
    db = apsw.Connection(str(path))
    db.execute("UPDATE lease SET owner=CAST(? AS TEXT)", [owner])
    db.close()
    assert "lease of run run" in use(path)
