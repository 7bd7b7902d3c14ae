"""The contract a world is written against: these words and nothing else.

A world is a package with an `Engine` (its rules), a `Validator` (its judge), `Role`s to play and
scenarios. The smallest one is a page: `start`, `observe`, `apply`, `over` and one role; everything else
here has a default that is right for a small world, and is met only when it is needed.

What a world may rely on: actions reach `apply` only after they were typed, judged and recorded; chance,
time and everything from outside come from `context`; the same run executed again gives the same bytes.
What it must not do: keep state outside the state it returns, or reach for a clock, a random number or a
socket of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, Literal, Protocol, TypeAlias, TypeVar, runtime_checkable

from msgspec import Struct, field

from windtunnel.chance import Chance
from windtunnel.codec import Log
from windtunnel.panels.declared import Panel

__all__ = [
    "ACCEPT",
    "WORLD",
    "Action",
    "Actor",
    "Agent",
    "AgentId",
    "AgentSpec",
    "Applied",
    "Call",
    "Chance",
    "Context",
    "Decided",
    "EffectKind",
    "Engine",
    "Event",
    "Hold",
    "Log",
    "Metrics",
    "Mode",
    "Outcome",
    "Panel",
    "Policy",
    "Progress",
    "Reported",
    "Role",
    "Scenario",
    "ScheduledEvent",
    "Section",
    "Stakes",
    "ToolServer",
    "Validator",
    "Verdict",
    "Wake",
    "World",
    "accept",
    "allow",
    "amend",
    "hold",
    "reject",
    "visible",
]

AgentId: TypeAlias = str
Metrics: TypeAlias = Mapping[str, Any]  # numbers; arrays of numbers for a crowd
Observation: TypeAlias = Any  # a Struct, or anything JSON can hold
Mode: TypeAlias = Literal["simulated", "paper", "real"]
Risk: TypeAlias = Literal["low", "medium", "high", "critical"]
S = TypeVar("S")
T = TypeVar("T")
MaybeAsync: TypeAlias = T | Awaitable[T]  # every method of a world may be sync or async
S_contra = TypeVar("S_contra", contravariant=True)

WORLD: AgentId = "world"  # whose metrics are the world's own, such as gdp


class Action(Struct, frozen=True, forbid_unknown_fields=True, tag=True, tag_field="type"):
    """What an agent may do. A world subclasses it once for each type of action; fields may carry bounds
    (`Annotated[float, msgspec.Meta(ge=0, le=1)]`), which are enforced before anyone judges the action."""


class Actor(Struct, frozen=True):
    """Who acts now: one agent, or a crowd of `size` alike that observes and decides in arrays."""

    id: AgentId
    role: str
    size: int = 1


class Event(Struct, frozen=True, omit_defaults=True):
    """Something that happened. `visible_to` None is everybody, an empty tuple is operators only.

    Engines return them from `apply`, and receive those that came from outside: `kind` is then what the
    sender named it, or `approved`, `denied`, `expired` for an action that was held with `defer`.
    """

    kind: str
    body: Any = None
    actor: AgentId | None = None
    visible_to: tuple[AgentId, ...] | None = None


def visible(event: Event, viewer: AgentId | None) -> bool:
    """The one filter behind observations, streams, seats and remote players. No viewer is an operator."""
    return viewer is None or event.visible_to is None or viewer in event.visible_to


class Hold(Struct, frozen=True, omit_defaults=True):
    """What waits for people. `park` stops the run until the vote; `defer` lets it go on, and the action
    comes back as an event. Both expire: a park after `expires_seconds`, a deferral after `expires_turns`.

    The last four are for those who decide: the action in plain words, the unit of its amount, which rule of
    which policy holds it, and who is told. A world may leave them out."""

    reason: str
    mode: Literal["park", "defer"] = "park"
    risk: Risk = "medium"
    amount: float | None = None
    approvers: int = 1
    expires_seconds: float | None = None
    expires_turns: int | None = None
    summary: str = ""
    unit: str = ""
    rule: str = ""
    tell: tuple[str, ...] = ()


class Stakes(Struct, frozen=True, omit_defaults=True):
    """What is at stake in an action: how much (never less than nothing, None if that cannot be said), of
    what, how risky, and what it does in one line that a person can decide on. Policies ask for it; where a
    world does not say, an action is of medium risk and of unknown amount."""

    amount: float | None = None
    risk: Risk = "medium"
    summary: str = ""
    unit: str = ""


class Verdict(Struct, frozen=True, omit_defaults=True):
    kind: Literal["accept", "amend", "reject", "hold"]
    reason: str = ""
    action: Any = None  # amend: what is done instead; hold: what waits, if that is not what was decided
    allowed: Any = None  # a crowd: a boolean mask, True where the element may act
    hold: Hold | None = None


ACCEPT = Verdict("accept")


def accept() -> Verdict:
    return ACCEPT


def amend(action: Action, reason: str) -> Verdict:
    return Verdict("amend", reason, action=action)


def allow(mask: Any, reason: str = "") -> Verdict:
    """A crowd's verdict: where the mask is False the element does nothing this turn."""
    return Verdict("accept", reason, allowed=mask)


