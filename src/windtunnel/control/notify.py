"""Who must know: webhooks told of what waits, was decided, expired, ended or failed.

An event is put into an outbox in the workspace's database and delivered from there, at least once: a process
that dies between the two loses nothing, and the next one that looks (a command, a server) sends it. What has
happened is read from the journals, so an event that a kill prevented from being put there is found again;
each is put there once. A webhook that does not answer is tried again with growing pauses, a bounded number of
times. Nothing here ever stops or slows a run, and nothing is told of what happened before webhooks were set.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from hashlib import sha256
from typing import Any, TypeAlias

from msgspec import Struct, json, structs, to_builtins

from windtunnel.config import Workspace
from windtunnel.config.notify import Webhook
from windtunnel.control.approvals import Approval, approvals_of
from windtunnel.control.catalog import Found
from windtunnel.control.database import open_database
from windtunnel.control.webhooks import host, secret_of, send
from windtunnel.errors import UsageError, WindtunnelError
from windtunnel.journal import Status, Store
from windtunnel.journal.database import Database
from windtunnel.run.clock import Clock

ATTEMPTS = 15
FIRST_WAIT, LONGEST_WAIT = 5.0, 3600.0
CLAIMED = 30.0  # seconds in which a process that took a delivery must have made it
AT_ONCE = 16  # and no more in a pass, so that one that hangs holds it up only once
OLDEST = 7 * 86_400.0  # what happened longer ago is told to nobody any more
KEPT = 4 * OLDEST  # so long a delivery is remembered, so that nothing is told twice
MOST_BYTES = 64 << 10
LATEST = 1.0  # seconds by which two processes' clocks may differ
TOLD = {
    Status.COMPLETED: "run.completed",
    Status.FAILED: "run.failed",
    Status.CANCELLED: "run.cancelled",
    Status.CRASHED: "run.crashed",
}
STEPS = (
    """CREATE TABLE outbox(
         id {id}, hook TEXT NOT NULL, event TEXT NOT NULL, subject TEXT NOT NULL, delivery TEXT NOT NULL,
         body TEXT NOT NULL, made {real} NOT NULL, due {real} NOT NULL, attempts {int} NOT NULL,
         state TEXT NOT NULL, error TEXT NOT NULL);
       CREATE UNIQUE INDEX outbox_once ON outbox(hook, event, subject);
       CREATE INDEX outbox_due ON outbox(state, due);
       CREATE TABLE outbox_mark(name TEXT PRIMARY KEY, at {real} NOT NULL)""",
)
Opened: TypeAlias = Callable[[Found], AbstractContextManager[Store]]
log = logging.getLogger("windtunnel.notify")


class Delivered(Struct):
    """What a round of deliveries came to."""

    done: int = 0
    failed: int = 0
    errors: list[str] = []


class Notifier:
    """The outbox of a workspace. Several processes may use it at the same time."""

    def __init__(
        self,
        webhooks: Sequence[Webhook],
        database: Database,
        environ: Mapping[str, str],
        *,
        clock: Clock | None = None,
    ) -> None:
        self._hooks = {sha256(hook.url.encode()).hexdigest()[:16]: hook for hook in webhooks}
        self._database, self._environ = database, environ
        self._clock = clock or Clock()
        database.lay("outbox", STEPS)
        self._since = self._mark("since", self._clock.wall())

    def _mark(self, name: str, at: float) -> float:
        """A moment that is set once, by whoever comes first."""
        self._database.rows(
            "INSERT INTO outbox_mark(name, at) VALUES(?,?) ON CONFLICT(name) DO NOTHING", [name, at]
        )
        return float(self._database.rows("SELECT at FROM outbox_mark WHERE name=?", [name])[0][0])

    @property
    def swept(self) -> float:
        """Up to when runs were looked at for what they have to say."""
        return self._mark("swept", self._since) - LATEST

    # --- what is told ---

    def tell(
        self, event: str, subject: str, data: Mapping[str, Any], *, at: float | None = None,
        to: Sequence[str] = (),
    ) -> int:  # fmt: skip
        """Put an event into the outbox of every webhook that wants it (of those in `to`, if it names any).
        `subject` is what makes it this event: the same again is not told again. How many will be told."""
        now = self._clock.wall()
        at = now if at is None else at
        if at < max(self._since - LATEST, now - OLDEST):
            return 0
        known = {hook.name for hook in self._hooks.values()}
        named = set(to) & known
        told = 0
        for key, hook in self._hooks.items():
            if not hook.wants(event) or (named and hook.name not in named):
                continue
            delivery = f"msg_{secrets.token_hex(16)}"
            body = _encoded({"id": delivery, "type": event, "timestamp": at, "data": data})
            told += len(
                self._database.rows(
                    "INSERT INTO outbox(hook, event, subject, delivery, body, made, due, attempts, state,"
                    " error) VALUES(?,?,?,?,?,?,?,0,'waiting','')"
                    " ON CONFLICT(hook, event, subject) DO NOTHING RETURNING id",
                    [key, event, subject, delivery, body, now, now],
                )
            )
        return told

    def look(self, store: Store, found: Found) -> int:
        """Tell what a run has to say by now."""
        told = 0
        for one in approvals_of(store, found, self._clock.wall(), every=True):
            told += self._tell_approval(one)
        row = found.row
        if (event := TOLD.get(row.status)) is not None:
            last = store.last_operation(row.run_id, str(row.status))
            at = row.updated if last is None or row.status is Status.CRASHED else last.at
            told += self.tell(event, f"{row.run_id}:{at!r}", _of_run(found), at=at)
        return told

    def _tell_approval(self, one: Approval) -> int:
        told = self.tell("approval.waiting", one.id, _of_approval(one, "waiting"), at=one.asked, to=one.tell)
        if one.status == "waiting":
            return told
        event = "approval.expired" if one.status == "expired" else "approval.decided"
        at = one.decided or max([vote.at for vote in one.votes], default=one.expires or one.asked)
        return told + self.tell(event, one.id, _of_approval(one, one.status), at=at, to=one.tell)

    def sweep(self, runs: Iterable[Found], opened: Opened) -> int:
        """Look at every run in which something may have happened since the last sweep: finds what a kill
        prevented from being told, and what expired while nobody played."""
        began, since = self._clock.wall(), self.swept
        told = 0
        for found in runs:
            if found.row.updated >= since or found.row.status in (Status.WAITING, Status.CRASHED):
                with opened(found) as store:
                    told += self.look(store, found)
        self._database.rows("UPDATE outbox_mark SET at=? WHERE name='swept' AND at<?", [began, began])
        return told

    # --- deliveries ---

    async def deliver(self, seconds: float = 60.0) -> Delivered:
        """Send what is due, until nothing is or the time is up."""
        found, until = Delivered(), self._clock.tick() + seconds
        while self._clock.tick() < until and (claimed := self._claim()):
            results = await asyncio.gather(*(self._send(*one) for one in claimed))
            problems = [problem for problem in results if problem is not None]
            found.done += len(results) - len(problems)
            found.failed += len(problems)
            found.errors += problems
        return found

    def _claim(self) -> list[tuple[Any, ...]]:
        now = self._clock.wall()
        return self._database.rows(
            "UPDATE outbox SET due=?, attempts=attempts+1 WHERE state='waiting' AND due<=? AND id IN"
            " (SELECT id FROM outbox WHERE state='waiting' AND due<=? ORDER BY due, id LIMIT ?)"
            " RETURNING id, hook, event, delivery, body, attempts",
            [now + CLAIMED, now, now, AT_ONCE],
        )

    async def _send(
        self, row: int, key: str, event: str, delivery: str, body: str, attempts: int
    ) -> str | None:
        hook = self._hooks.get(key)
        if hook is None:
            self._settle(row, "dead", "the webhook is no longer in windtunnel.toml")
            return None
        try:
            secret = secret_of(hook, self._environ)
            now = self._clock.wall()
            problem = await send(hook, event, delivery, body.encode(), now=now, secret=secret)
        except UsageError as error:
            problem = str(error)
        if problem is None:
            self._settle(row, "done", "")
            return None
        told = f"{event} to {host(hook)}: {problem}"
        if attempts >= ATTEMPTS:
            self._settle(row, "dead", problem)
            return f"{told}; given up after {attempts} attempts"
        wait = min(FIRST_WAIT * 2 ** (attempts - 1), LONGEST_WAIT)
        self._database.rows(
            "UPDATE outbox SET due=?, error=? WHERE id=?", [self._clock.wall() + wait, problem, row]
        )
        return f"{told}; again in {wait:g} s"

    def _settle(self, row: int, state: str, error: str) -> None:
        """Done or given up. Its text is no longer needed; that it was told is, so that it is told once."""
        self._database.rows("UPDATE outbox SET state=?, error=?, body='' WHERE id=?", [state, error, row])
        self._database.rows(
            "DELETE FROM outbox WHERE state<>'waiting' AND made<?", [self._clock.wall() - KEPT]
        )

    def close(self) -> None:
        self._database.close()

    def waiting(self) -> int:
        return int(self._database.rows("SELECT count(*) FROM outbox WHERE state='waiting'")[0][0])

    async def run(self, sweep: Callable[[Notifier], Any], *, every: float = 1.0) -> None:
        """What a server does until it is cancelled: look, send, rest. Trouble is said and not raised."""
        while True:
            try:
                await asyncio.to_thread(sweep, self)
                report(await self.deliver())
            except WindtunnelError as error:
                log.warning("webhooks: %s", error)
            await self._clock.sleep(every)


def report(found: Delivered) -> None:
    for error in found.errors:
        log.warning("webhook: %s", error)


def notifier(workspace: Workspace, clock: Clock | None = None) -> Notifier | None:
    """The outbox of a workspace; None where nobody is to be told of anything."""
    hooks = workspace.settings.notify.webhooks
    if not hooks:
        return None
    return Notifier(hooks, open_database(workspace), workspace.environ, clock=clock)


def notice(workspace: Workspace, runs: Sequence[Found], opened: Opened, clock: Clock | None = None) -> None:
    """Put what these runs have to say into the outbox. Trouble with it is said, and is nobody's error."""
    try:
        if (outbox := notifier(workspace, clock)) is None:
            return
        try:
            for found in runs:
                with opened(found) as store:
                    row = store.run(found.row.run_id)
                    outbox.look(store, structs.replace(found, row=row))
        finally:
            outbox.close()
    except WindtunnelError as error:
        log.warning("webhooks: %s", error)


