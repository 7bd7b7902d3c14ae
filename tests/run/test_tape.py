"""The record as it is read by one of several who share a connection."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bench import connect
from windtunnel.journal import SqliteStore
from windtunnel.journal.lineage import Lineage
from windtunnel.run.begin import begin
from windtunnel.run.clock import Clock
from windtunnel.run.session import play_run
from windtunnel.run.tape import Tape
from windtunnel.world import AgentSpec, Scenario


def test_who_reads_a_record_keeps_nobody_from_writing(tmp_path: Path) -> None:
    """As where a process takes up several runs of a store, and another one writes to it."""
    store = SqliteStore(tmp_path / "runs.sqlite", create=True)
    seats = (AgentSpec("a"), AgentSpec("b"))
    begin(store, connect.world, Scenario("connect", turns=60, seed=5, agents=seats), "one")
    asyncio.run(play_run(store, connect.world, "one"))
    tape = Tape(Lineage(store, "one"), Clock(), fence=None)
    tape.open()
    taken = tape.take() + tape.take()
    with_other = SqliteStore(store.path)
    with_other.post("one", "event", b"{}", "another process", 0.0)
    store.post("one", "event", b"{}", "another run of this process", 0.0)
    while group := tape.take():
        taken += group
    assert [entry.seq for entry in taken] == list(range(store.run("one").head_seq + 1))
    assert len(store.mail("one")) == 2
    with_other.close()
    store.close()
