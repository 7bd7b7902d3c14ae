"""A small world with two roles, and strategies of every kind to play in it."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from windtunnel.strategies import Boolean, Choice, Integer, Number, Strategy
from windtunnel.world import Action, Applied, Engine, Role, World


class Wait(Action, frozen=True):
    """Do nothing."""


class Catch(Action, frozen=True):
    fish: int = 0


class Sell(Action, frozen=True):
    price: float = 1.0


class State(Struct):
    fish: int = 100


class Rules(Engine[State]):
    def start(self, scenario: Any, context: Any) -> State:
        return State()

    def observe(self, state: Any, actor: Any) -> Any:
        return state

    def apply(self, state: Any, decided: Any, events: Any, context: Any) -> Applied[State]:
        return Applied(State(state.fish - sum(getattr(act, "fish", 0) for act in decided.values())))

    def over(self, state: Any) -> str | None:
        return None if state.fish > 0 else "no fish"


def patient(observation: Any, context: Any) -> Action:
    return Catch(int(context.settings.get("share", 1)))


world = World(
    name="pond",
    engine=Rules(),
    state=State,
    roles={
        "fisher": Role(actions=(Wait, Catch), no_op=Wait(), policies={"patient": patient, "greedy": patient}),
        "trader": Role(actions=(Wait, Sell), no_op=Wait(), policies={"cheap": lambda *_: Sell()}),
    },
)


def rule(**changed: Any) -> Strategy:
    """A fisher that follows a policy; `share` is its number."""
    said: dict[str, Any] = {
        "name": "angler", "world": "pond", "role": "fisher", "policy": "patient",
        "parameters": {"share": 0.5, "nets": 2, "bait": "worm", "night": False},
        "schema": {
            "share": Number(0.0, 1.0, "how much of what it sees"), "nets": Integer(1, 9),
            "bait": Choice(["worm", "fly"]), "night": Boolean(),
        },
    }  # fmt: skip
    return Strategy(**{**said, **changed})


def llm(**changed: Any) -> Strategy:
    said: dict[str, Any] = {
        "name": "thinker", "world": "pond", "role": "fisher", "kind": "llm", "model": "house",
        "instructions": "Leave enough fish for tomorrow.\n\nAnd sleep well.",
        "parameters": {"llm.temperature": 0.5}, "schema": {"llm.temperature": Number(0.0, 2.0)},
        "settings": {"llm": {"max_tokens": 200}},
    }  # fmt: skip
    return Strategy(**{**said, **changed})


class Ready:
    """An agent that code of one's own may name: as a class, or made."""

    def decide(self, observation: Any, context: Any) -> Action:
        return Catch(1)


ready = Ready()
number = 7


class Demanding:
    def __init__(self, more: int) -> None: ...
