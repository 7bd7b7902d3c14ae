"""Checks of a world's panels: sound as declared, and for each data of the right shape as it is played."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from windtunnel.panels import Curves, Panel, Scores
from windtunnel.panels.checking import problems
from windtunnel.panels.shapes import CurvesData, Data, Part
from windtunnel.run.drawing import Drawing
from windtunnel.testing.lab import at_once
from windtunnel.testing.report import Finding
from windtunnel.testing.subject import Subject
from windtunnel.world import World

NAME = "panels"
TODO = "mend the declaration: docs/panels.md tells kinds, sources and paths"


def declared(world: World) -> Iterator[Finding]:
    """What can be said before anything is played."""
    for problem in problems(world.panels, queries=world.queries, roles=world.roles):
        yield Finding("contract", "lacks", problem, TODO)


def panels(subject: Subject) -> Iterator[Finding]:
    """Each panel is drawn after a few turns, the beginning among them."""
    world = subject.world
    if not world.panels:
        yield subject.find(NAME, "skipped", "the world lays out no page of its own")
        return
    turns = sorted({0, *subject.some_turns()})
    shown: set[str] = set()
    scored: dict[str, set[str]] = {}
    for turn in turns:
        player = subject.base().at(turn)
        drawing = Drawing(player, subject.base().store)
        before = player.codec.encode(player.frame.state)
        for who, table in drawing.scores(turn).items():
            scored.setdefault(who, set()).update(table)
        for panel in world.panels:
            for part in at_once(drawing.parts(panel)):
                if problem := _wrong(panel, part):
                    yield subject.find(NAME, "lacks", f"turn {turn}, panel {panel.id!r}: {problem}", TODO)
                    return
                if part.data is not None and _holds(part.data):
                    shown.add(panel.id)
        if player.codec.encode(player.frame.state) != before:
            yield subject.find(NAME, "lacks", "drawing the panels changed the state", "queries only read")
            return
    yield from _unknown(subject, scored)
    yield from _verdict(subject, turns, shown)


def _wrong(panel: Panel, part: Part) -> str:
    """Why a part is not what its kind promises."""
    whose = f"as {part.agent}: " if part.agent else ""
    if part.error is not None or part.data is None:
        return f"{whose}{part.error}"
    if type(part.data).__struct_config__.tag != type(panel).__struct_config__.tag:
        return f"{whose}its data are {type(part.data).__name__}"
    try:
        msgspec.json.decode(msgspec.json.encode(part.data), type=Data)
    except msgspec.ValidationError as error:
        return f"{whose}its data have another shape: {error}"
    return ""


def _holds(data: Data) -> bool:
    """Whether there is anything to see."""
    if isinstance(data, CurvesData):
        return bool(data.series)
    return any(
        getattr(data, name) for name in data.__struct_fields__ if name not in ("more", "fields", "labels")
    )


def _unknown(subject: Subject, scored: dict[str, set[str]]) -> Iterator[Finding]:
    """Metrics that nobody has after any of the turns."""
    every = set().union(*scored.values()) if scored else set()
    for panel in subject.world.panels:
        if not isinstance(panel.source, Scores) or not scored:
            continue
        there = set().union(*(scored.get(who, set()) for who in panel.source.agents)) or every
        for name in panel.source.names:
            if name not in there:
                known = ", ".join(sorted(there)[:12])
                what = f"panel {panel.id!r}: nobody has a metric {name!r}; there are: {known}"
                yield subject.find(NAME, "lacks", what, TODO)


def _verdict(subject: Subject, turns: list[int], shown: set[str]) -> Iterator[Finding]:
    empty = [one.id for one in subject.world.panels if one.id not in shown]
    if empty:
        what = f"nothing was to be seen after turns {', '.join(map(str, turns))} in: {', '.join(empty)}"
        yield subject.find(NAME, "told", what)
    curves = sum(isinstance(one, Curves) for one in subject.world.panels)
    total = len(subject.world.panels)
    yield subject.find(NAME, "ok", f"{total} panels, {curves} of them curves, after {len(turns)} turns")
