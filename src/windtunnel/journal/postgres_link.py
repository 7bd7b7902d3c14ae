"""A connection to PostgreSQL that outlives restarts of the server, and its errors in our words.

What was only read is read again after a loss. A COMMIT whose answer was lost is never repeated blindly: each
transaction leaves a mark in a row of its connection's own, and once the server is back that is looked for.
Its number alone would not do: a server that crashed gives numbers again that had not reached the disk.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from windtunnel.errors import StorageError, UsageError
from windtunnel.journal.address import scrub, shown

if TYPE_CHECKING:
    from psycopg import Connection

    Db = Connection[tuple[Any, ...]]

T = TypeVar("T")
Values = Sequence[Any]

OLDEST = 16  # the oldest server that knows all that is asked of it
CONNECT_SECONDS = 10
PATIENCE = 30.0  # how long a server that was there is waited for
LOCK_SECONDS = 30
PAUSE = 0.05
# Of each connection that writes, the last transaction that was committed.
MARKS = (
    'CREATE TABLE IF NOT EXISTS mark(session text COLLATE "C" PRIMARY KEY, number bigint NOT NULL,'
    " at timestamptz NOT NULL)"
)
MARK = (
    "INSERT INTO mark VALUES(%s,%s,now()) ON CONFLICT(session) DO UPDATE SET number=excluded.number, at=now()"
)
# With its own at its end, those of connections that were cut off long ago.
UNMARK = "DELETE FROM mark WHERE session=%s OR at < now() - interval '7 days'"
MAKING = 7_411_100  # who lays tables, one at a time: an advisory lock
# What a session needs whatever the server's own settings are: a commit that returned is on the disk.
SESSION = (
    "SET synchronous_commit = on; SET client_encoding = 'UTF8'; SET standard_conforming_strings = on;"
    f" SET lock_timeout = '{LOCK_SECONDS}s'; SET idle_in_transaction_session_timeout = '60s';"
    " SET bytea_output = 'hex'; SET jit = off"
)
# Whoever only reads holds nobody up, and may take its time between two pages.
SNAPSHOT = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
    " SET LOCAL idle_in_transaction_session_timeout = '15min'; SELECT 1"
)
_IN_THE_WAY = frozenset({"40001", "40P01"})  # the server chose this transaction to give way to another
_LOST = frozenset({"57P01", "57P02", "57P03", "57P05", "25P03", "25P04"})  # the server ended the connection


class Held(NamedTuple):
    """A transaction that is open: its number at the server, the server's process, its number here."""

    xid: str
    pid: int
    number: int


class Lost(StorageError):
    """Nothing was committed, and it may be tried again: the connection went, or another was in the way."""


def library() -> Any:
    try:
        import psycopg  # noqa: PLC0415 - late: an extra, and heavy
    except ImportError:
        raise UsageError(
            "a PostgreSQL store needs the extra `postgres`", remedy="pip install 'windtunnel[postgres]'"
        ) from None
    # What it has to say of connections that were lost is said here, in errors; not on the terminal besides.
    logging.getLogger("psycopg").addHandler(logging.NullHandler())
    return psycopg


