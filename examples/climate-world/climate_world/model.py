"""The rules: what regions make, emit, lose and agree on. A turn is five years.

Output is capital's share of a Cobb-Douglas function; a share of it is saved. Abatement costs and damages are
those of DICE-2016R (Nordhaus 2017): a backstop price that falls, a cost that rises with the power 2.6 of what
is abated, damages that rise with the square of warming. The latter are contested: many estimates are several
times as high; `harm` scales them. What regions start from is rounded from the World Bank and the Global
Carbon Project for 2015.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from climate_world.physics import YEARS, Planet, other_forcing, step
from windtunnel.errors import ScenarioError
from windtunnel.world import (
    WORLD,
    Action,
    Actor,
    Applied,
    Context,
    Decided,
    Engine,
    Event,
    Metrics,
    Progress,
    Scenario,
    Verdict,
    accept,
    amend,
)

CAPITAL, WEAR, SAVED = 0.3, 0.1, 0.25  # share of capital, wear a year, saving rate [gama dk]
DAMAGE, BACKSTOP, POWER = 0.00236, 550.0, 2.6  # [a2 pback expcost2]
CHEAPER, CLEANER = 0.025, 0.0152  # the backstop's fall a step, intensity's fall a year [gback gsigma1]
LAND, LAND_FALLS = 2.6, 0.115  # GtCO2 a year from land, and its fall a step [eland0 deland]
TRADE = 0.2  # of its output a region sells abroad
STEP = 0.25  # how far abatement may move in five years

Share = Annotated[float, Meta(ge=0.0, le=1.0)]


class Start(Struct, frozen=True, forbid_unknown_fields=True):
    """A region in 2015."""

    output: Annotated[float, Meta(gt=0, description="Trillion dollars a year.")]
    emissions: Annotated[float, Meta(ge=0, description="GtCO2 a year.")]
    growth: Annotated[float, Meta(ge=-0.02, le=0.06, description="Of productivity, a year, at first.")] = (
        0.015
    )
    vulnerability: Annotated[float, Meta(ge=0, le=5, description="Damages over the world's mean.")] = 1.0


class Parameters(Struct, frozen=True, forbid_unknown_fields=True):
    regions: Annotated[dict[str, Start], Meta(description="By the id of the agent that plays it.")] = field(
        default_factory=dict
    )
    harm: Annotated[float, Meta(ge=0, le=10, description="Damages over those of DICE-2016R.")] = 1.0
    weather: Annotated[float, Meta(ge=0, le=0.5, description="Deviation of a turn's warmth.")] = 0.05
    luck: Annotated[float, Meta(ge=0, le=0.1, description="Deviation of a turn's growth.")] = 0.01


class Act(Action, frozen=True):
    """What share of its emissions a region avoids, and whether it is a member of the agreement."""

    abatement: Share
    member: bool = False


class Stay(Action, frozen=True):
    """Everything stays as it is."""


class Terms(Action, frozen=True):
    """What the agreement asks of its members, and the tariff on those who are none."""

    target: Share
    tariff: Annotated[float, Meta(ge=0.0, le=0.5)] = 0.0


class Region(Struct):
    capital: float
    productivity: float
    growth: float
    intensity: float  # GtCO2 for a trillion dollars, if nothing is abated
    vulnerability: float
    abatement: float = 0.03
    member: bool = False
    output: float = 0.0  # net of damages, abatement and tariffs
    emissions: float = 0.0
    lost: float = 0.0  # share of output lost to warming
    consumed: float = 0.0  # since the beginning
    reported: float = 0.0  # emissions of the turn before, as all know them


class State(Struct):
    turn: int
    planet: Planet
    regions: dict[str, Region]
    target: float = 0.0
    tariff: float = 0.0
    land: float = LAND
    backstop: float = BACKSTOP
    began: float = 0.0  # carbon in all boxes before the first turn
    fund: str = ""  # who sets the terms
    collected: float = 0.0  # tariffs, since the beginning


class Seen(Struct, frozen=True):
    """What a region knows: itself, the climate, the terms, and of others what they have reported."""

    year: int
    warming: float
    ppm: float
    own: Region
    target: float
    tariff: float
    members: list[str]
    reported: dict[str, float]


class SeenByFund(Struct, frozen=True):
    year: int
    warming: float
    ppm: float
    target: float
    tariff: float
    members: list[str]
    reported: dict[str, float]


class Climate(Engine[State]):
    def start(self, scenario: Scenario, context: Context) -> State:
        p = msgspec.convert(msgspec.to_builtins(context.parameters or {}), Parameters)
        regions = {}
        for agent in scenario.agents:
            if agent.role != "region":
                continue
            if (given := p.regions.get(agent.id)) is None:
                raise ScenarioError(
                    f"nothing is known of region {agent.id!r}",
                    where=f"parameters.regions.{agent.id}",
                    remedy="give it output and emissions",
                )
            capital = 2.1 * given.output  # DICE's own ratio in 2015 [k0 q0]
            regions[agent.id] = Region(
                capital,
                given.output / capital**CAPITAL,
                given.growth,
                given.emissions / given.output / 0.97,
                given.vulnerability,
                output=given.output,
                emissions=given.emissions,
                reported=given.emissions,
            )
        planet = Planet()
        fund = next((agent.id for agent in scenario.agents if agent.role == "fund"), "")
        return State(0, planet, regions, began=planet.carbon, fund=fund)

    def observe(self, state: State, actor: Actor) -> Any:
        year, planet = 2015 + YEARS * state.turn, state.planet
        members = [name for name, region in state.regions.items() if region.member]
        reported = {name: region.reported for name, region in state.regions.items()}
        told = (state.target, state.tariff, members, reported)
        if actor.role == "fund":
            return SeenByFund(year, planet.warming, planet.ppm, *told)
        return Seen(year, planet.warming, planet.ppm, msgspec.structs.replace(state.regions[actor.id]), *told)

    def apply(
        self, state: State, decided: Decided, events: Sequence[Event], context: Context
    ) -> Applied[State]:
        p = msgspec.convert(msgspec.to_builtins(context.parameters or {}), Parameters)
        state.turn += 1
        told = [event for who, action in decided.items() for event in _decide(state, who, action)]
        emitted = state.land
        within = sum(r.output for r in state.regions.values() if r.member) / sum(
            r.output for r in state.regions.values()
        )
        for name, region in state.regions.items():
            region.reported = region.emissions
            emitted += _live(region, state, within, p, context.chance("growth", name).normal(0.0, p.luck))
        step(state.planet, emitted, other_forcing(state.turn))
        state.planet.warming += context.chance("weather").normal(0.0, p.weather)
        state.land *= 1.0 - LAND_FALLS
        state.backstop *= 1.0 - CHEAPER
        return Applied(state, told)

    def score(self, state: State) -> Mapping[str, Metrics]:
        found: dict[str, Metrics] = {}
        for name, r in state.regions.items():
            found[name] = {
                "wealth": r.capital, "output": r.output, "consumed": r.consumed, "emissions": r.emissions,
                "abatement": r.abatement, "lost": r.lost, "member": float(r.member),
            }  # fmt: skip
        if state.fund:
            found[state.fund] = {"wealth": state.collected}
        found[WORLD] = {
            "warming": state.planet.warming, "ppm": state.planet.ppm,
            "emissions": sum(r.emissions for r in state.regions.values()) + state.land,
            "output": sum(r.output for r in state.regions.values()),
        }  # fmt: skip
        return found

    def progress(self, state: State) -> Progress:
        return Progress(2015 + YEARS * state.turn, None, "year")

    def over(self, state: State) -> str | None:
        return "nothing is left to lose" if all(r.output <= 0.0 for r in state.regions.values()) else None


def _decide(state: State, who: str, action: Any) -> list[Event]:
    if type(action) is Terms:
        changed = (action.target, action.tariff) != (state.target, state.tariff)
        state.target, state.tariff = action.target, action.tariff
        return [Event("terms", {"target": action.target, "tariff": action.tariff}, who)] if changed else []
    if type(action) is not Act:
        return []
    region = state.regions[who]
    was, region.member = region.member, action.member
    region.abatement = action.abatement
    if was == region.member:
        return []
    return [Event("joined" if region.member else "left", None, who)]


def _live(region: Region, state: State, within: float, p: Parameters, luck: float) -> float:
    """Five years of one region. Returns what it emits a year."""
    gross = region.productivity * region.capital**CAPITAL
    region.lost = min(DAMAGE * p.harm * region.vulnerability * max(state.planet.warming, 0.0) ** 2, 0.9)
    cost = state.backstop * region.intensity / POWER / 1000.0 * region.abatement**POWER
    shut_out = 0.0 if region.member else state.tariff * TRADE * within
    region.output = max(gross * (1.0 - region.lost) * (1.0 - cost) * (1.0 - shut_out), 0.0)
    state.collected += YEARS * gross * shut_out
    region.emissions = gross * region.intensity * (1.0 - region.abatement)
    region.consumed += YEARS * (1.0 - SAVED) * region.output
    region.capital = region.capital * (1.0 - WEAR) ** YEARS + YEARS * SAVED * region.output
    region.productivity *= (1.0 + region.growth) ** YEARS * (1.0 + luck)
    region.growth *= 0.975
    region.intensity *= (1.0 - CLEANER) ** YEARS
    return region.emissions


class Inspectors:
    """No economy is rebuilt in five years: abatement moves by a quarter at most. A member meets the
    target, or is none."""

    def check(self, state: State, actor: Actor, action: Any, context: Context) -> Verdict:
        if type(action) is not Act:
            return accept()
        now = state.regions[actor.id].abatement
        abatement = min(max(action.abatement, now - STEP), now + STEP)
        owed = min(state.target, now + STEP)
        member = action.member and abatement >= owed - 1e-9
        if (abatement, member) == (action.abatement, action.member):
            return accept()
        why = [f"abatement moves by {STEP:g} at most"] if abatement != action.abatement else []
        if member != action.member:
            why.append(f"a member abates {owed:.2f} or is none")
        return amend(Act(abatement, member), "; ".join(why))
