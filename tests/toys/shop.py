"""Two shops that share a street: an operator acts until it ends its day, then it is the other's turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from windtunnel.world import (
    ACCEPT,
    WORLD,
    Action,
    Actor,
    Applied,
    Context,
    Decided,
    Engine,
    Event,
    Progress,
    Role,
    Scenario,
    Verdict,
    World,
    amend,
    reject,
)


class Buy(Action, frozen=True):
    units: Annotated[int, msgspec.Meta(ge=1, le=1000)]


class Price(Action, frozen=True):
    cents: Annotated[int, msgspec.Meta(ge=1, le=100_000)]


class EndDay(Action, frozen=True):
    pass


class Parameters(msgspec.Struct):
    days: int = 5
    demand: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 20


class Shop(msgspec.Struct):
    stock: int = 0
    price: int = 1500


class Posting(msgspec.Struct):
    """Money moves from one account to another, never from nowhere."""

    debit: str
    credit: str
    cents: int


class State(msgspec.Struct):
    day: int
    turn_of: int
    shops: dict[str, Shop]
    accounts: dict[str, int]
    ended: bool = False  # a day just ended
    acts: int = 0


class Seen(msgspec.Struct):
    day: int
    cash: int
    stock: int
    price: int
    acts: int


COST = 700


class Street(Engine[State]):
    def start(self, scenario: Scenario, context: Context) -> State:
        names = [agent.id for agent in scenario.agents]
        accounts = {"outside": -100_000 * len(names), **{f"cash {name}": 100_000 for name in names}}
        return State(1, 0, {name: Shop() for name in names}, accounts)

    def to_act(self, state: State) -> Sequence[Actor]:
        return [Actor(list(state.shops)[state.turn_of], "operator")]

    def observe(self, state: State, actor: Actor) -> Seen:
        shop = state.shops[actor.id]
        return Seen(state.day, state.accounts[f"cash {actor.id}"], shop.stock, shop.price, state.acts)

    def apply(
        self, state: State, decided: Decided, events: Sequence[Event], context: Context
    ) -> Applied[State]:
        ((who, action),) = decided.items()
        shop = state.shops[who]
        state.ended = False
        state.acts += 1
        if type(action) is Buy:
            shop.stock += action.units
            self.post(state, f"cash {who}", "outside", action.units * COST)
        elif type(action) is Price:
            shop.price = action.cents
        if type(action) is EndDay or state.acts >= 6:
            return Applied(state, self.close(state, who, context))
        return Applied(state)

    def close(self, state: State, who: str, context: Context) -> list[Event]:
        shop, luck = state.shops[who], context.chance("customers", who)
        wanted = context.parameters.demand * 1500 // max(shop.price, 1) + luck.below(5)
        sold = min(shop.stock, wanted)
        shop.stock -= sold
        self.post(state, "outside", f"cash {who}", sold * shop.price)
        state.acts = 0
        state.turn_of = (state.turn_of + 1) % len(state.shops)
        if state.turn_of == 0:
            state.day += 1
            state.ended = True
        return [Event("sold", sold, who, (who,))]

    def post(self, state: State, debit: str, credit: str, cents: int) -> None:
        state.accounts[debit] -= cents
        state.accounts[credit] += cents

    def score(self, state: State) -> Mapping[str, Any]:
        worth = {
            name: (state.accounts[f"cash {name}"] + shop.stock * COST) / 100
            for name, shop in state.shops.items()
        }
        metrics: dict[str, Any] = {name: {"wealth": value} for name, value in worth.items()}
        return {**metrics, WORLD: {"trade": sum(worth.values())}}

    def progress(self, state: State) -> Progress:
        return Progress(state.day - 1, None, "day", state.ended)

    def over(self, state: State) -> str | None:
        return None


class Counting:
    def check(self, state: State, actor: Actor, action: Action, context: Context) -> Verdict:
        if isinstance(action, Buy):
            affordable = state.accounts[f"cash {actor.id}"] // COST
            if affordable < 1:
                return reject("no money for a single unit")
            if action.units > affordable:
                return amend(Buy(affordable), "as many as there is money for")
        return ACCEPT


def keeper(seen: Seen, context: Context) -> Action:
    if seen.acts == 0 and seen.stock < 30:
        return Buy(20)
    if seen.acts <= 1:
        return Price(1400 + context.chance("price").below(200))
    return EndDay()


def balanced(state: State) -> str | None:
    total = sum(state.accounts.values())
    return f"the accounts sum to {total} cents" if total else None


def no_debt(state: State) -> str | None:
    bad = [name for name, shop in state.shops.items() if shop.stock < 0 or state.accounts[f"cash {name}"] < 0]
    return f"{bad[0]} owes what it has not" if bad else None


world = World(
    "shop",
    Street(),
    State,
    {"operator": Role((Buy, Price, EndDay), EndDay(), {"keeper": keeper})},
    Counting(),
    parameters=Parameters,
    invariants={"double entry": balanced, "nothing below zero": no_debt},
    headline=("trade",),
)
