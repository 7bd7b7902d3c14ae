"""Begin an evolution, play it or go on with it, and read from its journal what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from windtunnel.codec import decode_body
from windtunnel.config import Workspace
from windtunnel.control.catalog import Found, find_run, open_store, opened
from windtunnel.control.executor import hub_of
from windtunnel.control.ids import new_run_id
from windtunnel.control.verbs import Control
from windtunnel.errors import NotFound
from windtunnel.evolution import engine, gate
from windtunnel.evolution.model import TRACE, WORLD_NAME, Bout, Candidate, Plan, Verdict
from windtunnel.evolution.reflection import read_traces
from windtunnel.evolution.trials import bout_order
from windtunnel.journal import RunRow, Store
from windtunnel.journal.texts import whole
from windtunnel.run.begin import Said
from windtunnel.run.calls import BUDGET
from windtunnel.run.effects import Halted
from windtunnel.run.entries import AppliedEntry, Started, read
from windtunnel.run.player import Player
from windtunnel.scenario import scenario_from_plain
from windtunnel.tournaments.hands import Failed, Hands, LocalHands
from windtunnel.tournaments.model import MATCH, Outcome
from windtunnel.tournaments.playing import NotNow, paid
from windtunnel.tournaments.running import budget_of, play_with, unplayed
from windtunnel.words import counted
from windtunnel.world import Call, EffectKind, Scenario

Heard = Callable[[Bout, Outcome], None]


class Row(Struct, frozen=True):
    """A candidate as it stood after a generation."""

    name: str
    generation: int
    operator: str
    parents: tuple[str, ...]
    gain: float
    error: float | None
    lucks: int
    matches: int
    cost: int
    refused: int
    failed: str
    genome: dict[str, Any]
    why: str = ""


class Generation(Struct, frozen=True):
    """The best first."""

    generation: int
    candidates: list[Row]
    tried: int
    cost: int


class Story(Struct, frozen=True):
    """What an evolution's journal says of it so far."""

    run_id: str
    title: str
    status: str
    reason: str
    plan: Plan
    generations: list[Generation]
    verdict: Verdict | None
    winner: Candidate | None
    marks: tuple[str, ...] = ()  # where another model answered than the one named, and how often


def begin_evolution(
    workspace: Workspace,
    plan: Plan,
    *,
    name: str = "",
    path: Path | None = None,
    tags: tuple[str, ...] = (),
    run_id: str = "",
    said: Said = (),
) -> Found:
    """Its store and its first entry, which pins all of it, the seal of the held-out luck too. Nothing is
    played yet. `run_id`: chosen before; `said`: operations to be written with it."""
    gate.opened(plan)  # refused here, where it was changed after it was sealed
    scenario = Scenario(
        WORLD_NAME,
        name=f"{WORLD_NAME}/{name or 'inline'}",
        title=plan.title,
        description=plan.description,
        turns=plan.generations + 1,
        seed=plan.seed,
        parameters=plan,
        agents=engine.SEEN_BY,
        tags=(WORLD_NAME, *tags),
    )
    terms = [(BUDGET, {"money": plan.budget})] if plan.budget is not None else []
    control = Control(workspace, lambda _name: engine.world)
    return control.create(
        engine.world, scenario, path=path, said=[*said, *terms], run_id=run_id or new_run_id()
    )


def find_evolution(workspace: Workspace, name: str) -> Found:
    found = find_run(workspace, name)
    if found.row.world != WORLD_NAME:
        raise NotFound(
            f"run {found.row.run_id} is no evolution", where=name,
            remedy=f"it plays {found.row.scenario}; windtunnel runs --world {WORLD_NAME} lists them",
        )  # fmt: skip
    return found


def plan_of(store: Store, run_id: str) -> Plan:
    """What its first entry says of it."""
    (first,) = store.entries(run_id, after=-1, upto=0)
    started: Started = read(first)
    plan: Plan = scenario_from_plain(started.scenario, engine.world).parameters
    return plan


