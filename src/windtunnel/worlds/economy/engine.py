"""The rules of a quarter, in the order in which things happen. What each sector does stands in its own room:
people, firms, bank, treasury, market, exchange; every movement of money in ledger.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from windtunnel.world import (
    Actor,
    Applied,
    Context,
    Decided,
    Engine,
    Event,
    Metrics,
    Scenario,
)
from windtunnel.worlds.economy import (
    bank,
    exchange,
    firms,
    ledger,
    observing,
    people,
    sim,
    statistics,
    treasury,
)
from windtunnel.worlds.economy.actions import Budget, Rebalance, SetRate, Spend
from windtunnel.worlds.economy.founding import found
from windtunnel.worlds.economy.market import Stall, meet
from windtunnel.worlds.economy.parameters import Parameters, Shock, parameters, terms, typed
from windtunnel.worlds.economy.roles.central_banks import taylor
from windtunnel.worlds.economy.roles.households import buffer_stock
from windtunnel.worlds.economy.scoring import scores
from windtunnel.worlds.economy.state import Nation, Reals, State

MOST_MONEY = 2**53  # cents on one account: beyond, a float would not hold them exactly

ODDEST = 1e9  # times what prices or currencies were at first: there is nothing left to reckon with


class Economy(Engine[State]):
    def start(self, scenario: Scenario, context: Context) -> State:
        p = parameters(context)
        return sim.found(scenario, p) if p.model == "sim" else found(scenario, p, context)

    def observe(self, state: State, actor: Actor) -> Any:
        if actor.role == "government":
            return observing.for_government(state, actor)
        if actor.role == "central_bank":
            return observing.for_central_bank(state, state.central[actor.id])
        if actor.role == "trader":
            return observing.for_trader(state, actor.id)
        return observing.for_households(state.nations[state.crowds[actor.id]])

    def apply(
        self, state: State, decided: Decided, events: Sequence[Event], context: Context
    ) -> Applied[State]:
        p = parameters(context)
        if p.model == "sim":
            return Applied(sim.turn(state, p))
        state.terms = terms(p)
        _take_up(decided, events)
        wishes = _wishes(state, decided, p, context)  # by what is known before anything happens
        state.turn += 1
        told = _announce(state, decided)
        told += _strike(state, events, p)
        stalls = [
            _work(name, nation, wishes[name], p, context, told) for name, nation in state.nations.items()
        ]
        baskets = [stall.nation.basket for stall in stalls]
        state.trade = meet(stalls, p)
        for stall in stalls:
            _settle(stall, p, told)
        for who, folio in state.traders.items():
            action = decided.get(who)
            wish = msgspec.structs.asdict(action) if type(action) is Rebalance else {}
            exchange.rebalance(state, who, folio, wish, p)
        told += exchange.set_rates(state, p)
        for stall, before in zip(stalls, baskets, strict=True):
            _take_stock(stall, state.turn, before, p, context)
        return Applied(state, told)

    def revise(self, state: State, scenario: Scenario) -> State:
        """A fork changed the parameters: what people know of them counts from now on."""
        state.terms = terms(typed(scenario.parameters))
        return state

    def score(self, state: State) -> Mapping[str, Metrics]:
        return scores(state)

    def over(self, state: State) -> str | None:
        """Only money that means nothing any more ends a run early."""
        for name, nation in state.nations.items():
            books = nation.books
            most = max(
                int(nation.people.cash.sum()), int(nation.firms.loans.sum()), books.bonds, books.advances
            )
            odd = [value for value in (nation.basket, nation.exchange) if not 1.0 / ODDEST < value < ODDEST]
            if most > MOST_MONEY or odd:
                times = f"prices are {nation.basket:.3g} times the first"
                return f"the money of {name} has lost its meaning: {times}"
        return None


# --- the steps of a turn ------------------------------------------------------------------------------


def _take_up(decided: Decided, events: Sequence[Event]) -> None:
    """An action that waited for votes and got them is done now, unless its author wishes something newer."""
    for event in events:
        if event.kind == "approved" and event.actor is not None:
            newer = type(decided.get(event.actor))
            if newer not in (Budget, SetRate, Rebalance, Spend):
                decided[event.actor] = event.body


def _wishes(state: State, decided: Decided, p: Parameters, context: Context) -> dict[str, Reals]:
    """What households want to spend, decided by whoever plays them, or by their habits."""
    found = {}
    played = {nation: who for who, nation in state.crowds.items()}
    for name, nation in state.nations.items():
        who = played.get(name, "")
        action = decided.get(who)
        if type(action) is Spend and action.cents.size == nation.people.cash.size:
            allowed = decided.allowed.get(who)
            wish = action.cents.astype(np.float64)
            found[name] = wish if allowed is None else np.where(allowed, wish, 0.0)
        else:
            found[name] = buffer_stock(observing.for_households(nation), context).cents.astype(np.float64)
    for name, nation in state.nations.items():
        _set_rate(state, name, nation, decided, p, context)
    return found


def _set_rate(
    state: State, name: str, nation: Nation, decided: Decided, p: Parameters, context: Context
) -> None:
    """The central bank's word takes force; one that nobody plays follows Taylor's rule, by the same steps."""
    who = next((who for who, place in state.central.items() if place == name), None)
    unplayed = who is None
    action = taylor(observing.for_central_bank(state, name), context) if unplayed else decided.get(who or "")
    if type(action) is SetRate:
        goal = min(max(action.rate, nation.rate - p.rate_step), nation.rate + p.rate_step)
        nation.rate, nation.defend = min(goal, p.max_rate), action.defend


def _announce(state: State, decided: Decided) -> list[Event]:
    """New budgets take force; a change of tariffs is news to everybody."""
    told = []
    for name, action in decided.items():
        if type(action) is not Budget:
            continue
        nation = state.nations[name]
        nation.spending, nation.tax = action.spending, action.tax
        changed = {
            partner: rate
            for partner, rate in action.tariffs.items()
            if partner in state.nations and partner != name and rate != nation.tariffs.get(partner, 0.0)
        }
        if changed:
            merged = nation.tariffs | changed
            nation.tariffs = {partner: rate for partner, rate in merged.items() if rate > 0.0}
            told.append(Event("tariffs", changed, name))
    return told


def _strike(state: State, events: Sequence[Event], p: Parameters) -> list[Event]:
    """Shocks fade, and new ones come: from the parameters and from outside. One that makes no sense is named
    and left aside."""
    told = []
    for nation in state.nations.values():
        mood = nation.mood
        mood.demand *= p.shock_memory
        mood.supply *= p.shock_memory
        mood.credit *= p.shock_memory
        mood.flight *= p.shock_memory
    shocks: list[Shock] = [shock for shock in p.shocks if shock.turn == state.turn]
    for event in events:
        if event.kind == "shock":
            try:
                shocks.append(_shock(event.body, state))
            except msgspec.ValidationError as error:
                told.append(Event("shock_refused", {"why": str(error)}))
    return told + [strike(state, shock) for shock in shocks]


def strike(state: State, shock: Shock) -> Event:
    """A blow changes the mood of those it hits, and is news to everybody."""
    struck = shock.nations or tuple(state.nations)
    for name in struck:
        mood = state.nations[name].mood
        if shock.type == "demand":
            mood.demand = min(0.5, max(-0.9, mood.demand + shock.size))
        elif shock.type == "supply":
            mood.supply = min(0.5, max(-0.9, mood.supply + shock.size))
        elif shock.type == "credit":
            mood.credit = min(0.5, max(-0.9, mood.credit + shock.size))
        else:
            mood.flight = min(0.9, max(-0.5, mood.flight - shock.size))
    return Event("shock", {"type": shock.type, "size": shock.size, "nations": struck})


def _shock(body: Any, state: State) -> Shock:
    shock = msgspec.convert(body, Shock)
    for name in shock.nations:
        if name not in state.nations:
            raise msgspec.ValidationError(f"no nation {name!r}")
    return shock


def _work(
    name: str,
    nation: Nation,
    wish: Reals,
    p: Parameters,
    context: Context,
    told: list[Event],
) -> Stall:
    """Everything of a quarter that comes before the market opens."""
    chance = context.chance("nation", name)
    nation.sold = {}
    ledger.open_turn(nation)
    nation.productivity *= 1.0 + p.growth + chance.normal(0.0, p.productivity_noise)
    mood = 1.0 + nation.mood.demand + chance.normal(0.0, p.demand_noise)
    nation.people.income = np.zeros_like(nation.people.income)
    hired = people.work(nation, firms.wanted_staff(nation, p), p, context.chance("jobs", name))
    firms.set_wages(nation, hired, p)
    before = float(nation.firms.stock.sum())
    firms.make(nation, p, context.chance("short", name))
    made = float(nation.firms.stock.sum()) - before
    firms.set_prices(nation, p)
    bank.interest(nation, p)
    if treasury.serve_debt(nation, p):
        told.append(Event("default", {"haircut": p.haircut}, name))
    people.pay_benefits(nation, treasury.raise_funds(nation, people.benefits_due(nation, p), p))
    invest = firms.plan_investment(nation, p)
    consume = people.spendable(nation, wish * max(mood, 0.05))
    return Stall(name, nation, consume, invest, treasury.purchases(nation, p), made)


def _settle(stall: Stall, p: Parameters, told: list[Event]) -> None:
    """After the market: machines arrive, debts and owners are paid, books are closed."""
    nation = stall.nation
    firms.wear(nation, stall.invest / (nation.basket * nation.base_price), p)
    firms.learn(nation, stall.asked, p)
    if failed := bank.failures(nation):
        told.append(Event("firms_failed", {"firms": failed}, stall.name))
    firms.pay_owners(nation, p)
    if cost := bank.settle(nation, p, treasury.room(nation, p)):
        told.append(Event("bank_rescued", {"cost": cost / 100.0}, stall.name))
    treasury.close(nation)
    treasury.set_yield(nation, p)


def _take_stock(stall: Stall, turn: int, before: float, p: Parameters, context: Context) -> None:
    """The statistical office measures, people learn what prices did."""
    nation = stall.nation
    record = statistics.measure(stall, turn, before)
    statistics.publish(nation, record, p, context.chance("office", stall.name))
    statistics.feel(nation, stall.spent)
    statistics.judge_central_bank(nation, p)
    felt = p.expectation_memory * nation.mood.felt + (1.0 - p.expectation_memory) * record.inflation
    nation.mood.felt = felt
    nation.mood.inflation = p.credibility * p.inflation_target + (1.0 - p.credibility) * felt
