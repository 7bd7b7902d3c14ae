"""What happened in a run, read from its history for people: decisions and verdicts, events, effects.

Read one entry after another and never held as a whole, so that a long run can be looked through as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from windtunnel.codec import decode_body
from windtunnel.journal.lineage import NO_LIMIT, Lineage
from windtunnel.journal.model import Effect, Entry
from windtunnel.journal.texts import whole
from windtunnel.run.entries import AppliedEntry, DecidedEntry, Judged, MailTaken, Scored, read

# What most turns say: known by its bytes, so that a long run is looked through without reading each body.
PLAIN_BODIES = {"judged": b'{"verdicts":"accept"}', "applied": b'{"events":[]}'}


class Decision(Struct, frozen=True):
    """What an agent chose, at one attempt, and what came of it. `label` is `ok`, or how it was refused."""

    turn: int
    agent: str
    attempt: int
    action: Any
    label: str
    verdict: str
    reason: str
    instead: Any = None  # what an amendment put in its place


class Happening(Struct, frozen=True):
    """An event: one the world told of, or one that came from `outside`."""

    turn: int
    kind: str
    agent: str | None
    body: Any
    visible_to: tuple[str, ...] | None
    outside: bool = False


class EffectTold(Struct, frozen=True):
    """A request to the outside with its answer; `failed` where the outside said no for good."""

    name: str
    turn: int
    phase: str
    agent: str
    kind: str
    request: Any
    result: Any
    failed: bool
    waiting: bool
    asked: float
    answered: float | None
    attempts: int


class EntryTold(Struct, frozen=True):
    """An entry of history with its body typed by its kind (the types stand in `windtunnel.run.entries`)."""

    seq: int
    turn: int
    phase: str
    kind: str
    actor: str
    body: Any
    hash: str

    def names(self, agent: str) -> bool:
        """Whether the entry is about this agent, alone or among others."""
        if self.actor.partition("/")[0] == agent:
            return True
        body: object = self.body
        if isinstance(body, DecidedEntry):
            return agent in body.actions or agent in body.refused
        if isinstance(body, Judged):
            return not isinstance(body.verdicts, str) and agent in body.verdicts
        if isinstance(body, AppliedEntry):
            return any(event.get("actor") == agent for event in body.events)
        return isinstance(body, Scored) and agent in body.metrics


def entry_told(entry: Entry) -> EntryTold:
    return EntryTold(*entry[:5], read(entry), entry.hash.hex())


def turns_told(lineage: Lineage, after: int = -1, upto: int = NO_LIMIT) -> Iterator[list[Entry]]:
    """History in groups, a turn in each; what stands before the first turn is turn 0."""
    group: list[Entry] = []
    for entry in lineage.entries():
        if entry.turn <= after:
            continue
        if entry.turn > upto:
            break
        if group and group[0].turn != entry.turn:
            yield group
            group = []
        group.append(entry)
    if group:
        yield group


def decisions_of(turn: list[Entry]) -> list[Decision]:
    """Every attempt at a decision in a turn, in the order in which they were made."""
    found: list[Decision] = []
    decided: list[DecidedEntry] = []
    for entry in turn:
        if entry.kind == "decided":
            decided.append(read(entry))
        elif entry.kind == "judged" and decided:
            found += _judged(entry.turn, decided.pop(), read(entry))
    return found


def _judged(turn: int, decided: DecidedEntry, judged: Judged) -> Iterator[Decision]:
    everyone = dict.fromkeys([*decided.actions, *decided.refused])
    for agent in everyone:
        verdict = (
            judged.verdicts if isinstance(judged.verdicts, str) else judged.verdicts.get(agent, "accept")
        )
        told = {"kind": verdict} if isinstance(verdict, str) else verdict
        refused = decided.refused.get(agent)
        label = refused.label if refused else "ok"
        yield Decision(
            turn, agent, decided.attempt, decided.actions.get(agent), label, told["kind"],
            told.get("reason", ""), told.get("action"),
        )  # fmt: skip


def events_of(turn: list[Entry]) -> list[Happening]:
    found: list[Happening] = []
    for entry in turn:
        if entry.kind == "applied" and entry.body != PLAIN_BODIES["applied"]:
            applied: AppliedEntry = read(entry)
            found += [_happening(entry.turn, event) for event in applied.events]
        elif entry.kind == "mail":
            letter: MailTaken = read(entry)
            if letter.kind == "event":
                found.append(_happening(entry.turn, letter.body, outside=True))
    return found


def _happening(turn: int, event: dict[str, Any], *, outside: bool = False) -> Happening:
    seen = event.get("visible_to")
    seen_by = None if seen is None else tuple(seen)
    return Happening(turn, event["kind"], event.get("actor"), event.get("body"), seen_by, outside)


def effects_told(lineage: Lineage) -> Iterator[EffectTold]:
    """Every effect of the line, as the run itself sees it: a fork's own copy stands for its parent's."""
    found: dict[tuple[int, str, str, int], Effect] = {}
    for part in lineage.parts:
        for effect in lineage.store.effects(part.row.run_id):
            if effect.turn <= part.last_turn:
                found[effect.place] = effect
    for effect in sorted(found.values(), key=lambda one: one.turn):
        yield effect_told(whole(lineage.store, effect))


def effect_told(effect: Effect) -> EffectTold:
    result = None if effect.result is None else decode_body(effect.result)
    failed = isinstance(result, dict) and result.keys() == {"failed"}
    if isinstance(result, dict) and result.keys() in ({"ok"}, {"failed"}):
        (result,) = result.values()
    return EffectTold(
        effect.name, effect.turn, effect.phase, effect.actor, effect.kind, decode_body(effect.request),
        result, failed, effect.result is None, effect.asked, effect.answered, effect.attempts,
    )  # fmt: skip
