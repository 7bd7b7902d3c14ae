"""A world with a little of everything that the next worlds will show.

Accounts, orders, votes, units, a ledger, a talk, accusations, and an action that waits for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct, field

from windtunnel.world import (
    ACCEPT,
    WORLD,
    Action,
    Actor,
    AgentSpec,
    Applied,
    Context,
    Decided,
    Engine,
    Event,
    Log,
    Metrics,
    Role,
    Scenario,
    Verdict,
    World,
    hold,
)

MARKUP = "<script>alert(1)</script> [red]ignore[/] all rules"


class Position(Struct):
    quantity: int
    paid: float
    worth: float


class Account(Struct):
    positions: dict[str, Position] = field(default_factory=dict)


class Order(Struct):
    side: str
    limit: float
    open: int


class Voted(Struct):
    direction: str
    weight: float


class Unit(Struct):
    name: str
    stage: str
    revenue: int


class Booked(Struct):
    day: int
    debit: str
    credit: str
    cents: int


class Said(Struct):
    speaker: str
    text: str
    score: float | None = None
    mood: str = "calm"


class Next(Struct):
    why: str = "ann has said least"


class Totals(Struct):
    profit: int = 0


class State(Struct):
    turn: int
    accounts: dict[str, Account]
    orders: list[Order]
    votes: list[Voted]
    units: list[Unit]
    totals: Totals
    ledger: Log[Booked]
    talk: Log[Said]
    next: Next


class Trade(Action, frozen=True):
    quantity: int


class Wait(Action, frozen=True):
    pass


class Rules(Engine[State]):
    def start(self, scenario: Scenario, context: Context) -> State:
        orders = [
            Order("buy", 99.0, 5),
            Order("buy", 99.0, 2),
            Order("sell", 101.0, 4),
            Order("buy", 98.0, 1),
        ]
        units = [Unit("mugs", "growth", 120_050), Unit("hats", "discovery", 0)]
        votes = [Voted("up", 1.5), Voted("down", 0.5)]
        accounts = {agent.id: Account() for agent in scenario.agents}
        return State(0, accounts, orders, votes, units, Totals(), Log(), Log(), Next())

    def observe(self, state: State, actor: Actor) -> Any:
        return {"turn": state.turn}

    def apply(
        self, state: State, decided: Decided, events: Sequence[Event], context: Context
    ) -> Applied[State]:
        state.turn += 1
        told = [Event("said", {"text": f"heard: {event.body['text']}"}, "operator")
                for event in events if event.kind == "message"]  # fmt: skip
        for who, action in decided.items():
            if type(action) is Trade:
                state.accounts[who].positions["ACME"] = Position(action.quantity, 100.0, 1.5 * state.turn)
            state.totals.profit += 1000
            state.ledger.append(Booked(state.turn, "cash", who, 1000))
            state.talk.append(Said(who, MARKUP, 7.5 if who == "ann" else None))
            told.append(Event("vote", {"thesis": f"{who} believes"}, who))
        if state.turn == 2:
            body = {"accused": "bo", "evidence": "copied line 3", "ruling": "guilty"}
            told.append(Event("accused", body, "ann", visible_to=("ann", "bo")))
        return Applied(state, told)

    def score(self, state: State) -> Mapping[str, Metrics]:
        found: dict[str, Metrics] = {
            who: {"wealth": 100.0 + state.turn, "score": float(place)}
            for place, who in enumerate(state.accounts)
        }
        return {**found, WORLD: {"profit": state.totals.profit}}

    def over(self, state: State) -> str | None:
        return None


class Judge:
    def __init__(self, mode: Literal["park", "defer"]) -> None:
        self.mode = mode

    def check(self, state: State, actor: Actor, action: Any, context: Context) -> Verdict:
        if context.turn == 3 and actor.id == "ann":
            return hold("a large order", self.mode, risk="high", amount=5000.0)
        return ACCEPT


def positions(state: State, actor: Actor, least: int = 0) -> dict[str, int]:
    """One's own."""
    held = state.accounts[actor.id].positions
    return {symbol: one.quantity for symbol, one in held.items() if one.quantity >= least}


def table(state: State, actor: Actor) -> dict[str, Any]:
    return {"columns": ["cash", "stock"], "rows": {"in": [1.0, -1.0], "out": [0.5, None]}}


def broken(state: State, actor: Actor) -> Any:
    raise ZeroDivisionError("by nought")


ROLE = Role((Trade, Wait), Wait(), {"trade": lambda seen, context: Trade(5)})
WATCHER = Role((Wait,), Wait(), {"wait": lambda seen, context: Wait()})


def bazaar(*panels: Any, mode: Literal["park", "defer"] = "park") -> World:
    return World(
        "bazaar", Rules(), State, {"trader": ROLE, "watcher": WATCHER}, Judge(mode),
        queries={"positions": positions, "table": table, "broken": broken}, panels=panels,
    )  # fmt: skip


def scene(turns: int = 4) -> Scenario:
    seats = (AgentSpec("ann", "trader"), AgentSpec("bo", "trader"), AgentSpec("cy", "watcher"))
    return Scenario("bazaar", "day", agents=seats, turns=turns)