class Link:
    """`schema`: the tables of this link stand in it. One statement or transaction at a time, any thread.
    `marks`: the schema has the table `mark`, so that what became of a transaction can be told."""

    def __init__(self, url: str, schema: str, *, read_only: bool = False, marks: bool = False) -> None:
        self._psycopg = library()
        self._url, self.schema, self._read_only = url, schema, read_only
        self.location = shown(url)
        self.lock = threading.RLock()
        self.depth = 0  # transactions and snapshots that are open
        self._db: Db | None = None
        self.generation = 0  # grows with every new connection
        self._session = secrets.token_hex(12) if marks else ""
        self._number = 0  # of its transactions
        self.connected()

    @property
    def errors(self) -> type[Exception]:
        """What the library raises."""
        errors: type[Exception] = self._psycopg.Error
        return errors

    # --- the connection ---

    def connected(self, patience: float = 0.0) -> Db:
        """The connection; a new one if it was lost. A server that just starts is waited for in any case."""
        if self._db is not None and not self._db.closed:
            return self._db
        deadline = time.monotonic() + patience
        latest = time.monotonic() + PATIENCE
        while True:
            try:
                self._db = self._connect()
            except self._psycopg.Error as error:
                until = latest if _starting(error) else deadline
                if time.monotonic() > until or not _worth_waiting(error):
                    raise self.told(error) from None
                time.sleep(PAUSE)
            else:
                self.generation += 1
                return self._db

    def _connect(self) -> Db:
        db: Db = self._psycopg.connect(
            self._url, autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="windtunnel",
            keepalives_idle=10, keepalives_interval=5, keepalives_count=3,
        )  # fmt: skip
        try:
            db.prepare_threshold = 2
            db.adapters.register_loader("numeric", _number())
            db.execute(SESSION)
            db.execute(f"SET search_path = {self.schema}")
            if self._read_only:
                db.execute("SET default_transaction_read_only = on")
            self._check_server(db)
        except BaseException:
            db.close()
            raise
        return db

    def _check_server(self, db: Db) -> None:
        if db.info.server_version < OLDEST * 10_000:
            raise StorageError(
                f"this is PostgreSQL {db.info.server_version // 10_000}",
                where=self.location,
                remedy=f"{OLDEST} or newer is needed",
            )
        encoding = db.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise StorageError(
                f"the database's encoding is {encoding}",
                where=self.location,
                remedy="CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and name that one",
            )

    def drop(self) -> None:
        if self._db is not None:
            with suppress(Exception):
                self._db.close()
        self._db = None

    def close(self) -> None:
        with self.lock:
            if self._session and self._number and self._db is not None and not self._db.closed:
                with suppress(self._psycopg.Error):  # it need not reach the disk
                    self._db.execute("SET synchronous_commit = off")
                    self._db.execute(UNMARK, [self._session])
            self.drop()

    def is_lost(self, error: Exception) -> bool:
        """Whether the connection went with this error."""
        state = getattr(error, "sqlstate", None)
        if state is not None and (state in _LOST or state.startswith("08")):
            self.drop()
            return True
        # What the library has to say of itself, such as of a pipeline that a server which went cut in two: a
        # connection in that state is as good as lost. A statement of a pipeline that did not come to its turn
        # is none of it: the error before it tells why.
        own = state is None and isinstance(error, self._psycopg.OperationalError)
        if own and not isinstance(error, self._psycopg.errors.PipelineAborted):
            self.drop()
            return True
        return self._db is None or self._db.closed

    # --- asking ---

    def ask(self, sql: str, values: Values = (), *, binary: bool = False) -> list[Any]:
        """Read. What a lost connection did not answer is asked again, unless it belongs to a snapshot."""
        with self.lock:
            return self.again(lambda db: db.cursor(binary=binary).execute(sql, values).fetchall())

    def again(self, ask: Callable[[Db], T]) -> T:
        deadline = time.monotonic() + PATIENCE
        while True:
            inside = self.depth > 0
            db = self.connected(0.0 if inside or not self.generation else PATIENCE)
            try:
                return ask(db)
            except self._psycopg.Error as error:
                lost = self.is_lost(error)
                if not lost or inside or time.monotonic() > deadline:
                    raise self.told(error, lost=lost) from None

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """What is read inside is of one moment."""
        with self.lock:
            if self.depth:
                yield
                return
            self.again(lambda db: db.execute(SNAPSHOT))
            self.depth += 1
            try:
                yield
            finally:
                self.depth -= 1
                self._roll_back()

    @contextmanager
    def transaction(self, first: str = "", values: Values = ()) -> Iterator[Db]:
        """BEGIN … COMMIT, rolled back on any error. `first` is run at its beginning, such as taking a lock.

        `Lost` if the connection goes before the commit: nothing was written then. If it goes with the
        commit, the server is asked what became of it."""
        with self.lock:
            if self.depth:
                raise StorageError("a transaction stands inside another", where=self.location)
            db, held = self._begin(first, values)
            self.depth += 1
            try:
                try:
                    yield db
                except BaseException as error:
                    if isinstance(error, self._psycopg.Error):
                        raise self.told(error, lost=self.is_lost(error)) from None
                    raise
                self._commit(db, held)
            finally:
                self.depth -= 1
                self._roll_back()

    def write(self, write: Callable[[Db], T], first: str = "", values: Values = ()) -> T:
        """A transaction that is run again if its connection was lost before the commit."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with self.transaction(first, values) as db:
                    return write(db)
            except Lost:
                if time.monotonic() > deadline:
                    raise

    def _begin(self, first: str, values: Values) -> tuple[Db, Held]:
        self._number += 1

        def begin(db: Db) -> tuple[Db, Held]:
            try:
                with db.pipeline():
                    db.execute("BEGIN")
                    if first:
                        db.execute(first, values)
                    if self._session:
                        db.execute(MARK, [self._session, self._number])
                    asked = db.execute("SELECT pg_current_xact_id()::text, pg_backend_pid()")
                ((xid, pid),) = asked.fetchall()
            except self._psycopg.Error as error:
                if not self.is_lost(error):
                    with suppress(self._psycopg.Error):
                        db.execute("ROLLBACK")
                raise
            return db, Held(str(xid), int(pid), self._number)

        return self.again(begin)

    def _commit(self, db: Db, held: Held) -> None:
        try:
            db.execute("COMMIT", prepare=False)
        except self._psycopg.Error as error:
            if not self.is_lost(error):
                raise self.told(error) from None
            if not self.arrived(held):
                raise self.told(error, lost=True) from None

    def arrived(self, held: Held) -> bool:
        """What became of a transaction whose answer was lost."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            db = self.connected(PATIENCE)
            try:
                if not self._ended(db, held):  # its session may not have noticed yet that we are gone
                    sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid=%s"
                    db.execute(f"{sql} AND backend_xid=%s::xid8::xid", [held.pid, held.xid])
                elif self._session:
                    sql = "SELECT 1 FROM mark WHERE session=%s AND number=%s"
                    return db.execute(sql, [self._session, held.number]).fetchone() is not None
                else:
                    break
            except self._psycopg.Error as error:
                if not self.is_lost(error):
                    raise self.told(error) from None
            time.sleep(PAUSE)
        raise StorageError(
            f"what became of transaction {held.xid} cannot be told: its answer was lost",
            where=self.location,
            remedy="look at what should be there before you do it again",
        )

    def _ended(self, db: Db, held: Held) -> bool:
        """Whether it is over, one way or the other."""
        try:
            ((status,),) = db.execute("SELECT pg_xact_status(%s::xid8)", [held.xid]).fetchall()
        except self._psycopg.errors.InvalidParameterValue:
            return True  # a number to come: the server crashed, and never wrote down that it had given it
        return bool(status != "in progress")

    def _roll_back(self) -> None:
        db = self._db
        if db is None or db.closed or db.info.transaction_status == 0:  # idle
            return
        try:
            db.execute("ROLLBACK")
        except self._psycopg.Error:
            self.drop()

    # --- errors ---

    def told(self, error: Exception, *, lost: bool = False) -> StorageError:
        errors, where = self._psycopg.errors, self.location
        said = scrub(str(error), self._url).strip().splitlines()
        why = said[0] if said else type(error).__name__
        if isinstance(error, errors.DiskFull):
            return StorageError(
                "the disk of the database is full", where=where, remedy="make room, then try again"
            )
        if isinstance(error, errors.LockNotAvailable):
            return StorageError(
                f"another process kept the database locked for {LOCK_SECONDS} seconds",
                where=where,
                remedy="end what holds it (pg_stat_activity shows it), then try again",
            )
        if isinstance(error, errors.InsufficientPrivilege | errors.ReadOnlySqlTransaction):
            return StorageError(
                f"the database refuses: {why}", where=where, remedy="docs/postgres.md: set-up"
            )
        if getattr(error, "sqlstate", None) in _IN_THE_WAY:
            return Lost(f"another writer was in the way: {why}", where=where, remedy="try again")
        if lost:
            return Lost(
                f"the connection was lost, nothing was written: {why}", where=where, remedy="try again"
            )
        if getattr(error, "sqlstate", None) is None or isinstance(error, self._psycopg.OperationalError):
            return StorageError(
                f"PostgreSQL does not answer: {why}",
                where=where,
                remedy="start it, or mend [store] url in windtunnel.toml",
            )
        return StorageError(f"the database cannot be used: {why}", where=where)


def _starting(error: Exception) -> bool:
    """A server that is there and not ready yet: its refusal of a new connection carries no code."""
    return getattr(error, "sqlstate", None) == "57P03" or any(
        words in str(error) for words in ("is starting up", "recovery mode", "is shutting down")
    )


def _worth_waiting(error: Exception) -> bool:
    """Not a wrong name or password: those are no better in a second."""
    text = str(error)
    never = ("authentication failed", "does not exist", "no password supplied", "no pg_hba.conf entry")
    return not any(words in text for words in never)


def _number() -> Any:
    """Sums of integers are `numeric` in PostgreSQL, and would come as Decimal."""
    from psycopg.adapt import Loader  # noqa: PLC0415 - late: an extra

    class Number(Loader):
        def load(self, data: Any) -> int | float:
            text = bytes(data)
            return int(text) if text.lstrip(b"-").isdigit() else float(text)

    return Number
