"""A world for a game master and a judge: pickers take apples from a tree, and say what they like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct, field

from windtunnel.agents.judge import ModelValidator
from windtunnel.agents.master import Change, ModelEngine
from windtunnel.codec import Log
from windtunnel.models.talk import Ask, Reply
from windtunnel.world import (
    ACCEPT,
    Action,
    Actor,
    AgentSpec,
    Applied,
    Call,
    Context,
    Decided,
    EffectKind,
    Engine,
    Event,
    Role,
    Scenario,
    Verdict,
    World,
    amend,
    hold,
    reject,
)


class Pick(Action, frozen=True):
    apples: Annotated[int, Meta(ge=0, le=10)]
    note: Annotated[str, Meta(max_length=200)] = ""


class Rest(Action, frozen=True):
    """Nothing."""


class Rain(Change, frozen=True):
    """Rain makes so many apples grow."""

    apples: Annotated[int, Meta(ge=1, le=20)]


class Theft(Change, frozen=True):
    """A thief takes so many apples from one picker."""

    who: Annotated[str, Meta(max_length=64)]
    apples: Annotated[int, Meta(ge=1, le=20)]


class State(Struct):
    tree: int
    held: dict[str, int]
    diary: Log[str] = field(default_factory=Log)


class Rules(Engine[State]):
    def start(self, scenario: Scenario, context: Context) -> State:
        return State(20, {agent.id: 0 for agent in scenario.agents})

    def observe(self, state: State, actor: Actor) -> Any:
        return {"tree": state.tree, "mine": state.held[actor.id]}

    def apply(self, state: State, decided: Decided, events: Any, context: Context) -> Applied[State]:
        for who in list(decided):
            action = decided.pop(who)  # as an engine may, which owns what it is handed
            if type(action) is Pick:
                taken = min(action.apples, state.tree)
                state.tree -= taken
                state.held[who] += taken
        state.diary.append(f"{context.turn}: {state.tree}")
        return Applied(state, [Event("tree", state.tree)])

    def score(self, state: State) -> Mapping[str, Any]:
        return {who: {"wealth": apples} for who, apples in state.held.items()}

    def over(self, state: State) -> str | None:
        return None


def change(state: State, what: Any) -> Applied[State] | None:
    """Does half of it before it looks, so that a copy is needed."""
    if type(what) is Rain:
        state.tree += what.apples
        return Applied(state, [Event("rain", what.apples)])
    state.tree += what.apples
    if what.who not in state.held:
        raise ValueError(f"nobody is called {what.who!r}")
    state.held[what.who] -= what.apples
    return None


INVARIANTS: dict[str, Callable[[State], str | None]] = {
    "nobody owes apples": lambda state: "somebody does" if min(state.held.values()) < 0 else None,
    "a tree bears forty": lambda state: f"{state.tree} hang on it" if state.tree > 40 else None,
}


class Limit:
    def check(self, state: State, actor: Actor, action: Any, context: Context) -> Verdict:
        if type(action) is Pick and action.apples == 9:
            return reject("nine is unlucky")
        if type(action) is Pick and action.apples == 8:
            return amend(Pick(7), "seven at most")
        if type(action) is Pick and action.apples == 10:
            return hold("ten is much", "defer", expires_turns=2)
        return ACCEPT


def rain(state: State, decided: Decided, events: Any, context: Context) -> list[Any]:
    return [Rain(1 + context.chance("rain").below(3))]


def greedy(state: State, actor: Actor, action: Any, context: Context) -> Verdict:
    return amend(Pick(3), "leave some") if action.apples > 3 else ACCEPT


def pick(seen: Any, context: Context) -> Action:
    return Pick(1 + context.chance("pick").below(6))


def orchard(
    master: Mapping[str, Any] | None = None, judge: Mapping[str, Any] | None = None, base: Any = None
) -> World:
    """The world; with a game master, with a judge, or with both, if what they are told is given."""
    engine: Any = base or Rules()
    if master is not None:
        known: dict[str, Any] = {"house": rain, "invariants": INVARIANTS, "instructions": "Be kind."}
        known |= {"changes": [Rain, Theft], "apply_change": change}
        engine = ModelEngine(engine, **known | dict(master))
    validator: Any = Limit()
    if judge is not None:
        told: dict[str, Any] = {"house": greedy, "instructions": "No greed."}
        validator = ModelValidator(validator, **{"judges": [Pick]} | told | dict(judge))
    role = Role((Pick, Rest), Rest(), {"pick": pick})
    return World("orchard", engine, State, {"picker": role}, validator=validator, invariants=INVARIANTS)


def scene(*agents: str, **more: Any) -> Scenario:
    seats = tuple(AgentSpec(name, "picker", kind="python") for name in agents)
    return Scenario(
        "orchard", "toy", **{"turns": 1, "attempts": 1, "model": "house", "agents": seats, **more}
    )


class Model:
    """Says what a test wrote down for who asks, the last for ever; and keeps what it was asked."""

    def __init__(self, **says: list[Any]) -> None:
        self.says = says
        self.asks: list[tuple[str, Ask]] = []
        self.keys: dict[str, list[str]] = {member: [] for member in says}
        self.dies_at = 0

    async def answer(self, request: Any, call: Call) -> Any:
        assert isinstance(request, Ask)
        self.asks.append((call.actor, request))
        member = call.actor.rpartition("/")[2]
        if call.key not in self.keys[member]:
            self.keys[member].append(call.key)  # asked again after a crash, it says the same again
        if len(self.asks) == self.dies_at:
            raise KeyboardInterrupt("the process died here")
        said = self.says[member]
        answer = said[min(self.keys[member].index(call.key), len(said) - 1)]
        return answer if isinstance(answer, Reply) else Reply(str(answer))

    @property
    def effects(self) -> dict[str, EffectKind]:
        return {"model": EffectKind(self.answer, in_doubt="retry")}