async def flush(workspace: Workspace, clock: Clock | None = None, *, seconds: float = 5.0) -> None:
    """Send what is due, for a command that is about to end: what is not taken now is sent by the next one."""
    try:
        if (outbox := notifier(workspace, clock)) is None:
            return
        try:
            report(await outbox.deliver(seconds))
        finally:
            outbox.close()
    except WindtunnelError as error:
        log.warning("webhooks: %s", error)


def firing_of(about: Mapping[str, Any]) -> str:
    """What makes an alert of a schedule this one: told once, whoever tells it."""
    return f"{about['schedule']}:{about['due']}:{about['attempt']}"


async def alert(workspace: Workspace, event: str, about: Mapping[str, Any]) -> None:
    """Tell of a schedule that went wrong, and send it."""
    if (outbox := notifier(workspace)) is None:
        return
    try:
        outbox.tell(event, firing_of(about), about)
        report(await outbox.deliver(5.0))
    finally:
        outbox.close()


def _encoded(message: dict[str, Any]) -> str:
    body = json.encode(message)
    if len(body) > MOST_BYTES:  # a long text, or a crowd's array: whoever is told looks it up
        data = {**message["data"], "action": None, "truncated": True}
        body = json.encode({**message, "data": data})
    if len(body) > MOST_BYTES:
        short = {key: value for key, value in message["data"].items() if len(json.encode(value)) < 1000}
        body = json.encode({**message, "data": {**short, "truncated": True}})
    return body.decode()


def _of_approval(one: Approval, status: str) -> dict[str, Any]:
    kept = (
        "id", "run_id", "effect", "world", "scenario", "actor", "turn", "summary", "action", "reason", "risk",
        "amount", "unit", "rule", "mode", "digest", "asked", "expires", "expires_turn", "needed",
    )  # fmt: skip
    plain = to_builtins(one)
    said = {"by": one.by, "note": one.note} if status != "waiting" else {}
    return {**{name: plain[name] for name in kept}, "status": status, **said}


def _of_run(found: Found) -> dict[str, Any]:
    row = found.row
    return {
        "run_id": row.run_id, "world": row.world, "scenario": row.scenario, "status": str(row.status),
        "turn": row.turn, "max_turns": row.turns, "reason": row.reason, "parent": row.parent,
    }  # fmt: skip
