"""Runs to keep and to prove: a small world with everything a journal can hold (effects, memory, a Log, an
array, mail, deferred votes), and how it is played, forked and looked at with plain `sqlite3`."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from pathlib import Path
from typing import Any

import apsw
import msgspec
import numpy as np
import psycopg

from windtunnel.codec import Log, encode_body
from windtunnel.journal import SqliteStore, Status, Store
from windtunnel.journal.lease import this_process
from windtunnel.journal.lineage import Lineage
from windtunnel.journal.postgres import PostgresStore
from windtunnel.journal.schema import TABLES
from windtunnel.run.begin import begin
from windtunnel.run.clock import Clock
from windtunnel.run.fork import Change, fork, read_point
from windtunnel.run.player import Player
from windtunnel.run.replay import replay
from windtunnel.run.tape import Tape
from windtunnel.world import (
    ACCEPT,
    Action,
    AgentSpec,
    Applied,
    EffectKind,
    Engine,
    Role,
    Scenario,
    World,
    hold,
)


class Give(Action, frozen=True):
    amount: int


class Rest(Action, frozen=True):
    pass


class Memory(msgspec.Struct):
    thoughts: int = 0


class State(msgspec.Struct):
    turn: int
    coins: dict[str, int]
    grid: np.ndarray
    said: Log[str]


class Rules(Engine[State]):
    def start(self, scenario: Any, context: Any) -> State:
        return State(0, {agent.id: 100 for agent in scenario.agents}, np.zeros(3), Log(["begun"]))

    def observe(self, state: State, actor: Any) -> dict[str, int]:
        return {"coins": state.coins[actor.id]}

    def apply(self, state: State, decided: Any, events: Any, context: Any) -> Applied[State]:
        state.turn += 1
        state.grid += 0.5
        state.said.append(f"turn {state.turn}, {len(events)} events")
        for who, action in decided.items():
            if type(action) is Give:
                state.coins[who] += action.amount
        return Applied(state)

    def score(self, state: State) -> dict[str, Any]:
        return {who: {"wealth": coins + 0.25} for who, coins in state.coins.items()}

    def over(self, state: State) -> str | None:
        return None


class Judge:
    """Holds what is given in turn 3 by `b`, and lets the run go on."""

    def check(self, state: State, actor: Any, action: Any, context: Any) -> Any:
        if actor.id == "b" and state.turn == 2 and type(action) is Give:
            return hold("much", "defer")
        return ACCEPT


# What a call repeats, or is long: stored once as a text, beside calls that are short.
BRIEF = "Say what a coin is worth today, and why. " * 20
TOOLS = [{"name": f"tool{number}", "schema": {"type": "object", "about": "x" * 200}} for number in range(3)]
REASON = "Because coins are scarce, and so is patience. " * 20


class Asker:
    """Asks briefly in odd turns, at length in even ones."""

    async def decide(self, seen: Any, context: Any) -> Action:
        context.memory.thoughts += 1
        if context.turn % 2:
            return Give(await context.effect("quote", {"turn": context.turn}) % 50)
        told = {"turn": context.turn, "brief": BRIEF, "tools": TOOLS}
        return Give((await context.effect("quote", told))["price"] % 50)


def _still(seen: Any, context: Any) -> Action:
    return Give(1)


async def _quote(request: Any, call: Any) -> Any:
    price = int(request["turn"]) * 7
    return {"price": price, "why": f"{price}. {REASON}", "again": REASON} if "brief" in request else price


ROLE = Role((Give, Rest), Rest(), {"still": _still}, memory=Memory)
WORLD = World(
    "toy", Rules(), State, {"giver": ROLE}, Judge(), effects={"quote": EffectKind(_quote, in_doubt="retry")}
)
PLAYERS = {"a": Asker()}


def scene(turns: int = 8) -> Scenario:
    return Scenario("toy", "scene", turns=turns, agents=(AgentSpec("a", kind="python"), AgentSpec("b")))


def play(store: Store, run_id: str, *, stop_after: int | None = None) -> Status:
    fence = store.acquire(run_id, this_process())
    tape = Tape(Lineage(store, run_id), Clock(), fence=fence)
    player = Player(WORLD, tape, players=PLAYERS, stop_after=stop_after)
    tape.move(Status.RUNNING)
    try:
        return asyncio.run(player.play())
    finally:
        store.release(run_id, fence)


def fly(store: Store, run_id: str = "r1", turns: int = 8, *, stops: tuple[int, ...] = (3, 5)) -> None:
    """A whole run; it stops now and then, so that there are several checkpoints, and gets mail once."""
    begin(store, WORLD, scene(turns), run_id, players=PLAYERS)
    for stop in stops:
        play(store, run_id, stop_after=stop)
    if stops:
        store.post(run_id, "event", encode_body({"kind": "rain", "body": {"mm": 3}}), "someone", 1.0)
    play(store, run_id)


def forked(store: Store, parent: str = "r1", at: str = "4", run_id: str = "f1", *, turns: int = 9) -> None:
    def longer(scenario: Scenario) -> Scenario:
        return msgspec.structs.replace(scenario, turns=turns)

    fork(store, WORLD, parent, read_point(at), run_id, change=Change(edit=longer), players=PLAYERS)
    play(store, run_id, stop_after=6)
    play(store, run_id)


def replayed(store: Store, run_id: str) -> bool:
    return asyncio.run(replay(store, WORLD, run_id, players=PLAYERS)).identical


def _in_postgres(store: PostgresStore, sql: str, values: Any) -> tuple[list[Any], int]:
    for theirs, ours in (("?", "%s"), ("zeroblob(32)", "decode(repeat('00', 32), 'hex')")):
        sql = sql.replace(theirs, ours)
    with psycopg.connect(store._url, autocommit=True) as db:
        db.execute("SET search_path = journal")
        done = db.execute(sql.encode(), list(values) or None)
        return (done.fetchall() if done.description else []), max(done.rowcount, int(sql.startswith("DROP")))


def _plainly(at: Any, sql: str, values: Any) -> tuple[list[Any], int]:
    if isinstance(at, PostgresStore):
        return _in_postgres(at, sql, values)
    return _in_sqlite(at.path if isinstance(at, SqliteStore) else at, sql, values)


def _in_sqlite(path: Path, sql: str, values: Any) -> tuple[list[Any], int]:
    """What anyone can do to the file with plain sqlite3. While the store is open in this process APSW does
    it: two SQLite libraries in one process do not see each other's locks."""
    if Path(f"{path}-wal").exists():
        ours = apsw.Connection(str(path))
        try:
            found: list[Any] = ours.execute(sql, values).fetchall()
            return found, ours.changes()
        finally:
            ours.close()
    theirs = sqlite3.connect(path)
    try:
        cursor = theirs.execute(sql, values)
        found = cursor.fetchall()
        theirs.commit()
        return found, cursor.rowcount
    finally:
        theirs.close()


def edit(at: Any, sql: str, *values: Any) -> None:
    _, changed = _plainly(at, sql, values)
    assert changed, "the edit met no row: the test would prove nothing"


def made_older(path: Path, version: int) -> None:
    """Take away what a store was given since that format, as if it had been made then."""
    theirs = sqlite3.connect(path)
    if version < 4:
        theirs.executescript("DROP VIEW history; DROP VIEW metric; DROP VIEW decision; DROP TABLE bundle;")
        theirs.executescript("".join(re.findall(r"CREATE VIEW.*?;\n", TABLES, re.DOTALL)))
    if version < 3:
        theirs.execute("DROP TABLE arrival")
    if version < 2:
        theirs.execute("DROP TABLE text")
    theirs.execute(f"PRAGMA user_version={version}")
    theirs.close()


def rows(at: Any, sql: str, *values: Any) -> list[Any]:
    return _plainly(at, sql, values)[0]
