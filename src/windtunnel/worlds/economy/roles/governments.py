"""Governments: they buy, tax, and put tariffs on what comes from abroad.

An agent's `settings` may say `spending` and `tax`, the course that a policy steers around, and the numbers by
which each policy steers: those at the head of it.
"""

from __future__ import annotations

from windtunnel.world import Action, Context, Role
from windtunnel.worlds.economy.actions import MAX_TARIFF, Budget, KeepCourse
from windtunnel.worlds.economy.observing import Partner, Seen

NATURAL = 0.05  # unemployment that these governments believe to be natural
SPENDING, TAX = 0.20, 0.24
HIGHEST = 0.8  # where a mercantilist stops: beyond it nothing crosses the border that could be taxed
MARGIN = 0.05  # how far above his tariffs on its goods
SPEED = 0.15  # how much of a deficit taxes follow at once
CUT, WORRY = 0.75, 0.3  # what austerity leaves of its spending, and the debt from which on it does
RESPONSE, RELIEF, LEAN = 0.7, 0.3, 0.02  # of spending and taxes to unemployment, and of taxes to debt

INSTRUCTIONS = """\
You govern a nation. Each turn is a quarter. Announce a Budget: `spending` (what the state buys, as a share
of potential output: 0.2 is a fifth of all that the nation could make), `tax` (the rate on all income: 0.24
is 24 per cent) and `tariffs` (by partner, on what your people buy there: 0.1 makes it a tenth dearer;
partners you do not name keep theirs), or KeepCourse. Spending and tax change by small steps only. Taxes pay
for purchases, benefits to the idle and interest; taxes about 0.04 above spending balance in quiet times.
What your taxes do not pay, lenders do, as long as they believe that your revenue can carry the debt; the
nearer you come to what it can, the more interest they want, and beyond that you default. You are judged by
your nation's wealth (its capital and what it owns abroad, at constant prices) and its welfare (what
households can buy, and whether they have work).

How to read what you see: `turn` is the last quarter played. Rates, `bond_yield` (what you pay on your
debt), growth and inflation are shares a quarter (0.01 is one per cent a quarter, about four a year).
Unemployment is the share of those without work; 0.05 is what good times have. `debt_ratio` is debt over a
year's output; `deficit` and `trade_balance` are over a quarter's output, and a deficit below zero is a
surplus. `treasury`, `debt`, `exports` and `imports` are in cents, `imports` in the partner's; `gdp` is a
quarter's output at first prices, not in cents. `exchange` is what the partner's money is worth in yours, 1
before the first quarter; `price` is that of its goods in your money over the first. Statistics are a
quarter late and are revised; your own accounts, tariffs and rates are of today.
"""


def steady(_: Seen, __: Context) -> Action:
    """Keeps its course, whatever comes."""
    return KeepCourse()


def balanced(seen: Seen, context: Context) -> Action:
    """Taxes follow the deficit until the books close; spending stays."""
    speed = float(context.settings.get("speed", SPEED))
    return Budget(seen.spending, _clip(seen.tax + _clip(speed * seen.deficit, -0.005, 0.005)))


def austerity(seen: Seen, context: Context) -> Action:
    """Spends less as long as there is a debt worth the name, and in a slump too."""
    settings = context.settings
    base = float(settings.get("spending", SPENDING))
    worried = seen.debt_ratio > float(settings.get("worry", WORRY))
    goal = float(settings.get("cut", CUT)) * base if worried else base
    return Budget(_clip(seen.spending + _clip(goal - seen.spending, -0.005, 0.005)), seen.tax)


def keynesian(seen: Seen, context: Context) -> Action:
    """Spends into unemployment and taxes out of a boom; in quiet times leans gently against its debt."""
    settings = context.settings
    gap = seen.unemployment - float(settings.get("natural", NATURAL))
    lean = float(settings.get("lean", LEAN)) * (seen.debt_ratio - 0.5)
    spending = float(settings.get("spending", SPENDING)) + float(settings.get("response", RESPONSE)) * gap
    tax = float(settings.get("tax", TAX)) - float(settings.get("relief", RELIEF)) * gap + lean
    return Budget(
        _clip(seen.spending + _clip(spending - seen.spending, -0.01, 0.01)),
        _clip(seen.tax + _clip(tax - seen.tax, -0.01, 0.01)),
    )


def mercantilist(seen: Seen, context: Context) -> Action:
    """Closes its borders: tariffs on whoever sells it more than he buys, and on whoever taxes
    its goods, a little above his; where trade is even and free they are taken back slowly."""
    highest = float(context.settings.get("highest", HIGHEST))
    margin = float(context.settings.get("margin", MARGIN))
    tariffs = {}
    for name, partner in seen.partners.items():
        wished = _tariff(partner, highest, margin)
        if wished != partner.our_tariff:
            tariffs[name] = wished
    return Budget(seen.spending, seen.tax, tariffs)


def _tariff(partner: Partner, highest: float, margin: float) -> float:
    imports = partner.imports * partner.exchange
    trade = partner.exports + imports
    deficit = trade > 0 and (imports - partner.exports) / trade > 0.01
    if partner.tariff_on_us > 0.0:
        goal = min(partner.tariff_on_us + margin, highest)
    else:
        goal = highest if deficit else 0.0
    return _clip(partner.our_tariff + _clip(goal - partner.our_tariff, -0.02, 0.05), 0.0, MAX_TARIFF)


def _clip(value: float, low: float = 0.0, high: float = 0.6) -> float:
    return min(high, max(low, value))


government = Role(
    actions=(Budget, KeepCourse),
    no_op=KeepCourse(),
    policies={
        "balanced": balanced,
        "austerity": austerity,
        "keynesian": keynesian,
        "mercantilist": mercantilist,
        "steady": steady,
    },
    instructions=INSTRUCTIONS,
)
