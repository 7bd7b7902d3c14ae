"""The index of runs: what lists and searches are answered from, however many runs there are.

Only an index. All of it is had from the journals, at any time: losing it loses nothing, and `refresh` reads
what was written since. It never decides about a run: who acts on one opens its store. Writers may `note` what
they know, so that lists are right before the next refresh; a note that fails is nobody's trouble.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal

import msgspec
from msgspec import Struct

from windtunnel.config import Workspace
from windtunnel.control import index_sql as sql
from windtunnel.control.database import open_database
from windtunnel.control.index_rows import DatabaseStore
from windtunnel.control.index_scan import UNREADABLE, FolderStores, Known, Looked, Seen, Stores, mark, problem
from windtunnel.control.index_sql import Filter
from windtunnel.errors import NotFound, UsageError, WindtunnelError
from windtunnel.journal import Owner, RunRow, Status
from windtunnel.journal.database import Database, Rows
from windtunnel.journal.lease import lives

__all__ = ["Filter", "Index", "Listed", "Page", "Problem"]

MOST = 1000  # rows of a page
DEFAULT = 100
TOGETHER = 500  # stores whose rows are written at once
MANY = 5000  # rows after which they are written
FEW = 200  # runs that are asked for by name
STATUS, LOCATION = sql.RUN_COLUMNS.index("status"), len(sql.RUN_COLUMNS)
STATUSES = {
    str(status): status for status in Status
}  # half as dear as asking the enum, for each row of a page
PICKED = ",".join((*sql.RUN_COLUMNS, "location", "spend", "wake"))

ALL = Filter()

Progress = Callable[[int, int], None]


class Listed(RunRow, frozen=True):
    """A run as the index has it: its row (one that nobody plays any more reads `crashed`), where it lies,
    what its models cost so far in micro-dollars, and when the first of its waiting votes expires."""

    location: str
    spend: int = 0
    wake: float | None = None

    @property
    def row(self) -> RunRow:
        return RunRow(*(getattr(self, name) for name in sql.RUN_COLUMNS))


class Page(Struct, frozen=True):
    items: list[Listed]
    next: str | None = None  # the cursor of the page behind this one; None at the end
    total: int | None = None


class Problem(Struct, frozen=True):
    """A store that cannot be read, so that its runs are in no list."""

    location: str
    message: str
    remedy: str | None


class Index:
    def __init__(self, database: Database, stores: Stores) -> None:
        self.database, self._stores = database, stores
        database.lay(sql.ROOM, sql.STEPS)

    def close(self) -> None:
        self._stores.close()
        self.database.close()

    # --- keeping ---

    def note(self, location: str, row: RunRow, holder: Owner | None = None) -> bool:
        """What a writer knows of a run: whether it was taken in. It never raises and never goes back: a row
        that is older than the one here is passed over. Who plays a run is read at the next refresh, unless
        said."""
        name = self._stores.name(location)
        if name is None:
            return False
        owner = msgspec.json.encode(holder).decode() if holder else ""
        seen = Seen(row, str(row.status), owner)
        with suppress(WindtunnelError), self.database.transaction() as rows:
            rows.rows(sql.TELL, _values(name, seen, known=False))
            rows.each(sql.PUT_TAG, [[tag, row.created, row.run_id, name] for tag in sql.tags_of(row)])
            return True
        return False

    def forget(self, run_id: str) -> None:
        """Leave a run out, until its store is written again and still has it."""
        with self.database.transaction() as rows:
            for table in ("listed", "listed_tag"):
                rows.rows(f"DELETE FROM {table} WHERE run_id=?", [run_id])

    def refresh(self, progress: Progress | None = None) -> int:
        """Read the stores that changed since the last time; how many there were."""
        token, held = self._last_look()
        again = [name for (name,) in self.database.rows("SELECT location FROM listed_store WHERE stamp=''")]
        now = self._stores.look(token, sorted({*held, *again}))
        before = self._had(None if now.whole else list(now.stamps))
        stale = sorted(name for name, stamp in now.stamps.items() if not stamp or before.get(name) != stamp)
        if now.whole:
            self._drop([name for name in before if name not in now.stamps])
        self._read(stale, now.stamps, before, progress)
        if now.whole and (stale or now.token != token):
            self._looked(now)
        return len(stale)

    def rebuild(self, progress: Progress | None = None) -> int:
        """Read every store anew and believe nothing that stands here. Lists stay whole meanwhile."""
        now = self._stores.look("", [])
        listed = self.database.rows("SELECT DISTINCT location FROM listed")
        had = {*self._had(None), *(name for (name,) in listed)}
        self._drop(sorted(had - set(now.stamps)))
        self._read(sorted(now.stamps), now.stamps, None, progress)
        self._looked(now)
        return len(now.stamps)

    def _last_look(self) -> tuple[str, list[str]]:
        for token, held in self.database.rows("SELECT token, held FROM listed_look"):
            return token, msgspec.json.decode(held, type=list[str])
        return "", []

    def _looked(self, now: Looked) -> None:
        self.database.rows(sql.PUT_LOOK, [now.token, msgspec.json.encode(now.held).decode()])

    def _had(self, names: Sequence[str] | None) -> dict[str, str]:
        """The stores that were read, all or those named, and how they were then."""
        if names is None:
            return dict(self.database.rows("SELECT location, stamp FROM listed_store"))
        found = [
            self.database.rows("SELECT location, stamp FROM listed_store WHERE location=?", [name])
            for name in names
        ]
        return {row[0]: row[1] for rows in found for row in rows}

    def _drop(self, names: Sequence[str]) -> None:
        if names:
            with self.database.transaction() as rows:
                for table in ("listed", "listed_tag", "listed_store"):
                    rows.each(f"DELETE FROM {table} WHERE location=?", [[name] for name in names])

    def _read(
        self,
        names: Sequence[str],
        stamps: Mapping[str, str],
        before: Mapping[str, str] | None,
        progress: Progress | None,
    ) -> None:
        """`before`: how each was when it was read last; None to read all of it anew."""
        waiting: list[_Change] = []
        for number, name in enumerate(names, 1):
            waiting.append(self._change(name, stamps[name], before))
            if len(waiting) >= TOGETHER or sum(len(one.seen) for one in waiting) >= MANY:
                self._write(waiting)
                waiting = []
                if progress:
                    progress(number, len(names))
        self._write(waiting)

    def _change(self, name: str, stamp: str, before: Mapping[str, str] | None) -> _Change:
        def knows(run_ids: Sequence[str] | None) -> dict[str, Known]:
            return {} if before is None else self._known(name, run_ids)

        try:
            found = self._stores.read(name, knows, (before or {}).get(name, ""))
        except UNREADABLE as error:
            if self._stores.sole:
                raise
            return _Change(name, "", [], [], True, problem(error))
        reached = stamp if found.stamp is None else found.stamp
        return _Change(name, reached, found.seen, found.gone, before is None, None)

    def _known(self, name: str, run_ids: Sequence[str] | None = None) -> dict[str, Known]:
        asked = (
            "SELECT run_id,said,turn,head_seq,op_seq,updated,pruned,known,spend,counted,calls FROM listed"
            " WHERE location=?"
        )
        if run_ids is None or len(run_ids) > FEW:
            found = self.database.rows(asked, [name])
        elif run_ids:
            marks = ",".join("?" * len(run_ids))
            found = self.database.rows(f"{asked} AND run_id IN ({marks})", [name, *run_ids])
        else:
            found = []
        return {row[0]: Known(tuple(row[1:7]) if row[7] else (), *row[8:11]) for row in found}

    def _write(self, changes: Sequence[_Change]) -> None:
        if not changes:
            return
        with self.database.transaction() as rows:
            for change in changes:
                _write_one(rows, change)

    # --- looking ---

    def page(
        self, asked: Filter = ALL, *, after: str | None = None, limit: int = DEFAULT, total: bool = False
    ) -> Page:
        """Runs, the newest first. The cursor of a page stays true while runs are added; ordered by `updated`,
        a run that is written meanwhile moves to the front, and is not met again behind it."""
        sql.check_filter(asked)
        if not 1 <= limit <= MOST:
            raise UsageError(f"a page of {limit} runs", where="limit", remedy=f"1 to {MOST}")
        place = sql.place_of(after, asked.order) if after else None
        self._bury()
        found = self.database.rows(*sql.page(asked, PICKED, place, limit + 1))
        items = [self._listed(row) for row in found[:limit]]
        more = None
        if len(found) > limit:
            last, name = items[-1], found[limit - 1][LOCATION]
            more = sql.cursor(asked.order, (getattr(last, asked.order), last.run_id, name))
        count = int(self.database.rows(*sql.total(asked))[0][0]) if total else None
        return Page(items, more, count)

    def grouped(self, asked: Filter, by: Literal["world", "tag"], *, limit: int = DEFAULT) -> dict[str, int]:
        """How many runs of a filter each world or tag has, the most first."""
        sql.check_filter(asked)
        self._bury()
        return dict(self.database.rows(*sql.grouped(asked, by, limit)))

    def behind(self, asked: Filter, after: str) -> int:
        """How many runs of a filter come after a place."""
        return int(self.database.rows(*sql.total(asked, sql.place_of(after, asked.order)))[0][0])

    def each(self, asked: Filter = ALL, *, after: str | None = None) -> Iterator[Listed]:
        """Every run of a filter, page by page."""
        while True:  # bounded: each page begins behind the last one
            page = self.page(asked, after=after, limit=MOST)
            yield from page.items
            after = page.next
            if after is None:
                return

    def cursor(self, run: Listed, order: str = "created") -> str:
        """The place behind a run, for `page(after=…)`."""
        name = self._stores.name(run.location) or run.location
        return sql.cursor(order, (getattr(run, order), run.run_id, name))

    def find(self, name: str) -> Listed:
        """The run of this id, or the only one whose id begins so."""
        self._bury()
        found = self.database.rows(
            f"SELECT {PICKED} FROM listed WHERE run_id=? ORDER BY location LIMIT 1", [name]
        )
        if not found and name:
            found = self.database.rows(*sql.beginning(name, PICKED, 6))
        if not found:
            raise NotFound(f"no run {name!r}", remedy="windtunnel runs lists them")
        ids = sorted({str(row[0]) for row in found})
        if len(ids) > 1:
            told = (
                f"{len(ids)} runs: {', '.join(ids)}" if len(ids) <= 5 else f"many runs: {', '.join(ids[:5])}"
            )
            raise UsageError(f"{name!r} may mean {told}", remedy="type more of the id")
        return self._listed(found[0])

    def counts(self) -> dict[str, int]:
        """How many runs there are of each status; `pruned` are those of which only the head is left."""
        self._bury()
        counts: dict[str, int] = dict(
            self.database.rows("SELECT status, count(*) FROM listed GROUP BY status")
        )
        gone: dict[str, int] = dict(
            self.database.rows("SELECT status, count(*) FROM listed WHERE pruned IS NOT NULL GROUP BY status")
        )
        told = {str(status): counts.get(status, 0) - gone.get(status, 0) for status in Status}
        return {**told, "pruned": sum(gone.values())}

    def totals(self) -> tuple[int, int, int]:
        """Turns that were played, micro-dollars that models cost and how often models were asked, of all runs
        that are kept."""
        sums = ", ".join(f"coalesce(sum({name}), 0)" for name in ("turn", "spend", "calls"))
        ((turns, spend, calls),) = self.database.rows(f"SELECT {sums} FROM listed WHERE pruned IS NULL")
        return int(turns), int(spend), int(calls)

    def due(self, now: float, limit: int = DEFAULT) -> list[Listed]:
        """Runs of which a waiting vote has expired: they want to be taken up, so that it is told to them."""
        found = self.database.rows(
            f"SELECT {PICKED} FROM listed WHERE wake IS NOT NULL AND wake<=? ORDER BY wake LIMIT ?",
            [now, limit],
        )
        return [self._listed(row) for row in found]

    def problems(self) -> list[Problem]:
        """The stores that could not be read at the last refresh."""
        found = self.database.rows(
            "SELECT location, problem, remedy FROM listed_store WHERE problem IS NOT NULL ORDER BY location"
        )
        return [Problem(self._stores.location(name), message, remedy) for name, message, remedy in found]

    def check(self) -> tuple[int, int]:
        """How many runs and stores stand here; raises if the tables cannot be read to their end."""
        ((runs,),) = self.database.rows("SELECT count(*) FROM listed")
        ((stores,),) = self.database.rows("SELECT count(*) FROM listed_store")
        return int(runs), int(stores)

    def differing(self, limit: int = 20) -> list[str]:
        """Of the newest runs, those whose rows are not as their journals have them. None, after a refresh."""
        wrong = []
        for run in self.page(limit=limit).items:
            name = self._stores.name(run.location) or run.location
            try:
                one = self._stores.one(name, run.run_id)
            except UNREADABLE:
                continue  # that is a problem of the store
            here = self._known(name, [run.run_id])
            if one is None or one.said == Status.RUNNING:
                continue
            if here[run.run_id].mark != (one.said, *mark(one.row)[1:]):
                wrong.append(run.run_id)
        return wrong

    def _listed(self, row: Sequence[Any]) -> Listed:
        values = list(row)
        values[STATUS] = STATUSES[values[STATUS]]
        values[LOCATION] = self._stores.location(values[LOCATION])
        return Listed(*values)

    def _bury(self) -> None:
        """A run reads `crashed` as soon as its process is gone, though nobody is left to say so. Only those
        that are played now are looked at, and each process once."""
        alive: dict[str, bool] = {}
        dead = []
        for run_id, location, holder in self.database.rows(
            "SELECT run_id, location, holder FROM listed WHERE status='running' AND holder<>''"
        ):
            if holder not in alive:
                alive[holder] = lives(msgspec.json.decode(holder, type=Owner))
            if not alive[holder]:
                dead.append([run_id, location, holder])
        if dead:
            self.database.each(
                "UPDATE listed SET status='crashed' WHERE run_id=? AND location=? AND holder=?", dead
            )


def open_index(workspace: Workspace) -> Index:
    """The index of a workspace, in the database beside its runs, or in the one that holds them."""
    if workspace.store_url:
        return Index(open_database(workspace), DatabaseStore(workspace))
    return Index(open_database(workspace), FolderStores(workspace.runs))


class _Change(Struct):
    """What is to be written of one store."""

    name: str
    stamp: str
    seen: list[Seen]
    gone: list[str]
    anew: bool  # all that stands here of the store goes first
    problem: tuple[str, str | None] | None


def _write_one(rows: Rows, change: _Change) -> None:
    if change.anew:
        for table in ("listed", "listed_tag"):
            rows.rows(f"DELETE FROM {table} WHERE location=?", [change.name])
    for table in ("listed", "listed_tag"):
        rows.each(
            f"DELETE FROM {table} WHERE run_id=? AND location=?",
            [[run_id, change.name] for run_id in change.gone],
        )
    rows.each(
        "DELETE FROM listed_tag WHERE run_id=? AND location=?",
        [] if change.anew else [[seen.row.run_id, change.name] for seen in change.seen],
    )
    rows.each(sql.REPLACE, [_values(change.name, seen, known=True) for seen in change.seen])
    tags = [
        [tag, seen.row.created, seen.row.run_id, change.name]
        for seen in change.seen
        for tag in sql.tags_of(seen.row)
    ]
    rows.each(sql.PUT_TAG, tags)
    rows.rows(sql.PUT_STORE, [change.name, change.stamp, *(change.problem or (None, None))])


def _values(name: str, seen: Seen, *, known: bool) -> list[Any]:
    row = seen.row
    plain = [getattr(row, column) for column in sql.RUN_COLUMNS]
    plain[STATUS] = str(row.status)
    words = sql.words_of(row)
    own = [seen.said, seen.holder, seen.spend, seen.counted, seen.wake, int(known), words, seen.calls]
    return [*plain, name, *own]
