"""The matches that candidates are tried in, and what they come to.

All of a generation play with the same luck: every stage, every seed, every opponent, from every seat. A
candidate's gain is its score less the start's in the same place; the mean of those with one luck (a stage and
a seed) is one number, since they are not independent of each other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

import msgspec
from msgspec import structs

from windtunnel.chance import Chance
from windtunnel.evolution.model import START, WORLD_NAME, Bout, Genome, Ground, Plan, Record, expressed
from windtunnel.tournaments.formats import Plan as Format
from windtunnel.tournaments.model import Entrant, Field, Match, Outcome
from windtunnel.tournaments.playing import Order
from windtunnel.tournaments.running import order_of

Results = Sequence[tuple[Bout, Outcome]]
Luck = tuple[int, int]  # stage, seed
WORST = 20  # matches kept of each candidate for looking at


# --- luck ---


def held_out_seeds(plan: Plan) -> tuple[int, ...]:
    """Drawn by all that the plan says: another plan is judged by other luck."""
    told = msgspec.json.encode(structs.replace(plan, seal=""), order="deterministic")
    luck = Chance("held out", plan.seed, sha256(told).hexdigest())
    return _drawn(luck, plan.held_out.seeds * len(plan.held_out.stages), ())


def seal_of(plan: Plan) -> str:
    """The hash of what the winner is judged by: seeds, scenarios, opponents."""
    held_out = plan.held_out
    judged_by = [held_out_seeds(plan), held_out.stages, [one.hash for one in held_out.opponents]]
    return sha256(msgspec.json.encode(judged_by, order="deterministic")).hexdigest()


def training_seeds(plan: Plan, generation: int) -> tuple[int, ...]:
    """Fresh ones for every generation; none of them is held out."""
    luck = Chance("training", plan.seed, generation)
    return _drawn(luck, plan.training.seeds * len(plan.training.stages), held_out_seeds(plan))


def _drawn(luck: Chance, count: int, without: Sequence[int]) -> tuple[int, ...]:
    found: dict[int, None] = {}
    while len(found) < count:
        if (seed := luck.below(2**31)) not in without:
            found[seed] = None
    return tuple(found)


# --- matches ---


def bouts(
    plan: Plan,
    who: Mapping[str, Genome],
    seeds: Sequence[int],
    *,
    generation: int,
    first: int,
    held_out: bool = False,
) -> list[Bout]:
    """In the order in which they are numbered. `seeds` has as many for each stage."""
    ground = plan.held_out if held_out else plan.training
    found: list[Bout] = []
    for (stage, seed), (seat, opponent, seats) in (
        (luck, place) for luck in _lucks(ground, seeds) for place in _places(plan, ground)
    ):
        for name, genome in who.items():
            found.append(
                Bout(
                    first + len(found), generation, name, genome, stage, seed,
                    {place: one or name for place, one in seats.items()}, seat, opponent, held_out,
                )
            )  # fmt: skip
    return found


def _lucks(ground: Ground, seeds: Sequence[int]) -> list[Luck]:
    each = len(seeds) // len(ground.stages)
    return [(at // each, seed) for at, seed in enumerate(seeds)]


def _places(plan: Plan, ground: Ground) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Seat, opponent, and who sits where; the candidate's own place is left empty."""
    if not ground.opponents:
        yield from ((seat, "", {seat: ""}) for seat in plan.seats)
        return
    for opponent in ground.opponents:
        for mine in plan.seats:
            seats = {seat: "" if seat == mine else opponent.name for seat in plan.seats}
            yield mine, opponent.name, seats


def bout_order(plan: Plan, bout: Bout, location: str, run_id: str, budget: float | None) -> Order:
    """The match as it is handed to whoever plays it."""
    ground = plan.held_out if bout.held_out else plan.training
    strategy = expressed(plan.start.strategy, bout.genome)
    others = [one for one in ground.opponents if one.name == bout.opponent]
    field = Field(
        plan.title,
        Format(format="ladder", entrants=(bout.candidate, *(one.name for one in others))),
        (Entrant(bout.candidate, strategy, ""), *others),
        plan.world,
        plan.version,
        ground.stages,
        tuple(bout.seats),
        scoring=plan.scoring,
        limits=plan.limits,
    )
    match = Match(bout.number, bout.generation, 1, bout.stage, bout.seed, bout.seats)
    return structs.replace(order_of(field, match, location, run_id, budget), payer=WORLD_NAME)


# --- what they come to ---


def records_of(results: Results) -> dict[str, Record]:
    """How each candidate did against the start, in the order in which they come."""
    base = {
        _place(bout): outcome.seats[bout.seat].score
        for bout, outcome in results
        if bout.candidate == START and outcome.ending == "played"
    }
    found: dict[str, Record] = {}
    differences: dict[str, dict[Luck, list[float]]] = {}
    by_match: dict[str, list[tuple[float, int, str]]] = {}
    for bout, outcome in results:
        record = found.setdefault(bout.candidate, Record())
        record.matches += 1
        record.cost += outcome.cost
        record.refused += outcome.seats[bout.seat].refused
        if outcome.fault == bout.candidate:
            record.failed = record.failed or outcome.why
        mine, theirs = outcome.seats[bout.seat].score, base.get(_place(bout))
        if outcome.ending == "played" and mine is not None and theirs is not None:
            lucks = differences.setdefault(bout.candidate, {})
            lucks.setdefault((bout.stage, bout.seed), []).append(mine - theirs)
            by_match.setdefault(bout.candidate, []).append((mine - theirs, bout.number, bout.seat))
    for name, lucks in differences.items():
        found[name].gains = [math.fsum(gains) / len(gains) for gains in lucks.values()]
        found[name].worst = [(number, seat) for _, number, seat in sorted(by_match[name])[:WORST]]
    return found


def _place(bout: Bout) -> tuple[int, int, str, str]:
    return bout.stage, bout.seed, bout.opponent, bout.seat


def together(before: Record | None, after: Record) -> Record:
    """All that is known of a candidate; the worst matches are the latest."""
    if before is None:
        return after
    return Record(
        before.gains + after.gains, before.matches + after.matches, before.cost + after.cost,
        before.refused + after.refused, before.failed or after.failed, after.worst,
    )  # fmt: skip


def mean_of(record: Record) -> float:
    return math.fsum(record.gains) / len(record.gains) if record.gains else 0.0


def error_of(record: Record) -> float | None:
    """The standard error of the mean gain, where it can be told."""
    count = len(record.gains)
    if count < 2:
        return None
    mean = mean_of(record)
    return math.sqrt(math.fsum((gain - mean) ** 2 for gain in record.gains) / (count - 1) / count)
