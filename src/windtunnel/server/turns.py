"""One turn as a person asks about it: who saw what, was asked what, answered what, and what came of it.

All of it stands in the journal but for the observations, which a helper computes again and holds against
their hash. What was said to a model and by one is long, and written by agents: it is told only where
somebody asks for it.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from windtunnel.control import Found, history, opened
from windtunnel.errors import NotFound
from windtunnel.export import story
from windtunnel.journal.lineage import Lineage
from windtunnel.journal.texts import whole
from windtunnel.run.entries import PHASES
from windtunnel.server.types import Told

MODEL = "model"


class Call(Told):
    """A request to the outside, such as of a model. `request` and `reply` only with `texts=true`."""

    id: str = Field(description="TURN.PHASE.ACTOR.INDEX", examples=["12.plan.aldland.0"])
    kind: str
    phase: str
    agent: str
    status: str = Field(description="answered, failed or waiting")
    model: str = Field(default="", description="Who answered, if it was a model")
    label: str = Field(default="", description="ok, truncated, empty, unparsable, illegal or refused")
    input: int = Field(default=0, description="Tokens")
    output: int = Field(default=0, description="Tokens")
    cost: float = Field(default=0.0, description="Dollars")
    seconds: float | None = None
    attempts: int = 1
    request: Any = Field(default=None, description="The prompt")
    reply: Any = None


class Decision(Told):
    """What an agent chose at one attempt, and what came of it."""

    agent: str
    attempt: int
    action: Any = None
    label: str = Field(description="ok, or how its reply was refused")
    verdict: str = Field(description="accept, amend, reject, hold")
    reason: str = ""
    instead: Any = Field(default=None, description="What an amendment put in its place")
    calls: list[str] = Field(default=[], description="The calls that led to it, by id")
    cost: float = Field(default=0.0, description="Dollars, of those calls")


class Happening(Told):
    kind: str
    agent: str | None
    body: Any
    visible_to: list[str] | None = Field(description="null: everybody")
    outside: bool = Field(description="Whether it came from outside the world")


class Phase(Told):
    name: str
    first: int = Field(description="The number of its first entry")
    last: int
    entries: int


class TurnDetail(Told):
    """A turn: its phases, and each decision with what led to it and what came of it."""

    run_id: str
    turn: int
    turns: int = Field(description="How many are played")
    phases: list[Phase]
    observations: dict[str, Any] | None = Field(
        default=None, description="What each agent saw, computed again; null where that cannot be"
    )
    unseen: str | None = Field(default=None, description="Why the observations cannot be computed")
    decisions: list[Decision]
    calls: list[Call]
    events: list[Happening]
    metrics: dict[str, dict[str, float]]
    cost: float = Field(description="Dollars, of all its calls")


def told(found: Found, turn: int, agent: str | None, texts: bool) -> TurnDetail:
    """The turn, of one agent or of all, without what was seen."""
    entries = history.turn_entries(found, turn)
    with opened(found, read_only=True) as store:
        effects = [
            story.effect_told(whole(store, one)) for one in Lineage(store, found.row.run_id).effects(turn)
        ]
    calls = [_call(one, texts) for one in effects if agent in (None, _seat(one.agent))]
    decisions = [_decision(one, calls) for one in story.decisions_of(entries) if agent in (None, one.agent)]
    events = [
        Happening(
            kind=one.kind, agent=one.agent, body=one.body, outside=one.outside,
            visible_to=None if one.visible_to is None else list(one.visible_to),
        )
        for one in story.events_of(entries)
        if agent is None or _concerns(one, agent)
    ]  # fmt: skip
    scores = history.finals(found, turn)
    if agent is not None:
        if not (decisions or calls or agent in scores):
            raise NotFound(f"nobody in turn {turn} is called {agent!r}", where="agent", remedy="leave it out")
        scores = {name: table for name, table in scores.items() if name == agent}
    return TurnDetail(
        run_id=found.row.run_id, turn=turn, turns=found.row.turn, phases=_phases(entries),
        decisions=decisions, calls=calls, events=events, metrics=scores, cost=sum(one.cost for one in calls),
    )  # fmt: skip


def _concerns(one: story.Happening, agent: str) -> bool:
    return one.agent == agent or one.visible_to is None or agent in one.visible_to


def _seat(actor: str) -> str:
    """Whose call it is: members of a team ask in the name of their seat."""
    return actor.partition("/")[0]


def _phases(entries: list[Any]) -> list[Phase]:
    numbers: dict[str, list[int]] = {}
    for entry in entries:
        numbers.setdefault(entry.phase, []).append(entry.seq)
    order = ("start", "fork", *PHASES, "end")
    return [
        Phase(name=name, first=numbers[name][0], last=numbers[name][-1], entries=len(numbers[name]))
        for name in sorted(numbers, key=lambda name: order.index(name) if name in order else len(order))
    ]


def _call(one: story.EffectTold, texts: bool) -> Call:
    reply = one.result if isinstance(one.result, dict) and one.kind == MODEL and not one.failed else {}
    used = reply.get("usage") or {}
    return Call(
        id=one.name, kind=one.kind, phase=one.phase, agent=one.agent, attempts=one.attempts,
        status="waiting" if one.waiting else "failed" if one.failed else "answered",
        model=reply.get("model", ""), label=reply.get("label", "ok") if reply else "",
        input=used.get("input", 0), output=used.get("output", 0), cost=reply.get("cost", 0) / 1e6,
        seconds=None if one.answered is None else max(0.0, one.answered - one.asked),
        request=one.request if texts else None, reply=one.result if texts else None,
    )  # fmt: skip


def _decision(one: story.Decision, calls: list[Call]) -> Decision:
    mine = [call for call in calls if call.phase == "plan" and _seat(call.agent) == one.agent]
    return Decision(
        agent=one.agent, attempt=one.attempt, action=one.action, label=one.label, verdict=one.verdict,
        reason=one.reason, instead=one.instead, calls=[call.id for call in mine],
        cost=sum(call.cost for call in mine),
    )  # fmt: skip
