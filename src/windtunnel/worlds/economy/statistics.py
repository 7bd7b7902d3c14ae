"""What is measured, what is published, and when.

A quarter's figures are known in truth to nobody but the state of the world. They are first published a
quarter later, with an error, and a year later as they were.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import structs

from windtunnel.world import Chance
from windtunnel.worlds.economy import ledger, people
from windtunnel.worlds.economy.market import Stall
from windtunnel.worlds.economy.parameters import Parameters
from windtunnel.worlds.economy.state import HISTORY, Cents, Nation, Record

FINAL_AFTER = 4  # quarters
YEAR = 4
PAIN = 0.5  # utility that a whole nation out of work would lose, beside what it cannot buy
OF_CONSUMPTION = 0.2  # the least anybody lives on, over a mean wage: what kin and kitchen gardens give


def measure(stall: Stall, turn: int, before: float) -> Record:
    """This quarter's true figures."""
    nation, firms = stall.nation, stall.nation.firms
    sales = float(stall.made * firms.price.mean())
    nominal = max(sales, 1.0)
    nation.annual += (YEAR * nominal - nation.annual) / YEAR
    borrowed = nation.opening.government - ledger.worth(nation).government
    laid_up = stall.made - float((stall.asked * stall.delivered).sum())
    machines = int(stall.invest.sum()) / (nation.basket * nation.base_price)
    unit = nation.base_price / 100.0
    return Record(
        turn=turn,
        gdp=stall.made * unit,
        inflation=nation.basket / before - 1.0,
        unemployment=people.unemployment(nation),
        consumption=int(stall.spent.sum()) / nation.basket / 100.0,
        investment=(machines + laid_up) * unit,
        rate=nation.rate,
        bond_yield=nation.bond_yield,
        debt=nation.books.bonds / max(nation.annual, 1.0),
        deficit=borrowed / nominal,
        trade_balance=(stall.exports - stall.imports) / nominal,
        exchange=nation.exchange,
        wages=float(firms.wage.mean()) / nation.base_wage,
    )


def publish(nation: Nation, record: Record, p: Parameters, chance: Chance) -> None:
    """The true figures are kept, and beside them what the office will say first."""
    noise = p.noise_of_statistics
    rough = structs.replace(
        record,
        gdp=record.gdp * math.exp(chance.normal(0.0, noise)),
        inflation=record.inflation + chance.normal(0.0, 0.25 * noise),
        unemployment=min(max(record.unemployment + chance.normal(0.0, 0.5 * noise), 0.0), 1.0),
        consumption=record.consumption * math.exp(chance.normal(0.0, noise)),
        investment=record.investment + chance.normal(0.0, noise) * record.gdp,
        trade_balance=record.trade_balance + chance.normal(0.0, noise),
    )
    nation.history = [*nation.history[1 - HISTORY :], record]
    nation.first = [*nation.first[1 - HISTORY :], rough]


def published(nation: Nation, *, late: int = 1) -> list[Record]:
    """What the office has said by now, oldest first: nothing of the last `late` quarters, the newest of the
    others as first released, those of a year ago and before as they are final."""
    told = list(zip(nation.history, nation.first, strict=True))[: len(nation.history) - late]
    rough = len(nation.history) - FINAL_AFTER
    return [final if place < rough else first for place, (final, first) in enumerate(told)]


def feel(nation: Nation, spent: Cents) -> None:
    """Utility of the quarter, summed up: of what each household could buy, less the pain of being idle."""
    means = nation.base_wage * OF_CONSUMPTION
    lived = np.log((spent / nation.basket + means) / nation.base_wage)
    nation.felt += float(lived.mean()) - PAIN * people.unemployment(nation)


def judge_central_bank(nation: Nation, p: Parameters) -> None:
    """What a central bank answers for, summed up: inflation off target, and people out of work, in points."""
    last = nation.history[-1]
    off = (last.inflation - p.inflation_target) * YEAR * 100.0
    idle = max(last.unemployment - 0.05, 0.0) * 100.0
    nation.strain += off * off + 0.25 * idle * idle
