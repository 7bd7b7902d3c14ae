"""Carbon and warmth, in steps of five years: the three boxes of DICE-2016R and its two layers of temperature.

Source: W. Nordhaus, "Revisiting the social cost of carbon", PNAS 114 (2017), and the published code of
DICE-2016R; the names in brackets are its own. Carbon is in GtC, warmth in degrees above 1900, forcing in
W/m2.
The boxes only exchange: what is emitted is in them, as exactly as floats add up.
"""

from __future__ import annotations

import math

from msgspec import Struct

YEARS = 5  # a step
CARBON = 3.666  # tonnes of CO2 that hold a tonne of carbon
AIR, UPPER, DEEP = 588.0, 360.0, 1720.0  # at rest [MATEQ MUEQ MLEQ]
TO_UPPER, TO_DEEP = 0.12, 0.007  # what leaves the air, and the upper ocean, in a step [b12 b23]
DOUBLING = 3.6813  # forcing of twice the carbon [fco22x]
SENSITIVITY = 3.1  # warming by it in the end [t2xco2]
QUICK, SLOW, DEEPER = 0.1005, 0.088, 0.025  # [c1 c3 c4]
PPM = 2.13  # GtC for a part per million


class Planet(Struct):
    """2015 unless said otherwise [mat0 mu0 ml0 tatm0 tocean0]."""

    air: float = 851.0
    upper: float = 460.0
    deep: float = 1740.0
    warming: float = 0.85
    ocean: float = 0.0068
    emitted: float = 0.0  # GtC since the beginning

    @property
    def carbon(self) -> float:
        return self.air + self.upper + self.deep

    @property
    def ppm(self) -> float:
        return self.air / PPM


def step(planet: Planet, tonnes: float, other: float) -> None:
    """Five years: `tonnes` of CO2 a year (Gt) are emitted; `other` forcing comes from other gases."""
    emitted = tonnes * YEARS / CARBON
    up = TO_UPPER * planet.air
    back = TO_UPPER * AIR / UPPER * planet.upper
    down = TO_DEEP * planet.upper
    rise = TO_DEEP * UPPER / DEEP * planet.deep
    planet.air += emitted - up + back
    planet.upper += up - back - down + rise
    planet.deep += down - rise
    planet.emitted += emitted
    forcing = DOUBLING * math.log2(planet.air / AIR) + other
    kept = planet.warming
    planet.warming += QUICK * (forcing - DOUBLING / SENSITIVITY * kept - SLOW * (kept - planet.ocean))
    planet.ocean += DEEPER * (kept - planet.ocean)


def other_forcing(turn: int) -> float:
    """From 0.5 in 2015 to 1.0 in 2100 and after [fex0 fex1]."""
    return 0.5 + 0.5 * min(turn / 17.0, 1.0)
