"""The role of a government, and rule policies that play it. A policy sees what any agent of the role sees,
and keeps nothing: all it knows stands in the observation.

A scenario may give an agent `settings` with `spending` and `tax`: the course a policy steers around.
"""

from __future__ import annotations

from windtunnel.world import Action, Context, Role
from windtunnel.worlds.economy.actions import MAX_TARIFF, Budget, KeepCourse
from windtunnel.worlds.economy.state import Partner, Seen

NATURAL = 0.05  # unemployment that these governments believe to be natural
SPENDING, TAX = 0.20, 0.26

INSTRUCTIONS = """\
You govern a nation. Each turn is a quarter. Announce a Budget: `spending` (what the state buys, as a share
of potential output), `tax` (the rate on all income) and `tariffs` (by partner; partners you do not name keep
theirs), or KeepCourse. Spending and tax change by small steps only, and debt above the ceiling allows no
looser budget. You are judged by your nation's wealth: its capital and what it is owed abroad, at constant
prices.
"""


def balanced(seen: Seen, _: Context) -> Action:
    """Taxes follow the deficit until the books close; spending stays."""
    return Budget(seen.spending, _clip(seen.tax + _clip(0.1 * seen.deficit, -0.004, 0.004)))


def austerity(seen: Seen, context: Context) -> Action:
    """Spends less as long as there is a debt worth the name, and in a slump too."""
    base = float(context.settings.get("spending", SPENDING))
    goal = 0.8 * base if seen.debt_ratio > 0.3 else base
    return Budget(_clip(seen.spending + _clip(goal - seen.spending, -0.004, 0.004)), seen.tax)


def keynesian(seen: Seen, context: Context) -> Action:
    """Spends into unemployment and taxes out of a boom; in quiet times leans gently against its debt."""
    gap = seen.unemployment - NATURAL
    lean = 0.02 * (seen.debt_ratio - 0.6)
    spending = float(context.settings.get("spending", SPENDING)) + gap
    tax = float(context.settings.get("tax", TAX)) - 0.5 * gap + lean
    return Budget(
        _clip(seen.spending + _clip(spending - seen.spending, -0.01, 0.01)),
        _clip(seen.tax + _clip(tax - seen.tax, -0.01, 0.01)),
    )


def mercantilist(seen: Seen, context: Context) -> Action:
    """Closes its books, and its borders: tariffs on whoever sells it more than he buys, and on whoever taxes
    its goods, a little above his; where trade is even and free they are taken back slowly."""
    tariffs = {}
    for name, partner in seen.partners.items():
        wished = _tariff(partner)
        if wished != partner.our_tariff:
            tariffs[name] = wished
    course = balanced(seen, context)
    assert isinstance(course, Budget)
    return Budget(course.spending, course.tax, tariffs)


def _tariff(partner: Partner) -> float:
    trade = partner.exports + partner.imports
    deficit = trade > 0 and (partner.imports - partner.exports) / trade > 0.01
    if partner.tariff_on_us > 0.0:
        goal = min(partner.tariff_on_us + 0.05, HIGHEST)
    else:
        goal = HIGHEST if deficit else 0.0
    return _clip(partner.our_tariff + _clip(goal - partner.our_tariff, -0.02, 0.05), 0.0, MAX_TARIFF)


HIGHEST = 0.8  # where a mercantilist stops: beyond it nothing crosses the border that could be taxed


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
    },
    instructions=INSTRUCTIONS,
)
