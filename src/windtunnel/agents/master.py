"""A model as game master: after the rules of a world have had their say, it may change the state a little.

It can do nothing but propose changes of the types that the world names. Each is typed with its bounds, tried
on a copy of the state and held against the world's invariants; what does not fit is told back, and at last
left out. So no sentence, the model's own or one that an agent wrote into an action, changes anything.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from msgspec import Struct, field

from windtunnel.agents.forms import (
    WHY,
    in_words,
    object_in,
    on_a_line,
    reason_in,
    schema_for,
    typed,
    union_of,
)
from windtunnel.agents.question import DATA, Asking, answered, settled
from windtunnel.agents.render import as_data, render, short
from windtunnel.codec import StateCodec
from windtunnel.errors import CodecError, Undecided, UsageError, WorldError
from windtunnel.models.talk import Reply
from windtunnel.world import (
    Actor,
    AgentId,
    Applied,
    Context,
    Decided,
    Engine,
    Event,
    MaybeAsync,
    Metrics,
    Progress,
    Scenario,
    Wake,
)

S = TypeVar("S")
RULED = "ruled"
MASTER = "master"  # the member of the world's context that asks

TOLD = """\
You are the game master of a simulated world. Its rules have just played a turn.

{instructions}

# What you may change

At most {most} at a time, of these; none is a good answer too:

{changes}

{data}
# How to answer

Think first if you like. End your answer with one JSON object and write nothing after it:
{{"why": "your reason in a sentence or two", "changes": [{{"type": "{first}", ...}}]}}
"""
SHOWN = """\
Turn {turn} has been played.

# The state

{state}

# What was decided, by whom

{decided}

# What happened

{events}

