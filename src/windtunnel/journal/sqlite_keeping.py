"""What a SQLite store is asked besides runs: its size, what goes, whether it is as it was made, a copy."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw

from windtunnel.errors import StorageError, WrongState
from windtunnel.journal.lease import lives, this_process
from windtunnel.journal.schema import tables
from windtunnel.journal.sqlite_read import SqliteReader
from windtunnel.journal.sqlite_rows import OF_A_RUN, Transaction, drop_texts, held_error, read_lease

BACKUP_SECONDS = 600


class SqliteKeeper(SqliteReader):
    path: Path
    _db: apsw.Connection

    @abstractmethod
    def _storage_error(self, error: Exception) -> StorageError: ...

    def _immediate(self) -> Transaction:
        return Transaction(self._db)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        if self._db.in_transaction:
            yield
            return
        try:
            self._db.execute("BEGIN; SELECT 1 FROM run LIMIT 1")
        except apsw.Error as error:
            raise self._storage_error(error) from None
        try:
            yield
        finally:
            with suppress(apsw.Error):
                self._db.execute("ROLLBACK")

    def weigh(self, run_id: str) -> int:
        total = 0
        for table in OF_A_RUN:
            columns = [row[0] for row in self._rows(f"SELECT name FROM pragma_table_info('{table}')")]
            if not columns:
                continue  # an older format, only read
            size = "+".join(f"coalesce(length(CAST({column} AS BLOB)),0)" for column in columns)
            ((found,),) = self._rows(f"SELECT coalesce(sum({size}),0) FROM {table} WHERE run_id=?", [run_id])
            total += found
        return total + sum(len(self.text(hash) or b"") for hash in self._named(run_id))

    def size(self) -> int:
        files = (self.path, Path(f"{self.path}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def erase(self, run_id: str, at: float) -> None:
        try:
            with self._immediate() as db:
                held = read_lease(db, run_id)
                if held and held.owner and lives(held.owner) and held.owner != this_process():
                    raise held_error(run_id, held.owner, self.location)
                for (child,) in db.execute(
                    "SELECT run_id FROM run WHERE parent=? AND pruned IS NULL", [run_id]
                ):
                    raise WrongState(
                        f"run {run_id} is the past of its fork {child}",
                        where=self.location,
                        remedy="make the fork whole first",
                    )
                for table in OF_A_RUN:
                    db.execute(f"DELETE FROM {table} WHERE run_id=?", [run_id])
                db.execute("UPDATE lease SET owner='null' WHERE run_id=?", [run_id])
                db.execute("UPDATE run SET pruned=?, updated=? WHERE run_id=?", [at, at, run_id])
        except apsw.Error as error:
            raise self._storage_error(error) from None

    def sweep(self) -> int:
        try:
            with self._immediate() as db:
                return drop_texts(db, but=self._named())
        except apsw.Error as error:
            raise self._storage_error(error) from None

    def shrink(self) -> None:
        try:
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except apsw.Error as error:
            raise self._storage_error(error) from None

    def altered(self) -> list[str]:
        plain = apsw.Connection(":memory:")
        plain.execute(tables(self._db.pragma("user_version")))
        sql = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL"
        made = set(plain.execute(sql))
        plain.close()
        here = {row for row in self._rows(sql) if not str(row[1]).startswith("sqlite_")}
        made = {row for row in made if not str(row[1]).startswith("sqlite_")}
        return sorted({f"{kind} {name}" for kind, name, _ in made ^ here})

    def backup(self, to: SqliteKeeper | Path) -> None:
        """A whole copy while runs go on, by SQLite's online backup."""
        target = apsw.Connection(str(to if isinstance(to, Path) else to.path))
        try:
            # One read snapshot for all of it: otherwise every commit of a writer would start the copy again.
            self._db.execute("BEGIN; SELECT 1 FROM run LIMIT 1")
            deadline = time.monotonic() + BACKUP_SECONDS
            with target.backup("main", self._db, "main") as copy:
                while not copy.done:
                    if time.monotonic() > deadline:
                        raise StorageError("the backup did not end in time", where=self.location)
                    copy.step(1000)
            target.execute("PRAGMA journal_mode=WAL; PRAGMA wal_checkpoint(TRUNCATE)")
        except apsw.Error as error:
            raise self._storage_error(error) from None
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            target.close()
