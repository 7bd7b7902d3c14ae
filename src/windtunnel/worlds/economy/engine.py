"""The rules of a turn, in the order in which they happen. What each sector does stands in sectors.py, the
market for goods in trade.py, the movement of money in ledger.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import structs

from windtunnel.errors import ScenarioError
from windtunnel.world import (
    WORLD,
    Actor,
    Applied,
    Chance,
    Context,
    Decided,
    Engine,
    Event,
    Metrics,
    Scenario,
)
from windtunnel.worlds.economy import sectors
from windtunnel.worlds.economy.actions import Budget
from windtunnel.worlds.economy.ledger import NO_FLOWS, open_turn
from windtunnel.worlds.economy.parameters import NationStart, Parameters, Shock
from windtunnel.worlds.economy.state import Books, Nation, Partner, Seen, State
from windtunnel.worlds.economy.trade import Plan, basket, meet

FEWEST, MOST = 2, 8
BASE_PRICE = 100_000.0  # cents for one unit of goods before the first turn
MOST_MONEY = 2**60  # cents on one account; beyond, integers of 64 bits would not do


class Economy(Engine[State]):
    def start(self, scenario: Scenario, context: Context) -> State:
        p = parameters(context)
        ids = [agent.id for agent in scenario.agents]
        if not FEWEST <= len(ids) <= MOST:
            raise ScenarioError(
                f"the economy plays with {FEWEST} to {MOST} nations, not {len(ids)}",
                where="agents",
                remedy="add or remove agents of role government",
            )
        _known(ids, [*p.nations, *(name for shock in p.shocks for name in shock.nations)])
        state = State(0, {name: _found(p.nations.get(name, NationStart()), name, ids, p) for name in ids})
        plans = [Plan(name, nation) for name, nation in state.nations.items()]
        for plan in plans:
            basket(plan, plans, p)
            plan.nation.cpi = plan.cpi
        return state

    def observe(self, state: State, actor: Actor) -> Seen:
        own = state.nations[actor.id]
        history = own.history
        last = history[-1] if history else None
        before = history[-2] if len(history) > 1 else None
        partners = {
            name: Partner(
                other.price / own.base_price,
                other.tariffs.get(actor.id, 0.0),
                own.tariffs.get(name, 0.0),
                own.sold.get(name, 0),
                other.sold.get(actor.id, 0),
            )
            for name, other in state.nations.items()
            if other is not own
        }
        return Seen(
            turn=state.turn,
            spending=own.spending,
            tax=own.tax,
            treasury=own.books.treasury,
            debt=own.books.bonds,
            debt_ratio=own.books.bonds / max(own.annual, 1.0),
            deficit=last.deficit if last else 0.0,
            gdp=last.gdp if last else 0.0,
            growth=last.gdp / before.gdp - 1.0 if last and before and before.gdp > 0 else 0.0,
            inflation=last.inflation if last else 0.0,
            unemployment=last.unemployment if last else 1.0 - own.employed / own.labour,
            rate=own.rate,
            trade_balance=last.trade_balance if last else 0.0,
            partners=partners,
        )

    def apply(
        self, state: State, decided: Decided, events: Sequence[Event], context: Context
    ) -> Applied[State]:
        p = parameters(context)
        state.turn += 1
        told = _announce(state, decided)
        told += _strike(state, events, p)
        plans = [
            _prepare(name, nation, p, context.chance("nation", name))
            for name, nation in state.nations.items()
        ]
        state.trade = meet(plans, p)
        for plan in plans:
            sectors.settle(plan, p)
            sectors.take_stock(plan, p, state.turn)
        return Applied(state, told)

    def score(self, state: State) -> Mapping[str, Metrics]:
        scores: dict[str, Metrics] = {}
        gdp = inflation = idle = labour = 0.0
        for name, nation in state.nations.items():
            if not nation.history:
                continue
            last = nation.history[-1]
            scores[name] = {
                "wealth": wealth(nation),
                "gdp": last.gdp,
                "inflation": last.inflation,
                "unemployment": last.unemployment,
                "consumption": last.consumption,
                "debt": last.debt,
                "deficit": last.deficit,
                "trade_balance": last.trade_balance,
            }
            gdp += last.gdp
            inflation += last.inflation * last.gdp
            idle += last.unemployment * nation.labour
            labour += nation.labour
        if scores:
            scores[WORLD] = {
                "gdp": gdp,
                "inflation": inflation / max(gdp, 1.0),
                "unemployment": idle / labour,
                "trade": state.trade,
            }
        return scores

    def over(self, state: State) -> str | None:
        """Only money that means nothing any more ends a run early."""
        for name, nation in state.nations.items():
            books = nation.books
            if max(books.household, books.firm, books.loans, books.bonds, abs(books.clearing)) > MOST_MONEY:
                return (
                    f"the money of {name} has lost its meaning: prices are {nation.cpi:.3g} times the first"
                )
        return None


def parameters(context: Context) -> Parameters:
    """Typed by the run; a world played without any has the defaults."""
    given = context.parameters
    return given if type(given) is Parameters else msgspec.convert(given or {}, Parameters)


def wealth(nation: Nation) -> float:
    """What the nation would be worth if it stopped now, in units of money at the prices before the first
    turn: its capital, and what its bank is owed abroad. What its own people owe each other cancels out."""
    abroad = nation.books.clearing / nation.cpi
    return (nation.capital * nation.base_price + abroad) / 100.0


# --- before the first turn ----------------------------------------------------------------------------


def _known(ids: Sequence[str], named: Sequence[str]) -> None:
    for name in named:
        if name not in ids:
            raise ScenarioError(
                f"the parameters name a nation {name!r} that nobody governs",
                where="parameters",
                remedy=f"the agents are: {', '.join(ids)}",
            )


def _found(given: NationStart, name: str, ids: Sequence[str], p: Parameters) -> Nation:
    """A nation near rest: unemployment natural, capital in normal use, a bank whose two sides are equal."""
    employed = given.labour * (1.0 - p.natural_unemployment)
    output = employed * given.productivity
    nominal = output * BASE_PRICE
    wage = BASE_PRICE * given.productivity / (1.0 + p.markup)
    firm = int(employed * wage + 0.2 * nominal)
    loans, bonds = int(1.2 * nominal), int(given.debt * 4.0 * nominal)
    firm = min(firm, loans)
    books = Books(household=loans + bonds - firm, firm=firm, treasury=0, loans=loans, bonds=bonds)
    return Nation(
        labour=given.labour,
        base_price=BASE_PRICE,
        books=books,
        opening=structs.replace(books),
        flows=NO_FLOWS.copy(),
        capital=output * p.capital_output / sectors.USE_OF_CAPITAL,
        productivity=given.productivity,
        employed=employed,
        expected=output,
        price=BASE_PRICE,
        wage=wage,
        felt_inflation=p.inflation_target,
        rate=min(p.max_rate, p.neutral_rate + p.inflation_target),
        annual=4.0 * nominal,
        capital_income=int(0.07 * nominal),
        spending=given.spending,
        tax=given.tax,
        tariffs={other: given.tariff for other in ids if other != name and given.tariff > 0},
    )


# --- the steps of a turn ------------------------------------------------------------------------------


def _announce(state: State, decided: Decided) -> list[Event]:
    """New courses take force; a change of tariffs is news to everybody."""
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
    """Shocks from the parameters and from outside. One that makes no sense is named and left aside."""
    told = []
    shocks: list[Shock] = [shock for shock in p.shocks if shock.turn == state.turn]
    for event in events:
        if event.kind == "shock":
            try:
                shocks.append(_shock(event.body, state))
            except msgspec.ValidationError as error:
                told.append(Event("shock_refused", {"why": str(error)}))
    for shock in shocks:
        for name in shock.nations or tuple(state.nations):
            nation = state.nations[name]
            if shock.type == "demand":
                nation.confidence = min(0.5, max(-0.9, nation.confidence + shock.size))
            else:
                nation.supply = min(0.5, max(-0.9, nation.supply + shock.size))
        body = {"type": shock.type, "size": shock.size, "nations": shock.nations or tuple(state.nations)}
        told.append(Event("shock", body))
    return told


def _shock(body: Any, state: State) -> Shock:
    shock = msgspec.convert(body, Shock)
    for name in shock.nations:
        if name not in state.nations:
            raise msgspec.ValidationError(f"no nation {name!r}")
    return shock


def _prepare(name: str, nation: Nation, p: Parameters, chance: Chance) -> Plan:
    """Everything of a turn that comes before the market opens."""
    open_turn(nation)
    mood, per_worker = sectors.luck(nation, p, chance)
    sectors.set_wage_and_price(nation, p, per_worker)
    sectors.set_rate(nation, p)
    wages = sectors.hire_and_pay(nation, p, per_worker)
    benefits, purchases = sectors.open_purse(nation, p)
    capacity = nation.employed * per_worker
    supply = min(capacity * (1.0 + p.overtime), nation.capital / p.capital_output)
    plan = Plan(name, nation, capacity=capacity, supply=supply, purchases=purchases)
    sectors.wishes(plan, p, wages + benefits, mood)
    return plan
