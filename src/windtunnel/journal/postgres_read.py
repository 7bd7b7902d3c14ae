"""Reading a store in PostgreSQL: each method over one run's own rows, as in SQLite.

What may be long is read a page at a time, each page after the last row of the one before: nothing is held
open at the server while a run is played along its record.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from windtunnel.codec import Segment
from windtunnel.journal.model import Arrival, Checkpoint, Effect, Entry, Mail, Operation, Place
from windtunnel.journal.postgres_link import Link

PAGE = 1000
FEW = 8  # states may be large
LAST = (1 << 63) - 1

ENTRY = "seq,turn,phase,kind,actor,convert_to(body,'UTF8'),prev,hash"
OPERATION = "seq,at,kind,convert_to(body,'UTF8'),prev,hash"
BODIES = "convert_to(request,'UTF8'),convert_to(result,'UTF8')"
EFFECT = f"turn,phase,actor,idx,kind,key,{BODIES},asked,answered,attempts"
MAIL = "id,kind,convert_to(body,'UTF8'),sender,at,taken"
CHECKPOINT = "turn,seq,state,convert_to(memory,'UTF8'),convert_to(deferred,'UTF8')"
SEGMENT = "hash,prev,count,items"


class PostgresReader:
    _link: Link

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        return self._link.ask(sql, values, binary=True)

    def _pages(
        self, sql: str, values: Sequence[Any], after: tuple[Any, ...], key: slice, page: int = PAGE
    ) -> Iterator[Any]:
        """Rows of `sql` (a condition on what comes after, and a limit, are its last values) page by page.
        `key`: which columns say where a row stands."""
        while True:
            rows = self._rows(sql, [*values, *after, page])
            yield from rows
            if len(rows) < page:
                return
            after = tuple(rows[-1][key])

    def entries(self, run_id: str, after: int = -1, upto: int | None = None) -> Iterator[Entry]:
        sql = f"SELECT {ENTRY} FROM entry WHERE run_id=%s AND seq<=%s AND seq>%s ORDER BY seq LIMIT %s"
        last = min(upto, LAST) if upto is not None else LAST
        return (Entry._make(row) for row in self._pages(sql, [run_id, last], (after,), slice(0, 1)))

    def turning_points(self, run_id: str) -> list[Entry]:
        sql = f"SELECT {ENTRY} FROM entry WHERE run_id=%s AND phase='fork' ORDER BY seq"
        return [Entry._make(row) for row in self._rows(sql, [run_id])]

    def operations(self, run_id: str, after: int = -1) -> Iterator[Operation]:
        sql = f"SELECT {OPERATION} FROM operation WHERE run_id=%s AND seq>%s ORDER BY seq LIMIT %s"
        return (Operation._make(row) for row in self._pages(sql, [run_id], (after,), slice(0, 1)))

    def last_operation(self, run_id: str, kind: str) -> Operation | None:
        sql = f"SELECT {OPERATION} FROM operation WHERE run_id=%s AND kind=%s ORDER BY seq DESC LIMIT 1"
        return next((Operation._make(row) for row in self._rows(sql, [run_id, kind])), None)

    def count_operations(self, run_id: str, kind: str) -> int:
        sql = "SELECT count(*) FROM operation WHERE run_id=%s AND kind=%s"
        return next(int(row[0]) for row in self._rows(sql, [run_id, kind]))

    def scored_seq(self, run_id: str, turn: int) -> int | None:
        sql = "SELECT seq FROM entry WHERE run_id=%s AND kind='scored' AND turn=%s"
        return next((int(row[0]) for row in self._rows(sql, [run_id, turn])), None)

    def effects(self, run_id: str, turn: int | None = None, *, kind: str = "") -> list[Effect]:
        which, values = ("", [run_id]) if turn is None else (" AND turn=%s", [run_id, turn])
        which, values = (f"{which} AND kind=%s", [*values, kind]) if kind else (which, values)
        sql = f"SELECT {EFFECT} FROM effect WHERE run_id=%s{which} ORDER BY turn, id"
        return [Effect(*row) for row in self._rows(sql, values)]

    def waiting(self, run_id: str) -> list[Effect]:
        sql = f"SELECT {EFFECT} FROM effect WHERE run_id=%s AND result IS NULL ORDER BY turn, id"
        return [Effect(*row) for row in self._rows(sql, [run_id])]

    def effect(self, run_id: str, place: Place) -> Effect | None:
        sql = f"SELECT {EFFECT} FROM effect WHERE run_id=%s AND turn=%s AND phase=%s AND actor=%s AND idx=%s"
        return next((Effect(*row) for row in self._rows(sql, [run_id, *place])), None)

    def arrivals(self, run_id: str, after: int = 0, limit: int = -1) -> list[Arrival]:
        sql = "SELECT number,turn,phase,actor,idx,answered FROM arrival WHERE run_id=%s AND number>%s"
        rows = self._rows(f"{sql} ORDER BY number LIMIT %s", [run_id, after, limit if limit >= 0 else LAST])
        return [Arrival._make(row) for row in rows]

    def last_arrival(self, run_id: str) -> int:
        ((last,),) = self._rows("SELECT coalesce(max(number),0) FROM arrival WHERE run_id=%s", [run_id])
        return int(last)

    def effects_by_place(self, run_id: str) -> Iterator[Effect]:
        sql = (
            f"SELECT {EFFECT} FROM effect WHERE run_id=%s AND (turn,phase,actor,idx)>(%s,%s,%s,%s)"
            " ORDER BY turn,phase,actor,idx LIMIT %s"
        )
        first = (-LAST, "", "", -LAST)
        return (Effect(*row) for row in self._pages(sql, [run_id], first, slice(0, 4)))

    def checkpoint(self, run_id: str, upto: int) -> Checkpoint | None:
        sql = f"SELECT {CHECKPOINT} FROM checkpoint WHERE run_id=%s AND turn<=%s ORDER BY turn DESC LIMIT 1"
        return next((Checkpoint(*row) for row in self._rows(sql, [run_id, min(upto, LAST)])), None)

    def checkpoints(self, run_id: str) -> Iterator[Checkpoint]:
        sql = f"SELECT {CHECKPOINT} FROM checkpoint WHERE run_id=%s AND turn>%s ORDER BY turn LIMIT %s"
        return (Checkpoint(*row) for row in self._pages(sql, [run_id], (-LAST,), slice(0, 1), FEW))

    def segment(self, run_id: str, hash: bytes) -> Segment | None:
        sql = f"SELECT {SEGMENT} FROM segment WHERE run_id=%s AND hash=%s"
        return next((Segment._make(row) for row in self._rows(sql, [run_id, hash])), None)

    def segments(self, run_id: str) -> Iterator[Segment]:
        sql = f"SELECT {SEGMENT},id FROM segment WHERE run_id=%s AND id>%s ORDER BY id LIMIT %s"
        return (Segment._make(row[:4]) for row in self._pages(sql, [run_id], (0,), slice(4, 5), FEW))

    def text(self, hash: bytes) -> bytes | None:
        rows = self._rows("SELECT convert_to(body,'UTF8') FROM text WHERE hash=%s", [hash])
        return next((bytes(row[0]) for row in rows), None)

    def scored(self, run_id: str, after: int = -1, upto: int | None = None) -> Iterator[tuple[int, bytes]]:
        sql = (
            "SELECT turn,convert_to(body,'UTF8') FROM entry"
            " WHERE run_id=%s AND kind='scored' AND turn<=%s AND turn>%s ORDER BY turn LIMIT %s"
        )
        last = min(upto, LAST) if upto is not None else LAST
        return self._pages(sql, [run_id, last], (after,), slice(0, 1))

    def mail(self, run_id: str, *, taken_in: int | None = None) -> list[Mail]:
        sql = f"SELECT {MAIL} FROM inbox WHERE run_id=%s AND taken IS NULL"
        values: list[Any] = [run_id]
        if taken_in is not None:
            sql += f" UNION ALL SELECT {MAIL} FROM inbox WHERE run_id=%s AND taken=%s"
            values += [run_id, taken_in]
        return [Mail(*row) for row in self._rows(f"{sql} ORDER BY id", values)]

    def letters(self, run_id: str) -> Iterator[Mail]:
        sql = f"SELECT {MAIL} FROM inbox WHERE run_id=%s AND id>%s ORDER BY id LIMIT %s"
        return (Mail(*row) for row in self._pages(sql, [run_id], (0,), slice(0, 1)))
