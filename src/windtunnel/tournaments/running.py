"""Making a tournament, and playing it: its run in the store, and matches beside it by whoever has hands.

Taken up again after anything, it goes on where its journal ends: outcomes that are there are not played
again, and a match that had begun is gone on with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import Struct

from windtunnel.codec import body_decoder, decode_body
from windtunnel.config import Workspace
from windtunnel.control.catalog import Found, find_run, open_store
from windtunnel.control.executor import hub_of
from windtunnel.control.ids import new_run_id
from windtunnel.control.verbs import Control
from windtunnel.errors import NotFound, RunError, UsageError, WindtunnelError
from windtunnel.journal import RunRow, Status, Store
from windtunnel.journal.texts import whole
from windtunnel.run.begin import Said
from windtunnel.run.calls import BUDGET
from windtunnel.run.effects import Halted
from windtunnel.run.entries import Started, read
from windtunnel.run.player import QUEUE, Player, Stopped
from windtunnel.run.session import fail_run, play_run
from windtunnel.scenario import scenario_from_plain
from windtunnel.tournaments import engine
from windtunnel.tournaments.draw import Seats, known_ahead, scenario_of
from windtunnel.tournaments.hands import Failed, Hands, LocalHands
from windtunnel.tournaments.model import MATCH, WORLD_NAME, Field, Match, Outcome
from windtunnel.tournaments.playing import NotNow, Order, unfinished
from windtunnel.world import AgentSpec, Call, EffectKind, Scenario, World

LONG = 1_000_000  # rounds of one that has no last
LOOK_SECONDS = 0.3  # between two looks at its mail, in the middle of a round
SENDER = "tournament"

Heard = Callable[[Match, Outcome], None]


class Numbered(Protocol):
    @property
    def number(self) -> int: ...


M = TypeVar("M", bound=Numbered)


def begin_tournament(
    workspace: Workspace,
    field: Field,
    *,
    name: str = "",
    path: Path | None = None,
    tags: tuple[str, ...] = (),
    run_id: str = "",
    said: Said = (),
) -> Found:
    """Its store and its first entry, which pins all of it. Nothing is played yet. `run_id`: chosen before;
    `said`: operations to be written with it."""
    scenario = Scenario(
        WORLD_NAME,
        name=f"{WORLD_NAME}/{name or 'inline'}",
        title=field.title,
        description=field.description,
        turns=field.plan.rounds or LONG,
        seed=field.plan.seed,
        parameters=field,
        agents=tuple(AgentSpec(entrant.name) for entrant in field.entrants),
        tags=(WORLD_NAME, *tags),
    )
    terms = [(BUDGET, {"money": field.budget})] if field.budget is not None else []
    control = Control(workspace, lambda _name: engine.world)
    return control.create(
        engine.world, scenario, path=path, said=[*said, *terms], run_id=run_id or new_run_id()
    )


def find_tournament(workspace: Workspace, name: str) -> Found:
    found = find_run(workspace, name)
    if found.row.world != WORLD_NAME:
        raise NotFound(
            f"run {found.row.run_id} is no tournament", where=name,
            remedy=f"it plays {found.row.scenario}; windtunnel runs --world {WORLD_NAME} lists them",
        )  # fmt: skip
    return found


def field_of(store: Store, run_id: str) -> Field:
    """What its first entry says of it."""
    (first,) = store.entries(run_id, after=-1, upto=0)
    started: Started = read(first)
    scenario = scenario_from_plain(started.scenario, engine.world)
    field: Field = scenario.parameters
    return field


async def play_tournament(
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
    hands, hub = hands or LocalHands(workspace), hub_of(workspace)
    try:
        table = Table(workspace, store, found, hands, heard)
        return await play_at(table, observer=observer, hub=hub, budget=budget)
    finally:
        if mine:
            await hands.aclose()
        await hub.aclose()
        store.close()


async def play_at(table: Table, *, observer: Callable[[Player], None] | None = None, **terms: Any) -> RunRow:
    """Play the tournament of a table; the terms are those of any run that is played."""
    matches = {MATCH: EffectKind(table.perform, in_doubt="retry")}
    return await play_with(
        table.hands, table.store, engine.world, table.run_id, command=WORLD_NAME, effects=matches,
        observer=observer, **terms,
    )  # fmt: skip


async def play_with(
    hands: Hands,
    store: Store,
    world: World,
    run_id: str,
    *,
    command: str,
    observer: Callable[[Player], None] | None = None,
    **terms: Any,
) -> RunRow:
    """Play a run whose matches hands play: they stop when it is asked to. `command` goes on with it."""
    watching: list[asyncio.Task[None]] = []

    def seen(player: Player) -> None:
        if not watching:
            watching.append(asyncio.ensure_future(_steered(player, hands, command)))
        if observer is not None:
            observer(player)

    try:
        return await play_run(store, world, run_id, observer=seen, **terms)
    finally:
        for task in watching:
            task.cancel()


async def _steered(player: Player, hands: Hands, command: str) -> None:
    """A round may take long: a wish to pause or to cancel is obeyed in the middle of it."""
    wished = RunError("it was asked to stop", remedy=f"windtunnel {command} {player.run_id} goes on")
    with suppress(Stopped):
        # Whoever is to hand it to another process lets the round come to its end, if there is time for that.
        while player.stop == QUEUE or not await player.listen():  # noqa: ASYNC110 - it waits for a file
            await asyncio.sleep(LOOK_SECONDS)
    hands.stop(wished)


class Table:
    """Where the matches of one tournament are played from."""

    def __init__(
        self, workspace: Workspace, store: Store, found: Found, hands: Hands, heard: Heard | None
    ) -> None:
        self._workspace, self.store, self.hands, self._heard = workspace, store, hands, heard
        self._location, self.run_id = found.location, found.row.run_id
        self.field = field_of(store, self.run_id)
        self._seats: Seats = {}
        self._fresh = not store.last_arrival(self.run_id)  # no match of it was asked for yet
        self._round, self._ahead = 0, list[Match]()  # that is played, and what comes after it

    @cached_property
    def _budget(self) -> float | None:
        """Asked for at the first match: it is said anew when the tournament is taken up, which is before."""
        return budget_of(self.store, self.run_id)

    async def perform(self, request: Any, _call: Call) -> Any:
        """The effect `match`. The name of its run follows from its number, so that it is the same one however
        often it is asked for."""
        match = msgspec.convert(request, Match)
        order = self._order(match)
        if match.round != self._round:
            self._round, self._ahead = match.round, known_ahead(self.field, match.round + 1)
            self.hands.early(iter(()))
        if self._ahead and match.number + 1 == self._ahead[0].number:  # after all of this round
            self.hands.early(map(self._order, self._ahead))
        try:
            outcome = await self.hands.play(order)
        except NotNow as late:
            raise Halted(late.error) from late
        except Failed as failed:
            outcome = unplayed(self.store, order, failed)
        if self._heard is not None:
            self._heard(match, outcome)
        return outcome

    def _order(self, match: Match) -> Order:
        return order_of(
            self.field, match, self._location, self.run_id, self._budget, self._seats, fresh=self._fresh
        )


def budget_of(store: Store, run_id: str) -> float | None:
    """What the whole of it may spend, in dollars, as it was said last."""
    told = store.last_operation(run_id, BUDGET)
    return decode_body(told.body)["money"] if told is not None else None


def unplayed(store: Store, order: Order, failed: Failed) -> Outcome:
    """A match that never comes to its end is failed in the journal too, with the reason."""
    row: RunRow | None = None
    with suppress(NotFound):
        row = store.run(order.run_id)
        if not row.status.ended:
            with suppress(WindtunnelError):
                row = fail_run(store, order.run_id, failed.error, SENDER, seat=failed.seat)
    if isinstance(failed.error, UsageError) and row is None:
        raise failed.error  # it could not even begin: no other match would
    return unfinished(order, row, failed.seat, failed.error.message)


def order_of(
    field: Field,
    match: Match,
    location: str,
    tournament: str,
    budget: float | None,
    made: Seats | None = None,
    *,
    fresh: bool = False,
) -> Order:
    scenario = scenario_of(field, match, made)
    playing = [agent for agent in scenario["agents"] if agent["id"] in match.seats]
    codes = {agent["model"] for agent in playing if agent.get("kind") == "python"}  # as it is handed in
    return Order(
        location, f"{tournament}.{match.number}", field.world, scenario, match.seats,
        field.scoring, entries=tuple(sorted(codes)), seconds=field.limits.seconds, account=tournament,
        budget=budget, fresh=fresh,
    )  # fmt: skip


class Answer(Struct):
    """What the effect of a match came to; no outcome where it failed."""

    ok: Outcome | None = None


def outcomes_of(store: Store, run_id: str) -> list[tuple[Match, Outcome]]:
    """Every match of a tournament that came to an outcome, by its number; in the middle of a round too."""
    return outcomes(store, run_id, Match)


def outcomes(store: Store, run_id: str, kind: type[M]) -> list[tuple[M, Outcome]]:
    """The same of any run that has matches; `kind`: as what it asks for one."""
    found: list[tuple[M, Outcome]] = []
    read, read_match = body_decoder(Answer).decode, body_decoder(kind).decode
    for effect in store.effects(run_id, kind=MATCH):
        if effect.result is None:
            continue
        recorded = whole(store, effect)
        told = read(recorded.result or b"{}").ok
        if told is not None:
            found.append((read_match(recorded.request), told))
    return sorted(found, key=lambda one: one[0].number)


def is_over(row: RunRow) -> bool:
    return row.status in (Status.COMPLETED, Status.CANCELLED)
