"""Reading a SQLite store: each method over one run's own rows; `Lineage` joins a fork to its past."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

from windtunnel.codec import Segment
from windtunnel.journal.bundles import unbundled
from windtunnel.journal.model import Arrival, Checkpoint, Effect, Entry, Operation, Place
from windtunnel.journal.schema import BUNDLED
from windtunnel.journal.sqlite_rows import EFFECT_COLUMNS, read_effect
from windtunnel.journal.texts import named


class SqliteReader(ABC):
    @property
    @abstractmethod
    def location(self) -> str: ...

    @abstractmethod
    def _rows(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        """What a query finds; an error of the database in our words."""

    @abstractmethod
    def _format(self) -> int:
        """Of the store as it is now: who only reads an older one may see it brought up by another."""

    _has_bundles = False  # once it has the table it keeps it

    def _bundle(self, run_id: str) -> list[Entry]:
        """The entries that stand in one row; what stands in rows of its own follows them."""
        self._has_bundles = self._has_bundles or self._format() >= BUNDLED
        if not self._has_bundles:
            return []
        sql = "SELECT CAST(lines AS BLOB),CAST(hashes AS BLOB) FROM bundle WHERE run_id=?"
        rows = self._rows(sql, [run_id])
        return [entry for row in rows for entry in unbundled(*row, where=f"{self.location}, run {run_id}")]

    def entries(self, run_id: str, after: int = -1, upto: int | None = None) -> Iterator[Entry]:
        last = upto if upto is not None else 1 << 62
        yield from [one for one in self._bundle(run_id) if after < one.seq <= last]
        sql = (
            "SELECT seq,turn,phase,kind,actor,CAST(body AS BLOB),prev,hash FROM entry"
            " WHERE run_id=? AND seq>? AND seq<=? ORDER BY seq"
        )
        yield from map(Entry._make, self._rows(sql, [run_id, after, last]))

    def turning_points(self, run_id: str) -> list[Entry]:
        sql = (
            "SELECT seq,turn,phase,kind,actor,CAST(body AS BLOB),prev,hash FROM entry"
            " WHERE run_id=? AND phase='fork' ORDER BY seq"
        )
        turning = [one for one in self._bundle(run_id) if one.phase == "fork"]
        return turning + [Entry._make(row) for row in self._rows(sql, [run_id])]

    def operations(self, run_id: str, after: int = -1) -> Iterator[Operation]:
        sql = (
            "SELECT seq,at,kind,CAST(body AS BLOB),prev,hash FROM operation"
            " WHERE run_id=? AND seq>? ORDER BY seq"
        )
        return (Operation._make(row) for row in self._rows(sql, [run_id, after]))

    def last_operation(self, run_id: str, kind: str) -> Operation | None:
        sql = (
            "SELECT seq,at,kind,CAST(body AS BLOB),prev,hash FROM operation"
            " WHERE run_id=? AND kind=? ORDER BY seq DESC LIMIT 1"
        )
        return next((Operation._make(row) for row in self._rows(sql, [run_id, kind])), None)

    def count_operations(self, run_id: str, kind: str) -> int:
        sql = "SELECT count(*) FROM operation WHERE run_id=? AND kind=?"
        return next(int(row[0]) for row in self._rows(sql, [run_id, kind]))

    def scored_seq(self, run_id: str, turn: int) -> int | None:
        for one in self._bundle(run_id):
            if one.kind == "scored" and one.turn == turn:
                return one.seq
        sql = "SELECT seq FROM entry WHERE run_id=? AND kind='scored' AND turn=?"
        return next((row[0] for row in self._rows(sql, [run_id, turn])), None)

    def effects(self, run_id: str, turn: int | None = None, *, kind: str = "") -> list[Effect]:
        which, values = ("", [run_id]) if turn is None else (" AND turn=?", [run_id, turn])
        which, values = (f"{which} AND kind=?", [*values, kind]) if kind else (which, values)
        sql = f"SELECT {EFFECT_COLUMNS} FROM effect WHERE run_id=?{which} ORDER BY turn, rowid"
        return [read_effect(row) for row in self._rows(sql, values)]

    def waiting(self, run_id: str) -> list[Effect]:
        sql = f"SELECT {EFFECT_COLUMNS} FROM effect WHERE run_id=? AND result IS NULL ORDER BY turn, rowid"
        return [read_effect(row) for row in self._rows(sql, [run_id])]

    def effect(self, run_id: str, place: Place) -> Effect | None:
        sql = (
            f"SELECT {EFFECT_COLUMNS} FROM effect WHERE run_id=? AND turn=? AND phase=? AND actor=? AND idx=?"
        )
        return next((read_effect(row) for row in self._rows(sql, [run_id, *place])), None)

    def arrivals(self, run_id: str, after: int = 0, limit: int = -1) -> list[Arrival]:
        if self._format() < 3:
            return []
        sql = "SELECT number,turn,phase,actor,idx,answered FROM arrival WHERE run_id=? AND number>?"
        rows = self._rows(f"{sql} ORDER BY number LIMIT ?", [run_id, after, limit])
        return [
            Arrival(number, turn, phase, actor, idx, bool(answered))
            for number, turn, phase, actor, idx, answered in rows
        ]

    def last_arrival(self, run_id: str) -> int:
        if self._format() < 3:
            return 0
        ((last,),) = self._rows("SELECT coalesce(max(number),0) FROM arrival WHERE run_id=?", [run_id])
        return int(last)

    def effects_by_place(self, run_id: str) -> Iterator[Effect]:
        sql = f"SELECT {EFFECT_COLUMNS} FROM effect WHERE run_id=? ORDER BY turn, phase, actor, idx"
        return (read_effect(row) for row in self._rows(sql, [run_id]))

    def checkpoint(self, run_id: str, upto: int) -> Checkpoint | None:
        sql = (
            "SELECT turn,seq,CAST(state AS BLOB),CAST(memory AS BLOB),CAST(deferred AS BLOB) FROM checkpoint"
            " WHERE run_id=? AND turn<=? ORDER BY turn DESC LIMIT 1"
        )
        return next((Checkpoint(*row) for row in self._rows(sql, [run_id, upto])), None)

    def checkpoints(self, run_id: str) -> Iterator[Checkpoint]:
        sql = (
            "SELECT turn,seq,CAST(state AS BLOB),CAST(memory AS BLOB),CAST(deferred AS BLOB) FROM checkpoint"
            " WHERE run_id=? ORDER BY turn"
        )
        return (Checkpoint(*row) for row in self._rows(sql, [run_id]))

    def segment(self, run_id: str, hash: bytes) -> Segment | None:
        sql = "SELECT hash,prev,count,CAST(items AS BLOB) FROM segment WHERE run_id=? AND hash=?"
        return next((Segment._make(row) for row in self._rows(sql, [run_id, hash])), None)

    def segments(self, run_id: str) -> Iterator[Segment]:
        sql = "SELECT hash,prev,count,CAST(items AS BLOB) FROM segment WHERE run_id=? ORDER BY rowid"
        return (Segment._make(row) for row in self._rows(sql, [run_id]))

    def text(self, hash: bytes) -> bytes | None:
        if self._format() < 2:
            return None
        sql = "SELECT CAST(body AS BLOB) FROM text WHERE hash=?"
        return next((row[0] for row in self._rows(sql, [hash])), None)

    def _named(self, run_id: str | None = None) -> set[bytes]:
        """The texts that the effects name: of a run, or all there are."""
        folded = "SELECT CAST(request AS BLOB),CAST(result AS BLOB) FROM effect WHERE"
        folded += " (substr(request,1,1)=' ' OR substr(result,1,1)=' ')"
        rows = self._rows(f"{folded} AND run_id=?", [run_id]) if run_id is not None else self._rows(folded)
        return {hash for row in rows for raw in row for hash in named(raw)}

    def scored(self, run_id: str, after: int = -1, upto: int | None = None) -> Iterator[tuple[int, bytes]]:
        last = upto if upto is not None else 1 << 62
        for one in self._bundle(run_id):
            if one.kind == "scored" and after < one.turn <= last:
                yield one.turn, one.body
        sql = (
            "SELECT turn,CAST(body AS BLOB) FROM entry"
            " WHERE run_id=? AND kind='scored' AND turn>? AND turn<=? ORDER BY turn"
        )
        yield from self._rows(sql, [run_id, after, last])
