"""A world whose words try everything: markup in names, events, reasons; separators, direction overrides."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from windtunnel.control import LocalExecutor
from windtunnel.control.executor import Job
from windtunnel.export import export_run
from windtunnel.journal import SqliteStore
from windtunnel.run.begin import begin
from windtunnel.testing.lab import at_once
from windtunnel.world import (
    ACCEPT,
    WORLD,
    Action,
    AgentSpec,
    Applied,
    EffectKind,
    Engine,
    Event,
    Role,
    Scenario,
    ScheduledEvent,
    World,
    reject,
)

SCRIPT = "<script>alert(1)</script>"
ENDING = "</script><img src=x onerror=alert(1)>\u2028\u2029"
STRANGERS = [SCRIPT, 'bob "b" \u202egnp']  # scored, though they have no seat: an engine may name anybody
SPIKE = 37


class Say(Action, frozen=True):
    text: str


class State(Struct):
    turn: int = 0
    agents: list[str] = []


class Rules(Engine[State]):
    def start(self, scenario, context):
        return State(0, [*(agent.id for agent in scenario.agents), *STRANGERS])

    def observe(self, state, actor):
        return state.turn

    def apply(self, state, decided, events, context):
        state.turn += 1
        told = []
        if state.turn % 5 == 0:
            told.append(Event(SCRIPT, {"said": ENDING}, actor=SCRIPT))
        return Applied(state, told)

    def score(self, state):
        scores = {agent: {"wealth": float(place + state.turn)} for place, agent in enumerate(state.agents)}
        spike = 1e6 if state.turn == SPIKE else float(state.turn % 3)
        return {**scores, WORLD: {"level": spike, ENDING: 1.0}}

    def over(self, state):
        return None


class Judge:
    def check(self, state, actor, action, context):
        if context.turn % 7 == 0 and context.attempt == 1:
            return reject(f"no {ENDING}")
        return ACCEPT


async def echo(request, call):
    return {"heard": ENDING, "of": request}


class Talker:
    async def decide(self, observation, context):
        if context.turn == 2:
            await context.effect("echo", {"say": SCRIPT})
        return Say(ENDING)


WORLD_OF_WORDS = World(
    "odd",
    Rules(),
    State,
    {"talker": Role((Say,), Say(""), {"plain": lambda seen, context: Say(SCRIPT)})},
    Judge(),
    effects={"echo": EffectKind(echo)},
    headline=("level", ENDING),
)


def played(folder: Path, turns: int = 10, agents: int = 2) -> tuple[Path, str]:
    """A finished run: its store and its id."""
    path = folder / "odd.sqlite"
    seats = [AgentSpec("ada", kind="python"), AgentSpec("bob")]
    seats += [AgentSpec(f"agent-{number}") for number in range(agents - 2)]
    scenario = Scenario(
        "odd", name="odd/words", title=f"Words {SCRIPT}", description=ENDING, turns=turns,
        agents=tuple(seats), events=(ScheduledEvent(3, ENDING, {"x": SCRIPT}),),
    )  # fmt: skip
    store = SqliteStore(path, create=True)
    players = {"ada": Talker()}
    begin(store, WORLD_OF_WORDS, scenario, "words", players=players)
    store.close()
    (done,) = at_once(LocalExecutor().play([Job(str(path), "words", WORLD_OF_WORDS, players)]))
    assert done.error is None
    return path, "words"


def exported(folder: Path, to: str, turns: int = 10, agents: int = 2, **given) -> Path:
    store, run_id = played(folder, turns, agents)
    return export_run(store, run_id, to, folder / f"out.{to}", world=WORLD_OF_WORDS, **given)
