"""`python -m windtunnel.evolution.desk --home HOME --world evolution`: the desk of evolutions.

As that of tournaments, it begins one, which needs the code of a world, and reads what came of one. It also
proposes what passed its gate; and it knows the verbs of every desk.
"""

from __future__ import annotations

import math
from typing import Annotated, Any

from msgspec import Meta, Struct, convert, to_builtins

from windtunnel.control.catalog import Found, opened
from windtunnel.control.desk import main
from windtunnel.control.desk_verbs import VERBS, Asked, Known, NewRunId, OfRun, Progress, Room, run_plain
from windtunnel.control.limits import begun_with
from windtunnel.control.proposals import Proposals
from windtunnel.control.worlds import Worlds
from windtunnel.errors import Forbidden, NotFound, WrongState
from windtunnel.evolution import estimating
from windtunnel.evolution.model import WORLD_NAME, Bout, Genome, Plan, expressed
from windtunnel.evolution.model import Ground as Tried
from windtunnel.evolution.proposing import propose as proposed
from windtunnel.evolution.reading import inline_evolution
from windtunnel.evolution.running import Generation, Row, Story, begin_evolution, plan_of, story_of
from windtunnel.strategies.versions import compared
from windtunnel.tournaments.desk import (
    About,
    Drawn,
    Matches,
    outcome_told,
    paged,
    run_of,
    stage_name,
)
from windtunnel.tournaments.finding import check_inside
from windtunnel.tournaments.model import Outcome
from windtunnel.tournaments.reading import sources
from windtunnel.tournaments.running import outcomes


class Begin(Asked, frozen=True):
    """`evolution`: what its file would hold."""

    evolution: dict[str, Any]
    run_id: NewRunId = ""
    tags: tuple[str, ...] = ()


class Planned(Asked, frozen=True):
    """As in `Begin`."""

    evolution: dict[str, Any]


class Told(Drawn, frozen=True, kw_only=True):
    """`generation`: of which the candidates are wanted; the last, if unsaid."""

    generation: Annotated[int, Meta(ge=1)] | None = None


class Listed(Struct, frozen=True):
    """What a list says of an evolution; nothing of it ever changes."""

    run_id: str
    title: str
    strategy: str
    world: str
    generations: int
    population: int


async def begin(room: Room, asked: Begin, _: Progress) -> dict[str, Any]:
    """An evolution that is queued: its row, and where it lies."""
    check_inside(room.workspace, asked.evolution)
    plan = inline_evolution(asked.evolution, sources(room.workspace))
    found = begin_evolution(
        room.workspace, plan, tags=asked.tags, run_id=asked.run_id, said=begun_with(None, None)
    )
    return run_plain(found)


async def forecast(room: Room, asked: Planned, _: Progress) -> dict[str, Any]:
    """What it comes to, rehearsed; nothing is kept."""
    check_inside(room.workspace, asked.evolution)
    plan = inline_evolution(asked.evolution, sources(room.workspace))
    return (await estimating.forecast(room.workspace, plan)).plain()


async def about(room: Room, asked: About, _: Progress) -> list[dict[str, Any]]:
    """What each of these is; those that are gone, or cannot be read, are left out."""
    told = []
    for one in asked.runs:
        try:
            plan = _plan(room, run_of(room, one, WORLD_NAME))
        except NotFound:
            continue
        name = plan.start.strategy.name
        told.append(
            to_builtins(Listed(one.run, plan.title, name, plan.world, plan.generations, plan.population))
        )
    return told


def _plan(room: Room, found: Found) -> Plan:
    with opened(found, room.workspace, read_only=True) as store:
        return plan_of(store, found.row.run_id)


# --- how one stands ---


async def story(room: Room, asked: Told, _: Progress) -> dict[str, Any]:
    """As it is now, in the middle of a generation too; nothing where it is what is known already."""
    found = run_of(room, asked, WORLD_NAME)
    with opened(found, room.workspace, read_only=True) as store:
        row = store.run(found.row.run_id)
        results = outcomes(store, row.run_id, Bout)
    stamp = f"{row.status} {row.turn} {len(results)} {found.row.status} {asked.generation or 0}"
    if stamp == asked.seen:
        return {"stamp": stamp, "story": None}
    told = _told(story_of(found), asked.generation)
    told["status"] = str(found.row.status)  # one that nobody plays any more has crashed
    told |= {"matches": len(results), "cost": sum(outcome.cost for _, outcome in results)}
    return {"stamp": stamp, "story": told}


