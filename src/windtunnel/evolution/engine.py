"""The evolution as a run of its own: a turn is a generation, and each match is an effect.

So it is taken up after a kill where it was, no match is played twice, and it can be paused, verified and
followed. All generations fresh luck; the best of each go on into the next and are tried again there. When the
search is over, one turn more is the gate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field, to_builtins

from windtunnel.codec import Log
from windtunnel.errors import RunError
from windtunnel.evolution.breeding import Parents, ancestor, children, key
from windtunnel.evolution.gate import brought_out, judged, opened
from windtunnel.evolution.model import START, TRACE, WORLD_NAME, Candidate, Plan, Record, Verdict
from windtunnel.evolution.operators import vector
from windtunnel.evolution.selection import Aims, archived, distance, ranked
from windtunnel.evolution.trials import (
    Results,
    bouts,
    error_of,
    mean_of,
    records_of,
    together,
    training_seeds,
)
from windtunnel.run.effects import Halted
from windtunnel.tournaments.engine import all_played
from windtunnel.tournaments.model import MATCH
from windtunnel.world import (
    Action,
    Actor,
    AgentSpec,
    Applied,
    Call,
    Context,
    Decided,
    EffectKind,
    Engine,
    Event,
    Progress,
    Role,
    Scenario,
    World,
)

BEST, POPULATION = "best", "population"
SEEN_BY = (AgentSpec(BEST), AgentSpec(POPULATION))  # whose curves its metrics are


class Wait(Action, frozen=True):
    """A candidate does nothing here: it plays in its matches."""


class State(Struct):
    """`living` are the candidates of the last generation, the best first; `records` how each did, and the
    start as the one they are held against."""

    made: Log[Candidate]
    living: list[Candidate]
    records: dict[str, Record] = field(default_factory=dict)
    archive: list[list[float]] = field(default_factory=list)
    generations: int = 0
    matches: int = 0
    cost: int = 0  # micro-dollars
    seconds: float = 0.0
    searched: str = ""  # why the search is over
    verdict: Verdict | None = None
    over: str = ""


class Rules(Engine[State]):
    def start(self, scenario: Scenario, context: Context) -> State:
        opened(context.parameters)  # what is sealed can be opened: said before anything is played
        return State(Log(), [ancestor(context.parameters)])

    def to_act(self, state: State) -> Sequence[Actor]:
        return ()

    def observe(self, state: State, actor: Actor) -> None:
        return None

    async def apply(
        self, state: State, decided: Decided, events: Sequence[Event], context: Context
    ) -> Applied[State]:
        plan: Plan = context.parameters
        told = await (_gate(plan, state, context) if state.searched else _generation(plan, state, context))
        return Applied(state, [told])

    def score(self, state: State) -> Mapping[str, Any]:
        if not state.generations:
            return {}
        records = [state.records[one.name] for one in state.living]
        best = records[0]
        return {
            BEST: {
                "gain": round(mean_of(best), 6),
                "cost": best.cost / max(1, best.matches) / 1e6,
                "refused": best.refused / max(1, best.matches),
            },
            POPULATION: {
                "gain": round(math.fsum(map(mean_of, records)) / len(records), 6),
                "diversity": round(_diversity(state), 6),
            },
        }

    def progress(self, state: State) -> Progress:
        return Progress(state.generations, None, "generation")

    def over(self, state: State) -> str | None:
        return state.over or None


async def _generation(plan: Plan, state: State, context: Context) -> Event:
    began = await _moment(plan, context)
    elites = _elites(plan, state)
    known = {key(one.genome) for one in (ancestor(plan), *state.made)}
    fresh = await children(
        plan, _parents(plan, state), plan.population - len(elites), known, len(state.made) + 1, context
    )
    state.made.extend(fresh)
    who = [*elites, *fresh]
    seeds = training_seeds(plan, context.turn)
    results = await _played(plan, state, [ancestor(plan), *who], seeds, context)
    found = records_of(results)
    state.records = {
        name: together(state.records.get(name), found.get(name, Record()))
        for name in (START, *(one.name for one in who))
    }
    if schema := plan.start.strategy.schema:
        state.archive = archived(state.archive, [vector(one.genome.parameters, schema) for one in fresh])
    by_name = {one.name: one for one in who}
    state.living = [by_name[name] for name in _order(state.records, list(by_name))]
    state.generations += 1
    state.seconds += await _moment(plan, context) - began
    state.searched = _enough(plan, state, results, fresh=len(fresh))
    return Event("generation", _told(state, seeds, context.turn))


async def _gate(plan: Plan, state: State, context: Context) -> Event:
    name = brought_out(state.records)
    if name is None:
        state.verdict = Verdict(
            False, "nobody did better than the start", tried=len(state.made), alpha=plan.alpha, seal=plan.seal
        )
    else:
        winner = next(one for one in state.living if one.name == name)
        results = await _played(plan, state, [ancestor(plan), winner], opened(plan), context, held_out=True)
        state.verdict = judged(plan, name, len(state.made), results)
    state.over = f"{state.searched}; {'promoted' if state.verdict.promoted else 'not promoted'}"
    return Event("verdict", {**to_builtins(state.verdict), "searched": state.searched})


async def _played(
    plan: Plan,
    state: State,
    who: Sequence[Candidate],
    seeds: Sequence[int],
    context: Context,
    *,
    held_out: bool = False,
) -> Results:
    asked = bouts(
        plan, {one.name: one.genome for one in who}, seeds, generation=context.turn,
        first=state.matches + 1, held_out=held_out,
    )  # fmt: skip
    outcomes = await all_played(asked, context)
    state.matches += len(asked)
    state.cost += sum(outcome.cost for outcome in outcomes)
    return list(zip(asked, outcomes, strict=True))


async def _moment(plan: Plan, context: Context) -> float:
    """Asked for only where there is a limit: what is asked is recorded, and no two evolutions agree on it."""
    return float(await context.effect("clock", {})) if plan.seconds is not None else 0.0


# --- who goes on ---


def _aims(record: Record) -> Aims:
    each = max(1, record.matches)
    return (mean_of(record), -record.cost / each, -record.refused / each)


def _order(records: Mapping[str, Record], names: Sequence[str]) -> list[str]:
    """The best first; behind them who spoilt a match, and whoever has nothing to show."""
    sound = {name: _aims(records[name]) for name in names if _sound(records[name])}
    return [*ranked(sound), *(name for name in names if name not in sound)]


def _sound(record: Record) -> bool:
    return bool(record.gains) and not record.failed


def _elites(plan: Plan, state: State) -> list[Candidate]:
    """The first of the last generation; and the one that there is most reason to think the best."""
    if not state.generations:
        return []
    sound = [one for one in state.living if _sound(state.records[one.name])]
    kept = sound[: plan.elites]
    best = brought_out(state.records)
    if kept and best is not None and best not in {one.name for one in kept}:
        kept[-1] = next(one for one in sound if one.name == best)
    return kept


def _parents(plan: Plan, state: State) -> Parents:
    """All of the last generation who spoilt nothing; without any, the start."""
    first = ancestor(plan)
    order = [one for one in state.living if one.name in state.records and _sound(state.records[one.name])]
    order = order or [first]
    return Parents(
        [one.name for one in order], {one.name: one.genome for one in order}, state.records, state.archive
    )


def _enough(plan: Plan, state: State, results: Results, *, fresh: int) -> str:
    """Why the search is over, or nothing. What is left must do for another generation, and for the gate."""
    if state.generations >= plan.generations:
        return "all generations played"
    if not fresh:
        return "no new candidate could be made"
    if plan.seconds is not None and state.seconds * (1 + 1 / state.generations) > plan.seconds:
        return "its time is up"
    if plan.budget is not None:
        each = sum(outcome.cost for _, outcome in results) / len(results)
        places = max(1, len(plan.held_out.opponents)) * len(plan.seats) * len(plan.held_out.stages)
        gate = each * 2 * places * plan.held_out.seeds
        if state.cost + each * len(results) + gate > plan.budget * 1e6:
            return "its budget is used up"
    return ""


def _diversity(state: State) -> float:
    """How far the candidates of the archive's last hand are apart, on average."""
    last = state.archive[-8:]
    pairs = [distance(a, b) for at, a in enumerate(last) for b in last[at + 1 :]]
    return math.fsum(pairs) / len(pairs) if pairs else 0.0


