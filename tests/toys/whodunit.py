"""A game with secrets: one of the guests did it, they speak one after another, then they vote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from windtunnel.world import (
    ACCEPT,
    Action,
    Actor,
    Applied,
    Chance,
    Context,
    Decided,
    Engine,
    Event,
    Log,
    Progress,
    Role,
    Scenario,
    Verdict,
    World,
    reject,
)


class Say(Action, frozen=True):
    text: Annotated[str, msgspec.Meta(max_length=400)]


class Accuse(Action, frozen=True):
    whom: str


class Pass(Action, frozen=True):
    pass


class Line(msgspec.Struct):
    who: str
    text: str


class State(msgspec.Struct):
    culprit: str
    hints: dict[str, str]
    speaker: int
    talk: Log[Line]
    votes: dict[str, str]


class Seen(msgspec.Struct):
    guilty: bool
    hint: str
    talk: list[Line]
    guests: list[str]


class Memory(msgspec.Struct):
    suspicion: dict[str, int] = msgspec.field(default_factory=dict)


class Table(Engine[State]):
    def start(self, scenario: Scenario, context: Context) -> State:
        names = [agent.id for agent in scenario.agents]
        culprit = context.chance("culprit").choice(names)
        return State(culprit, deal(names, culprit, context.chance("hints")), 0, Log(), {})

    def to_act(self, state: State) -> Sequence[Actor]:
        names = list(state.hints)
        return [Actor(names[state.speaker % len(names)], "guest")]

    def observe(self, state: State, actor: Actor) -> Seen:
        return Seen(
            state.culprit == actor.id, state.hints[actor.id], list(state.talk)[-6:], list(state.hints)
        )

    def apply(
        self, state: State, decided: Decided, events: Sequence[Event], context: Context
    ) -> Applied[State]:
        told: list[Event] = []
        for who, action in decided.items():
            if type(action) is Say:
                state.talk.append(Line(who, action.text))
                told.append(Event("said", action.text, who))
            elif type(action) is Accuse:
                state.votes[who] = action.whom
                told.append(Event("accused", action.whom, who, visible_to=(who,)))
        told += [Event("heard", event.kind, visible_to=event.visible_to) for event in events]
        state.speaker += 1
        return Applied(state, told)

    def score(self, state: State) -> Mapping[str, Any]:
        against = list(state.votes.values()).count(state.culprit)
        return {
            who: {
                "wealth": float(-against if who == state.culprit else state.votes.get(who) == state.culprit)
            }
            for who in state.hints
        }

    def progress(self, state: State) -> Progress:
        rounds, position = divmod(state.speaker, len(state.hints))
        return Progress(rounds, None, "round", position == 0)

    def over(self, state: State) -> str | None:
        return "everybody has voted" if len(state.votes) == len(state.hints) else None


def deal(names: list[str], culprit: str, luck: Chance) -> dict[str, str]:
    """Everybody knows one other guest to be innocent."""
    innocent = [name for name in names if name != culprit]
    return {name: luck.choice([other for other in innocent if other != name]) for name in names}


class Manners:
    def check(self, state: State, actor: Actor, action: Action, context: Context) -> Verdict:
        if isinstance(action, Accuse) and action.whom not in state.hints:
            return reject(f"nobody here is called {action.whom!r}"[:200])
        if isinstance(action, Accuse) and action.whom == actor.id:
            return reject("nobody accuses themselves")
        return ACCEPT


def redraw(state: State, actor: Actor, luck: Chance) -> State:
    """Another guest may have done it, and others were told other things, as far as this one can know."""
    names = list(state.hints)
    known = state.hints[actor.id]
    if state.culprit != actor.id:
        state.culprit = luck.choice([name for name in names if name not in (actor.id, known)])
    own = state.hints[actor.id]
    state.hints = {**deal(names, state.culprit, luck), actor.id: own}
    return state


def chatty(seen: Seen, context: Context) -> Action:
    if context.turn <= 2 * len(seen.guests):
        return Say(f"I know that {seen.hint} is innocent.")
    suspects = [name for name in seen.guests if name not in (seen.hint, context.actor)]
    return Accuse(context.chance("vote").choice(suspects))


class Minded:
    """Keeps track of who it has heard being cleared, from turn to turn."""

    def decide(self, seen: Seen, context: Context) -> Action:
        for line in seen.talk:
            for name in seen.guests:
                if name in line.text:
                    context.memory.suspicion[name] = context.memory.suspicion.get(name, 0) - 1
        return chatty(seen, context)

    def consolidate(self, outcome: Any, context: Context) -> None:
        for event in outcome.events:
            if event.actor and event.actor != context.actor:
                known = context.memory.suspicion
                known[event.actor] = known.get(event.actor, 0) + 1


world = World(
    "whodunit",
    Table(),
    State,
    {"guest": Role((Say, Accuse, Pass), Pass(), {"chatty": chatty}, memory=Memory)},
    Manners(),
    redraw_hidden=redraw,
)
