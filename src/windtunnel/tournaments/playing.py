"""One match, played to its outcome: a run like any other, begun or taken up again, then read from its
journal.

The same in whatever process it happens; nothing is kept here between two matches.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from msgspec import Struct, structs

from windtunnel.codec import decode_body
from windtunnel.errors import (
    AgentError,
    BudgetReached,
    LeaseHeld,
    NotFound,
    RunError,
    StorageError,
    WindtunnelError,
    WrongState,
)
from windtunnel.journal import RunRow, Status, Store
from windtunnel.journal.draft import Draft
from windtunnel.journal.gathering import Gathering
from windtunnel.journal.lineage import Lineage, scores_of
from windtunnel.models.hub import Hub
from windtunnel.run.begin import begin
from windtunnel.run.player import Between
from windtunnel.run.session import play_run
from windtunnel.scenario import scenario_from_plain
from windtunnel.tournaments.model import WORLD_NAME, Outcome, Scoring, Seated
from windtunnel.tournaments.scoring import WEALTH, points_of, seated
from windtunnel.world import World

Played = Callable[[], Awaitable[None]]


class Order(Struct, frozen=True, omit_defaults=True):
    """A match as it is handed to whoever plays it: all that is needed, and plain."""

    location: str
    run_id: str
    world: str
    scenario: dict[str, Any]
    seats: dict[str, str]  # seat -> entrant
    scoring: Scoring
    entries: tuple[str, ...] = ()  # code of strategies: package.module:name
    seconds: float = 300.0
    account: str = ""  # of the tournament or the evolution, which pays for all its matches
    budget: float | None = None  # of that account, in dollars
    payer: str = WORLD_NAME  # the kind of that account
    fresh: bool = False  # nobody was asked for it before: its run need not be looked for


class NotNow(Exception):
    """The match cannot go on at the moment: the money is spent, no model answers, a person is waited for.
    What was played stands in its journal."""

    def __init__(self, error: WindtunnelError) -> None:
        super().__init__(error.message)
        self.error = error


async def play_match(
    store: Store,
    world: World,
    order: Order,
    *,
    players: Mapping[str, Any] | None = None,
    hub: Hub | None = None,
    between: Between | None = None,
    gathering: Gathering | None = None,
    played: Played | None = None,
) -> Outcome:
    """Play it, or go on with it, or read how it ended: asked again it comes to the same. `gathering`: that of
    the store, where several are played at the same time. `played` hears when only the disk is waited for."""
    terms: dict[str, Any] = {"players": players, "hub": hub, "between": between}
    if order.fresh or _row(store, order.run_id) is None:
        scenario = scenario_from_plain(order.scenario, world)
        draft = Draft(store)  # most matches are short: one commit for all of it
        begin(draft, world, scenario, order.run_id, players=dict(players or {}), at_once=True)
        try:
            outcome = await _played(draft, world, order, **terms)
            if played is not None:
                await played()
            await (gathering or Gathering(store)).publish(draft)  # before anybody hears of it
        except WrongState:
            if not draft.held:
                raise
            # It is there by now: a process whose tournament was killed went on until it knew.
        else:
            return outcome
    return await _played(store, world, order, **terms)


async def _played(store: Store, world: World, order: Order, **terms: Any) -> Outcome:
    error: WindtunnelError | None = None
    row = store.run(order.run_id)
    if row.status not in (Status.COMPLETED, Status.CANCELLED, Status.FAILED):
        try:
            row = await play_run(store, world, order.run_id, **terms)
        except BudgetReached as reached:
            raise NotNow(reached) from None
        except (StorageError, LeaseHeld):
            raise
        except WindtunnelError as went_wrong:
            row, error = store.run(order.run_id), went_wrong
            if row.status is not Status.FAILED:
                raise
    if row.status in (Status.PAUSED, Status.WAITING):
        remedy = f"windtunnel show {order.run_id} says for what; then resume the tournament"
        raise NotNow(RunError(row.reason or f"it is {row.status}", where=order.run_id, remedy=remedy))
    return outcome_of(store, row, order, error)


def _row(store: Store, run_id: str) -> RunRow | None:
    try:
        return store.run(run_id)
    except NotFound:
        return None


def outcome_of(store: Store, row: RunRow, order: Order, error: WindtunnelError | None = None) -> Outcome:
    if row.status is Status.COMPLETED:
        return _scored(store, row, order)
    return unfinished(order, row, blamed(store, row, error), row.reason or str(row.status))


def blamed(store: Store, row: RunRow, error: WindtunnelError | None) -> str:
    """The seat at whose decision the run failed; empty where it was nobody's."""
    if error is not None:
        return str(error.data.get("agent", "")) if isinstance(error, AgentError) else ""
    told = store.last_operation(row.run_id, "failed")
    body = decode_body(told.body) if told is not None else {}
    where = str(body.get("where") or "")
    if body.get("code") not in (AgentError.code, "too_long") or not where.startswith("agent "):
        return ""
    return where.removeprefix("agent ").partition(",")[0]


