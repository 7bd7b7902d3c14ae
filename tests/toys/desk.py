"""A team that talks itself to a decision, and a game master that is a model: both through effects only."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from windtunnel.world import (
    ACCEPT,
    Action,
    Actor,
    Applied,
    Call,
    Context,
    Decided,
    EffectKind,
    Engine,
    Event,
    Log,
    Role,
    Scenario,
    Verdict,
    World,
    reject,
)


class Propose(Action, frozen=True):
    text: Annotated[str, msgspec.Meta(max_length=2000)]


class Silence(Action, frozen=True):
    pass


class Said(msgspec.Struct):
    who: str
    text: str


class State(msgspec.Struct):
    transcript: Log[Said]
    points: dict[str, int]
    last: str = ""


class Seen(msgspec.Struct):
    last: str
    lines: int


class Memory(msgspec.Struct):
    dialogue: list[str] = msgspec.field(default_factory=list)


class Master(Engine[State]):
    """Asks a model what a proposal is worth; the model's word counts, within bounds."""

    def start(self, scenario: Scenario, context: Context) -> State:
        return State(Log(), {agent.id: 0 for agent in scenario.agents})

    def observe(self, state: State, actor: Actor) -> Seen:
        return Seen(state.last, len(state.transcript))

    async def apply(
        self, state: State, decided: Decided, events: Sequence[Event], context: Context
    ) -> Applied[State]:
        for who, action in decided.items():
            if type(action) is Propose:
                state.transcript.append(Said(who, action.text))
                state.last = action.text[-40:]
                worth = await context.effect("model", {"judge": action.text[:80]})
                state.points[who] += max(0, min(10, int(worth)))
        return Applied(state)

    def score(self, state: State) -> Mapping[str, Any]:
        return {who: {"wealth": points} for who, points in state.points.items()}

    def over(self, state: State) -> str | None:
        return None


class Censor:
    """A validator that asks a model as well."""

    async def check(self, state: State, actor: Actor, action: Action, context: Context) -> Verdict:
        if isinstance(action, Propose) and await context.effect("model", {"censor": action.text[:80]}) == 7:
            return reject("the censor says no")
        return ACCEPT


class Team:
    """Three members think at the same time, then a fourth decides; the dialogue is kept in memory."""

    async def decide(self, seen: Seen, context: Context) -> Action:
        async def ask(name: str) -> str:
            member = context.member(name)
            first = await member.effect("model", {"think": f"{name} {seen.last}"})
            second = await member.effect("model", {"again": first})
            return f"{name}:{first}{second}"

        said = await asyncio.gather(*(ask(name) for name in ("bear", "bull", "owl")))
        context.memory.dialogue = [*context.memory.dialogue, *said][-6:]
        chair = await context.member("chair").effect("model", {"decide": said})
        return Propose(f"turn {context.turn} {chair} {' '.join(said)}")


def plain(seen: Seen, context: Context) -> Action:
    return Propose(f"turn {context.turn}: {context.chance('word').below(1000)}")


async def model(request: Any, call: Call) -> int:
    """A model that answers at once, the same to the same question."""
    await asyncio.sleep(0)
    return sum(map(ord, str(request))) % 11


world = World(
    "desk",
    Master(),
    State,
    {"desk": Role((Propose, Silence), Silence(), {"plain": plain}, memory=Memory)},
    Censor(),
    effects={"model": EffectKind(model, in_doubt="retry")},
)
quiet = msgspec.structs.replace(world, name="quiet", validator=None, effects={"model": EffectKind(model)})
