"""The gateway: one door to every model, whoever serves it.

`ask` takes one call through its route: what may be spent is reserved, who is asked is noted, and the reply
says who answered and what it cost. Whether the reply is durable before it is used is the caller's part: the
gateway keeps no record of its own, and asks anew whenever it is called. One gateway serves many runs of one
event loop; it shares among them breakers, lanes and accounts.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from msgspec import structs

from windtunnel.config import models as words
from windtunnel.errors import ModelSetup, UsageError
from windtunnel.models import house as the_house
from windtunnel.models import sample
from windtunnel.models.budget import Account, Amount, Ceiling, Desk, Purse
from windtunnel.models.cache import FILE as CACHE_FILE
from windtunnel.models.cache import Cache, canonical
from windtunnel.models.ledger import FILE as LEDGER_FILE
from windtunnel.models.ledger import Ledger
from windtunnel.models.prices import Prices, most_tokens
from windtunnel.models.retrying import Call, Note
from windtunnel.models.routes import FELL, Plan, plan
from windtunnel.models.settings import Deployment, Setup
from windtunnel.models.station import Health, MakeAdapter, Station
from windtunnel.models.talk import Ask, Message, Reply
from windtunnel.models.timing import Clock, MachineClock
from windtunnel.models.tracing import Span, Tracer, tracer_for

LASTING = ("tournament", "evolution", "workspace")
TEST = Ask("", (Message("user", "Answer with the one word: ready"),), max_tokens=64)


class Gateway:
    def __init__(
        self,
        settings: words.Models | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        note: Note | None = None,
        home: Path | None = None,
        make: MakeAdapter | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        """`home` is the workspace's `.windtunnel`, for accounts that last and the cache; `make` puts an
        adapter of one's own in a provider's place."""
        self.settings = words.Models() if settings is None else settings
        environ = os.environ if environ is None else environ
        self.setup = Setup(self.settings, environ)
        self._clock: Clock = MachineClock() if clock is None else clock
        self._note: Note = _unheard if note is None else note
        self._home, self._make = home, make
        self._prices = Prices(self.settings.prices)
        self._desk = Desk()
        self._stations: dict[str, Station] = {}
        self._ledger: Ledger | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._cache = Cache(home / CACHE_FILE) if self.settings.cache and home is not None else None
        self._own_tracer = tracer is None
        self.tracer = tracer_for(environ) if tracer is None else tracer

    def __repr__(self) -> str:
        return f"Gateway({self.setup!r})"

    # --- asking ---

    async def ask(
        self,
        ask: Ask,
        *,
        key: str,
        accounts: Sequence[Account] = (),
        note: Note | None = None,
        run: str = "",
        house: Any = None,
    ) -> Reply:
        """One reply. `key` is the same whenever the same call is asked again: providers are told it. `house`
        is what the model called house answers to this call.

        ModelError: no deployment of the plan gave a reply. BudgetReached: the next attempt could cost more
        than is left. ModelSetup: what is asked for is not set up, not allowed, or has no price.
        """
        self._settle_in()
        chosen = plan(self.setup, ask.model, ask.task)
        purses = self._purses(key, accounts)
        note = self._note if note is None else note
        if isinstance(chosen.steps[0], str):
            work = self._at_home(chosen, ask, key, purses, house)
        else:
            work = self._abroad(ask, key, chosen, purses, note, run)
        if not self.tracer.is_on:
            return await work
        with self.tracer.span("call", ask.model, **_asked(ask, self.tracer.content)) as span:
            reply = await work
            _answered(span, reply, content=self.tracer.content)
            return reply

    async def _abroad(
        self, ask: Ask, key: str, chosen: Plan, purses: Sequence[Account], note: Note, run: str
    ) -> Reply:
        stations = self._priced([step for step in chosen.steps if not isinstance(step, str)], purses)
        if self._cache is not None:
            for station in stations:
                if (kept := self._cache.find(canonical(ask, station.deployment))) is not None:
                    note("model_cached", key=key, deployment=station.deployment.name)
                    return kept
        call = Call(
            ask,
            key,
            plan=chosen,
            accounts=purses,
            note=note,
            run=run,
            desk=self._desk,
            clock=self._clock,
            retry=self.settings.retry,
            make=self._make,
        )
        reply = await call.through(stations)
        if self._cache is not None and call.answered_by is not None:
            self._cache.keep(canonical(ask, call.answered_by), reply)
        return reply

    async def _at_home(
        self, chosen: Plan, ask: Ask, key: str, purses: Sequence[Account], known: Any
    ) -> Reply:
        """A model of this process: nothing to retry and nothing to pay, but its tokens count."""
        name = str(chosen.steps[0])
        if name not in (the_house.NAME, sample.NAME):
            raise ModelSetup(
                f"{name!r} is no language model: it stands for each role's own policy",
                where="model",
                remedy="house answers with that policy in text, test with the smallest answer that fits",
            )
        worst = most_tokens(ask)
        held = await self._desk.reserve_in_turn(purses, key, Amount(0, worst.input + worst.output))
        spent = Amount()
        try:
            is_house = name == the_house.NAME
            reply = await (the_house.answer(ask, known) if is_house else sample.answer(ask))
            spent = Amount(0, reply.usage.input + reply.usage.output)
        finally:
            held.settle(spent)
        marks = (*reply.marks, FELL) if chosen.high_stakes else reply.marks
        return structs.replace(reply, model=reply.model or name, cost=0, marks=marks)

    def _priced(self, steps: Sequence[Deployment], purses: Sequence[Account]) -> list[Station]:
        """The stations that may be asked: under a money budget only those whose price is known."""
        stations = [self.station(step) for step in steps]
        if all(purse.ceiling.money is None for purse in purses):
            return stations
        priced = [station for station in stations if station.rate is not None]
        if not priced:
            one = steps[0]
            raise ModelSetup(
                f"{one.full_name} has no price, and money is limited here",
                where=one.name,
                remedy=f'write [models.prices."{one.full_name}"] with input and output, in dollars for a '
                "million tokens, or local = true at the deployment if it costs nothing",
                provider=one.provider,
                model=one.model,
            )
        return priced

    # --- money ---

    def _purses(self, key: str, accounts: Sequence[Account]) -> Sequence[Account]:
        limit = self.settings.budgets.call
        if limit.money is None and limit.tokens is None:
            return accounts
        return (Purse(f"call {key}", Ceiling.of(limit)), *accounts)

    def purse(
        self,
        run: str,
        earlier: Sequence[tuple[Amount, Amount]] = (),
        *,
        money: float | None = None,
        remedy: str = "",
    ) -> Purse:
        """The account of a run. `earlier`: what each of its calls cost so far, and what is still reserved
        for it; `worst_case` says what to reserve for a call whose reply is not in the journal. `money`, in
        dollars, takes the place of the setting's."""
        limit = self.settings.budgets.run
        if money is not None:
            limit = structs.replace(limit, money=money)
        return Purse(f"run {run}".strip(), Ceiling.of(limit), earlier, remedy=remedy)

    def lasting(self, kind: str, name: str = "", *, money: float | None = None) -> Account:
        """An account that outlives the process: of a tournament, an evolution, or the workspace. `money`, in
        dollars, takes the place of the setting's."""
        if kind not in LASTING or self._home is None:
            raise UsageError(
                f"there is no lasting account of kind {kind!r} here",
                remedy=f"one of: {', '.join(LASTING)}; in a workspace",
            )
        limit: words.Limit = getattr(self.settings.budgets, kind)
        if money is not None:
            limit = structs.replace(limit, money=money)
        return self.ledger().account(f"{kind} {name}".strip(), Ceiling.of(limit))

    def ledger(self) -> Ledger:
        if self._ledger is None:
            if self._home is None:
                raise UsageError(
                    "a gateway without a workspace keeps no lasting accounts", remedy="give it a home"
                )
            self._ledger = Ledger(self._home / LEDGER_FILE)
        return self._ledger

    def worst_case(self, ask: Ask) -> Amount:
        """The most one attempt of this call can take, whichever deployment of its route is asked."""
        usage = most_tokens(ask)
        costs = [0]
        for step in plan(self.setup, ask.model, ask.task).steps:
            rate = None if isinstance(step, str) else self.station(step).rate
            costs.append(rate.cost(usage) if rate is not None else 0)
        return Amount(max(costs), usage.input + usage.output)

    # --- looking ---

    def first(self, ask: Ask) -> Deployment | None:
        """The deployment that a call would be sent to first; None for a model of this process."""
        step = plan(self.setup, ask.model, ask.task).steps[0]
        return None if isinstance(step, str) else step

    def station(self, deployment: Deployment) -> Station:
        found = self._stations.get(deployment.name)
        if found is None:
            found = Station(deployment, self.setup, self._prices, self._clock)
            self._stations[deployment.name] = found
        return found

    def health(self) -> list[Health]:
        """Every deployment that is configured, and how it does."""
        for deployment in self.setup.deployments.values():
            self.station(deployment)
        return [station.health() for station in self._stations.values()]

    @property
    def stations(self) -> list[Station]:
        """Those that were needed so far; may be asked by another thread."""
        return list(self._stations.values())

    async def test(self, name: str, *, key: str = "test", accounts: Sequence[Account] = ()) -> Reply:
        """One real tiny call."""
        return await self.ask(structs.replace(TEST, model=name), key=key, accounts=accounts)

    def as_model(self, name: str, *, accounts: Sequence[Account] = (), run: str = "") -> Any:
        """The route or model as a `Model` of pydantic-ai, for any code that takes one."""
        from windtunnel.models.nesting import GatewayModel  # noqa: PLC0415 - it loads pydantic-ai

        return GatewayModel(self, name, accounts=accounts, run=run)

    # --- the end ---

    async def aclose(self) -> None:
        stations, self._stations = list(self._stations.values()), {}
        for station in stations:
            await station.aclose()
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None
        if self._cache is not None:
            self._cache.close()
        if self._own_tracer:
            self.tracer.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _settle_in(self) -> None:
        """Connections and lanes belong to one event loop."""
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise UsageError("a gateway serves one event loop", remedy="make one gateway for each loop")


def _unheard(_kind: str, **_body: Any) -> None:
    return


def _asked(ask: Ask, content: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "gen_ai_request_model": ask.model,
        "gen_ai_request_max_tokens": ask.max_tokens,
        "gen_ai_request_temperature": ask.temperature,
        "gen_ai_request_seed": ask.seed,
    }
    if content:
        found["gen_ai_input_messages"] = _spoken([(m.role, m.text) for m in ask.messages])
    return found


def _answered(span: Span, reply: Reply, *, content: bool) -> None:
    span.set(
        gen_ai_provider_name=reply.model.partition(":")[0],
        gen_ai_response_model=reply.model,
        gen_ai_usage_input_tokens=reply.usage.input,
        gen_ai_usage_output_tokens=reply.usage.output,
        windtunnel_label=reply.label,
        windtunnel_cost_micro_dollars=reply.cost,
        gen_ai_output_messages=_spoken([("assistant", reply.text)]) if content else None,
    )


def _spoken(said: list[tuple[str, str]]) -> str:
    """Messages as the conventions write them: JSON, with their parts."""
    plain = [{"role": role, "parts": [{"type": "text", "content": text}]} for role, text in said]
    return json.dumps(plain, ensure_ascii=False)
