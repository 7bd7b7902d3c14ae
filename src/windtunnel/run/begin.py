"""How a run comes to be: a row, and the first entry with everything it is a function of."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

import msgspec

from windtunnel.codec import decode_body, describe_type, encode_body
from windtunnel.errors import ScenarioError
from windtunnel.journal import GENESIS, Batch, Entry, RunRow, Status, Store, entry_hash, operation_hash
from windtunnel.journal.model import Mail, Operation
from windtunnel.journal.schema import HISTORY
from windtunnel.run.casting import Cast
from windtunnel.run.clock import Clock
from windtunnel.run.context import Frame
from windtunnel.run.entries import Started
from windtunnel.scenario import ID_PATTERN, scenario_from_plain, scenario_to_plain, whole_policy
from windtunnel.world import WORLD, Scenario, World

Said = Sequence[tuple[str, Mapping[str, Any]]]  # operations: kind and body


@cache
def fingerprint() -> dict[str, str]:
    """What the arithmetic of a run may depend on besides its inputs."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
        "numpy": version("numpy"),  # whether or not it is loaded: the head must not depend on that
    }


def check_scenario(
    world: World, scenario: Scenario, players: dict[str, Any], *, at_once: bool = False
) -> Scenario:
    """The scenario as the run will see it, or the error that it would meet. `at_once`: who asks plays it now,
    and then meets whatever keeps somebody from their seat."""
    plain = decode_body(encode_body(scenario_to_plain(scenario)))
    typed = scenario_from_plain(plain, world)
    if not typed.agents:
        raise ScenarioError("nobody plays: the scenario names no agents", where="agents")
    for spec in typed.agents:
        if not re.match(ID_PATTERN, spec.id) or spec.id == WORLD or spec.size < 1:
            raise ScenarioError(
                f"an agent called {spec.id!r} with size {spec.size} cannot play",
                where="agents",
                remedy=f"an id is letters, digits, - and _, and not {WORLD!r}; a size is 1 or more",
            )
    if typed.turns < 0 or typed.attempts < 1 or typed.concurrency < 1:
        raise ScenarioError("turns must be 0 or more, attempts and concurrency 1 or more")
    whole_policy(typed.approvals, world)
    if not at_once:
        Cast(world, typed, Frame(world, typed.mode, typed.seed), players)
    return typed


def begin(
    store: Store,
    world: World,
    scenario: Scenario,
    run_id: str,
    *,
    players: dict[str, Any] | None = None,
    clock: Clock | None = None,
    said: Said = (),
    at_once: bool = False,
) -> RunRow:
    """Write the run's row and its first entry. Nothing is played yet. `said`: what its operations begin
    with. `at_once`: it is a draft, and is played before anybody else knows of it."""
    typed = check_scenario(world, scenario, players or {}, at_once=at_once)
    plain = scenario_to_plain(typed)
    schema = describe_type(world.state)
    started = Started(HISTORY, world.name, world.version, plain, schema, fingerprint())
    body = encode_body(started)
    hash = entry_hash(GENESIS, 0, 0, "start", "started", "", body)
    now = (clock or Clock()).wall()
    row = RunRow(
        run_id=run_id, world=world.name, scenario=typed.name, mode=typed.mode, seed=typed.seed,
        status=Status.QUEUED, turn=0, turns=typed.turns, head_seq=-1, head_hash=b"", op_seq=-1, op_hash=b"",
        parent=None, parent_seq=None, parent_turn=None, branch=0, created=now, updated=now,
        tags=msgspec.json.encode(typed.tags).decode(), reason=None, pruned=None,
    )  # fmt: skip
    add(store, row, [Entry(0, 0, "start", "started", "", body, GENESIS, hash)], now, said=said)
    return store.run(run_id)


def add(
    store: Store,
    row: RunRow,
    entries: list[Entry],
    now: float,
    effects: Any = (),
    said: Said = (),
    letters: Sequence[Mail] = (),
) -> None:
    """A new run with its first entries, operations and mail, as one commit: no crash leaves it, and nobody
    takes it up, without a part of them."""
    last = entries[-1]
    row = msgspec.structs.replace(row, head_seq=last.seq, head_hash=last.hash)
    operations: list[Operation] = []
    prev = GENESIS
    for seq, (kind, about) in enumerate(said):
        raw = encode_body(about)
        operations.append(Operation(seq, now, kind, raw, prev, operation_hash(prev, seq, now, kind, raw)))
        prev = operations[-1].hash
    if operations:
        row = msgspec.structs.replace(row, op_seq=operations[-1].seq, op_hash=prev)
    batch = Batch(row.run_id, 0, entries=entries, operations=operations, effects=list(effects), at=now)
    store.bring_in(row, [batch], letters)
