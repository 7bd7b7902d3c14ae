"""Durable turns: every phase of every turn journalled, beside LangGraph with its SQLite saver.

LangGraph gets the form that suits it best: one node does the whole turn (each of the twenty agents observes,
decides, is checked, and the world applies), and one checkpoint is made for it. `peer_by_phase` is the same
loop with a node for each of observe, decide, check and apply, which is what it takes to see the phases.

The raw limit: the very bytes of our journal, hashed in a chain and appended with APSW to a bare table, in the
same groups. `raw_same_table` puts them in the journal's own table, with its columns and indexes.

The sketch (sketch.py) is the same loop with the raw limit's storage and no kernel around it.
"""

from __future__ import annotations

import sqlite3
from hashlib import sha256
from pathlib import Path
from typing import Any, TypedDict

from bench import loop
from bench.measure import Figures, Result, Stopwatch, by_turns, cheaper, faster, need, scratch, size_of
from bench.playing import RUN, fresh, play, start
from bench.sketch import append, bare_table, sketch
from windtunnel.journal import Batch, SqliteStore
from windtunnel.world import World


def ours(folder: str, steps: int) -> Figures:
    return _played(Path(folder) / "ours.sqlite", loop.world(), loop.scenario(steps), steps)


def crowd(folder: str, steps: int) -> Figures:
    return _played(Path(folder) / "crowd.sqlite", loop.crowd_world(), loop.crowd_scenario(steps), steps)


def _played(path: Path, world: World, scenario: Any, steps: int) -> Figures:
    store = start(path, world, scenario)
    with Stopwatch() as watch:
        row = play(store, world)
    assert row.turn == steps, row
    store.close()
    return {"rate": steps / watch.seconds, "cpu": steps / watch.cpu, "bytes": size_of(path) / steps}


# --- the raw limit ------------------------------------------------------------------------------------


class _Watched(SqliteStore):
    """Notes how many entries each commit held."""

    groups: list[int]

    def commit(self, batches: Any) -> None:
        self.groups += [len(batch.entries) for batch in batches]
        super().commit(batches)


_notes: dict[str, tuple[list[Any], list[int]]] = {}


def _journal(folder: str, steps: int, form: str) -> tuple[list[Any], list[int]]:
    """The entries of a run and the groups in which they were committed, noted once in this process."""
    if form not in _notes:
        made = loop.crowd_world() if form == "crowd" else loop.world()
        scene = loop.crowd_scenario(steps) if form == "crowd" else loop.scenario(steps)
        path = Path(folder) / f"noted-{form}.sqlite"
        start(path, made, scene).close()
        store = _Watched(path)
        store.groups = []
        play(store, made)
        _notes[form] = (list(store.entries(RUN))[1:], [size for size in store.groups if size])
        store.close()
    return _notes[form]


def raw(folder: str, steps: int, form: str) -> Figures:
    entries, groups = _journal(folder, steps, form)
    db = bare_table(Path(folder) / f"raw-{form}.sqlite")
    hash, at = bytes(32), 0
    with Stopwatch() as watch:
        for size in groups:
            rows = []
            for seq, turn, phase, kind, actor, body, _, _ in entries[at : at + size]:
                place = f"{seq} {turn} {phase} {kind} {actor}"
                hash = sha256(hash + place.encode() + b"\n" + body).digest()
                rows.append((seq, place, body, hash))
            append(db, rows)
            at += size
    db.close()
    return {"rate": steps / watch.seconds, "cpu": steps / watch.cpu}


def raw_same_table(folder: str, steps: int) -> Figures:
    from windtunnel.journal.lease import this_process
    from windtunnel.journal.model import Entry, entry_hash

    entries, groups = _journal(folder, steps, "ours")
    store = start(Path(folder) / "same.sqlite", loop.world(), loop.scenario(steps))
    fence = store.acquire(RUN, this_process())
    prev, at = store.run(RUN).head_hash, 0
    with Stopwatch() as watch:
        for size in groups:
            rows = []
            for seq, turn, phase, kind, actor, body, _, _ in entries[at : at + size]:
                hash = entry_hash(prev, seq, turn, phase, kind, actor, body)
                rows.append(Entry(seq, turn, phase, kind, actor, body, prev, hash))
                prev = hash
            store.commit([Batch(RUN, fence, entries=rows)])
            at += size
    store.close()
    return {"rate": steps / watch.seconds, "cpu": steps / watch.cpu}


# --- the peer -------------------------------------------------------------------------------------------


class State(TypedDict, total=False):
    step: int
    until: int
    agents: dict[str, Any]
    seen: dict[str, Any]
    decided: dict[str, float]


def observe(state: State) -> State:
    agents = state["agents"]
    return {"seen": {who: {"wealth": one["wealth"], "energy": one["energy"]} for who, one in agents.items()}}


def decide(state: State) -> State:
    return {"decided": {who: loop.choose(seen["energy"]) for who, seen in state["seen"].items()}}


