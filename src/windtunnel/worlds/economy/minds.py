"""Where a model may sit above the economy: as game master, who causes at most one shock at a time, and as
judge of budgets. Neither is asked unless the scenario's parameters say so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, structs

from windtunnel.agents.judge import ModelValidator
from windtunnel.agents.master import Change, ModelEngine
from windtunnel.world import ACCEPT, Actor, Applied, Context, Decided, Event, Verdict, amend, reject
from windtunnel.worlds.economy import ledger, observing
from windtunnel.worlds.economy.actions import Budget
from windtunnel.worlds.economy.engine import Economy, strike
from windtunnel.worlds.economy.parameters import Shock, parameters
from windtunnel.worlds.economy.secrets import finite
from windtunnel.worlds.economy.state import State
from windtunnel.worlds.economy.validator import Institutions

WORST = 0.15  # the largest shock that a game master may cause
QUIET = 0.8  # how often the game master called house lets a turn pass
DEBT = 0.8  # over a year's output: what the house calls high
MARGIN = 0.04  # of the tax rate over spending: below it there is nothing for benefits and interest

MASTER = """\
You decide which blows from outside strike the nations next: a panic, a bad harvest, a bank in trouble, a
rumour about a currency. Most quarters nothing should happen. When something does, let it be plausible from
what you see, and not always on the weakest. A shock fades by itself, about an eighth each quarter; one of
0.02 is felt, one of 0.1 is a crisis. Rates, yields and inflation are shares a quarter: 0.01 is one per cent.
"""
JUDGE = """\
These are budgets that governments would announce. Refuse what is reckless: spending far above taxes while the
debt is high or lenders already ask for more than the policy rate; a cut so deep in a slump that it feeds
itself; tariffs that only punish. What is merely not to your taste is theirs to decide. Steps are limited
already. `spending` is a share of potential output and `tax` one of all income; out of taxes come benefits and
interest too, so that taxes some 0.04 above spending balance. Rates and yields are shares a quarter.
"""

INVARIANTS = {
    "rows of the transaction matrix": ledger.rows_sum_to_zero,
    "columns of the transaction matrix": ledger.columns_sum_to_zero,
    "no negative stock": ledger.stocks_are_not_negative,
    "finite figures": finite,
}


class CauseShock(Change, frozen=True):
    """A blow that strikes before the next quarter. `shock` is what it hits: what people want to spend
    (demand), what work yields (supply), what banks lend (credit), or what the world wants to hold of a
    currency (currency). `size` is a share: -0.05 is five per cent less, and 0.05 more. `nations` names whom
    it strikes; none named is all."""

    shock: Literal["demand", "supply", "credit", "currency"]
    size: Annotated[float, Meta(ge=-WORST, le=WORST)]
    nations: Annotated[tuple[str, ...], Meta(max_length=16)] = ()


class Figures(Struct, frozen=True):
    """A nation as the game master sees it: the newest figures, a quarter's rates."""

    output: float
    inflation: float
    unemployment: float
    rate: float
    bond_yield: float
    debt_over_a_years_output: float
    exchange: float


def overview(state: State) -> dict[str, dict[str, Figures]]:
    told = {}
    for name, nation in state.nations.items():
        last = nation.history[-1] if nation.history else None
        told[name] = Figures(
            output=last.gdp if last else 0.0,
            inflation=last.inflation if last else 0.0,
            unemployment=last.unemployment if last else 0.0,
            rate=nation.rate,
            bond_yield=nation.bond_yield,
            debt_over_a_years_output=nation.books.bonds / max(nation.annual, 1.0),
            exchange=nation.exchange,
        )
    return {"nations": told}


def cause(state: State, change: CauseShock) -> Applied[State]:
    """The same machinery as that of a shock from a scenario or from outside."""
    for name in change.nations:
        if name not in state.nations:
            raise ValueError(f"no nation {name!r}; they are: {', '.join(state.nations)}")
    return Applied(state, [strike(state, Shock(change.shock, change.size, change.nations))])


def whims(
    state: State, _decided: Decided, _events: Sequence[Event], context: Context
) -> Sequence[CauseShock]:
    """What the house does: mostly nothing, now and then one blow to one nation."""
    chance = context.chance("whim")
    quiet, place, what, size = chance.random(), chance.random(), chance.random(), chance.random()
    if quiet < QUIET:
        return ()
    names = list(state.nations)
    shocks: list[Any] = ["demand", "supply", "credit", "currency"]
    name, shock = names[int(place * len(names))], shocks[int(what * len(shocks))]
    return [CauseShock(shock, round(-0.1 * size, 4), (name,))]


def prudence(state: State, actor: Actor, action: Budget, _: Context) -> Verdict:
    """What the house says of a budget: a state in debt may not widen its deficit."""
    seen = observing.for_government(state, actor)
    if seen.debt_ratio < DEBT or action.tax - action.spending > MARGIN:
        return ACCEPT
    if action.spending > seen.spending:
        return amend(structs.replace(action, spending=seen.spending), "not more, with a debt like this")
    return reject("a debt like this cannot carry lower taxes") if action.tax < seen.tax else ACCEPT


engine = ModelEngine(
    Economy(),
    changes=[CauseShock],
    apply_change=cause,
    instructions=MASTER,
    invariants=INVARIANTS,
    house=whims,
    view=overview,
    every=lambda context: parameters(context).game_master,
    most=1,
)
validator = ModelValidator(
    Institutions(),
    judges=[Budget],
    instructions=JUDGE,
    house=prudence,
    view=observing.for_government,
    when=lambda context: parameters(context).budget_judge,
)
