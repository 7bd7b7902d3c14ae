"""The sketch: what is left of a run when everything is left out.

The same world's methods in a bare loop; the same bytes encoded, hashed in a chain, and appended with APSW to
a bare table, in groups of the same size. No deadlines, mail, effects, rejections, checkpoints, leases or
resume, and nobody to blame for an error. No kernel in Python can be nearer to the raw limit than this.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from bench.measure import Figures, Stopwatch
from bench.playing import fresh
from windtunnel.chance import Chance
from windtunnel.codec import StateCodec, encode_body, encode_seen
from windtunnel.journal.sqlite_rows import PAGE_BYTES
from windtunnel.run.phases import plain_scores
from windtunnel.run.tape import GROUP_BYTES
from windtunnel.world import ACCEPT, Actor, Decided, Scenario, World

BARE = "CREATE TABLE line(seq INTEGER PRIMARY KEY, place TEXT, body BLOB, hash BLOB)"


def bare_table(path: Path) -> Any:
    import apsw

    db = apsw.Connection(str(fresh(path)))
    db.execute(f"PRAGMA page_size={PAGE_BYTES}; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL")
    db.execute(BARE)
    return db


def append(db: Any, rows: list[Any]) -> None:
    db.execute("BEGIN IMMEDIATE")
    db.executemany("INSERT INTO line VALUES(?,?,?,?)", rows)
    db.execute("COMMIT")


class Luck:
    """All of a context that these worlds use."""

    turn = 0

    def __init__(self, parameters: Any, settings: Mapping[str, Any]) -> None:
        self.parameters, self.settings = parameters, settings

    def chance(self, *element: object) -> Chance:
        return Chance(1, self.turn, "", *element)


def sketch(folder: str, world: World, scenario: Scenario) -> Figures:
    context: Any = Luck(scenario.parameters, {})
    actors, policies = [], list[Any]()
    for agent in scenario.agents:
        role = world.roles[agent.role or next(iter(world.roles))]
        named = agent.policy or next(iter(role.policies))
        actors.append(Actor(agent.id, agent.role, agent.size))
        policies.append((role.policies[named], Luck(scenario.parameters, agent.settings)))
    engine = world.engine
    codec: StateCodec[Any] = StateCodec(world.state)
    check = world.validator.check if world.validator else None
    state = engine.start(scenario, context)
    db = bare_table(Path(folder) / "sketch.sqlite")
    hash, seq, rows, size = bytes(32), 0, list[Any](), 0
    with Stopwatch() as watch:
        for turn in range(1, scenario.turns + 1):
            context.turn = turn
            seen = [engine.observe(state, actor) for actor in actors]
            decided: Any = Decided()
            for actor, observed, (policy, own) in zip(actors, seen, policies, strict=True):
                decided[actor.id] = policy(observed, own)
            lines = [
                ("analyze observed", b'{"seen":"%b"}' % sha256(encode_seen(seen)).hexdigest().encode()),
                ("plan decided", encode_body({"actions": decided})),
            ]
            if check:
                for actor in actors:
                    verdict: Any = check(state, actor, decided[actor.id], context)
                    if verdict is not ACCEPT:
                        assert verdict.kind == "amend", verdict
                        decided[actor.id] = verdict.action
            applied = engine.apply(state, decided, [], context)
            lines += [
                ("validate judged", b'{"verdicts":"accept"}'),
                ("execute applied", encode_body({"events": applied.events})),
                ("evaluate scored", encode_body({"metrics": plain_scores(engine.score(state))})),
                ("consolidate done", b'{"state":"%b"}' % sha256(codec.encode(state)).hexdigest().encode()),
            ]
            for what, body in lines:
                seq += 1
                place = f"{seq} {turn} {what} "
                hash = sha256(hash + place.encode() + b"\n" + body).digest()
                rows.append((seq, place, body, hash))
                size += len(body)
            if size >= GROUP_BYTES or turn == scenario.turns:
                append(db, rows)
                rows, size = [], 0
    db.close()
    acts = scenario.turns * sum(actor.size for actor in actors)
    return {
        "rate": scenario.turns / watch.seconds,
        "cpu": scenario.turns / watch.cpu,
        "acts": acts / watch.seconds,
    }
