"""Accounts that outlive a process: one SQLite file of the workspace, shared by all its processes.

A reservation is on the disk before the call goes out (`BEGIN IMMEDIATE`, `synchronous=FULL`), so two
processes can never both take the last cent, and a process that dies leaves what it
had reserved reserved. `in_doubt` lists such reservations; `clear` gives one back, once
somebody has looked at the provider's bill.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import apsw

from windtunnel.errors import StorageError
from windtunnel.models.budget import NOTHING, Amount, Ceiling, reached

BUSY_MILLISECONDS = 30_000
FILE = "accounts.sqlite"
TABLES = """
create table if not exists account (
    name text primary key, money integer not null default 0, tokens integer not null default 0
) strict, without rowid;
create table if not exists reservation (
    id integer primary key autoincrement, account text not null, key text not null,
    money integer not null, tokens integer not null, open integer not null default 1
) strict;
create index if not exists reservation_of on reservation (account);
"""


class Doubt(NamedTuple):
    """A reservation: `open` while its call may be under way, else kept because nobody knows how it ended."""

    id: int
    account: str
    key: str
    amount: Amount
    open: bool


class Ledger:
    """The file. One for a process is enough; threads may share it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        with self._told():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = apsw.Connection(str(path))
            self._db.set_busy_timeout(BUSY_MILLISECONDS)
            self._db.execute("pragma journal_mode=wal; pragma synchronous=full")
            self._db.execute(TABLES)

    def account(self, name: str, ceiling: Ceiling, *, remedy: str = "") -> LastingPurse:
        return LastingPurse(self, name, ceiling, remedy)

    def totals(self, name: str) -> tuple[Amount, Amount]:
        """What was spent, and what is reserved."""
        with self._lock, self._told():
            return self._totals(name)

    def accounts(self) -> list[str]:
        """Every account that anything was ever spent on or reserved for."""
        with self._lock, self._told():
            names = self._db.execute(
                "select name from account union select account from reservation order by 1"
            )
            return [str(name) for (name,) in names]

    def in_doubt(self) -> list[Doubt]:
        with self._lock, self._told():
            rows = self._db.execute(
                "select id, account, key, money, tokens, open from reservation order by id"
            )
            return [Doubt(id, account, key, Amount(m, t), bool(o)) for id, account, key, m, t, o in rows]  # noqa: A001

    def clear(self, id: int, spent: Amount = NOTHING) -> bool:  # noqa: A002 - as the column is called
        """Close a reservation at what the provider's bill says; False if there is none."""
        with self._writing():
            return self._settle(id, spent)

    def close(self) -> None:
        with self._lock, self._told():
            self._db.close()

    # --- for its accounts ---

    def reserve(self, account: LastingPurse, key: str, amount: Amount) -> int:
        with self._writing():
            spent, reserved = self._totals(account.name)
            if not account.ceiling.holds(spent.plus(reserved).plus(amount)):
                under_way = self._sum(account.name, "and open")
                settled = spent.plus(reserved).minus(under_way)
                # Only calls of this process can say that they ended: others are not waited for.
                may_wait = bool(account.mine) and account.ceiling.holds(settled.plus(amount))
                raise reached(account, key, amount, spent, reserved, account.remedy, may_wait=may_wait)
            self._db.execute(
                "insert into reservation (account, key, money, tokens) values (?, ?, ?, ?)",
                (account.name, key, amount.money, amount.tokens),
            )
            return int(self._db.last_insert_rowid())

    def settle(self, hold: int, spent: Amount) -> None:
        with self._writing():
            self._settle(hold, spent)

    def keep(self, hold: int) -> None:
        with self._writing():
            self._db.execute("update reservation set open = 0 where id = ?", (hold,))

    def _settle(self, hold: int, spent: Amount) -> bool:
        gone = self._db.execute("delete from reservation where id = ? returning account", (hold,)).fetchall()
        for (name,) in gone:
            self._db.execute(
                "insert into account values (?1, ?2, ?3) on conflict (name) do update set "
                "money = money + ?2, tokens = tokens + ?3",
                (name, spent.money, spent.tokens),
            )
        return bool(gone)

    def _totals(self, name: str) -> tuple[Amount, Amount]:
        row = self._db.execute("select money, tokens from account where name = ?", (name,)).fetchone()
        return Amount(*(row or (0, 0))), self._sum(name, "")

    def _sum(self, name: str, more: str) -> Amount:
        sums = "select coalesce(sum(money), 0), coalesce(sum(tokens), 0) from reservation where account = ?"
        row: Any = self._db.execute(f"{sums} {more}", (name,)).fetchone()
        return Amount(*row)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock, self._told():
            self._db.execute("begin immediate")
            try:
                yield
                self._db.execute("commit")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (apsw.Error, OSError) as error:
            raise StorageError(
                f"the accounts of the workspace cannot be read or written: {error}",
                where=str(self.path),
                remedy="free the disk or mend the file's rights; no call is made before that",
            ) from None


class LastingPurse:
    """One account of the file."""

    def __init__(self, ledger: Ledger, name: str, ceiling: Ceiling, remedy: str) -> None:
        self.name, self.ceiling, self.remedy = name, ceiling, remedy
        self._ledger = ledger
        self.mine: set[int] = set()

    @property
    def spent(self) -> Amount:
        return self._ledger.totals(self.name)[0]

    @property
    def reserved(self) -> Amount:
        return self._ledger.totals(self.name)[1]

    def reserve(self, key: str, amount: Amount) -> int:
        hold = self._ledger.reserve(self, key, amount)
        self.mine.add(hold)
        return hold

    def settle(self, hold: int, spent: Amount) -> None:
        self._ledger.settle(hold, spent)
        self.mine.discard(hold)

    def keep(self, hold: int) -> None:
        self._ledger.keep(hold)
        self.mine.discard(hold)
