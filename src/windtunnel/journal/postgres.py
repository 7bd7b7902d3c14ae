"""A store in a PostgreSQL database, through psycopg 3: one for all runs of a workspace, or of several.

`synchronous_commit=on`: a commit that returned is on the disk. The server may restart: a commit whose answer
was lost is looked up by the mark that it left; what did not arrive is written once more under the same
fence. After each commit the channel `windtunnel` is notified of the run, so that followers need not poll.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from windtunnel.errors import LeaseLost, NotFound, StorageError, WrongState
from windtunnel.journal import postgres_schema
from windtunnel.journal.heads import Head, append_heads, compact_heads, head_of, read_heads, shard
from windtunnel.journal.lease import here, this_process
from windtunnel.journal.model import Batch, Mail, RunRow, Status
from windtunnel.journal.postgres_beat import beater, holds
from windtunnel.journal.postgres_link import PATIENCE, Link, Lost, library
from windtunnel.journal.postgres_read import PostgresReader
from windtunnel.journal.postgres_rows import (
    INSERT_RUN,
    LETTER,
    NOW_MS,
    OF_A_RUN,
    REPLACE_RUN,
    RUN,
    already,
    check_fence,
    check_new,
    check_playable,
    held_error,
    letter_values,
    read_lease,
    run_values,
    storable,
    write_batches,
    write_pieces,
)
from windtunnel.journal.postgres_schema import SCHEMA
from windtunnel.journal.signing import Signer
from windtunnel.journal.sqlite_rows import NAMED, run_row
from windtunnel.journal.store import Lease, Owner

CHANNEL = "windtunnel"
RING = f"SELECT pg_notify('{CHANNEL}', run) FROM unnest(%s::text[]) AS run"
MAILING = 7_411_102  # letters are numbered in the order of their commits: an advisory lock
LEASE = f"SELECT run_id, fence, owner, beat, {NOW_MS} FROM lease WHERE run_id=%s"
# The hashes that folded bodies name; more than those at worst, which keeps a text too many.
FOLDED = (
    "SELECT decode(m[1], 'hex') FROM effect, regexp_matches(request || coalesce(result, ''),"
    """ '"\\$(?:text|json)":"([0-9a-f]{64})"', 'g') AS m"""
    " WHERE (left(request, 1) = ' ' OR left(result, 1) = ' ')"
)
UNREADABLE = (
    "SELECT 1 FROM effect WHERE (left(request, 1) = ' ' AND NOT pg_input_is_valid(request, 'json'))"
    " OR (left(result, 1) = ' ' AND NOT pg_input_is_valid(result, 'json')) LIMIT 1"
)
WRITERS = (
    "SELECT (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint::text,"
    " pg_snapshot_xmin(pg_current_snapshot())::text"
)
AGAIN = 1024  # numbers that a server which crashed may give again: those of all that were under way then
HALF = 1 << 31  # rows know the lower 32 bits of a number
WRITTEN = "age(xmin) <= age(%s::text::xid) + %s OR status='running'"
LOOSE = f"SELECT hash FROM text WHERE hash NOT IN ({FOLDED})"


class PostgresStore(PostgresReader):
    """`heads`: the folder in which heads are kept outside of the database; None keeps none."""

    def __init__(
        self,
        url: str,
        *,
        create: bool = False,
        read_only: bool = False,
        signer: Signer | None = None,
        heads: Path | None = None,
    ) -> None:
        self._url, self._signer, self._read_only = url, signer, read_only
        self._seen = -1
        self._held: dict[str, int] = {}
        self._link = Link(url, SCHEMA, read_only=read_only, marks=True)
        try:
            known = postgres_schema.check(self._link)
            if known is None and (self._is_older() or (create and not read_only)):
                self._bring_up()
                known = postgres_schema.check(self._link)
        except BaseException:
            self._link.close()
            raise
        if known is None:
            self._link.close()
            raise postgres_schema.missing(self.location)
        self._heads = heads / known["store"] if heads is not None else None

    def _is_older(self) -> bool:
        return bool(self._link.ask("SELECT to_regclass('entry') IS NOT NULL") == [(True,)])

    def _bring_up(self) -> None:
        """By a connection of its own, which may write: who only reads must not miss older runs either."""
        link = Link(self._url, SCHEMA)
        try:
            postgres_schema.make(link)
        finally:
            link.close()

    @property
    def location(self) -> str:
        return self._link.location

    def close(self) -> None:
        for run_id, fence in self._held.items():
            beater(self._url, SCHEMA).let_go(run_id, fence)
        if self._heads is not None and self._held:
            with suppress(StorageError):
                for run_id in self._held:
                    compact_heads(shard(self._heads, run_id))
        self._held.clear()
        self._link.close()

    # --- runs ---

    def add_run(self, row: RunRow) -> None:
        def write(db: Any) -> None:
            check_new(db, row, self.location)
            self._insert(db, INSERT_RUN, row)

        self._link.write(write)

    def _insert(self, db: Any, sql: str, row: RunRow) -> None:
        try:
            db.execute(sql, run_values(row))
        except library().errors.UniqueViolation:
            raise already(row, self.location) from None

    def run(self, run_id: str) -> RunRow:
        for row in self._rows(f"SELECT {RUN} FROM run WHERE run_id=%s", [run_id]):
            return run_row(row)
        raise NotFound(f"no run {run_id} in this store", where=self.location, remedy="windtunnel runs")

    def runs(self) -> list[RunRow]:
        return [run_row(row) for row in self._rows(f"SELECT {RUN} FROM run ORDER BY created, run_id")]

    def named(self, prefix: str) -> list[RunRow]:
        sql = (
            f"SELECT {RUN} FROM run WHERE run_id>=%s AND starts_with(run_id,%s) ORDER BY run_id LIMIT {NAMED}"
        )
        return [run_row(row) for row in self._rows(sql, [prefix, prefix])]

    def written(self, since: str = "") -> tuple[list[RunRow], str, bool]:
        """The runs whose rows were written since the call that gave `since`, and all that are played; the
        word for the next call; whether these are all, as at the first call and after a restart of the server.

        A row knows its last writer's number. Whoever was still writing when a call looked has a number from
        the oldest that was open then on, so nothing is missed; what was written shortly before comes twice.
        The start of the server is part of the word: in a copy that was put back a number means something
        else.
        """
        with self.snapshot():
            ((began, oldest),) = self._rows(WRITERS)
            server, _, before = since.rpartition("/")
            whole = server != began or not 0 <= int(oldest) - int(before) < HALF
            rows = self._rows(
                f"SELECT {RUN} FROM run" if whole else f"SELECT {RUN} FROM run WHERE {WRITTEN}",
                [] if whole else [str(int(before) % (2 * HALF)), AGAIN],
            )
            return [run_row(row) for row in rows], f"{began}/{oldest}", whole

    def children(self, run_id: str) -> list[RunRow]:
        rows = self._rows(f"SELECT {RUN} FROM run WHERE parent=%s ORDER BY created, run_id", [run_id])
        return [run_row(row) for row in rows]

    def set_status(self, run_id: str, status: Status, at: float) -> None:
        sql = "UPDATE run SET status=%s, updated=%s WHERE run_id=%s"
        self._link.write(lambda db: db.execute(sql, [str(status), at, run_id]))

    # --- the writer ---

    def acquire(self, run_id: str, owner: Owner, *, force: bool = False) -> int:
        def take(db: Any) -> int:
            check_playable(db, run_id, self.location)
            db.execute("INSERT INTO lease VALUES(%s,0,'null',0) ON CONFLICT DO NOTHING", [run_id])
            row = db.execute(f"{LEASE} FOR UPDATE", [run_id]).fetchone()
            held = read_lease(row, self.location)
            assert held is not None
            if not force and holds(held, row[4]):
                assert held.owner is not None
                raise held_error(held, self.location, here=here(held.owner))
            db.execute(
                f"UPDATE lease SET fence=fence+1, owner=%s, beat={NOW_MS} WHERE run_id=%s",
                [json.dumps(owner), run_id],
            )
            return held.fence + 1

        fence = self._link.write(take)
        beats = beater(self._url, SCHEMA)
        if (before := self._held.get(run_id)) is not None:
            beats.let_go(run_id, before)
        self._held[run_id] = fence
        beats.hold(run_id, fence)
        return fence

    def release(self, run_id: str, fence: int) -> None:
        if self._held.get(run_id) == fence:
            del self._held[run_id]
        beater(self._url, SCHEMA).let_go(run_id, fence)
        sql = "UPDATE lease SET owner='null' WHERE run_id=%s AND fence=%s"
        self._link.write(lambda db: db.execute(sql, [run_id, fence]))
        if self._heads is not None:
            compact_heads(shard(self._heads, run_id))

    def lease(self, run_id: str) -> Lease | None:
        """A holder that is gone, or has not beaten for too long, holds it no more."""
        for row in self._link.ask(LEASE, [run_id]):
            found = read_lease(row, self.location)
            return found if found is None or holds(found, row[4]) else found._replace(owner=None)
        return None

    def commit(self, batches: Sequence[Batch]) -> None:
        heads = self._commit_durably(batches)
        self._ring([run_id for run_id, _ in heads])
        self._keep_heads(heads)

    def _commit_durably(self, batches: Sequence[Batch]) -> list[tuple[str, Head]]:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with self._link.transaction() as db:
                    return self._write_batches(db, batches)
            except Lost:  # surely not written: the transaction's number was asked for
                if time.monotonic() > deadline:
                    raise

    def _write_batches(self, db: Any, batches: Sequence[Batch]) -> list[tuple[str, Head]]:
        try:
            return write_batches(db, batches, self.location)
        except library().errors.UniqueViolation:
            raise LeaseLost("another writer was here", where=self.location) from None

    def _ring(self, run_ids: Sequence[str]) -> None:
        """In a transaction of its own, which waits for no disk: within the commit it would make all commits
        of the database wait for each other. If it is lost, followers look again by themselves."""
        with suppress(StorageError, library().Error):
            self._link.connected().execute(RING, [list(run_ids)])

    def _keep_heads(self, heads: Sequence[tuple[str, Head]]) -> None:
        if self._heads is None:
            return
        try:
            self._heads.mkdir(parents=True, exist_ok=True)
            for run_id, head in heads:
                append_heads(shard(self._heads, run_id), [(run_id, self._signed(run_id, head))])
        except OSError as error:
            raise StorageError(
                f"the head of the run cannot be written: {error.strerror}",
                where=str(self._heads),
                remedy="make room or mend the permissions, then resume the run",
                committed=True,
            ) from None
        except StorageError as error:
            error.data["committed"] = True  # the heads lag behind, which is legal; the rows are there
            raise

    def _signed(self, run_id: str, head: Head) -> Head:
        return head._replace(signature=self._signer.sign(head.line(run_id))) if self._signer else head

    def head_outside(self, run_id: str) -> Head | None:
        return read_heads(shard(self._heads, run_id)).get(run_id) if self._heads is not None else None

    # --- mail ---

    def post(self, run_id: str, kind: str, body: bytes, sender: str, at: float) -> int:
        sql = "INSERT INTO inbox(run_id,kind,body,sender,at) VALUES(%s,%s,%s,%s,%s) RETURNING id"

        def write(db: Any) -> int:
            ((number,),) = db.execute(sql, [run_id, kind, body.decode(), storable(sender), at]).fetchall()
            return int(number)

        number = self._link.write(write, f"SELECT pg_advisory_xact_lock({MAILING})")
        self._ring([run_id])
        return number

    def changed(self) -> bool:
        ((latest,),) = self._link.ask("SELECT coalesce(max(id), 0) FROM inbox")
        seen, self._seen = self._seen, int(latest)
        return seen != self._seen

    def stamp(self, run_id: str) -> object:
        """Each commit writes the row of its run anew, in another place."""
        return self._link.ask("SELECT xmin::text, ctid::text FROM run WHERE run_id=%s", [run_id])

    # --- keeping ---

    def bring_in(
        self, row: RunRow, pieces: Iterable[Batch], letters: Iterable[Mail] = (), *, fence: int | None = None
    ) -> None:
        with self._link.transaction() as db:
            if fence is None:
                check_new(db, row, self.location)
            else:
                check_fence(db, row.run_id, fence, self.location)
            write_pieces(db, pieces)
            post = list(letters)
            if post:
                db.execute("SELECT pg_advisory_xact_lock(%s)", [MAILING])
                db.cursor().executemany(LETTER, [letter_values(row, mail) for mail in post])
            self._insert(db, INSERT_RUN if fence is None else REPLACE_RUN, row)
        self._brought([row])

    def bring_all(
        self,
        runs: Sequence[tuple[RunRow, Sequence[Batch]]],
        *,
        wait: bool = True,  # noqa: ARG002 - there every run is locked by itself
    ) -> Callable[[], None]:
        with self._link.transaction() as db:
            for row, pieces in runs:
                check_new(db, row, self.location)
                write_pieces(db, pieces)
                self._insert(db, INSERT_RUN, row)
        self._brought([row for row, _ in runs])
        return lambda: None

    def _brought(self, rows: Sequence[RunRow]) -> None:
        self._ring([row.run_id for row in rows])
        self._keep_heads([head_of(row) for row in rows])

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        with self._link.snapshot():
            yield

    def weigh(self, run_id: str) -> int:
        total = 0
        for table in OF_A_RUN:
            sql = (
                f"SELECT coalesce(sum(pg_column_size(one.*)), 0)::bigint FROM {table} AS one WHERE run_id=%s"
            )
            ((found,),) = self._link.ask(sql, [run_id])
            total += int(found)
        sql = f"SELECT coalesce(sum(octet_length(body)), 0) FROM text WHERE hash IN ({FOLDED} AND run_id=%s)"
        ((texts,),) = self._link.ask(sql, [run_id])
        return total + int(texts)

    def size(self) -> int:
        tables = "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class"
        ((found,),) = self._link.ask(f"{tables} WHERE relnamespace='{SCHEMA}'::regnamespace AND relkind='r'")
        return int(found)

    def erase(self, run_id: str, at: float) -> None:
        def write(db: Any) -> None:
            row = db.execute(f"{LEASE} FOR UPDATE", [run_id]).fetchone()
            held = read_lease(row, self.location)
            if held is not None and held.owner != this_process() and holds(held, row[4]):
                raise held_error(held, self.location, here=False)
            # Locked before its forks are looked for: one that is being made waits, and then finds it pruned.
            db.execute("UPDATE run SET pruned=%s, updated=%s WHERE run_id=%s", [at, at, run_id])
            forks = "SELECT run_id FROM run WHERE parent=%s AND pruned IS NULL LIMIT 1"
            for (child,) in db.execute(forks, [run_id]).fetchall():
                raise WrongState(
                    f"run {run_id} is the past of its fork {child}",
                    where=self.location,
                    remedy="make the fork whole first",
                )
            for table in OF_A_RUN:
                db.execute(f"DELETE FROM {table} WHERE run_id=%s", [run_id])
            db.execute("UPDATE lease SET owner='null' WHERE run_id=%s", [run_id])

        self._link.write(write)

    def sweep(self) -> int:
        if self._link.ask(UNREADABLE):
            raise StorageError(
                "an effect cannot be read, and may name texts: none is dropped",
                where=self.location,
                remedy="windtunnel verify tells which",
            )
        if not self._link.ask(f"SELECT EXISTS({LOOSE})")[0][0]:
            return 0
        # Whoever writes a text holds its table until the commit: from here on nobody is in between.
        sql = f"DELETE FROM text WHERE hash IN ({LOOSE})"
        return self._link.write(lambda db: db.execute(sql).rowcount, "LOCK TABLE text IN EXCLUSIVE MODE")

    def shrink(self) -> None:
        """The room is used again for what comes; PostgreSQL seldom gives it back to the disk."""
        self._link.again(lambda db: db.execute(f"VACUUM {','.join((*OF_A_RUN, 'text', 'run', 'lease'))}"))

    def altered(self) -> list[str]:
        here, made = postgres_schema.described(self._link), postgres_schema.as_made(self._url)
        return sorted(name for name in here.keys() | made.keys() if here.get(name) != made.get(name))