def _told(state: State, seeds: Sequence[int], number: int) -> dict[str, Any]:
    rows = []
    for one in state.living:
        record = state.records[one.name]
        rows.append(
            {
                **to_builtins(one), "gain": mean_of(record), "error": error_of(record),
                "lucks": len(record.gains), "matches": record.matches, "cost": record.cost,
                "refused": record.refused, "failed": record.failed,
            }
        )  # fmt: skip
    return {
        "generation": number, "seeds": list(seeds), "candidates": rows, "tried": len(state.made),
        "archive": len(state.archive), "cost": state.cost,
    }  # fmt: skip


async def _nobody(_request: Any, _call: Call) -> Any:
    raise Halted(
        RunError(
            "its matches are played by the command that plays evolutions",
            remedy="windtunnel evolve RUN goes on with it",
        )
    )


world = World(
    WORLD_NAME,
    Rules(),
    State,
    {"candidate": Role(actions=(Wait,), no_op=Wait(), policies={"wait": lambda _seen, _context: Wait()})},
    description="better strategies by trying: a turn is a generation, a match is a run",
    parameters=Plan,
    effects={MATCH: EffectKind(_nobody, in_doubt="retry"), TRACE: EffectKind(_nobody, in_doubt="retry")},
    headline=("gain",),
)
