"""Forks: what if. A fork shares its parent's past by reference and is changed from a turn on.

With K branches come K unchanged controls: the i-th of each has the same luck (the branch is part of the
key of every stream of chance), so the pairs differ only by the change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct, field

from windtunnel.codec import decode_body, encode_body
from windtunnel.errors import NotFound, UsageError, WrongState
from windtunnel.journal import Effect, Entry, Mail, RunRow, Status, Store, entry_hash
from windtunnel.journal.lineage import Lineage
from windtunnel.run.at_once import at_once
from windtunnel.run.begin import Said, add, check_scenario
from windtunnel.run.checkpoints import circumstances
from windtunnel.run.clock import Clock
from windtunnel.run.entries import FORK, PHASES, Forked, read
from windtunnel.run.revising import ask_revise, revises
from windtunnel.scenario import scenario_from_plain, scenario_to_plain
from windtunnel.world import Scenario, World


class Point(Struct, frozen=True):
    """Where a fork begins: after a turn, or inside the next one before a phase (of an agent)."""

    turn: int
    phase: str = ""
    agent: str = ""


def read_point(text: str) -> Point:
    """`12`, `12.plan` or `12.plan.alice`: after turn 12, or inside turn 12 before that phase or decision."""
    turn, _, rest = str(text).partition(".")
    phase, _, agent = rest.partition(".")
    if not turn.isdigit():
        raise UsageError(
            f"{text!r} is no turn", where="--at", remedy="--at TURN[.PHASE[.AGENT]], such as 12.plan.alice"
        )
    if phase and phase not in PHASES:
        raise UsageError(f"{phase!r} is no phase", where="--at", remedy=f"phases: {', '.join(PHASES)}")
    if not phase:
        return Point(int(turn))
    if int(turn) < 1:
        raise UsageError("turn 0 has no phases", where="--at")
    return Point(int(turn) - 1, phase, agent)


class Change(Struct):
    """What is different from the fork on."""

    edit: Callable[[Scenario], Scenario] | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    said: dict[str, Any] = field(default_factory=dict)  # for people: what was asked
    taken: set[tuple[str, int, bytes]] = field(default_factory=set)  # what the world was asked and took


def fork(  # noqa: PLR0913 - the options of a fork, each by name
    store: Store,
    world: World,
    parent_id: str,
    point: Point,
    run_id: str,
    *,
    change: Change | None = None,
    branch: int = 0,
    players: dict[str, Any] | None = None,
    clock: Clock | None = None,
    said: Said = (),
) -> RunRow:
    """Make a fork; it is played like any other run. `said`: what its operations begin with."""
    lineage = Lineage(store, parent_id)
    last = lineage.last_of_turn(point.turn)
    if last is None:
        raise NotFound(
            f"run {parent_id} has no turn {point.turn}; its last is {lineage.row.turn}", where="--at"
        )
    if last.kind == "started":
        raise WrongState(f"run {parent_id} was not played yet: it has no past to share", where="--at")
    plain, _, _ = circumstances(lineage, last.seq)
    scenario = scenario_from_plain(plain, world)
    if change and change.edit:
        changed = check_scenario(world, change.edit(scenario), players or {})
        _same_luck(scenario, changed)
        if changed.parameters != scenario.parameters:
            _ask_the_world(store, world, parent_id, point, changed, change, players)
        scenario = changed
    events = list(change.events) if change else []
    body = Forked(scenario_to_plain(scenario), branch, change.said if change else {}, _before(point), events)
    raw = encode_body(body)
    seq = last.seq + 1
    hash = entry_hash(last.hash, seq, point.turn, FORK, "forked", "", raw)
    entry = Entry(seq, point.turn, FORK, "forked", "", raw, last.hash, hash)
    now = (clock or Clock()).wall()
    parent = lineage.row
    row = RunRow(
        run_id=run_id, world=parent.world, scenario=scenario.name, mode=parent.mode, seed=parent.seed,
        status=Status.QUEUED, turn=point.turn, turns=scenario.turns, head_seq=last.seq, head_hash=last.hash,
        op_seq=-1, op_hash=b"", parent=parent_id, parent_seq=last.seq, parent_turn=point.turn, branch=branch,
        created=now, updated=now, tags=parent.tags, reason=None, pruned=None,
    )  # fmt: skip
    effects = _carried(lineage, point, scenario) + _undecided(lineage, point.turn)
    letters = [Mail(0, "event", encode_body(event), "fork", now, None) for event in events]
    add(store, row, [entry], now, effects, said, letters)  # the store numbers letters
    return store.run(run_id)


def _same_luck(scenario: Scenario, changed: Scenario) -> None:
    """What a fork shares with its parent's past cannot become another."""
    if changed.seed != scenario.seed:
        raise UsageError(
            f"a fork has the seed of its past, {scenario.seed}; it cannot have {changed.seed}",
            where="seed",
            remedy="several branches have a luck of their own each; another seed is a run of its own",
        )
    if changed.mode != scenario.mode:
        raise UsageError(
            f"a fork is played as its past was, {scenario.mode}; it cannot be {changed.mode}",
            where="mode",
            remedy="start a run of its own in that mode",
        )


def _ask_the_world(
    store: Store,
    world: World,
    parent_id: str,
    point: Point,
    scenario: Scenario,
    change: Change,
    players: dict[str, Any] | None,
) -> None:
    """What `revise` refuses is refused before it is written; all branches of a change ask once."""
    asked = (parent_id, point.turn, encode_body(scenario_to_plain(scenario)))
    if asked in change.taken or not revises(world):
        return
    at_once(ask_revise(store, world, parent_id, point.turn, scenario, players))
    change.taken.add(asked)


def _before(point: Point) -> str:
    return f"{point.turn + 1}.{point.phase}.{point.agent}".rstrip(".") if point.phase else ""


def _carried(lineage: Lineage, point: Point, scenario: Scenario) -> list[Effect]:
    """Inside a turn: what was paid for before the point is not paid for again."""
    if not point.phase:
        return []
    order = {spec.id: position for position, spec in enumerate(scenario.agents)}
    if point.agent and point.agent not in order:
        raise NotFound(f"no agent {point.agent!r}", where="--at", remedy=f"agents: {', '.join(order)}")
    limit = (PHASES.index(point.phase), order.get(point.agent, -1))

    def place(effect: Effect) -> tuple[int, int]:
        return (PHASES.index(effect.phase), order.get(effect.actor.split("/")[0], len(order)))

    return [e for e in lineage.effects(point.turn + 1) if e.result is not None and place(e) < limit]


def _undecided(lineage: Lineage, upto: int) -> list[Effect]:
    """Held actions of the shared past that still waited at the fork: the child asks for its own votes."""
    held = {
        e.name: e for e in lineage.approvals(upto) if decode_body(e.request)["hold"].get("mode") == "defer"
    }
    if held:
        for entry in lineage.entries():
            if entry.turn > upto:
                break
            if entry.kind == "mail" and (letter := read(entry)).kind == "ruling":
                held.pop(letter.body["effect"], None)
    return [Effect(*e.place, e.kind, e.key, e.request, asked=e.asked) for e in held.values()]