def check(state: State) -> State:
    return {"decided": {who: rate if loop.may(rate) else 0.0 for who, rate in state["decided"].items()}}


def apply(state: State) -> State:
    agents = {}
    for who, one in state["agents"].items():
        if rate := state["decided"][who]:
            agents[who] = {
                **one,
                "wealth": one["wealth"] * rate,
                "energy": one["energy"] - loop.COST,
                "trades": one["trades"] + 1,
            }
        else:
            agents[who] = {**one, "energy": one["energy"] + loop.RECOVERY}
    return {"step": state["step"] + 1, "agents": agents}


def whole_turn(state: State) -> State:
    for phase in (observe, decide, check):
        state = {**state, **phase(state)}
    return apply(state)


def peer(folder: str, steps: int, by_phase: bool) -> Figures:
    from langgraph.checkpoint.sqlite import SqliteSaver  # type: ignore[import-not-found, unused-ignore]
    from langgraph.graph import END, START, StateGraph  # type: ignore[import-not-found, unused-ignore]

    nodes = [observe, decide, check, apply] if by_phase else [whole_turn]
    graph: Any = StateGraph(State)
    for node in nodes:
        graph.add_node(node.__name__, node)
    for before, after in zip([START, *(node.__name__ for node in nodes)], nodes, strict=False):
        graph.add_edge(before, after.__name__)
    first, last = nodes[0].__name__, nodes[-1].__name__
    graph.add_conditional_edges(last, lambda state: first if state["step"] < state["until"] else END)
    path = fresh(Path(folder) / f"peer-{len(nodes)}.sqlite")
    connection = sqlite3.connect(path, check_same_thread=False)
    app = graph.compile(checkpointer=SqliteSaver(connection))
    agents = {name: loop.birth(number) for number, name in enumerate(loop.names())}
    begin = {"step": 0, "until": steps, "agents": agents}
    config = {"configurable": {"thread_id": "bench"}, "recursion_limit": steps * len(nodes) + 50}
    with Stopwatch() as watch:
        end = app.invoke(begin, config)
    assert end["step"] == steps
    connection.close()
    return {"rate": steps / watch.seconds, "cpu": steps / watch.cpu, "bytes": size_of(path) / steps}


# --- the bench ------------------------------------------------------------------------------------------


def run(*, smoke: bool = False) -> Result:
    steps, repetitions = (40, 1) if smoke else (2000, 5)
    with_peer = need("langgraph", "langgraph.checkpoint.sqlite", smoke=smoke)
    with scratch() as folder:
        here = str(folder)
        trials: dict[str, Any] = {"ours": (ours, (here, steps))}
        if with_peer:
            trials["peer"] = (peer, (here, steps, False))
        trials |= {
            "crowd": (crowd, (here, steps)),
            "raw": (raw, (here, steps, "ours")),
            "raw_crowd": (raw, (here, steps, "crowd")),
            "raw_same_table": (raw_same_table, (here, steps)),
            "sketch": (sketch, (here, loop.world(), loop.scenario(steps))),
        }
        if with_peer:
            trials["peer_by_phase"] = (peer, (here, steps // 8, True))
        found = by_turns(trials, repetitions)
    mine, many, none = found["ours"], found["crowd"], {"rate": None, "cpu": None, "bytes": None}
    other: dict[str, Any] = found.get("peer", none)
    phases: dict[str, Any] = found.get("peer_by_phase", none)
    more = {
        "bytes_per_step": mine["bytes"],
        "peer_bytes_per_step": other["bytes"],
        "bytes_ratio": cheaper(mine["bytes"], other["bytes"]),
        "raw": found["raw"]["rate"],
        "share_of_raw": mine["rate"] / found["raw"]["rate"],
        "raw_same_table": found["raw_same_table"]["rate"],
        "share_of_raw_same_table": mine["rate"] / found["raw_same_table"]["rate"],
        "sketch": found["sketch"]["rate"],
        "sketch_share_of_raw": found["sketch"]["rate"] / found["raw"]["rate"],
        "share_of_sketch": mine["rate"] / found["sketch"]["rate"],
        "cpu_ratio": faster(mine["cpu"], other["cpu"]),
        "crowd": many["rate"],
        "crowd_ratio": faster(many["rate"], other["rate"]),
        "crowd_bytes_per_step": many["bytes"],
        "crowd_share_of_raw": many["rate"] / found["raw_crowd"]["rate"],
        "peer_by_phase": phases["rate"],
        "ratio_by_phase": faster(mine["rate"], phases["rate"]),
    }
    return Result(
        "durable-turns", mine["rate"], other["rate"], "LangGraph, SqliteSaver",
        faster(mine["rate"], other["rate"]), "steps/s", steps, more,
        target="at least 8 ×, aim 15; at most half the bytes (bytes ratio 2); at least half of raw",
        what="20 agents observe, decide, are checked; 2 KB of state; every phase journalled and durable",
    )  # fmt: skip
