"""The world before the first turn: nations near rest, with balance sheets that add up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from windtunnel.errors import ScenarioError
from windtunnel.world import AgentSpec, Chance, Context, Scenario
from windtunnel.worlds.economy import ledger, people
from windtunnel.worlds.economy.firms import ENOUGH
from windtunnel.worlds.economy.parameters import NationStart, Parameters, terms
from windtunnel.worlds.economy.state import (
    DEALER,
    Books,
    Firms,
    Folio,
    Mood,
    Nation,
    People,
    State,
    Worth,
)

MOST = 64  # nations
WAGE = 1_000_000.0  # cents for a quarter's work of mean skill, before the first turn
YIELD = 100.0  # goods made by it
INEQUALITY = 0.4  # standard deviation of the logarithm of skill
AT_WORK = 0.95
LOANS = 1.6  # of firms, over a quarter's output
FUNDS = 0.15  # of the bank, over a quarter's output
STAKE = 0.05  # of a trader, over a quarter's output of a mean nation


def found(scenario: Scenario, p: Parameters, context: Context) -> State:
    seats = scenario.agents
    ids = [agent.id for agent in seats if agent.role == "government"]
    if not 1 <= len(ids) <= MOST:
        raise ScenarioError(
            f"the economy plays with 1 to {MOST} nations, not {len(ids)}",
            where="agents",
            remedy="each nation has one agent of role government",
        )
    _known(ids, p)
    starts = {name: p.nations.get(name, NationStart()) for name in ids}
    nations = {name: _nation(name, starts[name], ids, p, context.chance("birth", name)) for name in ids}
    traders = [agent for agent in seats if agent.role == "trader"]
    mean = sum(nation.annual for nation in nations.values()) / len(ids) / 4.0
    state = State(
        turn=0,
        nations=nations,
        traders={agent.id: Folio() for agent in traders},
        central=_placed(seats, "central_bank", ids),
        crowds=_placed(seats, "households", ids),
        terms=terms(p),
    )
    for who, name in state.crowds.items():
        size = next(agent.size for agent in seats if agent.id == who)
        if size != nations[name].people.cash.size:
            raise ScenarioError(
                f"the crowd {who!r} is {size} households, and {name} has {nations[name].people.cash.size}",
                where=f"agents.{who}.size",
                remedy=f"set parameters.nations.{name}.people to {size}, or the crowd's size",
            )
    _deposit(nations, starts, [agent.id for agent in traders], mean, p)
    _balance(nations)
    return state


def _known(ids: Sequence[str], p: Parameters) -> None:
    named = {f"nations.{name}": name for name in p.nations}
    named |= {f"nations.{name}.peg": start.peg for name, start in p.nations.items() if start.peg}
    for at, shock in enumerate(p.shocks):
        named |= {f"shocks.{at}.nations.{one}": name for one, name in enumerate(shock.nations)}
    for field, name in named.items():
        if name not in ids:
            raise ScenarioError(
                f"the parameters name a nation {name!r} that nobody governs",
                where=f"parameters.{field}",
                remedy=f"the governments are: {', '.join(ids)}",
            )
    for name, start in p.nations.items():
        if start.peg == name:
            raise ScenarioError(
                f"{name} cannot peg its currency to itself", where=f"parameters.nations.{name}.peg"
            )


def _placed(seats: Sequence[AgentSpec], role: str, ids: Sequence[str]) -> dict[str, str]:
    """Who of a role plays for which nation, as their settings say."""
    found: dict[str, str] = {}
    for agent in seats:
        if agent.role != role:
            continue
        nation = str(agent.settings.get("nation", ""))
        if nation not in ids:
            raise ScenarioError(
                f"agent {agent.id!r} names no nation" if not nation else f"there is no nation {nation!r}",
                where=f"agents.{agent.id}.settings.nation",
                remedy=f"it is one of: {', '.join(ids)}",
            )
        if nation in found.values():
            raise ScenarioError(
                f"two agents of role {role} play for {nation}", where=f"agents.{agent.id}.settings.nation"
            )
        found[agent.id] = nation
    return found


def _nation(name: str, start: NationStart, ids: Sequence[str], p: Parameters, chance: Chance) -> Nation:
    skill = np.exp(INEQUALITY * chance.normals(start.people))
    skill /= skill.mean()
    wage, makes = WAGE * start.productivity, YIELD * start.productivity
    price = WAGE * (1.0 + p.markup) / YIELD
    job = np.full(start.people, -1, np.int32)
    working = chance.permutation(start.people)[: int(AT_WORK * start.people)]
    job[np.sort(working)] = np.arange(working.size, dtype=np.int32) % start.firms
    crowd = People(np.zeros(start.people, np.int64), np.zeros(start.people, np.int64), skill, job)
    count = start.firms
    each = float(skill[job >= 0].sum()) * makes / count
    orders = np.full(count, each)
    spread = np.exp(0.05 * chance.normals(count))
    shop = Firms(
        cash=np.zeros(count, np.int64),
        loans=np.full(count, int(LOANS * each * price), np.int64),
        capital=orders * p.capital_output / ENOUGH,
        stock=orders * p.stock_target,
        price=price * spread,
        wage=wage * spread,
        orders=orders,
    )
    rate = p.neutral_rate + p.inflation_target
    nation = Nation(
        people=crowd,
        firms=shop,
        books=Books(),
        flows=np.zeros((len(ledger.ROWS), len(ledger.SECTORS)), np.int64),
        opening=Worth(0, 0, 0, 0, 0, 0),
        mood=Mood(felt=p.inflation_target, inflation=p.inflation_target),
        productivity=makes,
        base_price=price,
        base_wage=wage,
        basket=1.0,
        exchange=start.currency,
        surplus=0.0,
        rate=min(p.max_rate, rate),
        bond_yield=rate,
        annual=4.0 * each * count * price,
        revenue=0.0,
        spending=start.spending,
        tax=start.tax,
        tariffs={other: start.tariff for other in ids if other != name and start.tariff > 0},
        peg=start.peg,
        defend=0.5,
    )
    pay = np.where(job >= 0, wage * skill, p.benefit * wage) * (1.0 - start.tax)
    crowd.income = (1.1 * pay).astype(np.int64)  # with what owners get
    shop.cash = (1.1 * people.staff(nation) * shop.wage).astype(np.int64)
    nation.revenue = start.tax * 0.85 * nation.annual / 4.0
    debt = int(start.debt * nation.annual)
    nation.books.bonds_central = int(0.1 * nation.annual / 4.0)
    nation.books.reserves = nation.books.bonds_central
    nation.books.bonds_bank = max(debt - nation.books.bonds_central, 0)
    return nation


def _deposit(
    nations: dict[str, Nation],
    starts: dict[str, NationStart],
    traders: Sequence[str],
    mean: float,
    p: Parameters,
) -> None:
    """What the dealer, central banks and traders hold at each bank before the first turn."""
    for name, nation in nations.items():
        abroad = nation.books.abroad
        if len(nations) > 1:
            abroad[DEALER] = int(p.dealer * nation.annual / 4.0)
        for who in traders:
            abroad[who] = int(STAKE * mean / len(nations) / nation.exchange)
        others = [other for other in nations if other != name]
        for other in [nation.peg] if nation.peg else others:
            share = starts[name].reserves * nation.annual / 4.0 / (1 if nation.peg else len(others))
            held = nations[other].books.abroad
            held[name] = held.get(name, 0) + int(share * nation.exchange / nations[other].exchange)
        if nation.peg:
            nation.peg_rate = nation.exchange / nations[nation.peg].exchange


def _balance(nations: dict[str, Nation]) -> None:
    """Households hold the deposits that are left: then each bank's two sides are equal."""
    for nation in nations.values():
        worth = ledger.worth(nation)
        left = worth.bank - int(FUNDS * nation.annual / 4.0)
        least = int(0.3 * nation.annual / 4.0)
        if left < least:  # a bank with few claims: the state owes it some more
            nation.books.bonds_bank += least - left
            left = least
        nation.people.cash = ledger.allocate(left, nation.people.skill)
        nation.opening = ledger.worth(nation)
