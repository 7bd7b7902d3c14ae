"""The tournament as a run of its own: a turn is a round, and each match is an effect.

So a tournament has all that a run has, and by the same code: it is taken up after a kill where it was, a
match whose outcome is durable is never played again, it can be paused, verified and followed, and a budget is
kept. The matches themselves are runs beside it, in the same store.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from windtunnel.codec import Log
from windtunnel.errors import RunError
from windtunnel.run.effects import Halted
from windtunnel.tournaments.draw import Comparison, comparisons, matches_of, played
from windtunnel.tournaments.duel import Pair, known, pairs_of
from windtunnel.tournaments.formats import Pairing, Played, next_round
from windtunnel.tournaments.model import MATCH, WORLD_NAME, Field, Outcome
from windtunnel.tournaments.rating.elo import START, STEP, expected
from windtunnel.world import (
    Action,
    Actor,
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

# Of a long round so many are asked for before the others are written down: enough for whoever plays them, on
# many cores too, until it is done.
FIRST = 16 * max(2, os.cpu_count() or 1)
SOON_SECONDS = 0.01


class Wait(Action, frozen=True):
    """An entrant does nothing here: it plays in its matches."""


class State(Struct):
    """`elo` and `points` are for looking at while it goes; ranks come from a fit over all matches."""

    rounds: Log[tuple[Played, ...]]
    elo: dict[str, float]
    points: dict[str, float]
    matches: int = 0
    over: str = ""
    pairs: list[Pair] = []  # of a duel


class Rules(Engine[State]):
    def start(self, scenario: Scenario, context: Context) -> State:
        names = [entrant.name for entrant in context.parameters.entrants]
        return State(Log(), dict.fromkeys(names, START), dict.fromkeys(names, 0.0))

    def to_act(self, state: State) -> Sequence[Actor]:
        return ()

    def observe(self, state: State, actor: Actor) -> None:
        return None

    async def apply(
        self, state: State, decided: Decided, events: Sequence[Event], context: Context
    ) -> Applied[State]:
        field: Field = context.parameters
        pairings = next_round(field.plan, list(state.rounds))
        assert pairings is not None  # else it was over after the round before
        matches = matches_of(field, context.turn, pairings, state.matches + 1)
        outcomes = await all_played(matches, context)
        results = list(zip(matches, outcomes, strict=True))
        state.matches += len(matches)
        compared = comparisons(field, results)
        state.rounds.append(played(pairings, results, compared))
        for one in compared:
            for name, points in one.results:
                state.points[name] += points
            counted(state.elo, one)
        if field.stop is not None:
            state.pairs += pairs_of(field.entrants[0].name, compared)
        state.over = ended(field, state)
        return Applied(state, [_told(pairings, state.rounds[-1], context.turn)])

    def score(self, state: State) -> Mapping[str, Any]:
        # Arithmetic libraries differ in the last digits from machine to machine; a curve needs few.
        return {
            name: {"wealth": round(state.points[name], 4), "rating": round(rating, 2)}
            for name, rating in state.elo.items()
        }

    def progress(self, state: State) -> Progress:
        return Progress(len(state.rounds), None, "round")

    def over(self, state: State) -> str | None:
        return state.over or None


class Numbered(Protocol):
    """What asks for a match, by a number that no other of the run has."""

    @property
    def number(self) -> int: ...


async def all_played(matches: Sequence[Numbered], context: Context) -> list[Outcome]:
    """Every match of a round, at the same time. When one cannot be played now, those under way come to their
    end first: what they found out is kept."""

    async def one_played(match: Numbered) -> Outcome:
        return msgspec.convert(await context.member(f"m{match.number}").effect(MATCH, match), Outcome)

    work = [asyncio.ensure_future(one_played(match)) for match in matches[:FIRST]]
    try:
        if len(matches) > FIRST:
            await asyncio.wait(work, timeout=SOON_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            work += [asyncio.ensure_future(one_played(match)) for match in matches[FIRST:]]
        await asyncio.wait(work)
    finally:
        for one in work:
            one.cancel()
        await asyncio.gather(*work, return_exceptions=True)
    return [one.result() for one in work]


def ended(field: Field, state: State) -> str:
    """Why it is over, or nothing."""
    if field.stop is not None and (verdict := known(field.stop, state.pairs)) is not None:
        return verdict
    return "" if next_round(field.plan, list(state.rounds)) is not None else "all rounds played"


def counted(elo: dict[str, float], compared: Comparison) -> None:
    """Elo after a table. Where many sit at it everyone plays everyone, and together that moves a rating as
    far as
    one game may."""
    if len(compared.results) == 2:  # what follows comes to the same, bit for bit, in three times as long
        (one, mine), (other, theirs) = compared.results
        before_one, before_other = elo[one], elo[other]
        elo[one] = before_one + STEP * (mine - expected(before_one, before_other))
        elo[other] = before_other + STEP * (theirs - expected(before_other, before_one))
        return
    before = {name: elo[name] for name, _ in compared.results}
    others = len(before) - 1
    for name, points in compared.results:
        hoped = sum(expected(before[name], rating) for other, rating in before.items() if other != name)
        elo[name] = before[name] + STEP * (points * others - hoped) / others


def _told(pairings: Sequence[Pairing], results: Sequence[Played], number: int) -> Event:
    rows = [
        {"entrants": list(pairing.entrants), "points": [round(p, 4) for p in one.points]}
        for pairing, one in zip(pairings, results, strict=True)
    ]
    return Event("round", {"round": number, "meetings": rows})


async def _nobody(_request: Any, _call: Call) -> Any:
    raise Halted(
        RunError(
            "its matches are played by the command that plays tournaments",
            remedy="windtunnel tournament RUN goes on with it",
        )
    )


world = World(
    WORLD_NAME,
    Rules(),
    State,
    {"entrant": Role(actions=(Wait,), no_op=Wait(), policies={"wait": lambda _seen, _context: Wait()})},
    description="strategies against each other: a turn is a round, a match is a run",
    parameters=Field,
    effects={MATCH: EffectKind(_nobody, in_doubt="retry")},
    headline=("rating",),
)
