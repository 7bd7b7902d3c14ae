"""`python -m windtunnel.tournaments.desk --home HOME --world tournament`: the desk of tournaments.

To begin one needs the code of the world it is played in, and to draw up standings takes computing: neither is
done in the process that serves the network. It knows the verbs of every desk too, so that the run that a
tournament is can be looked at and replayed like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct, to_builtins

from windtunnel.control.catalog import Found, opened
from windtunnel.control.desk import main
from windtunnel.control.desk_verbs import (
    VERBS,
    Asked,
    Known,
    NewRunId,
    OfRun,
    Progress,
    Room,
    run_plain,
)
from windtunnel.control.limits import begun_with
from windtunnel.errors import NotFound
from windtunnel.journal import RunRow
from windtunnel.tournaments import estimating
from windtunnel.tournaments.finding import check_inside
from windtunnel.tournaments.model import WORLD_NAME, Field, Match, Outcome
from windtunnel.tournaments.reading import inline_tournament, sources
from windtunnel.tournaments.running import M, begin_tournament, field_of, outcomes_of
from windtunnel.tournaments.standings import drawn_up


class Begin(Asked, frozen=True):
    """`tournament`: what its file would hold."""

    tournament: dict[str, Any]
    run_id: NewRunId = ""
    tags: tuple[str, ...] = ()


class Planned(Asked, frozen=True):
    """As in `Begin`."""

    tournament: dict[str, Any]


class About(Asked, frozen=True):
    runs: list[OfRun]


class Drawn(OfRun, frozen=True, kw_only=True):
    """`seen`: the stamp of those that are known already."""

    seen: str = ""


class Matches(OfRun, frozen=True, kw_only=True):
    after: int = 0
    limit: Annotated[int, Meta(ge=1, le=1000)] = 200


class Told(Struct, frozen=True):
    """What a list says of a tournament; nothing of it ever changes."""

    run_id: str
    title: str
    format: str
    world: str
    rounds: int | None
    entrants: list[dict[str, str]]  # name, strategy: NAME@VERSION where it is of the registry


async def begin(room: Room, asked: Begin, _: Progress) -> dict[str, Any]:
    """A tournament that is queued: its row, and where it lies."""
    check_inside(room.workspace, asked.tournament)
    field = inline_tournament(asked.tournament, sources(room.workspace))
    found = begin_tournament(
        room.workspace, field, tags=asked.tags, run_id=asked.run_id, said=begun_with(None, None)
    )
    return run_plain(found)


async def forecast(room: Room, asked: Planned, _: Progress) -> dict[str, Any]:
    """What it comes to, rehearsed; nothing is kept."""
    check_inside(room.workspace, asked.tournament)
    field = inline_tournament(asked.tournament, sources(room.workspace))
    return (await estimating.forecast(room.workspace, field)).plain()


async def about(room: Room, asked: About, _: Progress) -> list[dict[str, Any]]:
    """What each of these is; those that are gone, or cannot be read, are left out."""
    told = []
    for one in asked.runs:
        try:
            field = _read(room, one, outcomes=False)[2]
        except NotFound:
            continue
        told.append(to_builtins(_told(one.run, field)))
    return told


def _told(run_id: str, field: Field) -> Told:
    entrants = [
        {"name": one.name, "strategy": one.version or one.strategy.name, "version": one.version}
        for one in field.entrants
    ]
    return Told(run_id, field.title, field.plan.format, field.world, field.plan.rounds, entrants)


async def standings(room: Room, asked: Drawn, _: Progress) -> dict[str, Any]:
    """As they are now, in the middle of a round too; nothing where they are what is known already."""
    found, row, field, results = _read(room, asked)
    stamp = f"{row.status} {row.turn} {len(results)} {found.row.status}"
    if stamp == asked.seen:
        return {"stamp": stamp, "standings": None}
    told: dict[str, Any] = to_builtins(drawn_up(row, field, results))
    told["status"] = str(found.row.status)  # one that nobody plays any more has crashed
    return {"stamp": stamp, "standings": told}


async def matches(room: Room, asked: Matches, _: Progress) -> dict[str, Any]:
    """Those that came to an outcome, by number, from past `after` on."""
    field, results = _read(room, asked)[2:]
    return paged(results, asked, lambda match, outcome: _match(field, match, outcome))


def paged(
    results: list[tuple[M, Outcome]], asked: Matches, tell: Callable[[M, Outcome], dict[str, Any]]
) -> dict[str, Any]:
    """Of matches by their number, those that were asked for."""
    later = [one for one in results if one[0].number > asked.after]
    page = later[: asked.limit]
    more = page[-1][0].number if len(later) > len(page) else None
    return {"matches": [tell(*one) for one in page], "next": more, "total": len(results)}


def _match(field: Field, match: Match, outcome: Outcome) -> dict[str, Any]:
    where = {"number": match.number, "round": match.round, "meeting": match.meeting}
    what = {"stage": stage_name(field.stages[match.stage]), "seed": match.seed}
    return {**outcome_told(outcome), **where, **what}


def outcome_told(outcome: Outcome) -> dict[str, Any]:
    told: dict[str, Any] = to_builtins(outcome)
    return {**told, "seats": [{"seat": seat, **one} for seat, one in told["seats"].items()]}


def stage_name(stage: Mapping[str, Any]) -> str:
    return str(stage.get("name", ""))


def _read(
    room: Room, asked: OfRun, *, outcomes: bool = True
) -> tuple[Found, RunRow, Field, list[tuple[Match, Outcome]]]:
    found = run_of(room, asked, WORLD_NAME)
    with opened(found, room.workspace, read_only=True) as store:
        row = store.run(found.row.run_id)
        results = outcomes_of(store, row.run_id) if outcomes else []
        return found, row, field_of(store, row.run_id), results


def run_of(room: Room, asked: OfRun, world: str) -> Found:
    """The run that is meant; NotFound where it is none of this desk's."""
    found = room.control.find(asked.name)
    if found.row.world != world:
        raise NotFound(f"run {found.row.run_id} is no {world}", where="run_id")
    return found


KNOWN: Known = {
    **VERBS,
    "about": (About, about),
    "begin": (Begin, begin),
    "forecast": (Planned, forecast),
    "matches": (Matches, matches),
    "standings": (Drawn, standings),
}

if __name__ == "__main__":
    main(KNOWN)
