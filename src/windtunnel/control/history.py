"""Reading a run's past: final values, curves, leaps, the entries of a turn, what stands beside its history.

Nothing is written here, and only what agents saw is computed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any

from msgspec import Struct, field

from windtunnel.codec import decode_body, encode_body, seen_digest
from windtunnel.control.catalog import Found, opened
from windtunnel.control.verbs import Control
from windtunnel.errors import Divergence, NotFound
from windtunnel.journal import Effect, Entry, Operation, RunRow
from windtunnel.journal.lineage import Lineage
from windtunnel.journal.texts import whole
from windtunnel.run.entries import Ended, Forked, Started, read
from windtunnel.run.feedback import Given, feedback_of
from windtunnel.run.turn import settled
from windtunnel.world import WORLD

Key = tuple[str, str]  # agent, metric
Finals = dict[str, dict[str, float]]

WEALTH = "wealth"
POINTS = 60


class Curve(Struct):
    """One metric over the run: sampled when the run is long, with its very first and last value."""

    agent: str
    name: str
    turns: list[int]
    values: list[float]

    @property
    def first(self) -> float:
        return self.values[0]

    @property
    def last(self) -> float:
        return self.values[-1]


class AskedAgain(Struct):
    """Calls of models that were asked again because nobody knew how they had ended, and the micro-dollars
    that stay reserved for attempts of which that is so."""

    calls: int
    money: int


class Overview(Struct):
    """What there is to say about a run before anyone asks about a turn."""

    started: Started
    forks: list[Forked]  # every fork in its line, the last one its own
    ended: Ended | None
    children: list[RunRow]
    waiting: list[Effect]
    operations: dict[str, int]
    seconds: float  # how long it was played, pauses left out
    feedback: list[Given]
    again: AskedAgain


def finals(found: Found, turn: int | None = None) -> Finals:
    """{agent: {metric: value}} after a turn, or after the last that was scored."""
    with opened(found, read_only=True) as store:
        return _scores(Lineage(store, found.row.run_id), found.row.turn if turn is None else turn)


def _scores(lineage: Lineage, turn: int) -> Finals:
    table: Finals = {}
    for _, agent, name, value in lineage.metrics(after=turn - 1, upto=turn):
        table.setdefault(agent, {})[name] = value
    return table


def curves(
    found: Found,
    keys: Iterable[Key] = (),
    *,
    points: int = POINTS,
    agents: Iterable[str] = (),
    names: Iterable[str] = (),
    between: tuple[int, int] | None = None,
) -> dict[Key, Curve]:
    """The curves of some metrics (all, if none are named), each of at most `points` points, of all turns or
    of those between two."""
    wanted = set(keys)
    first, last = between or (1, found.row.turn)
    with opened(found, read_only=True) as store:
        lineage = Lineage(store, found.row.run_id)
        made: dict[Key, Curve] = {}
        for turn in sampled(min(last, found.row.turn), points, max(1, first)):
            told = lineage.metrics(names=names, agents=agents, after=turn - 1, upto=turn)
            for _, agent, name, value in told:
                if wanted and (agent, name) not in wanted:
                    continue
                curve = made.setdefault((agent, name), Curve(agent, name, [], []))
                curve.turns.append(turn)
                curve.values.append(value)
    return made


def sampled(last: int, points: int, first: int = 1) -> list[int]:
    """Turns spread evenly from the first to the last, both of them always among them."""
    if last - first < points:
        return list(range(first, last + 1))
    return sorted({first + round(i * (last - first) / (points - 1)) for i in range(points)})


def telling(table: Finals, headline: Iterable[str] = ()) -> list[Key]:
    """Which metrics a person sees first: the headline (the world's, or each agent's), then everyone's wealth.

    A world that names no headline shows its own metrics, up to six."""
    named = list(headline) or list(table.get(WORLD, {}))[:6]
    keys = [(WORLD, name) for name in named if name in table.get(WORLD, {})]
    agents = [agent for agent in table if agent != WORLD]
    keys += [(agent, name) for name in headline if name not in table.get(WORLD, {}) for agent in agents
             if name in table[agent]]  # fmt: skip
    keys += [(agent, WEALTH) for agent in agents if WEALTH in table[agent] and (agent, WEALTH) not in keys]
    if not keys:
        keys = [(agent, name) for agent, metrics in table.items() for name in metrics][:12]
    return keys


def overview(found: Found) -> Overview:
    with opened(found, read_only=True) as store:
        lineage = Lineage(store, found.row.run_id)
        first = next(lineage.entries(-1, 0), None)
        if first is None:
            raise NotFound(
                f"nothing of run {found.row.run_id} is left but its head",
                where=found.location,
                remedy="windtunnel runs lists the others",
            )
        started: Started = read(first)
        forks: list[Forked] = []
        for part in lineage.parts:
            turns = store.turning_points(part.row.run_id)
            forks += [read(turn) for turn in turns if turn.kind == "forked" and turn.seq <= part.last_seq]
        last = next(lineage.entries(found.row.head_seq - 1, found.row.head_seq), None)
        ended = read(last) if last is not None and last.kind == "ended" else None
        operations = list(store.operations(found.row.run_id))
        return Overview(
            started, forks, ended, store.children(found.row.run_id), store.waiting(found.row.run_id),
            _counted(operations), _played(operations), feedback_of(lineage), _asked_again(operations),
        )  # fmt: skip


def _asked_again(operations: Iterable[Operation]) -> AskedAgain:
    calls = money = 0
    for operation in operations:
        if operation.kind in ("model_doubt", "model_attempt"):
            calls += operation.kind == "model_doubt"
            money += decode_body(operation.body).get("doubt", {}).get("money", 0)
    return AskedAgain(calls, money)


def _counted(operations: Iterable[Operation]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for operation in operations:
        counts[operation.kind] = counts.get(operation.kind, 0) + 1
    return counts


def _played(operations: Iterable[Operation]) -> float:
    """Between each time it was taken up and what came last before it was taken up again."""
    total, since, latest = 0.0, None, 0.0
    for operation in operations:
        if operation.kind in ("started", "resumed", "crashed"):
            if since is not None and operation.kind != "crashed":
                total += max(0.0, latest - since)
            since = operation.at if operation.kind != "crashed" else since
        latest = operation.at
    return total + (max(0.0, latest - since) if since is not None else 0.0)


def halted(found: Found) -> dict[str, Any] | None:
    """Why it could not go on by itself when it was last played, as an error is told; None if it could."""
    with opened(found, read_only=True) as store:
        why = store.last_operation(found.row.run_id, "halted")
        taken_up = store.last_operation(found.row.run_id, "resumed")
    if why is None or (taken_up is not None and taken_up.seq > why.seq):
        return None
    body: dict[str, Any] = decode_body(why.body)
    return body


class ModelUse(Struct):
    """What one model answered in a run. Money is in micro-dollars."""

    model: str
    replies: int = 0
    input: int = 0
    output: int = 0
    cost: int = 0


class _Used(Struct):
    input: int = 0
    output: int = 0


class _Replied(Struct):
    model: str = ""
    usage: _Used = field(default_factory=_Used)
    cost: int = 0


class _Answer(Struct):
    ok: _Replied | None = None


def models_used(found: Found) -> list[ModelUse]:
    """Who answered this run's own calls, how much was said, and what that cost; the dearest first. The past
    that a fork shares was paid for by its parent."""
    used: dict[str, ModelUse] = {}
    with opened(found, read_only=True) as store:
        for effect in store.effects(found.row.run_id, kind="model"):
            if effect.result is None:
                continue
            try:
                reply = decode_body(effect.result, _Answer).ok
            except ValueError:  # a world's own kind of this name
                continue
            if reply is None or not reply.model:
                continue
            one = used.setdefault(reply.model, ModelUse(reply.model))
            one.replies += 1
            one.input += reply.usage.input
            one.output += reply.usage.output
            one.cost += reply.cost
    return sorted(used.values(), key=lambda one: (-one.cost, -one.replies, one.model))


def operations(found: Found) -> list[dict[str, Any]]:
    with opened(found, read_only=True) as store:
        return [
            {"seq": op.seq, "at": op.at, "kind": op.kind, "body": decode_body(op.body)}
            for op in store.operations(found.row.run_id)
        ]


def entries(found: Found, turn: int | None = None) -> Iterator[Entry]:
    """The history of a run with the past it shares; of one turn, or all of it."""
    with opened(found, read_only=True) as store:
        for entry in Lineage(store, found.row.run_id).entries():
            if turn is None or entry.turn == turn:
                yield entry
            elif entry.turn > turn:
                return


def effects(found: Found, turn: int) -> list[Effect]:
    """The effects of a turn, with their texts in them."""
    with opened(found, read_only=True) as store:
        return [whole(store, effect) for effect in Lineage(store, found.row.run_id).effects(turn)]


def turn_entries(found: Found, turn: int) -> list[Entry]:
    """The entries of one turn. A turn that was not played is refused by name."""
    if not 0 <= turn <= found.row.turn:
        run_id, last = found.row.run_id, found.row.turn
        raise NotFound(
            f"run {run_id} has no turn {turn}; its last is {last}",
            where="--turn",
            remedy=f"windtunnel show {run_id} --turn {last}",
        )
    return list(entries(found, turn))


class Leap(Struct):
    """The turn in which a metric moved most."""

    agent: str
    name: str
    turn: int
    before: float
    after: float


def leaps(found: Found, keys: Iterable[Key]) -> list[Leap]:
    """For each metric the turn of its largest move: where a person would look first. Long runs are searched
    from coarse to fine, so that what is read stays small."""
    with opened(found, read_only=True) as store:
        lineage = Lineage(store, found.row.run_id)
        known: dict[int, Finals] = {}

        def value(turn: int, key: Key) -> float | None:
            if turn not in known:
                known[turn] = _scores(lineage, turn)
            return known[turn].get(key[0], {}).get(key[1])

        return [leap for key in keys if (leap := _leap(found.row.turn, key, value)) is not None]


def _leap(last: int, key: Key, value: Callable[[int, Key], float | None]) -> Leap | None:
    low, high = 1, last
    while high > low:
        turns = [low - 1 + t for t in sampled(high - low + 1, POINTS)]
        moves = []
        for earlier, later in pairwise(turns):
            a, b = value(earlier, key), value(later, key)
            if a is not None and b is not None:
                moves.append((abs(b - a), -earlier, -later))
        if not moves or max(moves)[0] == 0:
            return None
        _, earlier, later = max(moves)
        low, high = -earlier, -later
        if high - low == 1:
            before, after = value(low, key), value(high, key)
            assert before is not None
            assert after is not None
            return Leap(*key, high, before, after)
    return None


async def observations(control: Control, found: Found, turn: int) -> dict[str, Any]:
    """What every actor saw at the beginning of a turn, computed again; `Divergence` if that is not what the
    record says they saw."""
    recorded = next((read(e).seen for e in turn_entries(found, turn) if e.kind == "observed"), None)
    if recorded is None:
        return {}
    player = await control.at(found.address, turn - 1)
    state = player.frame.state
    actors = (await settled(player.engine.to_act(state))) or player.cast.actors
    seen = [await settled(player.engine.observe(state, actor)) for actor in actors]
    if seen_digest(seen) != recorded:
        raise Divergence(
            f"what was seen in turn {turn} cannot be computed again",
            where=f"turn {turn}, analyze",
            remedy=f"windtunnel replay {found.row.run_id} tells where it parts from its record",
        )
    return dict(zip((actor.id for actor in actors), decode_body(encode_body(seen)), strict=True))
