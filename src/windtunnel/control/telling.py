"""What a follower is told of each row of a run's news: one message, or none.

Three phases: `start`, `progress`, `complete`, of the run and of each effect. A plain view gets the run's own:
that it began, each turn with its headline metrics, each change of its status, its end. With `entries` every
row is told. What people, agents and models wrote is left out of both unless `words` asks for it, and then
stands as data with the name of whom it is from: who reads along (a model, maybe) must not take it for word of
ours. A view through a `seat` is told what the agent that sits there may know, and no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct, field

from windtunnel.codec import decode_body
from windtunnel.control.follow import Position, Row, Told, write_cursor
from windtunnel.control.history import telling
from windtunnel.errors import StorageError
from windtunnel.journal import Entry, Operation, RunRow, Store
from windtunnel.journal.texts import whole
from windtunnel.run.entries import PHASES
from windtunnel.world import WORLD, Event, visible

Phase: TypeAlias = Literal["start", "progress", "complete"]
Kind: TypeAlias = Literal["entry", "operation", "effect", "run", "state", "task"]
MOST_METRICS = 40  # in one message: who wants all asks for entries
MOST_REASON = 200

# Operations that change what a run is; `completed` is told by its `ended` entry.
MOVES: dict[str, Phase] = {
    "started": "progress",
    "resumed": "progress",
    "paused": "progress",
    "parked": "progress",
    "waiting": "progress",
    "halted": "progress",
    "crashed": "progress",
    "taken_over": "progress",
    "failed": "complete",
    "cancelled": "complete",
}


class View(Struct, frozen=True):
    """What a subscriber wants to be told."""

    entries: bool = False
    words: bool = False
    seat: str | None = None


class Message(Struct, omit_defaults=True):
    """One piece of news. `turn` and `body` are its row's, `max_turns` and `status` the run's when the row
    was read."""

    type: Phase
    kind: Kind
    run_id: str
    turn: int
    max_turns: int
    status: str
    body: Any = None
    cursor: str = ""


class Addressed(Message, omit_defaults=True):
    """A message with the channel it comes by."""

    channel: str = ""


class _Scored(Struct):
    metrics: dict[str, dict[str, Any]] = {}


class _Reason(Struct):
    reason: str = ""


class _Decided(Struct):
    actions: dict[str, msgspec.Raw] = {}
    refused: dict[str, dict[str, Any]] = {}
    attempt: int = 1


class _Judged(Struct):
    verdicts: Any = None
    attempt: int = 1


class _Applied(Struct):
    events: list[Event] = field(default_factory=list)


class _Mail(Struct):
    kind: str = ""
    body: Any = None
    sender: str = ""


def data(what: Any, writer: str) -> dict[str, Any]:
    """What somebody wrote, as something to look at."""
    return {"data": what, "from": writer}


class Teller:
    """Words the rows of one run. `headline` are the metrics its world shows first, where they are known."""

    def __init__(self, store: Store | None, run_id: str, headline: tuple[str, ...] = ()) -> None:
        self._store, self._run_id, self._headline = store, run_id, headline

    def tell(self, row: Row, run: RunRow, view: View, at: Position) -> Message | None:
        """The message of a row, with the cursor `at`; None where the view is told nothing of it."""
        thing = row.thing
        if isinstance(thing, Entry):
            told = self._entry(thing, view) if view.entries else self._turn(thing, view)
            turn = thing.turn
        elif isinstance(thing, Operation):
            told, turn = self._operation(thing, view), run.turn
        else:
            told = self._effect(thing, view) if view.entries else None
            turn = thing.arrival.turn
        if told is None:
            return None
        phase, kind, body = told
        cursor = write_cursor(self._run_id, at)
        return Message(phase, kind, self._run_id, turn, run.turns, str(run.status), body, cursor)

    # --- entries ---

    def _turn(self, entry: Entry, view: View) -> tuple[Phase, Kind, Any] | None:
        if entry.kind == "scored":
            return "progress", "run", {"metrics": self._metrics(entry, view)}
        if entry.kind == "started":
            return "start", "run", None
        if entry.kind == "ended":
            return "complete", "run", {"reason": decode_body(entry.body, _Reason).reason[:MOST_REASON]}
        return ("progress", "run", {"forked": True}) if entry.kind == "forked" else None

    def _metrics(self, entry: Entry, view: View) -> dict[str, dict[str, Any]]:
        table: dict[str, dict[str, Any]] = {
            agent: {name: value["mean"] if isinstance(value, dict) else value for name, value in one.items()}
            for agent, one in decode_body(entry.body, _Scored).metrics.items()
        }
        if view.seat is not None:
            return {view.seat: table[view.seat]} if view.seat in table else {}
        found: dict[str, dict[str, Any]] = {}
        for agent, name in telling(table, self._headline)[:MOST_METRICS]:
            found.setdefault(agent, {})[name] = table[agent][name]
        return found

    def _entry(self, entry: Entry, view: View) -> tuple[Phase, Kind, Any] | None:
        types: dict[str, Phase] = {"started": "start", "ended": "complete"}
        place = {"seq": entry.seq, "phase": entry.phase, "kind": entry.kind}
        if view.seat is not None:
            seen = _as_seen(entry, view.seat, words=view.words)
            if seen is None:
                return None
            return types.get(entry.kind, "progress"), "entry", {**place, "says": seen}
        place |= {"actor": entry.actor, "hash": entry.hash.hex()}
        says = _full(entry) if view.words else _bare(entry)
        return types.get(entry.kind, "progress"), "entry", {**place, "says": says}

    # --- beside history ---

    def _operation(self, operation: Operation, view: View) -> tuple[Phase, Kind, Any] | None:
        body: dict[str, Any] = {"operation": operation.kind, "at": operation.at}
        moved = MOVES.get(operation.kind)
        if view.entries and view.seat is None:
            body["seq"] = operation.seq
            if view.words:
                body["says"] = data(decode_body(operation.body), "operations")
            return moved or "progress", "operation", body
        return (moved, "run", body) if moved is not None else None

    def _effect(self, told: Told, view: View) -> tuple[Phase, Kind, Any] | None:
        arrival, effect = told
        if view.seat is not None and effect.actor.partition("/")[0] != view.seat:
            return None
        body: dict[str, Any] = {
            "effect": effect.name, "kind": effect.kind, "actor": effect.actor, "phase": effect.phase,
            "asked": effect.asked,
        }  # fmt: skip
        if arrival.answered:
            body["answered"] = effect.answered
        if view.words:
            try:
                full = whole(self._store, effect) if self._store is not None else effect
            except StorageError as error:
                body["unreadable"] = error.message
                full = effect
            body["request"] = data(decode_body(full.request), effect.actor or WORLD)
            if arrival.answered and full.result is not None:
                body["result"] = data(decode_body(full.result), effect.actor or WORLD)
        return ("complete" if arrival.answered else "start"), "effect", body


# --- what an entry says, without what was written, with it, and through a seat ---


def _full(entry: Entry) -> Any:
    """All of it. What a known writer wrote is from that writer; the rest of it is from the world."""
    if entry.kind == "decided":
        one = decode_body(entry.body, _Decided)
        actions = {who: data(decode_body(bytes(said)), who) for who, said in one.actions.items()}
        refused = {who: data(why, who) for who, why in one.refused.items()}
        return {"actions": actions, "refused": refused, "attempt": one.attempt}
    if entry.kind == "mail":
        return data(decode_body(entry.body), decode_body(entry.body, _Mail).sender or "outside")
    body = decode_body(entry.body)
    return body if entry.kind in _OURS else data(body, WORLD)


_OURS = ("scored", "consolidated", "observed", "effect")  # numbers, digests and the names of agents


def _bare(entry: Entry) -> Any:
    """What holds nobody's prose."""
    if entry.kind in _OURS:
        return decode_body(entry.body)
    if entry.kind == "decided":
        one = decode_body(entry.body, _Decided)
        labels = {who: why.get("label", "") for who, why in one.refused.items()}
        return {"agents": list(one.actions), "refused": labels, "attempt": one.attempt}
    if entry.kind == "judged":
        judged = decode_body(entry.body, _Judged)
        return {"verdicts": _verdicts(judged.verdicts), "attempt": judged.attempt}
    if entry.kind == "applied":
        return {"events": len(decode_body(entry.body, _Applied).events)}
    if entry.kind == "ended":
        return {"reason": decode_body(entry.body, _Reason).reason[:MOST_REASON]}
    return {}


