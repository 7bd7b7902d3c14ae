"""The desk: takes one parsed HTTP request, asks the script, and says what to send. Knows no sockets.

As strict as a real provider: a wrong key, a body that the dialect does not allow, a tool call without its
output are refused with the provider's own status. It refuses to guess: an unknown path is a 404.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from windtunnel.testing.provider.chance import LongTail
from windtunnel.testing.provider.dialects import dialect_of
from windtunnel.testing.provider.dialects.base import Dialect, Refused, check_pairs, encode
from windtunnel.testing.provider.log import Exchange, Log, unkeyed
from windtunnel.testing.provider.scripts import Script, as_script
from windtunnel.testing.provider.telling import Plan, failed, tell
from windtunnel.testing.provider.words import Answer, Failure, Heard, Request

KEYS = ("idempotency-key", "x-idempotency-key", "x-request-id")
OWN = "/_provider/"


class Arrived(NamedTuple):
    """One HTTP request, whole."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    raw: bytes


class Desk:
    """What all connections of one provider share; touched by the server's thread only, the log apart."""

    def __init__(
        self,
        script: Script,
        *,
        latency: LongTail | float | None,
        key: str,
        most_at_once: int | None,
        strict: bool,
        keep: int,
        models: tuple[str, ...],
    ) -> None:
        self.script = as_script(script)
        self.latency, self.key, self.most_at_once = latency, key, most_at_once
        self.strict, self.models = strict, models
        self.log = Log(keep)
        self.troubles: list[Exception] = []
        self.hung: set[asyncio.Event] = set()
        self._attempts = Counter[str]()
        self._begun = time.monotonic()

    def now(self) -> float:
        return time.monotonic() - self._begun

    # --- from a request to a plan ---

    def answer(self, arrived: Arrived) -> Plan:
        if arrived.path.startswith(OWN):
            return self._own(arrived)
        dialect = dialect_of(arrived.path)
        if dialect is None or arrived.method != "POST":
            return self._other(arrived)
        exchange = self._exchange(arrived, dialect)
        self.log.begin(exchange)
        plan = self._exchanged(arrived, dialect, exchange)
        exchange.status = plan.status
        return plan._replace(exchange=exchange)

    def _exchange(self, arrived: Arrived, dialect: Dialect) -> Exchange:
        headers = arrived.headers
        given = next((headers[name] for name in KEYS if headers.get(name)), "")
        key = given or blake2b(arrived.raw, digest_size=8).hexdigest()
        self._attempts[key] += 1
        return Exchange(
            number=self.log.totals.asked + 1,
            key=key,
            attempt=self._attempts[key],
            dialect=dialect.name,
            path=arrived.path,
            keyed=bool(given),
            headers=unkeyed(headers),
            at=self.now(),
        )

    def _exchanged(self, arrived: Arrived, dialect: Dialect, exchange: Exchange) -> Plan:
        refusal = self._refusal(arrived, exchange)
        if refusal is not None:
            return failed(dialect, refusal)
        try:
            body, heard = self._hear(arrived, dialect)
        except Refused as why:
            exchange.fault = "refused"
            return failed(dialect, Failure(400, str(why)))
        exchange.body, exchange.model, exchange.stream = body, heard.model, heard.stream
        request = Request(
            exchange.number, exchange.key, exchange.attempt, dialect.name, arrived.path, arrived.query,
            arrived.headers, body, heard,
        )  # fmt: skip
        try:
            line = self.script(request)
        except Exception as wrong:  # noqa: BLE001 the test's own mistake: told on leaving, whatever it is
            self.troubles.append(wrong)
            exchange.fault = "script"
            return failed(dialect, Failure(500, f"the script of the provider for tests: {wrong}"))
        answer = line if isinstance(line, Answer) else Answer(line or "")
        plan, exchange.usage = tell(request, answer, dialect)
        if answer.fault is not None:
            exchange.fault = type(answer.fault).__name__
        return plan._replace(wait=(answer.delay or 0.0) + self._latency(exchange))

    def _latency(self, exchange: Exchange) -> float:
        if isinstance(self.latency, LongTail):
            return self.latency.of(exchange.key, exchange.attempt)
        return self.latency or 0.0

    def _refusal(self, arrived: Arrived, exchange: Exchange) -> Failure | None:
        """What is refused before the body is read."""
        if self.key and not _carries(arrived, self.key):
            exchange.fault = "key"
            return Failure(401, "Incorrect API key provided.")
        if self.most_at_once is not None and self.log.totals.busy > self.most_at_once:
            exchange.fault = "most_at_once"
            return Failure(429, f"More than {self.most_at_once} requests at once.", retry_after=0.05)
        if self.strict and exchange.dialect == "anthropic" and "anthropic-version" not in arrived.headers:
            exchange.fault = "refused"
            return Failure(400, "anthropic-version: header is required")
        return None

    def _hear(self, arrived: Arrived, dialect: Dialect) -> tuple[dict[str, Any], Heard]:
        try:
            body = msgspec.json.decode(arrived.raw)
        except msgspec.DecodeError as why:
            raise Refused(f"the body is no JSON: {why}") from None
        if not isinstance(body, dict):
            raise Refused("the body is no JSON object")
        try:
            heard = dialect.hear(body, arrived.path)
        except (KeyError, TypeError, AttributeError, ValueError) as why:
            raise Refused(f"the body is not as {dialect.name} has it: {type(why).__name__} {why}") from None
        if self.strict and dialect.paired != "never":
            check_pairs(heard.messages, at_once=dialect.paired == "at once")
        return body, heard

    # --- what is no call of a model ---

    def _own(self, arrived: Arrived) -> Plan:
        """For whoever runs it in a process of its own."""
        if arrived.path == OWN + "log":
            return Plan(200, [self.log.as_json()])
        if arrived.path == OWN + "totals":
            return Plan(200, [encode(self.log.totals)])
        if arrived.path == OWN + "release" and arrived.method == "POST":
            return Plan(200, [encode({"released": self.release()})])
        return _not_found(arrived)

    def _other(self, arrived: Arrived) -> Plan:
        if arrived.method != "GET":
            return _not_found(arrived)
        if arrived.path.endswith("/api/tags"):
            return Plan(200, [encode({"models": [{"name": name, "model": name} for name in self.models]})])
        if arrived.path.endswith("/api/version"):
            return Plan(200, [encode({"version": "0.0.0-test"})])
        if arrived.path.endswith("/v1beta/models"):
            return Plan(200, [encode({"models": [{"name": f"models/{name}"} for name in self.models]})])
        if arrived.path.endswith("/models"):
            data = [{"id": name, "object": "model", "type": "model"} for name in self.models]
            return Plan(200, [encode({"object": "list", "data": data, "has_more": False})])
        return Plan(200, [b"{}"]) if arrived.path in {"/", "/health"} else _not_found(arrived)

    # --- hanging ---

    def release(self) -> int:
        """Let go of all that hang now; says how many."""
        hung, self.hung = self.hung, set()
        for event in hung:
            event.set()
        return len(hung)

    async def held(self, seconds: float | None) -> None:
        event = asyncio.Event()
        self.hung.add(event)
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            self.hung.discard(event)


def _carries(arrived: Arrived, key: str) -> bool:
    headers = arrived.headers
    if headers.get("authorization") == f"Bearer {key}":
        return True
    if key in {headers.get("x-api-key"), headers.get("x-goog-api-key")}:
        return True
    return f"key={key}" in arrived.query.split("&")


def _not_found(arrived: Arrived) -> Plan:
    said = f"the provider for tests knows no {arrived.method} {arrived.path}"
    return Plan(404, [encode({"error": {"message": said, "type": "not_found_error", "code": 404}})])
