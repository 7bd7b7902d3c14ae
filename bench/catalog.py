"""Catalog: a page of 100,000 runs out of the index, in milliseconds, beside one indexed SELECT.

Ours answers as a door does: the filter checked, the cursor read, dead runs looked for, rows made into
objects. The peer is a bare table of the same columns in a file of its own, with the one index that fits,
asked by the same driver for the same rows, which stay tuples. Three pages: the newest of one world and
status, the page at the end of everything, and the page at the end of that filter. The figure is the slowest.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw

from bench.measure import Figures, Result, Stopwatch, by_turns, cheaper, scratch
from windtunnel.config import Workspace
from windtunnel.control.index import PICKED, Filter, Index, open_index
from windtunnel.journal import GENESIS, RunRow, SqliteStore, Status
from windtunnel.journal.sqlite_rows import INSERT_RUN, run_values

WORLDS = ("economy", "climate", "pond", "lake")
STATUSES = (Status.COMPLETED, Status.COMPLETED, Status.COMPLETED, Status.FAILED, Status.CANCELLED)
ASKED = Filter(world="climate", status="failed")
PAGE = 50
STORE_RUNS = 10_000
PAGES = ("first", "end", "filtered_end")


def row(number: int) -> RunRow:
    world = WORLDS[number % len(WORLDS)]
    return RunRow(
        run_id=f"{number:010}", world=world, scenario=f"{world}/s{number % 7}", mode="simulated", seed=number,
        status=STATUSES[number % len(STATUSES)], turn=100, turns=100, head_seq=500, head_hash=GENESIS,
        op_seq=3, op_hash=GENESIS, parent=None, parent_seq=None, parent_turn=None, branch=0,
        created=1.7e9 + number, updated=1.7e9 + number + 30,
        tags='["night"]' if number % 50 == 0 else "[]", reason=None, pruned=None,
    )  # fmt: skip


def make(folder: Path, count: int) -> float:
    """Stores of many runs, their index, and the peer's table; the seconds in which the index was built."""
    runs = Workspace(folder).runs
    for first in range(0, count, STORE_RUNS):
        path = runs / f"{first:010}.sqlite"
        SqliteStore(path, create=True).close()
        db = apsw.Connection(str(path))
        with db:
            some = range(first, min(first + STORE_RUNS, count))
            db.executemany(INSERT_RUN, [run_values(row(number)) for number in some])
        db.close()
    index = open_index(Workspace(folder))
    with Stopwatch() as watch:
        index.refresh()
    _bare(index, folder / "bare.sqlite")
    index.close()
    return watch.seconds


def _bare(index: Index, path: Path) -> None:
    db = apsw.Connection(str(path))
    db.execute("PRAGMA page_size=8192; PRAGMA journal_mode=WAL")
    with db:
        db.execute(f"CREATE TABLE bare({PICKED})")
        marks = ",".join("?" * len(PICKED.split(",")))
        db.executemany(
            f"INSERT INTO bare VALUES({marks})", index.database.rows(f"SELECT {PICKED} FROM listed")
        )
        db.execute("CREATE INDEX by_created ON bare(created)")
        db.execute("CREATE INDEX by_filter ON bare(world, status, created)")
    db.close()


def ours(folder: str, repetitions: int) -> Figures:
    index = open_index(Workspace(Path(folder)))
    last = {asked: _before_the_end(index, asked) for asked in (Filter(), ASKED)}
    found = _timed(
        {
            "first": lambda: index.page(ASKED, limit=PAGE).items,
            "end": lambda: index.page(after=last[Filter()], limit=PAGE).items,
            "filtered_end": lambda: index.page(ASKED, after=last[ASKED], limit=PAGE).items,
        },
        repetitions,
    )
    with Stopwatch() as watch:
        index.refresh()
    index.close()
    return {**found, "refresh": watch.seconds * 1000}


def _before_the_end(index: Index, asked: Filter) -> str:
    """The cursor after which one page is left."""
    oldest = list(index.each(asked))[-PAGE - 1]
    return index.cursor(oldest)


def peer(folder: str, repetitions: int) -> Figures:
    db = apsw.Connection(str(Path(folder) / "bare.sqlite"))
    db.execute("PRAGMA cache_size=-16000")
    choice = "world=? AND status=?"
    values = (ASKED.world, ASKED.status)
    end = _place(db, "1", ())
    filtered = _place(db, choice, values)
    page = f"SELECT {PICKED} FROM bare WHERE"
    rest = f"ORDER BY created DESC LIMIT {PAGE}"
    found = _timed(
        {
            "first": lambda: db.execute(f"{page} {choice} {rest}", values).fetchall(),
            "end": lambda: db.execute(f"{page} created<? {rest}", (end,)).fetchall(),
            "filtered_end": lambda: db.execute(
                f"{page} {choice} AND created<? {rest}", (*values, filtered)
            ).fetchall(),
        },
        repetitions,
    )
    db.close()
    return found


def _place(db: apsw.Connection, where: str, values: tuple[str, ...]) -> Any:
    sql = f"SELECT created FROM bare WHERE {where} ORDER BY created LIMIT 1 OFFSET {PAGE}"
    return db.execute(sql, values).get


def _timed(asked: dict[str, Callable[[], list[Any]]], repetitions: int) -> Figures:
    """Milliseconds of each, the mean of many; what comes back is a whole page, or nothing was measured."""
    figures = {}
    for name, ask in asked.items():
        assert len(ask()) == PAGE, name
        with Stopwatch() as watch:
            for _ in range(repetitions):
                ask()
        figures[name] = watch.seconds * 1000 / repetitions
    return figures


def run(*, smoke: bool = False) -> Result:
    count, asks, repetitions = (4_000, 3, 1) if smoke else (100_000, 200, 5)
    with scratch() as folder:
        built = make(folder, count)
        given = (str(folder), asks)
        found = by_turns({"ours": (ours, given), "peer": (peer, given)}, repetitions)
    mine, bare = found["ours"], found["peer"]
    worst = max(PAGES, key=lambda name: mine[name] / bare[name])
    more: dict[str, Any] = {
        **{f"{name}_ms": mine[name] for name in PAGES},
        **{f"peer_{name}_ms": bare[name] for name in PAGES},
        "times_the_peer": {name: mine[name] / bare[name] for name in PAGES},
        "slowest": worst,
        "runs": count,
        "build_seconds": built,
        "refresh_ms": mine["refresh"],
    }
    return Result(
        "catalog", mine[worst], bare[worst], "one indexed SELECT", cheaper(mine[worst], bare[worst]), "ms",
        repetitions, more,
        target="within 3x of one indexed query: a ratio of at least 0.33",
        what=f"a page of {PAGE} out of {count:,} runs, filtered and at the end, beside the bare query",
    )  # fmt: skip
