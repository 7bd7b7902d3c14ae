"""Verify: both chains of a run checked, in megabytes a second, beside plain SHA-256 over the same bytes.

The bytes are what the chains hash: each entry's and operation's place, the hash before it, its stored body.
The peer has them in memory already, in the same pieces; ours reads them out of the store and holds the row,
the checkpoints and the head outside against them.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from bench import loop
from bench.measure import Figures, Result, Stopwatch, by_turns, faster, scratch, size_of
from bench.playing import RUN, play, start
from windtunnel.journal import SqliteStore
from windtunnel.journal.verify import verify

MEGA = 1e6
_pieces: dict[str, list[bytes]] = {}


def make(path: Path, steps: int) -> None:
    store = start(path, loop.world(), loop.scenario(steps))
    play(store, loop.world())
    store.close()


def pieces(path: str) -> list[bytes]:
    """What the chains of the run hash, piece by piece; read once in each process."""
    if path not in _pieces:
        store = SqliteStore(path, read_only=True)
        found = [
            entry.prev
            + f"{entry.seq} {entry.turn} {entry.phase} {entry.kind} {entry.actor}\n".encode()
            + entry.body
            for entry in store.entries(RUN)
        ]
        found += [
            op.prev + f"{op.seq} {op.at!r} {op.kind}\n".encode() + op.body for op in store.operations(RUN)
        ]
        store.close()
        _pieces[path] = found
    return _pieces[path]


def ours(path: str) -> Figures:
    size = sum(map(len, pieces(path)))
    with Stopwatch() as watch:
        store = SqliteStore(path, read_only=True)
        found = verify(store, RUN)
        store.close()
    assert found.intact, found
    assert found.complete, found
    return {
        "rate": size / MEGA / watch.seconds,
        "cpu": size / MEGA / watch.cpu,
        "entries": found.entries / watch.seconds,
    }


def peer(path: str) -> Figures:
    mine = pieces(path)
    size = sum(map(len, mine))
    with Stopwatch() as watch:
        for piece in mine:
            sha256(piece).digest()
    return {"rate": size / MEGA / watch.seconds, "cpu": size / MEGA / watch.cpu}


def run(*, smoke: bool = False) -> Result:
    steps, repetitions = (40, 1) if smoke else (5000, 5)
    with scratch() as folder:
        path = folder / "verified.sqlite"
        make(path, steps)
        found = by_turns({"ours": (ours, (str(path),)), "peer": (peer, (str(path),))}, repetitions)
        size = size_of(path)
    mine, plain = found["ours"], found["peer"]
    more = {
        "entries_per_second": mine["entries"],
        "megabytes_on_disk": size / MEGA,
        "cpu_ratio": faster(mine["cpu"], plain["cpu"]),
    }
    return Result(
        "verify", mine["rate"], plain["rate"], "plain SHA-256", faster(mine["rate"], plain["rate"]),
        "MB/s", steps, more,
        what="both chains, the row, the checkpoints and the head outside, by the bytes that are hashed",
    )  # fmt: skip
