"""A broker with a clock: sessions to wake for, orders that go outside, limits that wait for people."""

from __future__ import annotations

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
    Progress,
    Role,
    Scenario,
    Verdict,
    Wake,
    World,
    hold,
    reject,
)

SESSION = 60.0
FIRST = 1_000_000.0


class Order(Action, frozen=True):
    shares: Annotated[int, msgspec.Meta(ge=-500, le=500)]


class Wait(Action, frozen=True):
    pass


class Parameters(msgspec.Struct):
    limit: int = 100
    patience: int = 3
    outside: bool = False  # send orders outside whatever the mode: the kernel must refuse it


class Account(msgspec.Struct):
    cents: int
    shares: int = 0


class Open(msgspec.Struct):
    id: str
    who: str
    shares: int
    price: int


class State(msgspec.Struct):
    session: int
    price: int
    accounts: dict[str, Account]
    orders: dict[str, Open]
    tape: list[str]


class Seen(msgspec.Struct):
    price: int
    cents: int
    shares: int
    open: int


class Broker(Engine[State]):
    def start(self, scenario: Scenario, context: Context) -> State:
        accounts = {agent.id: Account(1_000_000) for agent in scenario.agents}
        return State(0, 10_000, accounts, {}, [])

    def wake(self, state: State) -> Wake:
        return Wake(at=FIRST + SESSION * state.session)

    def observe(self, state: State, actor: Actor) -> Seen:
        mine = state.accounts[actor.id]
        waiting = sum(1 for order in state.orders.values() if order.who == actor.id)
        return Seen(state.price, mine.cents, mine.shares, waiting)

    async def apply(
        self, state: State, decided: Decided, events: Sequence[Event], context: Context
    ) -> Applied[State]:
        told: list[Event] = []
        for event in events:
            if event.kind == "fill":
                self.fill(state, event.body["order"], event.body["shares"], told)
            elif event.kind == "approved":
                assert event.actor is not None
                await self.send(state, event.actor, event.body, context)
            elif event.actor is not None:
                state.tape.append(f"{event.kind} {event.actor}")
        for who, action in decided.items():
            if type(action) is Order and action.shares:
                await self.send(state, who, action, context)
        if context.mode == "simulated":
            for order in list(state.orders.values()):
                self.fill(state, order.id, order.shares, told)
        state.session += 1
        state.price = max(100, state.price + context.chance("price").integer(-200, 200))
        return Applied(state, told)

    async def send(self, state: State, who: str, order: Order, context: Context) -> None:
        name = f"{state.session}-{who}-{len(state.orders)}"
        if context.mode != "simulated" or context.parameters.outside:
            name = await context.effect("order", {"name": name, "who": who, "shares": order.shares})
        state.orders[name] = Open(name, who, order.shares, state.price)

    def fill(self, state: State, name: str, shares: int, told: list[Event]) -> None:
        order = state.orders.get(name)
        if order is None:
            state.tape.append(f"unknown fill {name}")
            return
        account = state.accounts[order.who]
        account.shares += shares
        account.cents -= shares * order.price
        order.shares -= shares
        if not order.shares:
            del state.orders[name]
        told.append(Event("filled", {"order": name, "shares": shares}, order.who, (order.who,)))

    def score(self, state: State) -> Mapping[str, Any]:
        return {
            who: {"wealth": (a.cents + a.shares * state.price) / 100} for who, a in state.accounts.items()
        }

    def progress(self, state: State) -> Progress:
        return Progress(state.session, None, "session")

    def over(self, state: State) -> str | None:
        return None


class Gate:
    def check(self, state: State, actor: Actor, action: Action, context: Context) -> Verdict:
        if not isinstance(action, Order):
            return ACCEPT
        mine = state.accounts[actor.id]
        if action.shares * state.price > mine.cents:
            return reject("not enough cash")
        if mine.shares + action.shares < 0:
            return reject("no shorting")
        limit = context.parameters.limit
        if abs(action.shares) > limit:
            return hold(
                f"more than {limit} shares", "defer", risk="high", amount=action.shares * state.price / 100,
                expires_turns=context.parameters.patience,
            )  # fmt: skip
        return ACCEPT


def trend(seen: Seen, context: Context) -> Action:
    if seen.shares >= 10:
        return Order(-5)
    return Order(context.chance("size").integer(1, 5)) if seen.cents > 100_000 else Wait()


class Desk:
    """The other side: takes orders by their key, so that a retry finds the same order again."""

    def __init__(self) -> None:
        self.orders: dict[str, Any] = {}
        self.asked = 0
        self.dies = False

    async def place(self, request: Any, call: Call) -> str:
        assert call.mode == "paper"
        self.orders[call.key] = request
        if self.dies:
            self.dies = False
            raise KeyboardInterrupt("the line went dead after the order arrived")
        return str(request["name"])

    async def find(self, request: Any, call: Call) -> str | None:
        self.asked += 1
        known = self.orders.get(call.key)
        return known["name"] if known else None


def order_kind(desk: Desk) -> EffectKind:
    return EffectKind(
        desk.place, in_doubt="reconcile", reconcile=desk.find, modes=frozenset({"paper", "real"})
    )


async def nobody(request: Any, call: Call) -> Any:
    raise AssertionError("a simulated run reached the outside")


def books_balance(state: State) -> str | None:
    short = [who for who, account in state.accounts.items() if account.shares < -1000]
    return f"{short[0]} sold what nobody has" if short else None


world = World(
    "broker",
    Broker(),
    State,
    {"trader": Role((Order, Wait), Wait(), {"trend": trend})},
    Gate(),
    parameters=Parameters,
    effects={"order": EffectKind(nobody, modes=frozenset({"paper", "real"}))},
    invariants={"books balance": books_balance},
)