def _verdicts(verdicts: Any) -> Any:
    if not isinstance(verdicts, Mapping):
        return verdicts
    return {who: one.get("kind") if isinstance(one, Mapping) else one for who, one in verdicts.items()}


def _as_seen(entry: Entry, seat: str, *, words: bool) -> Any:
    """What the agent of a seat learns of an entry: as `consolidate` would tell it. None: nothing."""
    if entry.kind == "scored":
        return {"metrics": decode_body(entry.body, _Scored).metrics.get(seat, {})}
    if entry.kind == "decided":
        said = decode_body(entry.body, _Decided).actions.get(seat)
        if said is None:
            return None
        return {"action": data(decode_body(bytes(said)), seat)} if words else {"decided": True}
    if entry.kind == "judged":
        verdicts = decode_body(entry.body, _Judged).verdicts
        mine = verdicts.get(seat) if isinstance(verdicts, Mapping) else verdicts
        if mine is None:
            return None
        return {"verdict": data(mine, WORLD) if words else _verdicts({seat: mine})[seat]}
    if entry.kind == "applied":
        events = [one for one in decode_body(entry.body, _Applied).events if visible(one, seat)]
        return {"events": data(events, WORLD) if words else len(events)}
    if entry.kind == "mail":
        return _mail_as_seen(entry, seat, words=words)
    if entry.kind == "ended":
        return _bare(entry)
    return {} if entry.kind == "started" or (entry.kind == "consolidated" and entry.phase in PHASES) else None


def _mail_as_seen(entry: Entry, seat: str, *, words: bool) -> Any:
    mail = decode_body(entry.body, _Mail)
    if mail.kind != "event" or not isinstance(mail.body, Mapping):
        return None  # rulings reach an agent through its world
    event = Event(
        str(mail.body.get("kind", "")),
        mail.body.get("body"),
        visible_to=tuple(mail.body["visible_to"]) if mail.body.get("visible_to") is not None else None,
    )
    if not visible(event, seat):
        return None
    return {"event": data(event, mail.sender or "outside")} if words else {"event": True}


def standing(run: RunRow, cursor: str) -> Message:
    """Where a run stands: what somebody hears who comes without a cursor."""
    phase: Phase = "complete" if run.status.ended else "start" if run.head_seq < 0 else "progress"
    reason = {"reason": run.reason[:MOST_REASON]} if run.reason else None
    return Message(phase, "run", run.run_id, run.turn, run.turns, str(run.status), reason, cursor)
