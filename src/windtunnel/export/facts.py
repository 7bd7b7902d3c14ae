"""What a report says of a run, gathered in one pass over its history and bounded however long that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct, field

from windtunnel.export.story import (
    PLAIN_BODIES,
    Decision,
    EffectTold,
    Happening,
    decisions_of,
    effects_told,
    events_of,
    turns_told,
)
from windtunnel.frames import Series
from windtunnel.journal.lineage import Lineage
from windtunnel.journal.model import Entry, RunRow
from windtunnel.journal.verify import Verified
from windtunnel.run.checkpoints import circumstances
from windtunnel.run.entries import Started, read
from windtunnel.run.feedback import feedback_of
from windtunnel.world import WORLD, Reported, ScheduledEvent, Section, World

MAX_EVENTS = 300
MAX_VERDICTS = 200
MAX_EFFECTS = 100
MAX_FEEDBACK = 100
MAX_DECISIONS = 3000  # in all the turns that are shown
ALL_TURNS = 120  # up to here every turn is shown
HEADLINES = 4  # of a world that names none


class Sample(Struct):
    """The first and last of something that may go on and on, and how many there were."""

    most: int
    count: int = 0
    first: list[Any] = field(default_factory=list)
    last: list[Any] = field(default_factory=list)

    def add(self, item: Any) -> None:
        self.count += 1
        if len(self.first) < self.most // 2:
            self.first.append(item)
            return
        self.last.append(item)
        if len(self.last) > self.most - self.most // 2:
            del self.last[0]

    @property
    def items(self) -> list[Any]:
        return self.first + self.last


class Facts(Struct):
    """A run as its report tells it."""

    row: RunRow
    store: str  # its location
    started: Started
    scenario: dict[str, Any]
    forks: list[RunRow]  # the run and its parents, the oldest first
    headline: list[str]
    world_version: str
    series: dict[tuple[str, str], Series]  # by agent and metric
    decisions: list[list[Decision]]  # of the turns that are shown
    turns_seen: int
    events: Sample
    verdicts: Sample
    effects: Sample
    feedback: Sample
    scheduled: list[ScheduledEvent]
    ended: str | None
    verified: Verified | None
    sections: list[Section] = field(default_factory=list)  # the world's own


def gather(lineage: Lineage, store: str, world: World | None, verified: Verified | None) -> Facts:
    (first,) = lineage.entries(-1, 0)
    started: Started = read(first)
    scenario, _, _ = circumstances(lineage, lineage.row.head_seq)
    series = _series(lineage)
    facts = Facts(
        row=lineage.row, store=store, started=started, scenario=scenario,
        forks=[part.row for part in lineage.parts], headline=_headline(world, series),
        world_version=started.world_version, series=series, decisions=[], turns_seen=0,
        events=Sample(MAX_EVENTS), verdicts=Sample(MAX_VERDICTS), effects=Sample(MAX_EFFECTS),
        feedback=Sample(MAX_FEEDBACK),
        scheduled=[ScheduledEvent(**event) for event in scenario.get("events", ())], ended=None,
        verified=verified,
    )  # fmt: skip
    _walk(lineage, facts)
    for effect in effects_told(lineage):
        facts.effects.add(effect)
    for given in feedback_of(lineage):
        facts.feedback.add(given)
    if world is not None:
        facts.sections = _of_the_world(world, facts)
    return facts


def _of_the_world(world: World, facts: Facts) -> list[Section]:
    """What the world itself has to say. A part of it that fails says so in its place; the report stands."""
    series: dict[str, dict[str, Sequence[float]]] = {}
    for (agent, name), curve in facts.series.items():
        series.setdefault(agent, {})[name] = curve.values
    told = Reported(facts.row.scenario, facts.row.seed, facts.row.turn, series)
    found = []
    for report in world.reports:
        try:
            section = report(told)
        except Exception as error:  # noqa: BLE001 - a stranger's code must not cost the report
            name = getattr(report, "__name__", "report")
            section = Section(
                f"{world.name}: {name}", (f"This section failed: {type(error).__name__}: {error}",)
            )
        if section is not None:
            found.append(section)
    return found


def _series(lineage: Lineage) -> dict[tuple[str, str], Series]:
    found: dict[tuple[str, str], Series] = {}
    for turn, agent, name, value in lineage.metrics():
        series = found.get((agent, name))
        if series is None:
            series = found[agent, name] = Series([], [])
        series.turns.append(turn)
        series.values.append(value)
    return found


def _headline(world: World | None, series: dict[tuple[str, str], Series]) -> list[str]:
    """What the world itself shows first; of a world that is not here, the first it recorded of itself."""
    own = [name for agent, name in series if agent == WORLD]
    if world is not None and world.headline:
        return [name for name in world.headline if name in own]
    return own[:HEADLINES]


def _walk(lineage: Lineage, facts: Facts) -> None:
    row = lineage.row
    shown = _picker(row.turn)
    budget = MAX_DECISIONS
    for turn in turns_told(lineage):
        number = turn[0].turn
        for event in events_of(turn):
            facts.events.add(event)
        if turn[-1].kind == "ended":
            facts.ended = read(turn[-1]).reason
        if number == 0:
            continue
        facts.turns_seen += 1
        eventful = _eventful(turn)
        if not (eventful or shown(number)):
            continue
        decisions = decisions_of(turn)
        for decision in decisions:
            if decision.verdict != "accept":
                facts.verdicts.add(decision)
        if shown(number) and decisions and budget > 0:
            facts.decisions.append(decisions[:budget])
            budget -= len(decisions)


def _picker(turns: int) -> Callable[[int], bool]:
    """Which turns are shown with their decisions: all, or the first, the last and evenly between."""
    if turns <= ALL_TURNS:
        return lambda _: True
    chosen = {round(1 + place * (turns - 1) / (ALL_TURNS - 1)) for place in range(ALL_TURNS)}
    return chosen.__contains__


def _eventful(turn: Sequence[Entry]) -> bool:
    return any(entry.kind == "judged" and entry.body != PLAIN_BODIES["judged"] for entry in turn)


__all__ = ["Decision", "EffectTold", "Facts", "Happening", "Sample", "gather"]
