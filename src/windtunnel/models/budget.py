"""Accounts: what may be spent, exactly, however many calls are under way.

Before a call the worst case is reserved on every account it stands under (call, run, tournament, evolution,
workspace), on all of them or on none; after it the reservation is settled at what was paid. A reservation
whose end nobody knows (the connection broke after the request had gone out) stays: the money may be gone.
Money is whole micro-dollars; nothing here knows a float.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from threading import Lock
from typing import NamedTuple, Protocol

from windtunnel.config.models import Limit
from windtunnel.errors import BudgetReached
from windtunnel.models.prices import money as to_micro

LOOK_AGAIN = 1.0  # seconds: who shares an account on another thread cannot wake a call that waits here


class Amount(NamedTuple):
    """Micro-dollars and tokens."""

    money: int = 0
    tokens: int = 0

    def plus(self, other: Amount) -> Amount:
        return Amount(self.money + other.money, self.tokens + other.tokens)

    def minus(self, other: Amount) -> Amount:
        return Amount(self.money - other.money, self.tokens - other.tokens)


NOTHING = Amount()


class Ceiling(NamedTuple):
    """What an account may reach; None is no limit."""

    money: int | None = None
    tokens: int | None = None

    @classmethod
    def of(cls, limit: Limit) -> Ceiling:
        return cls(None if limit.money is None else to_micro(limit.money), limit.tokens)

    def holds(self, total: Amount) -> bool:
        return (self.money is None or total.money <= self.money) and (
            self.tokens is None or total.tokens <= self.tokens
        )


class Account(Protocol):
    """One purse. `reserve` gives what `settle` and `keep` take back, or raises BudgetReached."""

    name: str
    ceiling: Ceiling

    def reserve(self, key: str, amount: Amount) -> int: ...

    def settle(self, hold: int, spent: Amount) -> None:
        """The call is over and cost this much; nothing, if it never reached the provider."""

    def keep(self, hold: int) -> None:
        """Nobody knows how the call ended: what was reserved for it stays reserved."""


class Purse:
    """An account that lives as long as its process: a call's, or a run's, rebuilt from its journal."""

    def __init__(
        self, name: str, ceiling: Ceiling, earlier: Iterable[tuple[Amount, Amount]] = (), *, remedy: str = ""
    ) -> None:
        """`earlier`: what each call of the journal cost, and what is still reserved for it."""
        self.name, self.ceiling = name, ceiling
        self._remedy = remedy
        self._lock = Lock()  # runs of one process may play on threads of their own
        self._open: dict[int, Amount] = {}
        self._next = 0
        self.spent, self.doubtful, self._under_way = Amount(), Amount(), Amount()
        for cost, reserved in earlier:
            self.spent, self.doubtful = self.spent.plus(cost), self.doubtful.plus(reserved)

    @property
    def reserved(self) -> Amount:
        return self.doubtful.plus(self._under_way)

    def reserve(self, key: str, amount: Amount) -> int:
        with self._lock:
            firm = self.spent.plus(self.doubtful)
            if not self.ceiling.holds(firm.plus(self._under_way).plus(amount)):
                may_wait = bool(self._open) and self.ceiling.holds(firm.plus(amount))
                raise reached(self, key, amount, self.spent, self.reserved, self._remedy, may_wait=may_wait)
            self._next += 1
            self._open[self._next] = amount
            self._under_way = self._under_way.plus(amount)
            return self._next

    def settle(self, hold: int, spent: Amount) -> None:
        with self._lock:
            self._under_way = self._under_way.minus(self._open.pop(hold))
            self.spent = self.spent.plus(spent)

    def keep(self, hold: int) -> None:
        with self._lock:
            amount = self._open.pop(hold)
            self._under_way = self._under_way.minus(amount)
            self.doubtful = self.doubtful.plus(amount)


def reached(
    account: Account,
    key: str,
    wanted: Amount,
    spent: Amount,
    reserved: Amount,
    remedy: str,
    *,
    may_wait: bool,
) -> BudgetReached:
    money = account.ceiling.money is not None and (
        spent.money + reserved.money + wanted.money > account.ceiling.money
    )
    if money:
        told = [
            dollars(one) for one in (account.ceiling.money or 0, spent.money, reserved.money, wanted.money)
        ]
    else:
        told = [
            f"{one:,} tokens"
            for one in (account.ceiling.tokens or 0, spent.tokens, reserved.tokens, wanted.tokens)
        ]
    return BudgetReached(
        f"the budget of {told[0]} is reached: {told[1]} spent, {told[2]} reserved, and the next call could "
        f"take {told[3]}",
        where=account.name,
        remedy=remedy
        or f"raise models.budgets.{account.name.partition(' ')[0]} in windtunnel.toml, then resume",
        account=account.name,
        key=key,
        limit=account.ceiling._asdict(),
        spent=spent._asdict(),
        reserved=reserved._asdict(),
        wanted=wanted._asdict(),
        may_wait=may_wait,
    )


def dollars(micro: int) -> str:
    return f"${micro / 1_000_000:,.6f}".rstrip("0").rstrip(".") if micro % 10_000 else f"${micro / 1e6:,.2f}"


class Held:
    """A reservation on all the accounts of a call."""

    def __init__(self, holds: Sequence[tuple[Account, int]], amount: Amount, desk: Desk) -> None:
        self._holds: Sequence[tuple[Account, int]] | None = holds
        self.amount = amount
        self._desk = desk

    @property
    def is_open(self) -> bool:
        return self._holds is not None

    def settle(self, spent: Amount = NOTHING) -> None:
        for account, hold in self._close():
            account.settle(hold, spent)
        self._desk.changed()

    def keep(self) -> None:
        for account, hold in self._close():
            account.keep(hold)
        self._desk.changed()

    def _close(self) -> Sequence[tuple[Account, int]]:
        holds, self._holds = self._holds or (), None
        return holds


class Desk:
    """Reserves on several accounts at once, and lets a call wait for money that others may give back."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    def reserve(self, accounts: Sequence[Account], key: str, amount: Amount) -> Held:
        holds: list[tuple[Account, int]] = []
        try:
            for account in accounts:
                holds.append((account, account.reserve(key, amount)))  # noqa: PERF401 - what is held goes back
        except BaseException:
            for account, hold in reversed(holds):
                account.settle(hold, Amount())
            if holds:
                self.changed()
            raise
        return Held(holds, amount, self)

    async def reserve_in_turn(self, accounts: Sequence[Account], key: str, amount: Amount) -> Held:
        """Waits while what is missing is only reserved by calls under way: they reserve the worst case, and
        mostly give some of it back. Each end of one lets those who wait try again, the first one first."""
        while True:  # bounded: every turn needs the end of a call, and calls have deadlines
            try:
                return self.reserve(accounts, key, amount)
            except BudgetReached as error:
                if not error.data["may_wait"]:
                    raise
            place = asyncio.get_running_loop().create_future()
            self._waiting.append(place)
            await asyncio.wait((place,), timeout=LOOK_AGAIN)

    def changed(self) -> None:
        waiting, self._waiting = self._waiting, []
        for place in waiting:
            if not place.done():
                place.set_result(None)
