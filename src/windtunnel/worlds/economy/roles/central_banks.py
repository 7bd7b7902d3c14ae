"""Central banks: they set the rate at which their nation's bank lends and borrows reserves.

A nation whose central bank nobody plays follows `taylor` inside the engine: the same function. A scenario's
agent names its nation: `settings: {nation: aldland}`.
"""

from __future__ import annotations

from windtunnel.world import Action, Context, Role
from windtunnel.worlds.economy.actions import HoldRate, SetRate
from windtunnel.worlds.economy.observing import SeenByCentralBank

NATURAL = 0.05
FOR_A_PEG = 0.3  # how the rate answers a loss of reserves, where there is a peg

INSTRUCTIONS = """\
You are the central bank of a nation. Each turn is a quarter. SetRate to the policy rate you want (a
quarter: 0.01 is one per cent a quarter, about four a year), or HoldRate. The rate moves by small steps
only, and works with a lag: on what households save, on what firms invest, on the exchange rate. Where your
currency is pegged, `defend` is the share of your reserves that you are ready to lose this quarter. You are
judged by how near inflation stays to its target and by how few are out of work.

How to read what you see: all rates, `inflation`, `inflation_year` (the mean of the last four quarters),
`growth`, `target` and `neutral` (the real rate at rest) are shares a quarter: 0.005 is half a per cent a
quarter. Unemployment of 0.05 is what good times have. `exchange` is your currency's value against the mean
of all, 1 before the first quarter: above, it is dear. `reserves` are cents of the currency you are pegged
to. Statistics are a quarter late and are revised.
"""


def taylor(seen: SeenByCentralBank, _: Context) -> Action:
    """Taylor (1993): one and a half times inflation off target, and half of the slack."""
    return _rule(seen, inflation=0.5, slack=0.5, speed=0.3)


def hawk(seen: SeenByCentralBank, _: Context) -> Action:
    """Inflation first and last: strikes hard and at once, and does not look at who is out of work."""
    return _rule(seen, inflation=1.5, slack=0.0, speed=0.9)


def dove(seen: SeenByCentralBank, _: Context) -> Action:
    """People first: looks at work, forgives inflation a good deal, and moves slowly."""
    return _rule(seen, inflation=0.1, slack=1.5, speed=0.3)


def _rule(seen: SeenByCentralBank, inflation: float, slack: float, speed: float) -> Action:
    gap = seen.inflation_year - seen.target
    idle = (seen.unemployment - NATURAL) / 4.0  # a point of unemployment, as a rate of a quarter
    goal = seen.neutral + seen.inflation_year + inflation * gap - slack * idle
    rate = seen.rate + speed * (goal - seen.rate)
    return SetRate(min(max(rate, 0.0), 0.25), defend=0.5)


central_bank = Role(
    actions=(SetRate, HoldRate),
    no_op=HoldRate(),
    policies={"taylor": taylor, "hawk": hawk, "dove": dove},
    instructions=INSTRUCTIONS,
)