def reject(reason: str) -> Verdict:
    return Verdict("reject", reason)


def hold(
    reason: str,
    mode: Literal["park", "defer"] = "park",
    *,
    risk: Risk = "medium",
    amount: float | None = None,
    approvers: int = 1,
    expires_seconds: float | None = None,
    expires_turns: int | None = None,
) -> Verdict:
    terms = Hold(reason, mode, risk, amount, approvers, expires_seconds, expires_turns)
    return Verdict("hold", reason, hold=terms)


class Decided(dict[AgentId, Any]):
    """What `apply` receives: each actor's judged action, and for crowds the mask of who may act."""

    __slots__ = ("allowed",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.allowed: dict[AgentId, Any] = {}


class Applied(Struct, Generic[S]):
    state: S
    events: Sequence[Event] = ()


class Progress(Struct, frozen=True):
    """How far the world's own time has come. `period` is True when a period (a day, a round) just ended."""

    done: float
    total: float | None = None
    unit: str = "turn"
    period: bool = True


class Wake(Struct, frozen=True):
    """What the next turn waits for: a moment of the world's clock (seconds), or mail of a given kind.
    A simulated run jumps to the moment; a paper or real one sleeps until it comes."""

    at: float | None = None
    event: str | None = None


class AgentSpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One seat of a scenario: who plays which role, and how it decides."""

    id: AgentId
    role: str = ""
    kind: str = "rule"
    policy: str = ""
    model: str = ""
    instructions: str = ""
    size: int = 1
    deadline: float | None = None
    settings: dict[str, Any] = field(default_factory=dict)


class ScheduledEvent(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An event that the scenario injects: it reaches `apply` in the given turn."""

    turn: int
    kind: str
    body: Any = None


class ToolServer(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A server of tools (MCP) that agents who ask a model may call: an address, or a command to start it.
    `tools` limits which of its tools are offered; none named is all of them."""

    name: str
    url: str = ""
    command: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()


class Scenario(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is played: a world, its parameters, who sits in it, for how long. Read from YAML by
    `windtunnel.scenario`, or made in Python."""

    world: str
    name: str = ""
    title: str = ""
    description: str = ""
    turns: int = 100
    seed: int = 1
    mode: Mode = "simulated"
    parameters: Any = field(default_factory=dict)
    agents: tuple[AgentSpec, ...] = ()
    events: tuple[ScheduledEvent, ...] = ()
    attempts: int = 3
    deadline: float | None = None
    concurrency: int = 20
    model: str = ""  # of everybody who asks a model and names none
    mcp: tuple[ToolServer, ...] = ()
    tags: tuple[str, ...] = ()
    approvals: Any = None  # a policy, by name or with its rules: what waits for people


class Outcome(Struct, frozen=True):
    """What an agent learns in consolidate: what it did in the end, how it was judged, what it could see."""

    turn: int
    action: Any
    verdict: str
    reason: str
    metrics: Metrics
    events: Sequence[Event]


class Call(Struct, frozen=True):
    """What the performer of an effect is told. `key` is the same on every retry of the same call, so that
    the other side can recognise it; `attempt` is more than 1 when a crash left the one before in doubt."""

    key: str
    mode: Mode
    turn: int
    actor: AgentId
    attempt: int = 1


class EffectKind(Struct, frozen=True):
    """A kind of effect: how it is performed, and what happens to one that a crash left in doubt.

    Without `perform` it is answered by mail: the run then parks (`waits="park"`), or stays up and
    listens (`waits="live"`). A kind that acts on the real world names the modes it may be used in.
    """

    perform: Callable[[Any, Call], Awaitable[Any]] | None = None
    in_doubt: Literal["retry", "reconcile", "hold"] = "hold"
    reconcile: Callable[[Any, Call], Awaitable[Any]] | None = None
    waits: Literal["park", "live"] = "park"
    modes: frozenset[Mode] = frozenset({"simulated", "paper", "real"})


class Context(Protocol):
    """The only door from a world or an agent to chance, time, memory and the outside."""

    @property
    def seed(self) -> int: ...
    @property
    def mode(self) -> Mode: ...
    @property
    def turn(self) -> int: ...
    @property
    def actor(self) -> AgentId: ...
    @property
    def settings(self) -> Mapping[str, Any]:
        """The agent's `settings` from the scenario."""
        ...

    @property
    def parameters(self) -> Any:
        """The scenario's parameters, typed. Read them here, not from a copy: a fork may change them."""
        ...

    @property
    def attempt(self) -> int:
        """1, or more when this decision was asked again."""
        ...

    @property
    def rejection(self) -> str | None:
        """Why the last attempt at this decision was refused."""
        ...

    memory: Any  # the agent's own typed state; what `decide` leaves in it counts only if it came in time

    def chance(self, *element: object) -> Chance:
        """A stream of chance for this turn, this actor and what you name; the same name, the same luck."""
        ...

    def now(self) -> float:
        """The run's clock in seconds: the world's own in a simulated run, a recorded one otherwise."""
        ...

    def query(self, name: str, **arguments: Any) -> Any:
        """Ask one of the world's read-only queries, as this actor."""
        ...

    async def effect(self, kind: str, request: Any) -> Any:
        """Something from outside: recorded before it is used, and never asked for twice."""
        ...

    async def once(
        self,
        request: Any,
        work: Callable[[], Awaitable[Any]],
        *,
        in_doubt: Literal["retry", "hold"] = "hold",
    ) -> Any:
        """Do a piece of work of one's own, once: an effect whose kind need not be declared. `request` is what
        the record says of it."""
        ...

    async def within(self, seconds: float, work: Awaitable[Any]) -> Any:
        """Do the work, or raise DeadlinePassed (a TimeoutError) after so many seconds: recorded, so that a
        replay honours it. Once for each member of a context."""
        ...

    async def ask(self, request: Any, *, house: Any = None, vital: bool = True) -> Any:
        """One call of a language model, as an effect: an `Ask` of `windtunnel.models.talk`, and its `Reply`.

        `house` is what the model called house answers, which needs no key: a plain value, sent as JSON in
        text. Where no model answers at all, the run pauses and can be resumed; with `vital` False that is
        recorded instead and raised as `EffectFailed`, for whoever can go on without."""
        ...

    def member(self, name: str) -> Context:
        """The same context for one member of a team; its effects, chance and memory are its own."""
        ...


class Engine(Protocol[S]):
    """The rules. Subclass it to inherit the defaults; every method may be sync or async."""

    def start(self, scenario: Scenario, context: Context) -> MaybeAsync[S]:
        """The state before the first turn."""
        ...

    def to_act(self, state: S) -> MaybeAsync[Sequence[Actor] | None]:
        """Who acts now, in the order that counts. None: every agent of the scenario, in its order."""
        return None

    def observe(self, state: S, actor: Actor) -> MaybeAsync[Observation]:
        """What this actor may know. Do not change the state here."""
        ...

    def apply(
        self, state: S, decided: Decided, events: Sequence[Event], context: Context
    ) -> MaybeAsync[Applied[S]]:
        """What happens. `apply` owns the state and may change it in place; nobody else may."""
        ...

    def score(self, state: S) -> MaybeAsync[Mapping[AgentId, Metrics]]:
        """Metrics by agent (each with its `wealth`), and the world's own under `WORLD`."""
        return {}

    def progress(self, state: S) -> MaybeAsync[Progress | None]:
        """The world's own time. None: turns of the scenario's turns, each a period."""
        return None

    def over(self, state: S) -> MaybeAsync[str | None]:
        """The reason it ended, or None."""
        ...

    def revise(self, state: S, scenario: Scenario) -> MaybeAsync[S]:
        """A fork changed the parameters. Worlds that read them from `context` have nothing to do."""
        return state

    def wake(self, state: S) -> MaybeAsync[Wake | None]:
        """What the next turn waits for, if anything."""
        return None

    def depends(self, state: S, actor: Actor) -> MaybeAsync[Sequence[AgentId] | None]:
        """Whose acts this actor's observation depends on; None is everyone's (play in order)."""
        return None


@runtime_checkable
class Validator(Protocol[S_contra]):
    """Judges each action before it happens."""

    def check(self, state: S_contra, actor: Actor, action: Any, context: Context) -> MaybeAsync[Verdict]: ...


class Agent(Protocol):
    """Decides. Sync or async; may also have `consolidate(outcome, context)`, called when its turn ends, and
    `memories`, the types of what it keeps itself, by the member of its context that keeps it."""

    def decide(self, observation: Any, context: Context) -> Any: ...


Policy: TypeAlias = Callable[[Any, Context], Any]


class Role(Struct, frozen=True):
    """A part to play: what it may do, what it does when nothing valid came, and rule policies (the first
    is the default). `memory` is the type of the state an agent of this role keeps, if it keeps one."""

    actions: tuple[type[Action], ...]
    no_op: Action
    policies: Mapping[str, Policy] = field(default_factory=dict)
    instructions: str = ""
    memory: type | None = None


class Reported(Struct, frozen=True):
    """A run as a world's own report is told of it: metrics by agent (the world's own under `WORLD`) and name,
    one value a turn."""

    scenario: str
    seed: int
    turns: int
    series: Mapping[AgentId, Mapping[str, Sequence[float]]]


class Section(Struct, frozen=True):
    """What a world has to say in a run's report: words, and a table. Rows named in `outside` are marked."""

    title: str
    words: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    outside: tuple[int, ...] = ()


class World(Struct, frozen=True):
    """What the entry point `windtunnel.worlds` names."""

    name: str
    engine: Any  # an Engine of this world's state
    state: type
    roles: Mapping[str, Role]
    validator: Any = None  # a Validator; None accepts whatever is well typed
    version: str = "0"
    description: str = ""
    parameters: type | None = None  # a Struct: the schema, defaults and help of a scenario's parameters
    queries: Mapping[str, Callable[..., Any]] = field(default_factory=dict)  # (state, actor, **arguments)
    invariants: Mapping[str, Callable[[Any], str | None]] = field(default_factory=dict)
    effects: Mapping[str, EffectKind] = field(default_factory=dict)
    migrations: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = field(default_factory=dict)
    headline: tuple[str, ...] = ()
    panels: Sequence[Panel] = ()  # its own page, laid out: docs/panels.md
    reports: Sequence[Callable[[Reported], Section | None]] = ()  # sections of its own in a run's report
    redraw_hidden: Callable[[Any, Actor, Chance], Any] | None = None
    scenarios: str = ""  # the folder of its scenario files
    stakes: Callable[[Any, Actor, Any], Stakes] | None = None  # (state, actor, action): what policies ask
