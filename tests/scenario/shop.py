"""A small world whose parameters have every kind of field a scenario file may have to fill."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from windtunnel.world import Action, Applied, Engine, Role, World


class Wait(Action, frozen=True):
    """Do nothing."""


class Offer(Action, frozen=True):
    price: Annotated[float, Meta(ge=0)] = 1.0


class Bank(Struct):
    interest: Annotated[float, Meta(ge=0, le=0.5)] = 0.02


class Good(Struct):
    name: str
    price: Annotated[float, Meta(gt=0)] = 1.0


class Span(Struct):
    low: int = 0
    high: int = 10

    def __post_init__(self) -> None:
        if self.high < self.low:
            raise ValueError("high must not be below low")


class Flat(Struct, tag="flat"):
    rate: float = 0.1


class Steps(Struct, tag="steps"):
    rates: list[float]


class Parameters(Struct):
    tax: Annotated[float, Meta(ge=0, le=1, description="What the state takes of each sale.")] = 0.1
    open: bool = True
    style: Literal["busy", "lazy"] = "busy"
    bank: Bank = field(default_factory=Bank)
    goods: tuple[Good, ...] = ()
    stock: dict[str, int] = field(default_factory=dict)
    floors: dict[int, str] = field(default_factory=dict)
    span: Span = field(default_factory=Span)
    rule: Flat | Steps = field(default_factory=Flat)
    limit: int | None = None
    motto: str = ""


class State(Struct):
    sold: int = 0


class ShopEngine(Engine[State]):
    def start(self, scenario: Any, context: Any) -> State:
        return State()

    def observe(self, state: State, actor: Any) -> Any:
        return {"sold": state.sold}

    def apply(self, state: State, decided: Any, events: Any, context: Any) -> Applied[State]:
        return Applied(state)

    def over(self, state: State) -> str | None:
        return None


def wait(observation: Any, context: Any) -> Action:
    return Wait()


SELLER = Role((Wait, Offer), Wait(), {"hawk": wait, "calm": wait})
BUYER = Role((Wait,), Wait(), {"dove": wait})


def make_world(parameters: type | None = Parameters, **roles: Role) -> World:
    return World(
        "shop", ShopEngine(), State, roles or {"seller": SELLER, "buyer": BUYER}, parameters=parameters
    )