def _told(story: Story, number: int | None) -> dict[str, Any]:
    plan, done = story.plan, story.generations
    wanted = [one for one in done if number in (None, one.generation)]
    shown = wanted[-1] if wanted else None
    if number and shown is None:
        raise NotFound(
            f"{story.run_id} has played no generation {number}", where="generation",
            remedy=f"it has played {len(done)}",
        )  # fmt: skip
    start = plan.start.strategy
    return {
        "run_id": story.run_id, "title": story.title, "description": plan.description,
        "reason": story.reason, "world": plan.world, "version": plan.version, "strategy": start.name,
        "base": plan.base, "kind": start.kind, "seats": list(plan.seats), "of_generations": plan.generations,
        "population": plan.population, "alpha": plan.alpha, "seal": plan.seal,
        "searched_on": _ground(plan.training), "held_out": _ground(plan.held_out),
        "generations": [_generation(one) for one in done],
        "shown": None if shown is None else shown.generation,
        "candidates": [] if shown is None else [_candidate(plan, one) for one in shown.candidates],
        "verdict": _verdict(story), "marks": list(story.marks),
    }  # fmt: skip


def _ground(tried: Tried) -> dict[str, Any]:
    stages = [stage_name(one) or str(one.get("title", "")) for one in tried.stages]
    return {"scenarios": stages, "opponents": [one.name for one in tried.opponents], "seeds": tried.seeds}


def _generation(one: Generation) -> dict[str, Any]:
    """The best is whom the search puts first: its gain counts, and what it cost and what was refused."""
    best, gains = one.candidates[0], [each.gain for each in one.candidates]
    return {
        "generation": one.generation, "best": best.name, "gain": best.gain, "error": best.error,
        "mean": math.fsum(gains) / len(gains), "candidates": len(gains), "tried": one.tried,
        "cost": one.cost,
    }  # fmt: skip


def _candidate(plan: Plan, row: Row) -> dict[str, Any]:
    start = plan.start.strategy
    diff = compared(start, expressed(start, convert(row.genome, Genome)))
    changes = [{"field": one.field, "before": one.before, "after": one.after} for one in diff.changes]
    told: dict[str, Any] = to_builtins(row)
    told.pop("genome")
    return {**told, "changes": changes, "instructions": diff.instructions}


def _verdict(story: Story) -> dict[str, Any] | None:
    verdict = story.verdict
    if verdict is None:
        return None
    trial = None if verdict.trial is None else to_builtins(verdict.trial)
    told = {"promoted": verdict.promoted, "reason": verdict.reason, "candidate": verdict.candidate}
    tried = {"tried": verdict.tried, "alpha": verdict.alpha, "gains": list(verdict.gains)}
    known = {} if trial is None else {name: trial[name] for name in ("gain", "low", "chance", "corrected")}
    return {**told, **tried, **known, "lucks": 0 if trial is None else trial["blocks"]}


async def matches(room: Room, asked: Matches, _: Progress) -> dict[str, Any]:
    """Those that came to an outcome, by number, from past `after` on."""
    found = run_of(room, asked, WORLD_NAME)
    plan = _plan(room, found)
    with opened(found, room.workspace, read_only=True) as store:
        results = outcomes(store, found.row.run_id, Bout)
    return paged(results, asked, lambda bout, outcome: _match(plan, bout, outcome))


def _match(plan: Plan, bout: Bout, outcome: Outcome) -> dict[str, Any]:
    ground = plan.held_out if bout.held_out else plan.training
    where = {"number": bout.number, "generation": bout.generation, "held_out": bout.held_out}
    what = {"candidate": bout.candidate, "stage": stage_name(ground.stages[bout.stage]), "seed": bout.seed}
    return {**outcome_told(outcome), **where, **what}


# --- what comes of one ---


async def propose(room: Room, asked: OfRun, _: Progress) -> dict[str, Any]:
    """Propose what passed its gate. `late`: why it cannot be proposed; `again`: whether to ask later."""
    found = run_of(room, asked, WORLD_NAME)
    with Proposals(room.workspace, Worlds(room.workspace)) as kept:
        try:
            made = proposed(story_of(found), kept)
        except (WrongState, Forbidden) as late:
            told = {"message": late.message, "remedy": late.remedy}
            return {"proposal": None, "late": told, "again": isinstance(late, WrongState)}
    return {"proposal": None if made is None else made.id, "late": None, "again": False}


KNOWN: Known = {
    **VERBS,
    "about": (About, about),
    "begin": (Begin, begin),
    "forecast": (Planned, forecast),
    "matches": (Matches, matches),
    "propose": (OfRun, propose),
    "story": (Told, story),
}

if __name__ == "__main__":
    main(KNOWN)
