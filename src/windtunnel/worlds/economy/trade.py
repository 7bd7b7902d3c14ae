"""The market for goods, at home and across borders: who orders from whom, who is served, who pays.

Shares follow relative prices with tariffs in them; a seller who cannot serve all orders serves everyone the
same part. Money moves only through the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from windtunnel.worlds.economy.ledger import (
    TARIFFS,
    firm_pays_state,
    household_pays_firm,
    household_pays_state,
    import_goods,
    state_pays_firm,
)
from windtunnel.worlds.economy.parameters import Parameters
from windtunnel.worlds.economy.state import Nation


class Plan(Struct):
    """What one nation brings to the market, and what it takes away from it."""

    id: str
    nation: Nation
    capacity: float = 0.0  # goods with normal hours
    supply: float = 0.0  # goods at most
    consumption: float = 0.0  # cents that households would spend, tariffs included
    investment: float = 0.0  # cents that firms would spend, tariffs included
    purchases: float = 0.0  # cents that the state would spend
    # what came of it
    orders: float = 0.0  # cents ordered from this nation's firms
    sales: int = 0
    consumed: int = 0  # cents, tariffs included
    invested: float = 0.0  # goods
    exports: int = 0
    imports: int = 0
    cpi: float = 1.0


def meet(plans: Sequence[Plan], p: Parameters) -> float:
    """Orders, then deliveries. Returns the goods that crossed a border, at prices before the first turn."""
    shares = [basket(plan, plans, p) for plan in plans]
    for plan in plans:
        plan.orders = plan.purchases
        plan.nation.sold = {}
    for plan, row in zip(plans, shares, strict=True):
        spend = plan.consumption + plan.investment
        tariffs = plan.nation.tariffs
        for seller, share in zip(plans, row, strict=True):
            seller.orders += spend * share / (1.0 + tariffs.get(seller.id, 0.0))
    served = [_served(plan) for plan in plans]
    crossed = 0.0
    for plan, row in zip(plans, shares, strict=True):
        for seller, share, part in zip(plans, row, served, strict=True):
            if seller is plan:
                _buy_at_home(plan, share * part, part)
            else:
                crossed += _buy_abroad(plan, seller, share * part)
    return crossed


def basket(plan: Plan, plans: Sequence[Plan], p: Parameters) -> list[float]:
    """What part of its private spending goes to each nation's goods (constant elasticity of substitution),
    and, on the way, the price index of that basket."""
    home, exponent = plan.nation, 1.0 - p.elasticity
    abroad = 0.0
    for other in plans:
        abroad += other.nation.labour
    abroad -= home.labour
    weights, total, tariffs = [], 0.0, home.tariffs
    for seller in plans:
        nation = seller.nation
        relative = nation.price / home.base_price
        if seller is plan:
            weight = (1.0 - p.openness) * relative**exponent
        else:
            to_buyer = relative * (1.0 + tariffs.get(seller.id, 0.0))
            weight = p.openness * nation.labour / abroad * to_buyer**exponent
        weights.append(weight)
        total += weight
    plan.cpi = total ** (1.0 / exponent)
    return [weight / total for weight in weights]


def _served(plan: Plan) -> float:
    most = plan.supply * plan.nation.price
    return 1.0 if plan.orders <= most else most / plan.orders


def _buy_at_home(plan: Plan, share: float, part: float) -> None:
    nation = plan.nation
    bought = household_pays_firm(nation, int(plan.consumption * share))
    public = state_pays_firm(nation, int(plan.purchases * part))
    invested = int(plan.investment * share)  # one firm pays another: the sector's deposits stay as they are
    plan.consumed += bought
    plan.invested += invested / nation.price
    plan.sales += bought + public + invested


def _buy_abroad(plan: Plan, seller: Plan, share: float) -> float:
    nation, other = plan.nation, seller.nation
    tariff = nation.tariffs.get(seller.id, 0.0)
    net = share / (1.0 + tariff)
    bought, machines = import_goods(nation, other, int(plan.consumption * net), int(plan.investment * net))
    if tariff:
        duty = household_pays_state(nation, int(bought * tariff), TARIFFS)
        firm_pays_state(nation, int(machines * tariff), TARIFFS)
        plan.consumed += duty
    value = bought + machines
    plan.consumed += bought
    plan.invested += machines / other.price
    plan.imports += value
    seller.exports += value
    seller.sales += value
    other.sold[plan.id] = value
    return value / other.price * other.base_price / 100.0
