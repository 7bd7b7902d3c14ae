"""The provider's own log: what was asked, and what became of it. A test's witness against the client."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from windtunnel.testing.provider.words import Usage

# `cut`: ended by the provider before the end; `gone`: the client left first. Both may have been paid for.
Outcome = Literal["pending", "answered", "failed", "cut", "gone"]
SECRET = frozenset(
    {"authorization", "x-api-key", "x-goog-api-key", "api-key", "proxy-authorization", "cookie"}
)
HIDDEN = "(hidden)"


class Exchange(Struct, omit_defaults=True):
    """One request.

    `key` is its idempotency key or a digest of its body (`keyed` tells which), `attempt` counts from 1 the
    requests of that key, `fault` is what was done to it, `at` and `took` are seconds.
    """

    number: int
    key: str
    attempt: int
    dialect: str
    path: str
    model: str = ""
    keyed: bool = False
    stream: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    status: int = 0
    outcome: Outcome = "pending"
    fault: str = ""
    usage: Usage = field(default_factory=Usage)
    at: float = 0.0
    took: float = 0.0


class Totals(Struct, omit_defaults=True):
    """Counted over all requests, also those that the log no longer keeps."""

    asked: int = 0
    answered: int = 0
    failed: int = 0
    cut: int = 0
    gone: int = 0
    input: int = 0
    output: int = 0
    cached: int = 0
    busy: int = 0
    most_at_once: int = 0


class _Written(Struct):
    exchanges: list[Exchange]
    totals: Totals


class Log:
    """The last `keep` exchanges and the totals. Read it from any thread."""

    def __init__(self, keep: int) -> None:
        self.exchanges = deque[Exchange](maxlen=keep)
        self.totals = Totals()

    def as_json(self) -> bytes:
        return msgspec.json.encode(_Written(list(self), self.totals))

    @classmethod
    def from_json(cls, text: bytes) -> Log:
        """A copy, as it was when it was written."""
        written = msgspec.json.decode(text, type=_Written)
        log = cls(len(written.exchanges))
        log.exchanges.extend(written.exchanges)
        log.totals = written.totals
        return log

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self.exchanges.copy())

    def __len__(self) -> int:
        return len(self.exchanges)

    def __getitem__(self, index: int) -> Exchange:
        return self.exchanges[index]

    def of(self, key: str) -> list[Exchange]:
        """What was asked under an idempotency key, in order of arrival."""
        return [exchange for exchange in self if exchange.key == key]

    def answered(self) -> list[Exchange]:
        """What was answered whole, so that a client that has it durable must not ask again."""
        return [exchange for exchange in self if exchange.outcome == "answered"]

    def paid_again(self, durable: Iterable[str] | None = None) -> dict[str, int]:
        """Keys that were answered whole more than once, with how often; or only those of `durable`."""
        found = Counter(exchange.key for exchange in self.answered() if exchange.keyed)
        wanted = None if durable is None else set(durable)
        return {key: n for key, n in found.items() if n > 1 and (wanted is None or key in wanted)}

    def begin(self, exchange: Exchange) -> None:
        totals = self.totals
        totals.asked += 1
        totals.busy += 1
        totals.most_at_once = max(totals.most_at_once, totals.busy)
        self.exchanges.append(exchange)

    def end(self, exchange: Exchange, outcome: Outcome, now: float) -> None:
        """Once for each exchange; what came first stands."""
        if exchange.outcome != "pending":
            return
        totals = self.totals
        exchange.outcome, exchange.took = outcome, now - exchange.at
        totals.busy -= 1
        setattr(totals, outcome, getattr(totals, outcome) + 1)
        if outcome == "answered":
            totals.input += exchange.usage.input
            totals.output += exchange.usage.output
            totals.cached += exchange.usage.cached


def unkeyed(headers: dict[str, str]) -> dict[str, str]:
    """Headers without secrets."""
    return {name: HIDDEN if name in SECRET else value for name, value in headers.items()}
