"""How the sectors of one nation behave in a turn: prices and pay, work, the state's purse, what households
and firms would like to buy, and how the turn is settled. Nothing here knows another nation."""

from __future__ import annotations

from windtunnel.world import Chance
from windtunnel.worlds.economy.ledger import (
    BENEFITS,
    DIVIDENDS,
    INTEREST,
    TAXES,
    WAGES,
    buy_back_bonds,
    firm_pays_household,
    household_pays_state,
    lend_to_firm,
    repay_loans,
    sell_bonds,
    state_pays_household,
)
from windtunnel.worlds.economy.parameters import Parameters
from windtunnel.worlds.economy.state import HISTORY, Nation, Record
from windtunnel.worlds.economy.trade import Plan

WAGE_FALL, WAGE_RISE = -0.0025, 0.05  # pay is cut slowly and grows within reason
FRICTION = 0.015  # the part of the labour force between two jobs
SLACK_FELT = 0.3  # orders further from capacity than this change prices no faster
ANCHORED = 0.5  # weight of the central bank's target in what people expect of inflation
USE_OF_CAPITAL = 0.85  # the part of capacity that firms like to have in use
TURNS_A_YEAR = 4


def luck(nation: Nation, p: Parameters, chance: Chance) -> tuple[float, float]:
    """This turn's mood (spending as a multiple of the usual) and output a worker. Old shocks fade."""
    nation.productivity *= 1.0 + p.growth + p.productivity_noise * chance.normal()
    per_worker = nation.productivity * (1.0 + nation.supply)
    mood = max(0.1, 1.0 + nation.confidence + p.demand_noise * chance.normal())
    nation.confidence *= p.confidence_memory
    nation.supply *= p.supply_memory
    return mood, per_worker


def expected_inflation(nation: Nation, p: Parameters) -> float:
    return ANCHORED * p.inflation_target + (1.0 - ANCHORED) * nation.felt_inflation


def set_wage_and_price(nation: Nation, p: Parameters, per_worker: float) -> None:
    unemployment = 1.0 - nation.employed / nation.labour
    rise = (
        expected_inflation(nation, p) + p.growth + p.wage_pressure * (p.natural_unemployment - unemployment)
    )
    nation.wage *= 1.0 + min(WAGE_RISE, max(WAGE_FALL, rise))
    pressure = min(SLACK_FELT, max(-SLACK_FELT, nation.pressure))
    target = (1.0 + p.markup) * nation.wage / per_worker * (1.0 + p.price_pressure * pressure)
    nation.price += p.price_speed * (target - nation.price)


def set_rate(nation: Nation, p: Parameters) -> None:
    """The central bank's rule: real rate up when inflation is above target or unemployment below natural."""
    unemployment = 1.0 - nation.employed / nation.labour
    felt = nation.felt_inflation
    wished = (
        p.neutral_rate
        + felt
        + 0.5 * (felt - p.inflation_target)
        + 0.1 * (p.natural_unemployment - unemployment)
    )
    nation.rate += 0.3 * (min(p.max_rate, max(0.0, wished)) - nation.rate)


def hire_and_pay(nation: Nation, p: Parameters, per_worker: float) -> int:
    """Staff moves towards what the expected orders need; whom the firms cannot pay, they let go.
    Wages are taxed at the source. Returns the wages after tax."""
    books = nation.books
    makeable = min(nation.expected, nation.capital / p.capital_output)
    needed = min(makeable / per_worker, nation.labour * (1.0 - FRICTION))
    nation.employed += p.hiring_speed * (needed - nation.employed)
    bill = int(nation.employed * nation.wage)
    if bill > books.firm:
        lend_to_firm(nation, min(bill - books.firm, credit_room(nation, p)))
        if bill > books.firm:
            bill = books.firm
            nation.employed = min(nation.employed, bill / nation.wage)
    paid = firm_pays_household(nation, bill, WAGES)
    return paid - household_pays_state(nation, int(paid * nation.tax), TAXES)


def credit_room(nation: Nation, p: Parameters) -> int:
    return max(0, int(p.leverage * nation.capital * nation.price) - nation.books.loans)


