"""The one loop in which a call is asked, asked again, and handed on to the next deployment.

Every attempt is noted. An attempt reserves its worst case on every account before it goes out and settles
when it is over; where nobody knows how it ended, the reservation stays and is noted as doubt. A provider that
says how long to wait is waited for, or left for the next one; nothing waits past the call's deadline. A reply
that was paid is never thrown away unless another deployment takes its place, and then its cost is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, Literal

from msgspec import structs

from windtunnel.config.models import Retry, Trigger
from windtunnel.errors import ModelError
from windtunnel.models.budget import NOTHING, Account, Amount, Desk, Held
from windtunnel.models.parsing import last_object
from windtunnel.models.prices import most_tokens
from windtunnel.models.routes import FELL, Plan
from windtunnel.models.settings import Deployment
from windtunnel.models.station import MakeAdapter, Station
from windtunnel.models.talk import Ask, Reply, Usage
from windtunnel.models.timing import Clock
from windtunnel.models.triggers import AGAIN, REMEDIES, Failure, Unanswered

Note = Callable[..., None]
SHORTEST_WAIT = 0.05  # while another call probes a deployment that rested
NOT_COUNTED = "the provider did not say what was used"
HICCUPS: frozenset[Trigger] = frozenset({"connection", "server"})
UNHEALTHY: frozenset[Trigger] = frozenset({"connection", "server", "output", "quota"})


class Call:
    """One call on its way through a plan."""

    def __init__(  # noqa: PLR0913 - a call knows all of these, and nobody else does
        self,
        ask: Ask,
        key: str,
        *,
        plan: Plan,
        accounts: Sequence[Account],
        note: Note,
        run: str,
        desk: Desk,
        clock: Clock,
        retry: Retry,
        make: MakeAdapter | None,
    ) -> None:
        self._ask, self._key, self._plan, self._accounts = ask, key, plan, accounts
        self._note, self._run, self._desk, self._clock = note, run, desk, clock
        self._retry, self._make = retry, make
        self._ends = clock.tick() + retry.deadline
        self._most = most_tokens(ask)
        self.attempt = 0
        self.answered_by: Deployment | None = None
        self._cost, self._usage = 0, Usage()
        self._marks: list[str] = []
        self._failures: list[tuple[Station, Failure]] = []

    async def through(self, stations: Sequence[Station]) -> Reply:
        """The first reply that will do, in the order of the plan."""
        for index, station in enumerate(stations):
            last = index + 1 == len(stations)
            reply = await self._at(station, last=last)
            if reply is not None:
                return reply
            if self._failures and self._failures[-1][1].trigger not in self._plan.on:
                break
            if self._left() <= 0:
                break
        raise self._given_up()

    async def _at(self, station: Station, *, last: bool) -> Reply | None:
        """The reply of one deployment; None if another is to be asked."""
        round_ = 0
        while round_ < self._retry.attempts and self._left() > 0:
            if not await self._may_ask(station, last=last):
                return None
            outcome = await self._attempt(station)
            if outcome is None:  # it began to rest while this call stood in line: no round of its own
                continue
            round_ += 1
            if isinstance(outcome, Reply):
                return self._judged(station, outcome, last=last)
            self._failures.append((station, outcome))
            if outcome.trigger == "refusal" and (last or "refusal" not in self._plan.on):
                return self._finished(station, Reply(label="refused", model=station.deployment.full_name))
            if outcome.trigger not in AGAIN or round_ == self._retry.attempts:
                return None
            wait = outcome.retry_after if outcome.retry_after is not None else self._backoff(outcome, round_)
            hand_on = not last and outcome.trigger in self._plan.on and wait > self._retry.patience
            if hand_on or not await self._sleep(wait):
                return None
        if not self._failures:
            self._failures.append((station, Failure("server", "it did not come back from its rest in time")))
        return None

    async def _may_ask(self, station: Station, *, last: bool) -> bool:
        """Whether the deployment is up; the last one of a plan is waited for, if anybody is there."""
        while station.breaker.state == "open":
            wait = max(station.breaker.opens_in, SHORTEST_WAIT)
            rests = Failure("server", f"left alone for {wait:.0f} s after failures")
            if not last or wait > self._left() or station.nobody_there:
                self._failures.append((station, rests))
                self._note("model_skipped", key=self._key, **_names(station), why=rests.message)
                return False
            await self._clock.sleep(wait)
        return True

    async def _attempt(self, station: Station) -> Reply | Failure | None:
        """Reserve, stand in line, ask, settle. None if the deployment rests when its turn comes."""
        adapter = station.adapter(self._make)
        rate = station.rate
        worst = Amount(rate.cost(self._most) if rate is not None else 0, self._most.input + self._most.output)
        held = await self._desk.reserve_in_turn(self._accounts, self._key, worst)
        entered = None
        try:
            entered = await station.lane.enter(self._run, self._ask.task.priority)
            if (rest := station.lane.rests) > 0 and not await self._sleep(rest):
                return Failure("busy", "asked to be left alone for longer than this call may take", 429)
            if self._left() <= 0:
                return Failure("busy", "the line before it was longer than this call may take")
            if not station.breaker.admit():
                station.lane.leave(entered)
                entered = None
                await self._clock.sleep(SHORTEST_WAIT)
                return None
            return await self._exchange(station, adapter, held, entered)
        finally:
            if held.is_open:  # nothing went out
                held.settle()
                if entered is not None:
                    station.lane.leave(entered)

    async def _exchange(self, station: Station, adapter: Any, held: Held, entered: int) -> Reply | Failure:
        self.attempt += 1
        started = self._clock.tick()
        limit = max(0.001, min(station.deployment.manners.timeout, self._left()))
        try:
            outcome: Reply | Failure = await adapter.ask(self._ask, self._key, limit)
        except Unanswered as error:
            outcome = error.failure
        except BaseException:  # stopped by hand, or a bug of ours: the request may have gone out
            held.keep()
            station.breaker.left()
            station.lane.leave(entered)
            self._noted(station, "cut", started, doubt=held.amount)
            raise
        if isinstance(outcome, Reply):
            return self._settled(station, outcome, held, entered, started)
        station.errors += 1
        in_doubt = outcome.paid is None
        if in_doubt:
            held.keep()
        else:
            held.settle()
        station.nobody_there = outcome.trigger == "connection" and not station.answered
        busy = outcome.trigger == "busy"
        if outcome.trigger in UNHEALTHY:
            station.breaker.failed(at_once=outcome.trigger == "quota")
        else:
            station.breaker.left()
        station.lane.leave(entered, busy=busy, rest=(outcome.retry_after or 0.0) if busy else 0.0)
        doubt = held.amount if in_doubt else NOTHING
        self._noted(
            station, outcome.trigger, started, status=outcome.status, said=outcome.message, doubt=doubt
        )
        return outcome

    def _settled(self, station: Station, reply: Reply, held: Held, entered: int, started: float) -> Reply:
        used = reply.usage
        if used.input == 0 and used.output == 0 and not station.deployment.local:
            used = self._most
            self._marks.append(NOT_COUNTED)
        cost = station.rate.cost(used) if station.rate is not None else 0
        held.settle(Amount(cost, used.input + used.output))
        station.breaker.succeeded()
        station.answered, station.nobody_there = True, False
        station.lane.leave(entered)
        self._cost += cost
        self._usage = Usage(
            self._usage.input + used.input,
            self._usage.output + used.output,
            self._usage.cached + used.cached,
        )
        self._noted(station, reply.label, started, cost=cost, tokens=used.input + used.output)
        return reply

    def _judged(self, station: Station, reply: Reply, *, last: bool) -> Reply | None:
        """The reply; or None, if it is none worth having and the plan knows another deployment."""
        trigger: Trigger | Literal[""] = ""
        if reply.label == "refused":
            trigger = "refusal"
        elif reply.label == "empty" or (
            self._ask.schema is not None
            and reply.label == "ok"
            and not reply.calls
            and last_object(reply.text) is None
        ):
            trigger = "output"
        if trigger and not last and trigger in self._plan.on and self._left() > 0:
            handed_on = Failure(trigger, f"the reply was {reply.label}, and no answer")
            self._failures.append((station, handed_on))
            self._note("model_handed_on", key=self._key, **_names(station), why=handed_on.message)
            return None
        return self._finished(station, reply)

    def _finished(self, station: Station, reply: Reply) -> Reply:
        self.answered_by = station.deployment
        if self._plan.high_stakes and station.deployment.local:
            self._marks.append(FELL)
        model = reply.model or station.deployment.model
        if not model.startswith(f"{station.deployment.provider}:"):
            model = f"{station.deployment.provider}:{model}"
        return structs.replace(
            reply,
            model=model,
            usage=self._usage,
            cost=self._cost,
            marks=(*reply.marks, *dict.fromkeys(self._marks)),
        )

    # --- time ---

    def _left(self) -> float:
        return self._ends - self._clock.tick()

    async def _sleep(self, seconds: float) -> bool:
        """False, at once, if the call's deadline would pass meanwhile."""
        if seconds >= self._left():
            return False
        await self._clock.sleep(seconds)
        return True

    def _backoff(self, failure: Failure, round_: int) -> float:
        """None after a first hiccup (a line that had gone stale, one worker of many that died), then twice as
        long each time, spread by half: by the call's key, so that no chance is needed."""
        if failure.trigger in HICCUPS:
            round_ -= 1
        if round_ == 0:
            return 0.0
        longest: float = min(self._retry.longest_wait, self._retry.first_wait * 2 ** (round_ - 1))
        spread = sha256(f"{self._key} {self.attempt}".encode()).digest()[0] / 255
        return longest * (0.5 + 0.5 * spread)

    # --- words ---

    def _noted(
        self,
        station: Station,
        outcome: str,
        started: float,
        *,
        cost: int = 0,
        tokens: int = 0,
        doubt: Amount = NOTHING,
        status: int | None = None,
        said: str = "",
    ) -> None:
        seconds = self._clock.tick() - started
        station.calls += 1
        station.seconds += seconds
        body: dict[str, Any] = {"seconds": round(seconds, 6), "cost": cost}
        if tokens:
            body["tokens"] = tokens
        if status is not None:
            body["status"] = status
        if said:
            body["said"] = said
        if doubt != (0, 0):
            body["doubt"] = {"money": doubt.money, "tokens": doubt.tokens}
        self._note(
            "model_attempt", key=self._key, **_names(station), attempt=self.attempt, outcome=outcome, **body
        )

    def _given_up(self) -> ModelError:
        station, failure = self._failures[-1]
        one = station.deployment
        status = f" with status {failure.status}" if failure.status is not None else ""
        before = [f"{early.deployment.name}: {told.trigger}" for early, told in self._failures[:-1]]
        tried = f"; before that {', '.join(dict.fromkeys(before))}" if before else ""
        late = f"; the call's {self._retry.deadline:g} s were up" if self._left() <= 0 else ""
        return ModelError(
            f"{one.provider} gave no reply from {one.model}{status}, {failure.trigger}, "
            f"at attempt {self.attempt}: {failure.message}{tried}{late}",
            where=one.name,
            remedy=REMEDIES[failure.trigger],
            provider=one.provider,
            model=one.model,
            status=failure.status,
            attempt=self.attempt,
            trigger=failure.trigger,
        )


def _names(station: Station) -> dict[str, str]:
    one = station.deployment
    return {"deployment": one.name, "provider": one.provider, "model": one.model}