async def play_evolution(
    workspace: Workspace,
    found: Found,
    *,
    hands: Hands | None = None,
    heard: Heard | None = None,
    observer: Callable[[Player], None] | None = None,
    budget: float | None = None,
) -> RunRow:
    """Play it until it ends, or has to wait; its row says which. `budget`, in dollars, for all of it."""
    store = open_store(found.location, workspace)
    mine = hands is None
    hands = hands or LocalHands(workspace)
    try:
        bench = Bench(store, found, hands, heard)
        return await play_at(workspace, bench, observer=observer, budget=budget)
    finally:
        if mine:
            await hands.aclose()
        store.close()


async def play_at(
    workspace: Workspace,
    bench: Bench,
    *,
    observer: Callable[[Player], None] | None = None,
    budget: float | None = None,
    **terms: Any,
) -> RunRow:
    """Play the evolution of a bench; the terms are those of any run that is played. What it asks of models
    is charged to it, by a hub of its own."""
    hub = hub_of(workspace)
    hub.charged = (WORLD_NAME, bench.run_id, budget if budget is not None else bench.budget)
    effects = {
        MATCH: EffectKind(bench.match, in_doubt="retry"),
        TRACE: EffectKind(bench.trace, in_doubt="retry"),
    }
    try:
        return await play_with(
            bench.hands, bench.store, engine.world, bench.run_id, command="evolve", effects=effects,
            observer=observer, **{**terms, "hub": hub, "budget": budget},
        )  # fmt: skip
    finally:
        await hub.aclose()


class Bench:
    """Where the matches of one evolution are played from."""

    def __init__(self, store: Store, found: Found, hands: Hands, heard: Heard | None) -> None:
        self.store, self.hands, self._heard = store, hands, heard
        self._location, self.run_id = found.location, found.row.run_id
        self.plan = plan_of(store, self.run_id)

    @property
    def budget(self) -> float | None:
        return budget_of(self.store, self.run_id)

    async def match(self, request: Any, _call: Call) -> Any:
        bout = msgspec.convert(request, Bout)
        order = bout_order(self.plan, bout, self._location, self.run_id, self.budget)
        try:
            outcome = await self.hands.play(order)
        except NotNow as late:
            raise Halted(late.error) from late
        except Failed as failed:
            outcome = unplayed(self.store, order, failed)
        if self._heard is not None:
            self._heard(bout, outcome)
        return outcome

    async def trace(self, request: Any, _call: Call) -> Any:
        return read_traces(self.store, self.run_id, request)


def story_of(found: Found) -> Story:
    """As it stands now."""
    with opened(found, read_only=True) as store:
        row = store.run(found.row.run_id)
        plan = plan_of(store, row.run_id)
        generations: list[Generation] = []
        verdict: Verdict | None = None
        made: dict[str, Row] = {}
        for entry in store.entries(row.run_id, after=0):
            if entry.kind != "applied":
                continue
            applied: AppliedEntry = read(entry)
            for event in applied.events:
                if event["kind"] == "generation":
                    generations.append(msgspec.convert(event["body"], Generation))
                    made |= {one.name: one for one in generations[-1].candidates}
                elif event["kind"] == "verdict":
                    verdict = msgspec.convert(event["body"], Verdict)
        marks = _marks(store, row)
    best = made.get(verdict.candidate) if verdict is not None else None
    winner = None if best is None else msgspec.convert(msgspec.to_builtins(best), Candidate)
    return Story(
        row.run_id, plan.title, str(row.status), row.reason or "", plan, generations, verdict, winner, marks
    )


def _marks(store: Store, row: RunRow) -> tuple[str, ...]:
    """Who stood in for whom: in answers of its own, which are reflections, and in matches."""
    matches: Counter[str] = Counter()
    for effect in store.effects(row.run_id, kind=MATCH):
        if effect.result is not None and b"stood in" in (result := whole(store, effect).result or b""):
            matches.update(decode_body(result).get("ok", {}).get("marks", ()))
    told = [(mark, counted(times, "reflection")) for mark, times in paid(store, row)[1].items()]
    told += [(mark, counted(times, "match", "matches")) for mark, times in matches.items()]
    return tuple(f"in {times} {mark}" for mark, times in sorted(told))