def unfinished(order: Order, row: RunRow | None, seat: str, why: str) -> Outcome:
    """A match that did not come to its end: lost by whoever is to blame, else void."""
    guilty = order.seats.get(seat, "")
    others = max(1, len(order.seats) - 1)
    seats = {
        place: Seated(
            name, points=0.0 if place == seat else 1.0 if others == 1 else (others + 1) / 2 / others
        )
        if guilty
        else Seated(name)
        for place, name in order.seats.items()
    }
    head = row.head_hash.hex() if row else ""
    turns = row.turn if row else 0
    if guilty:
        return Outcome(order.run_id, "forfeited", seats, turns, why=why, fault=guilty, head=head)
    return Outcome(order.run_id, "void", seats, turns, why=why, head=head)


def _scored(store: Store, row: RunRow, order: Order) -> Outcome:
    lineage = Lineage(store, row.run_id)
    wanted = {WEALTH, *(measure.metric for measure in order.scoring.metrics)}
    series: dict[str, dict[str, list[float]]] = {seat: defaultdict(list) for seat in order.seats}
    refused: Counter[str] = Counter()
    for entry in lineage.entries():
        if entry.kind == "scored":
            by_agent = scores_of(entry.body)
            for seat, mine in series.items():
                for name, value in by_agent.get(seat, {}).items():  # in their own order: that is history
                    if name in wanted:
                        mine[name].append(float(value["mean"] if type(value) is dict else value))
        elif entry.kind == "judged" and b"no_op" in entry.body:
            refused.update(_refused(entry.body, order))
    unknown = [
        one.metric for one in order.scoring.metrics if not any(one.metric in s for s in series.values())
    ]
    if unknown:
        why = f"no seat has a metric {unknown[0]!r}: scoring.metrics names it"
        return unfinished(order, row, "", why)
    seats = {
        seat: seated(entrant, series[seat], order.scoring, refused=refused[seat])
        for seat, entrant in order.seats.items()
    }
    scores = [one.score or 0.0 for one in seats.values()]
    points = points_of(scores, order.scoring.draw)
    told = {
        seat: structs.replace(one, points=share)
        for (seat, one), share in zip(seats.items(), points, strict=True)
    }
    cost, stand_ins = paid(store, row)
    marks = tuple(sorted(stand_ins))
    return Outcome(
        row.run_id, "played", told, row.turn, why=row.reason or "", cost=cost, marks=marks,
        head=row.head_hash.hex(),
    )  # fmt: skip


def _refused(judged: bytes, order: Order) -> list[str]:
    """The seats that did nothing, since what they decided was not allowed."""
    verdicts = decode_body(judged).get("verdicts")
    if not isinstance(verdicts, dict):
        return []
    return [
        seat
        for seat, verdict in verdicts.items()
        if seat in order.seats and isinstance(verdict, dict) and verdict["kind"] == "no_op"
    ]


def paid(store: Store, row: RunRow) -> tuple[int, Counter[str]]:
    """What its models cost, and how often which stood in for one that was asked before it."""
    cost, marks = 0, Counter[str]()
    first: dict[str, str] = {}  # by call: the deployment that was to answer
    for operation in store.operations(row.run_id):
        if operation.kind not in ("model_attempt", "model_skipped", "model_handed_on"):
            continue
        body = decode_body(operation.body)
        cost += body.get("cost", 0)
        wanted = first.setdefault(body["key"], body["deployment"])
        if body.get("outcome") in ("ok", "truncated") and body["deployment"] != wanted:
            marks[f"{body['deployment']} stood in for {wanted}"] += 1
    return cost, marks
