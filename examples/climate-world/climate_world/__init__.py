"""Regions that emit, abate and make agreements that can be broken: a world for Windtunnel."""

from __future__ import annotations

from pathlib import Path

import msgspec

from climate_world.model import Act, Climate, Inspectors, Parameters, Seen, SeenByFund, State, Stay, Terms
from windtunnel.panels import Ask, Bars, Column, Scores, Table
from windtunnel.world import Action, Actor, Chance, Context, Role, Stakes, World

__all__ = ["world"]

# --- policies: what each may know is all that they use --------------------------------------------------


def cooperator(seen: Seen, _: Context) -> Action:
    """Is a member, and does what members owe."""
    return Act(max(seen.target, seen.own.abatement), True)


def free_rider(seen: Seen, _: Context) -> Action:
    """Lets others pay."""
    return Act(max(seen.own.abatement - 0.25, 0.0), False)


def reciprocator(seen: Seen, _: Context) -> Action:
    """Is a member as long as most are; else it does no more than others."""
    others = [name for name in seen.reported if name in seen.members]
    if seen.year == 2015 or len(others) * 2 >= len(seen.reported):
        return cooperator(seen, _)
    return free_rider(seen, _)


def ambitious(seen: SeenByFund, _: Context) -> Action:
    """A target that climbs to nine tenths, and no tariff."""
    return Terms(min(0.1 + 0.08 * (seen.year - 2015) / 5, 0.9))


def modest(seen: SeenByFund, _: Context) -> Action:
    """A target that climbs to a third."""
    return Terms(min(0.05 + 0.03 * (seen.year - 2015) / 5, 0.33))


def club(seen: SeenByFund, _: Context) -> Action:
    """The ambitious target, and a tariff on those outside (Nordhaus, American Economic Review 105, 2015)."""
    return Terms(min(0.1 + 0.08 * (seen.year - 2015) / 5, 0.9), 0.1)


# --- questions and checks ---------------------------------------------------------------------------------


def carbon(state: State, actor: Actor) -> dict[str, float]:
    """Where the carbon is, in GtC."""
    planet = state.planet
    return {
        "air": planet.air,
        "upper ocean": planet.upper,
        "deep ocean": planet.deep,
        "emitted": planet.emitted,
    }


PANELS = (
    Table(
        id="regions",
        title="Regions",
        help="What each makes, emits and avoids; a member is bound by the agreement's terms.",
        width=8,
        source=Scores(("output", "emissions", "abatement", "lost", "member"), role="region"),
        rows=("region",),
        columns=(
            Column("output", "Output", "trillion $ a year"),
            Column("emissions", "Emissions", "GtCO2 a year"),
            Column("abatement", "Avoided", "%", 100.0),
            Column("lost", "Lost to warming", "%", 100.0),
            Column("member", "Member"),
        ),
    ),
    Bars(id="carbon", title="Where the carbon is", width=4, source=Ask("carbon"), unit="GtC"),
)


def carbon_is_conserved(state: State) -> str | None:
    missing = state.planet.carbon - state.began - state.planet.emitted
    return f"{missing:+g} GtC came from nowhere" if abs(missing) > 1e-6 else None


def nothing_is_negative(state: State) -> str | None:
    for name, region in state.regions.items():
        if not (region.capital >= 0.0 and region.output >= 0.0 and region.emissions >= 0.0):
            return f"{name} has less than nothing: {region}"
    return None


def stakes(state: State, actor: Actor, action: Action) -> Stakes:
    """What a policy may make people decide: who leaves, who leaps, and tariffs that hurt."""
    if isinstance(action, Act):
        now = state.regions[actor.id]
        leap = abs(action.abatement - now.abatement)
        leaves = now.member and not action.member
        told = f"{actor.id} abates {action.abatement:.0%} instead of {now.abatement:.0%}"
        told += " and leaves the agreement" if leaves else ""
        return Stakes(100.0 * leap, "high" if leaves else "medium" if leap > 0.1 else "low", told, "per cent")
    if isinstance(action, Terms):
        told = f"members abate {action.target:.0%}; a tariff of {action.tariff:.0%} on the others"
        moved = 100.0 * abs(action.target - state.target)
        return Stakes(moved, "high" if action.tariff > 0.2 else "medium", told, "per cent")
    return Stakes(0.0, "low", f"{actor.id} changes nothing", "per cent")


def redraw_hidden(state: State, actor: Actor, chance: Chance) -> State:
    """Another state that looks the same: others' capital, and what they emitted since they last reported."""
    other = msgspec.convert(msgspec.to_builtins(state), State)
    for name, region in other.regions.items():
        if name != actor.id:
            region.capital *= chance.uniform(0.5, 1.5)
            region.emissions *= chance.uniform(0.5, 1.5)
            region.abatement = chance.random()
            region.output *= chance.uniform(0.5, 1.5)
    return other


region = Role(
    actions=(Act, Stay),
    no_op=Stay(),
    policies={"cooperator": cooperator, "free_rider": free_rider, "reciprocator": reciprocator},
    instructions="You govern a region, five years a turn. Act: what share of your emissions you avoid, and "
    "whether you are a member of the agreement. Abatement costs now, warming costs later. You are judged by "
    "your wealth: your capital.",
)
fund = Role(
    actions=(Terms, Stay),
    no_op=Stay(),
    policies={"ambitious": ambitious, "modest": modest, "club": club},
    instructions="You set what the agreement asks: its members' abatement, and a tariff on the others.",
)

world = World(
    name="climate",
    version="0.1.0",
    description="Regions emit, abate, and make agreements that can be broken; carbon is conserved.",
    engine=Climate(),
    state=State,
    roles={"region": region, "fund": fund},
    validator=Inspectors(),
    stakes=stakes,
    parameters=Parameters,
    queries={"carbon": carbon},
    invariants={"carbon is conserved": carbon_is_conserved, "nothing is negative": nothing_is_negative},
    headline=("warming", "emissions", "output"),
    panels=PANELS,
    redraw_hidden=redraw_hidden,
    scenarios=str(Path(__file__).with_name("scenarios")),
)