def open_purse(nation: Nation, p: Parameters) -> tuple[int, float]:
    """The state pays interest, then benefits, then sets money aside for purchases. The bank finances
    interest up to twice the ceiling and everything else up to the ceiling. Returns benefits paid and the
    purchases planned, in cents."""
    books = nation.books
    ceiling = int(p.debt_ceiling * nation.annual)
    due = int(books.bonds * nation.rate)
    _raise_money(nation, due, 2 * ceiling)
    interest = state_pays_household(nation, due, INTEREST)
    unemployed = max(0.0, nation.labour - nation.employed)
    wished = int(p.benefit * nation.wage * (1.0 - nation.tax) * unemployed)
    _raise_money(nation, wished, ceiling)
    benefits = state_pays_household(nation, wished, BENEFITS)
    purchases = int(nation.spending * potential(nation, p) * nation.price)
    _raise_money(nation, purchases, ceiling)
    nation.capital_income += interest - household_pays_state(nation, int(interest * nation.tax), TAXES)
    return benefits, float(min(purchases, books.treasury))


def potential(nation: Nation, p: Parameters) -> float:
    """Goods that are made when unemployment is natural."""
    return nation.labour * (1.0 - p.natural_unemployment) * nation.productivity


def _raise_money(nation: Nation, wanted: int, ceiling: int) -> None:
    books = nation.books
    missing = wanted - books.treasury
    if missing > 0:
        sell_bonds(nation, max(0, min(missing, ceiling - books.bonds)))


def wishes(plan: Plan, p: Parameters, income: int, mood: float) -> None:
    """What households and firms would like to buy, within what they can pay."""
    nation, books = plan.nation, plan.nation.books
    tightness = nation.rate - expected_inflation(nation, p) - p.neutral_rate
    spend = p.spend_income * (income + nation.capital_income) + p.spend_wealth * books.household
    plan.consumption = min(max(0.0, spend * mood * (1.0 - tightness)), float(books.household))
    in_use = nation.expected * p.capital_output / max(nation.capital, 1e-9)
    rate = (
        p.depreciation
        + p.growth
        + p.accelerator * (min(in_use, 2.0) - USE_OF_CAPITAL)
        - p.investment_rate_response * tightness
    )
    wanted = int(max(0.0, rate * mood) * nation.capital * nation.price)
    room = credit_room(nation, p)
    loan = min(room, max(int(wanted * p.loan_share), wanted - books.firm))
    lend_to_firm(nation, max(0, loan))
    plan.investment = float(min(wanted, books.firm))


def settle(plan: Plan, p: Parameters) -> None:
    """Firms pay their lenders and owners; the state pays back with what is left over."""
    nation, books = plan.nation, plan.nation.books
    interest = firm_pays_household(nation, int(books.loans * (nation.rate + p.loan_spread)), INTEREST)
    repay_loans(nation, int(books.loans * p.amortisation))
    need = int(nation.employed * nation.wage + plan.investment)
    beyond = books.firm - need
    dividends = firm_pays_household(nation, int(beyond * p.payout), DIVIDENDS) if beyond > 0 else 0
    received = interest + dividends
    nation.capital_income = received - household_pays_state(nation, int(received * nation.tax), TAXES)
    buy_back_bonds(nation, books.treasury)
    nation.capital = nation.capital * (1.0 - p.depreciation) + plan.invested


def take_stock(plan: Plan, p: Parameters, turn: int) -> None:
    """Firms learn from the orders, the statistics office publishes the turn."""
    nation = plan.nation
    ordered = plan.orders / nation.price
    nation.expected += 0.5 * (ordered - nation.expected)
    nation.expected *= 1.0 + p.growth
    nation.pressure = ordered / plan.capacity - 1.0 if plan.capacity > 0 else SLACK_FELT
    inflation = plan.cpi / nation.cpi - 1.0
    nation.cpi = plan.cpi
    nation.felt_inflation += 0.15 * (inflation - nation.felt_inflation)
    nation.annual += (TURNS_A_YEAR * plan.sales - nation.annual) / TURNS_A_YEAR
    output = max(plan.sales, 1)
    debt_before = nation.opening.bonds - nation.opening.treasury
    debt_now = nation.books.bonds - nation.books.treasury
    record = Record(
        turn=turn,
        gdp=plan.sales / nation.price * nation.base_price / 100.0,
        inflation=inflation,
        unemployment=1.0 - nation.employed / nation.labour,
        consumption=plan.consumed / plan.cpi / 100.0,
        debt=nation.books.bonds / max(nation.annual, 1.0),
        deficit=(debt_now - debt_before) / output,
        trade_balance=(plan.exports - plan.imports) / output,
    )
    nation.history = [*nation.history[1 - HISTORY :], record]
