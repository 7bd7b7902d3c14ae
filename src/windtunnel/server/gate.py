"""The one door policy: who may use a verb, and the line in the audit log.

Every verb of a networked door is a method marked with `verb`, and takes the principal first. REST, streams
and
MCP call the same methods, so no door can forget to ask; a table of all of them is tested against all roles.

What changes something is written down before it is begun, and once more when it has ended. So where the log
takes nothing (its disk is full) nothing is done; where it takes no more after something was done, the answer
says that it was done, and the log holds that it was begun.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, NamedTuple, Protocol, TypeVar, cast

from windtunnel.control.access import Principal, Role, may
from windtunnel.control.audit import BEGUN, DENIED, DONE, FAILED, Audit
from windtunnel.errors import StorageError, WindtunnelError

log = logging.getLogger("windtunnel.server")
DETAIL = 500  # characters of an error that the audit log keeps


class Verb(NamedTuple):
    name: str
    role: Role
    writes: bool
    about: str


VERBS: dict[str, Verb] = {}


class Room(Protocol):
    """What a class of verbs has."""

    @property
    def audit(self) -> Audit: ...


F = TypeVar("F", bound=Callable[..., Awaitable[Any]])


def verb(name: str, role: Role, *, writes: bool = False) -> Callable[[F], F]:
    """A method `(self, who, target, …)` that only this role may call. What writes, and every refusal, is
    audited;
    the target is the first argument where that is text, or the `run_id` of what came of it."""

    def mark(method: F) -> F:
        if name in VERBS:
            raise ValueError(f"two verbs are called {name}")
        VERBS[name] = Verb(name, role, writes, (method.__doc__ or "").partition("\n")[0])

        @wraps(method)
        async def gated(self: Room, who: Principal, *values: Any, **named: Any) -> Any:
            target = next((value for value in values[:1] if isinstance(value, str)), "")
            try:
                may(who, role)
            except WindtunnelError as refusal:
                await _note(self.audit, who, name, target, DENIED, refusal.message)
                raise
            if writes:
                await _note(self.audit, who, name, target, BEGUN)
            try:
                result = await method(self, who, *values, **named)
            except WindtunnelError as error:
                if writes:
                    await _note_end(self.audit, who, name, target, FAILED, str(error))
                raise
            if writes:
                made = target or getattr(result, "run_id", "")
                await _note_end(self.audit, who, name, made, DONE)
            return result

        vars(gated)["verb"] = name
        return cast("F", gated)

    return mark


async def _note(audit: Audit, who: Principal, name: str, target: str, outcome: str, why: str = "") -> None:
    await asyncio.to_thread(audit.append, who, name, target, outcome, {"why": why[:DETAIL]} if why else None)


async def _note_end(
    audit: Audit, who: Principal, name: str, target: str, outcome: str, why: str = ""
) -> None:
    """How it ended. That this cannot be written changes nothing of what was done, and of what is answered."""
    try:
        await _note(audit, who, name, target, outcome, why)
    except StorageError:
        log.exception("the audit log has no end of %s of %s, which is %s", name, target, outcome)
