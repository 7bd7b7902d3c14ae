"""Effects: anything from outside the run. Intent, call, durable result, use, in that order.

The place of an effect (turn, phase, path of the actor, index in that path) is where it is looked up
again; never the order of arrival. One whose result is durable is not asked for again, whatever happened
in between. One that a crash left in doubt goes the way its kind declares: it is retried with the same key,
reconciled with the other side, or held for a person. In a replay every answer comes from the record, and
one that is not there is an error that names it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from hashlib import sha256
from typing import Any, Literal

from windtunnel.codec import decode_body, encode_body
from windtunnel.errors import (
    DeadlinePassed,
    Divergence,
    EffectFailed,
    EffectMissing,
    StorageError,
    WindtunnelError,
    WorldError,
)
from windtunnel.journal import Effect
from windtunnel.journal.model import Place
from windtunnel.journal.texts import fold, unfolded
from windtunnel.models.tracing import Tracer
from windtunnel.run.clock import Clock
from windtunnel.run.context import Frame, RunContext
from windtunnel.run.entries import EffectUsed, Line, line
from windtunnel.run.tape import Tape
from windtunnel.world import Call, EffectKind

LISTEN_SECONDS = 0.02
LATE = -1  # the index of a deadline, in the path whose time was up
NOT_UNDER_WAY = 0  # the attempts of an effect that was halted: to be performed, and not in doubt

BUILT_IN = {
    "ask": EffectKind(waits="park"),  # a person answers
    "listen": EffectKind(waits="live"),  # a player in another process answers
    "approval": EffectKind(waits="park"),  # people vote
    "deadline": EffectKind(),  # recorded when it passes, never asked for
}


class Parked(BaseException):
    """Unwinds a decision that waits for people. No Exception, so that no agent swallows it by accident."""

    def __init__(self, effect: Effect) -> None:
        super().__init__(effect.name)
        self.effect = effect


class Halted(BaseException):
    """Unwinds a decision that cannot be made now: no model answers, or the money is spent. The run pauses,
    and the call is made when it is resumed: how it ended is known, so nothing of it is in doubt. No
    Exception, so that no agent swallows it by accident."""

    def __init__(self, error: WindtunnelError) -> None:
        super().__init__(error.message)
        self.error = error


class Effects:
    def __init__(self, frame: Frame, tape: Tape, clock: Clock, kinds: Mapping[str, EffectKind]) -> None:
        self._frame, self._tape, self._clock = frame, tape, clock
        clock_kind = EffectKind(self._read_clock, in_doubt="retry")
        self._kinds = {**BUILT_IN, "clock": clock_kind, **kinds}
        self.known: dict[Place, Effect] = {}  # of this turn
        self._posted: set[Place] = set()  # answered while the run goes on, so never sealed with a result
        self.is_live = False
        self._recorded = False  # this turn is in the record: nothing may be asked anew
        self.intake: Callable[[], Awaitable[bool]] | None = None
        self.tracer = Tracer()

    def enter(self, effects: list[Effect], *, recorded: bool) -> None:
        """A turn begins; these of its effects are already in the journal."""
        if effects or self.known:
            self.known = {effect.place: effect for effect in effects}
            self._posted.clear()
        self._recorded = recorded

    def used(self, phase: str, actors: Mapping[str, int]) -> list[Line]:
        """The phase's effects in canonical order, as lines of history."""
        if not self.known:
            return []
        mine = [effect for effect in self.known.values() if effect.phase == phase]
        last = len(actors)
        mine.sort(key=lambda e: (actors.get(e.actor.split("/")[0], last), e.actor, e.idx))
        return [line(phase, "effect", self._digest(effect), effect.actor) for effect in mine]

    def find(self, place: Place) -> Effect | None:
        return self.known.get(place)

    def named(self, name: str) -> Effect | None:
        return next((effect for effect in self.known.values() if effect.name == name), None)

    # --- asking ---

    async def perform(
        self, context: RunContext, kind: str, request: Any, spec: EffectKind | None = None
    ) -> Any:
        spec = spec or self._spec(kind)
        raw = encode_body(request)
        effect, fresh = await self._intent(context.path, kind, raw)
        if effect.result is None:
            if self._recorded:
                raise EffectMissing(
                    f"effect {effect.name} ({kind}) has no recorded result", where=effect.name
                )
            await self._obtain(effect, spec, request, fresh=fresh)
        return self._unwrap(effect)

    async def once(
        self,
        context: RunContext,
        request: Any,
        work: Callable[[], Awaitable[Any]],
        in_doubt: Literal["retry", "hold"],
    ) -> Any:
        """Work that only its caller knows how to do; its result is recorded like any other."""

        async def perform(_request: Any, _call: Call) -> Any:
            return await work()

        return await self.perform(context, "work", request, EffectKind(perform, in_doubt=in_doubt))

    async def within(self, context: RunContext, seconds: float, work: Awaitable[Any]) -> Any:
        """Cut off when the time is up; and at once, where the record says that it was."""
        frame = self._frame
        if self.find((frame.turn, frame.phase, context.path, LATE)) is not None:
            if isinstance(work, Coroutine):
                work.close()
            raise DeadlinePassed
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await work
        except TimeoutError:
            if not limit.expired():
                raise  # the work's own
            await self.record(context.path, LATE, "deadline", {"seconds": seconds})
            raise DeadlinePassed from None

    async def post(self, context: RunContext, kind: str, request: Any) -> Effect:
        """Record an intent that is answered later, by mail, while the run goes on."""
        effect, _ = await self._intent(context.path, kind, encode_body(request))
        self._posted.add(effect.place)
        return effect

    def part(self) -> None:
        self.intake, self._kinds = None, {}

    async def record(self, path: str, index: int, kind: str, result: Any) -> Effect:
        """Something that happened to a decision from outside (its deadline passed): durable, then used."""
        effect = self._new((self._frame.turn, self._frame.phase, path, index), kind, b"{}")
        await self.settle(effect, result)
        return effect

    async def settle(self, effect: Effect, result: Any) -> None:
        effect.result, texts = fold(encode_body(result))
        effect.answered = self._clock.wall()
        await self._tape.durable(effect, texts)

    def _spec(self, kind: str) -> EffectKind:
        spec = self._kinds.get(kind)
        if spec is None:
            raise WorldError(
                f"no effect of kind {kind!r}", remedy=f"known kinds: {', '.join(sorted(self._kinds))}"
            )
        if spec.in_doubt == "reconcile" and spec.reconcile is None:
            raise WorldError(
                f"effects of kind {kind!r} are to be reconciled, and nothing says how",
                remedy="give its EffectKind a `reconcile`, or another `in_doubt`",
            )
        if self._frame.mode not in spec.modes:
            raise WorldError(
                f"an effect of kind {kind!r} reaches the outside world; this run is {self._frame.mode}",
                remedy=f"it may be used in a run whose mode is {' or '.join(sorted(spec.modes))}",
            )
        return spec

    async def _intent(self, path: str, kind: str, raw: bytes) -> tuple[Effect, bool]:
        frame = self._frame
        place = (frame.turn, frame.phase, path, frame.next_index(path))
        stored, texts = fold(raw)
        if known := self.known.get(place):
            if known.kind != kind or not self._same(known, stored, raw):
                raise Divergence(
                    f"effect {known.name} was recorded with another request",
                    where=known.name,
                    turn=frame.turn,
                    phase=frame.phase,
                    actor=path,
                    recorded=self._whole(known, known.request).decode(errors="replace"),
                    played=raw.decode(errors="replace"),
                )
            if known.attempts == NOT_UNDER_WAY and known.result is None and not self._recorded:
                known.attempts = 1
                await self._tape.durable(known)  # from here on a crash leaves it in doubt again
                return known, True
            return known, False
        if self._recorded:
            raise EffectMissing(
                f"effect {place[0]}.{place[1]}.{path}.{place[3]} ({kind}) is not in the record",
                where=f"turn {frame.turn}, {frame.phase}, {path}",
                turn=frame.turn,
                phase=frame.phase,
                actor=path,
            )
        effect = self._new(place, kind, stored)
        await self._tape.durable(effect, texts)
        return effect, True

    def _same(self, known: Effect, stored: bytes, raw: bytes) -> bool:
        """Whether this was asked before: as it would be stored today, or as an older version stored it."""
        return known.request in (stored, raw) or self._whole(known, known.request) == raw

    def _whole(self, effect: Effect, raw: bytes) -> bytes:
        """A stored request or result with its texts in it. Their hashes are sealed: one that is not what its
        hash says differs from the record, like an entry that was edited."""
        try:
            return unfolded(self._tape.store, raw)
        except StorageError as error:
            raise Divergence(
                f"effect {effect.name} cannot be read: {error.message}",
                where=effect.name,
                remedy=error.remedy,
                turn=effect.turn,
                phase=effect.phase,
                actor=effect.actor,
            ) from None

    def _new(self, place: Place, kind: str, raw: bytes) -> Effect:
        seal = f"{self._tape.run_id} {place} {kind} ".encode() + raw
        effect = Effect(*place, kind, sha256(seal).hexdigest()[:32], raw, asked=self._clock.wall())
        self.known[place] = effect
        return effect

    async def _obtain(self, effect: Effect, spec: EffectKind, request: Any, *, fresh: bool) -> None:
        if spec.perform is None:
            await self._listen(effect, spec)
            return
        if not fresh:
            self._tape.operate("effect_in_doubt", effect=effect.name, kind=effect.kind, way=spec.in_doubt)
            effect.attempts += 1
        call = Call(effect.key, self._frame.mode, effect.turn, effect.actor, effect.attempts)
        if not fresh:
            if spec.in_doubt == "hold":
                raise Parked(effect)
            if spec.in_doubt == "reconcile" and spec.reconcile is not None:
                found = await spec.reconcile(request, call)
                if found is not None:
                    await self.settle(effect, {"ok": found})
                    return
        try:
            if effect.kind == "model":  # its span is the gateway's
                result = {"ok": await spec.perform(request, call)}
            else:
                with self.tracer.span("tool", effect.kind, windtunnel_effect=effect.name):
                    result = {"ok": await spec.perform(request, call)}
        except EffectFailed as error:
            result = {"failed": error.as_dict()}
        except Halted:
            effect.attempts = NOT_UNDER_WAY
            await self._tape.durable(effect)
            raise
        await self.settle(effect, result)

    def _digest(self, effect: Effect) -> EffectUsed:
        known = effect.result is not None and effect.place not in self._posted
        result = sha256(effect.result or b"").hexdigest() if known else None
        return EffectUsed(effect.idx, effect.kind, sha256(effect.request).hexdigest(), result)

    async def _read_clock(self, _request: Any, _call: Call) -> float:
        return self._clock.wall()

    def has_clock(self) -> bool:
        return self.find((self._frame.turn, "analyze", "", 0)) is not None

    async def wall(self, context: RunContext) -> float:
        """The moment of this turn, in a run that is not simulated."""
        moment: float = await self.perform(context, "clock", {})
        return moment

    async def _listen(self, effect: Effect, spec: EffectKind) -> None:
        """Wait for the answer to come by mail."""
        if spec.waits == "park":
            raise Parked(effect)
        while effect.result is None:  # bounded by the decision's deadline, which cancels this
            await self._clock.sleep(LISTEN_SECONDS)
            if self.intake is not None and await self.intake() and effect.result is None:
                raise Parked(effect)

    def _unwrap(self, effect: Effect) -> Any:
        assert effect.result is not None
        answer = decode_body(self._whole(effect, effect.result))
        if "failed" in answer:
            failed = answer["failed"]
            raise EffectFailed(failed["message"], where=failed.get("where"), remedy=failed.get("remedy"))
        return answer["ok"]
