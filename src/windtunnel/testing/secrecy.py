"""Checks of who sees what, who may change what, and whose luck is whose."""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, ClassVar
from unittest import mock

import msgspec

from windtunnel.chance import Chance
from windtunnel.codec import encode_body
from windtunnel.errors import WindtunnelError
from windtunnel.run.player import Player
from windtunnel.testing.report import Finding
from windtunnel.testing.subject import Subject
from windtunnel.world import WORLD, Actor

BYSTANDER = "kit-bystander"
REDRAWS = 5


def now(value: Any) -> Any:
    """The value of a method that may be async."""
    return asyncio.run(value) if inspect.iscoroutine(value) else value


def acting(player: Player) -> list[Actor]:
    return list(now(player.engine.to_act(player.frame.state)) or player.cast.actors)


def hidden(subject: Subject) -> Iterator[Finding]:
    """What an actor may not know is drawn again; what it observes must not change."""
    name = "hidden information"
    redraw = subject.world.redraw_hidden
    if redraw is None:
        yield subject.find(
            name, "warns", "the world names no redraw_hidden, so nobody can tell if secrets leak",
            "if it has secrets: redraw_hidden=function(state, actor, chance) -> a state that looks the same",
        )  # fmt: skip
        return
    changed = False
    for turn in subject.some_turns():
        player = subject.base().at(turn)
        before = player.codec.encode(player.frame.state)
        fresh = _source(subject, turn, player, before)  # for each redraw, which may change what it is given
        for actor in player.cast.actors:
            seen = encode_body(now(player.engine.observe(fresh(), actor)))
            for luck in range(REDRAWS):
                state = redraw(fresh(), actor, Chance("redraw", turn, actor.id, luck))
                again = encode_body(now(player.engine.observe(state, actor)))
                if seen != again:
                    yield subject.find(
                        name, "lacks",
                        f"after turn {turn}, {actor.id} observes something that it may not know:"
                        f" {seen.decode()[:120]} became {again.decode()[:120]}",
                        "leave it out of observe(), or out of redraw_hidden if it is no secret",
                    )  # fmt: skip
                    return
                changed = changed or player.codec.encode(state) != before
    if changed:
        yield subject.find(name, "ok", "observations do not depend on what was drawn again")
    else:
        yield subject.find(
            name, "lacks", "redraw_hidden never changed a thing", "let it draw the secrets again"
        )


def _source(subject: Subject, turn: int, player: Player, raw: bytes) -> Callable[[], Any]:
    """Gives the state after the turn, as often as it is asked: read back, or recomputed where a Log has grown
    by what no store holds yet."""
    if player.codec.logs:
        return lambda: subject.base().at(turn).frame.state
    return lambda: player.codec.decode(raw, player.tape.lineage.segment)


def purity(subject: Subject) -> Iterator[Finding]:
    """Asking is not changing: only `apply` may touch the state."""
    name = "only apply changes"
    for turn in subject.some_turns():
        player = subject.base().at(turn)
        state = player.frame.state
        for method, ask in _questions(player):
            before = player.codec.encode(state)
            first = ask()
            if player.codec.encode(state) != before:
                yield subject.find(
                    name, "lacks", f"{method} changed the state after turn {turn}",
                    "compute on a copy, or do it in apply()",
                )  # fmt: skip
                return
            if method.startswith("observe") and encode_body(first) != encode_body(ask()):
                yield subject.find(
                    name, "lacks", f"{method} says something else when asked twice in turn {turn}",
                    "an observation is a function of the state and the actor",
                )  # fmt: skip
                return
    yield subject.find(name, "ok", "to_act, observe, score, progress, over and wake leave the state alone")


def _questions(player: Player) -> Iterator[tuple[str, Callable[[], Any]]]:
    engine, state = player.engine, player.frame.state

    def asks(ask: Callable[..., Any], *about: Any) -> Callable[[], Any]:
        return lambda: now(ask(state, *about))

    yield "to_act()", asks(engine.to_act)
    for actor in acting(player):
        yield f"observe() for {actor.id}", asks(engine.observe, actor)
    for method in ("score", "progress", "over", "wake"):
        yield f"{method}()", asks(getattr(engine, method))
    for label, invariant in player.world.invariants.items():
        yield f"invariant {label!r}", asks(invariant)
    if player.world.effects or player.check is None:
        return  # a judge that asks the outside cannot be asked twice here
    for actor in acting(player):
        seat = player.cast.seats[actor.id]
        yield f"check() for {actor.id}", asks(player.check, actor, seat.role.no_op, seat.context)


def known_names(subject: Subject) -> Iterator[Finding]:
    """Events name agents that exist."""
    name = "events"
    known = {agent.id for agent in subject.scenario.agents} | {WORLD, ""}
    for entry, body in zip(
        subject.base().history(kind="applied"), subject.base().bodies("applied"), strict=True
    ):
        for event in body["events"]:
            named = [event.get("actor") or "", *(event.get("visible_to") or ())]
            strangers = [who for who in named if who not in known]
            if strangers:
                yield subject.find(
                    name, "lacks",
                    f"turn {entry.turn}: event {event['kind']!r} names {strangers[0]!r}, who has no seat",
                    "actor and visible_to take the ids of the scenario's agents",
                )  # fmt: skip
                return
    yield subject.find(name, "ok", "events name agents that exist")


# --- luck -------------------------------------------------------------------------------------------


def own_luck(subject: Subject) -> Iterator[Finding]:
    """One agent more must not shift the luck of the others: a stream drawn from once for each agent does."""
    name = "luck of one's own"
    first = subject.scenario.agents[0]
    more = msgspec.structs.replace(
        subject.scenario,
        turns=1,
        agents=(*subject.scenario.agents, msgspec.structs.replace(first, id=BYSTANDER)),
    )
    try:
        before = _drawn(subject, msgspec.structs.replace(subject.scenario, turns=1))
        after = _drawn(subject, more)
    except WindtunnelError as error:
        yield subject.find(name, "skipped", f"the world takes no further agent: {error.message[:100]}")
        return
    shifted = [key for key in before if key in after and before[key] != after[key]]
    if shifted:
        shown = ", ".join(map(str, shifted[0][4:])) or "its only stream"
        yield subject.find(
            name, "warns",
            f"with one agent more, the stream of {shifted[0][3] or 'the engine'!r} ({shown}) is drawn from"
            f" {after[shifted[0]]} times instead of {before[shifted[0]]}, so that others' luck may shift",
            "name the agent in the stream: context.chance('what', agent.id)",
        )  # fmt: skip
    else:
        yield subject.find(name, "ok", "one agent more shifts nobody's luck")


class _Counted(Chance):
    __slots__ = ("_name",)
    draws: ClassVar[Counter[tuple[Any, ...]]] = Counter()

    def __init__(self, *key: object) -> None:
        super().__init__(*key)
        self._name = key

    def bits(self) -> int:
        self.draws[self._name] += 1
        return super().bits()

    def words(self, n: int) -> Any:
        self.draws[self._name] += n
        return super().words(n)


def _drawn(subject: Subject, scenario: Any) -> Counter[tuple[Any, ...]]:
    """How often each stream was drawn from."""

    class Counting(_Counted):
        __slots__ = ()
        draws: ClassVar[Counter[tuple[Any, ...]]] = Counter()

    with mock.patch("windtunnel.run.context.Chance", Counting), subject.lab() as lab:
        lab.play(scenario, answer=subject.answer)
    return Counting.draws
