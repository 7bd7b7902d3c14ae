"""Which curves a report draws: the world's headline metrics, and the wealth of its agents.

With more agents than colours can tell apart, the best, the worst and the one in the middle are drawn, and the
chart says so.
"""

from __future__ import annotations

from windtunnel.export.curves import MAX_LINES, MAX_POINTS, Chart, Curve, thinned
from windtunnel.export.facts import Facts
from windtunnel.export.markup import spoken
from windtunnel.world import WORLD

POINTS_OF_ALL = 16_000  # in one chart, so that a page stays small however many lines it has


def charts_of(facts: Facts) -> list[Chart]:
    own = [_own(facts, name, place) for place, name in enumerate(facts.headline)]
    return own + [_by_agent(facts, name) for name in compared(facts)]


def compared(facts: Facts) -> list[str]:
    """The metrics drawn by agent: wealth; in a world without it, the first that agents have."""
    names = list(dict.fromkeys(name for agent, name in facts.series if agent != WORLD))
    return ["wealth"] if "wealth" in names else names[:1]


def _own(facts: Facts, name: str, place: int) -> Chart:
    series = facts.series[WORLD, name]
    turns, values = thinned(series.turns, series.values)
    return Chart(f"world-{place}", spoken(name), [Curve(name, turns, values)])


def _by_agent(facts: Facts, name: str) -> Chart:
    agents = [agent for agent, what in facts.series if what == name and agent != WORLD]
    ranked = sorted(agents, key=lambda agent: -facts.series[agent, name].values[-1])
    drawn, note = ranked, ""
    if len(ranked) > MAX_LINES:
        best, worst = MAX_LINES // 2, MAX_LINES - MAX_LINES // 2 - 1
        drawn = [*ranked[:best], ranked[len(ranked) // 2], *ranked[-worst:]]
        note = (
            f"{len(drawn)} of {len(ranked)} agents are drawn: the {best} that ended highest, the one in the "
            f"middle, and the {worst} that ended lowest. The export to csv has all of them."
        )
    most = max(2, min(MAX_POINTS, POINTS_OF_ALL // max(len(drawn), 1)))
    curves = []
    for colour, agent in enumerate(drawn):
        turns, values = thinned(*facts.series[agent, name], most)
        curves.append(Curve(agent, turns, values, colour))
    return Chart(f"agents-{name}", f"{spoken(name)} by agent", curves, note)