What do you change?
"""


class Change(Struct, frozen=True, forbid_unknown_fields=True, tag=True, tag_field="type"):
    """What a game master may do. A world subclasses it once for each type of change, with bounds on its
    fields; the docstring is what the model is told."""


class _Ruling(Struct):
    """One answer as it was judged. `state` is a copy with its changes, or as it was."""

    state: Any
    why: str = ""
    applied: list[Any] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)


class ModelEngine(Engine[S]):
    """An engine, and a model above it.

    `apply_change(state, change)` does one change: it changes the state in place, or returns another, or an
    `Applied` with events that tell others of it. It refuses with a ValueError or a UsageError. `house(state,
    decided, events, context)` are the changes that the model `house` makes. `view(state)` is what a model
    is shown. `every` is how often it is asked, in turns, or a function of the context; 0 is never.
    """

    def __init__(  # noqa: PLR0913 - what a world says of its master, each by its name
        self,
        base: Engine[S],
        *,
        changes: Sequence[type[Struct]],
        apply_change: Callable[[S, Any], S | Applied[S] | None],
        instructions: str,
        invariants: Mapping[str, Callable[[S], str | None]] | None = None,
        house: Callable[[S, Decided, Sequence[Event], Context], MaybeAsync[Sequence[Any]]] | None = None,
        view: Callable[[S], Any] | None = None,
        every: int | Callable[[Context], int] = 1,
        most: int = 3,
        asking: Asking | None = None,
    ) -> None:
        if not changes or most < 1:
            raise WorldError("a game master needs types of changes, and may make one at least")
        self._base, self._apply_change = base, apply_change
        self._invariants, self._house, self._view = dict(invariants or {}), house, view
        self._every, self._most = every, most
        self._asking = asking or Asking()
        self._union = union_of(changes)
        self._schema = schema_for({"changes": list[self._union]}, ["changes"])  # type: ignore[name-defined]
        self._schema["properties"]["changes"]["maxItems"] = most
        self._told = TOLD.format(
            instructions=instructions.strip(),
            most=most,
            changes=in_words(changes),
            data=DATA,
            first=changes[0].__name__,
        )

    # --- the engine below ---

    def start(self, scenario: Scenario, context: Context) -> MaybeAsync[S]:
        return self._base.start(scenario, context)

    def to_act(self, state: S) -> MaybeAsync[Sequence[Actor] | None]:
        return self._base.to_act(state)

    def observe(self, state: S, actor: Actor) -> Any:
        return self._base.observe(state, actor)

    def score(self, state: S) -> MaybeAsync[Mapping[AgentId, Metrics]]:
        return self._base.score(state)

    def progress(self, state: S) -> MaybeAsync[Progress | None]:
        return self._base.progress(state)

    def over(self, state: S) -> MaybeAsync[str | None]:
        return self._base.over(state)

    def revise(self, state: S, scenario: Scenario) -> MaybeAsync[S]:
        return self._base.revise(state, scenario)

    def wake(self, state: S) -> MaybeAsync[Wake | None]:
        return self._base.wake(state)

    def depends(self, state: S, actor: Actor) -> MaybeAsync[Sequence[AgentId] | None]:
        return self._base.depends(state, actor)

    def apply(
        self, state: S, decided: Decided, events: Sequence[Event], context: Context
    ) -> MaybeAsync[Applied[S]]:
        """The base's own word where nobody is asked: a sync engine stays one."""
        every = self._every(context) if callable(self._every) else self._every
        if every < 1 or context.turn % every:
            return self._base.apply(state, decided, events, context)
        return self._ruled(state, decided, events, context)

    # --- the model above ---

    async def _ruled(
        self, state: S, decided: Decided, events: Sequence[Event], context: Context
    ) -> Applied[S]:
        acted = Decided(decided)  # an engine may take out of it what it has dealt with
        applied: Applied[S] = await settled(self._base.apply(state, decided, events, context))
        if await settled(self._base.over(applied.state)) is not None:
            return applied
        master = context.member(MASTER)
        house = await self._as_house(applied.state, acted, applied.events, master)
        tries: list[_Ruling] = []

        def read(reply: Reply) -> _Ruling:
            tries.append(_Ruling(applied.state))  # of a reply that cannot be read, nothing counts
            tries[-1] = ruling = self._judged(reply, applied.state)
            if ruling.refused:
                raise Undecided("illegal", "; ".join(one["why"] for one in ruling.refused))
            return ruling

        shown = self._shown(applied, acted, context)
        label = "ok"
        try:
            ruling = await answered(
                master, self._asking, self._told, shown, schema=self._schema, read=read, house=house
            )
        except Undecided as error:
            label, ruling = error.label, tries[-1] if tries else _Ruling(applied.state)
            ruling.why = ruling.why or on_a_line(error.message)
        body = {
            "why": ruling.why,
            "applied": ruling.applied,
            "refused": [one for trial in tries for one in trial.refused],
            "label": label,
            "attempts": len(tries),
        }
        told = Event(RULED, body, visible_to=())
        return Applied(ruling.state, [*applied.events, *ruling.events, told])

    def _shown(self, applied: Applied[S], decided: Decided, context: Context) -> str:
        """Whatever somebody wrote stands in quotes, on one line."""
        most = self._asking.observation
        view = self._view(applied.state) if self._view is not None else applied.state
        acts = [f"- {who}: {as_data(action)}" for who, action in decided.items()]
        news = [f"- {as_data(event)}" for event in applied.events]
        return SHOWN.format(
            turn=context.turn,
            state=render(view, most),
            decided="\n".join(acts)[:most] or "Nobody acted.",
            events="\n".join(news)[:most] or "Nothing of note.",
        )

    async def _as_house(
        self, state: S, decided: Decided, events: Sequence[Event], context: Context
    ) -> dict[str, Any]:
        """Made each time, in a replay too, as an agent's policy is."""
        found = await settled(self._house(state, decided, events, context)) if self._house else ()
        return {WHY: "the house rules so", "changes": list(found)}

    def _judged(self, reply: Reply, state: S) -> _Ruling:
        """An answer, each of its changes tried on what those before it left."""
        found = object_in(reply)
        given = found.get("changes")
        if not isinstance(given, list):
            raise Undecided("unparsable", f"its object has no list `changes`: {short(found)}")
        ruling = _Ruling(state, on_a_line(reason_in(found)))
        for one in given[: self._most]:
            try:
                change = typed(one, self._union)
                ruling.state, events = self._tried(ruling.state, change)
            except Undecided as error:
                ruling.refused.append({"change": short(one), "why": error.message})
            else:
                ruling.applied.append(change)
                ruling.events += events
        if len(given) > self._most:
            why = f"{len(given)} changes, where {self._most} may be made"
            ruling.refused.append({"change": f"those after the first {self._most}", "why": why})
        return ruling

    def _tried(self, state: S, change: Any) -> tuple[S, list[Event]]:
        """Another state with the change in it; the one that was given stays as it is."""
        trial = copy.deepcopy(state)
        try:
            result = self._apply_change(trial, change)
        except (ValueError, UsageError) as error:
            said = error.message if isinstance(error, UsageError) else str(error)
            raise Undecided("illegal", f"{short(change)} is refused: {said}") from None
        events: list[Event] = []
        if isinstance(result, Applied):
            trial, events = result.state, list(result.events)
        elif result is not None:
            trial = result
        try:
            StateCodec(type(trial)).encode(trial)
        except CodecError as error:
            raise Undecided("illegal", f"{short(change)} is refused: {error.message}") from None
        for name, holds in self._invariants.items():
            if problem := holds(trial):
                raise Undecided("illegal", f"{short(change)} breaks a law of this world, {name}: {problem}")
        return trial, events
