"""Checkpoints: where a run can be taken up without playing all of it again.

They are spaced by bytes (all checkpoints together stay a small part of the journal) and by the time it would
take to recompute what came since, so that resuming costs the same after ten turns or a million. They are no
part of history: a run with other spacing has the same head.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from msgspec import Raw, ValidationError

from windtunnel.codec import decode_body, decode_state_plain, describe_type, schema_difference, schema_hash
from windtunnel.errors import CodecError, StorageError, VersionMismatch
from windtunnel.journal import Checkpoint
from windtunnel.journal.lineage import Lineage
from windtunnel.run.entries import FORK, Consolidated, Forked, Migrated, Started, line, read
from windtunnel.run.mail import Deferred
from windtunnel.scenario import scenario_from_plain

if TYPE_CHECKING:
    from windtunnel.run.player import Player

RECOMPUTE_SECONDS = 1.0  # at most about this much work is done again on resume
BYTES_SHARE = 12  # a checkpoint once the journal grew by this many times its size
SMALLEST_SPACE = 16 << 10


class Spacing:
    """When the next checkpoint is due."""

    def __init__(self) -> None:
        self.turn = -1  # of the last checkpoint
        self._bytes = 0
        self._seconds = 0.0

    def written(self, turn: int) -> None:
        self.turn, self._bytes, self._seconds = turn, 0, 0.0

    def played(self, size: int, seconds: float, state_size: int) -> bool:
        """A turn of so many bytes, in so many seconds; whether the next one is due."""
        self._bytes += size
        self._seconds += seconds
        if self._seconds >= RECOMPUTE_SECONDS:
            return True
        return self._bytes >= SMALLEST_SPACE and self._bytes >= BYTES_SHARE * state_size


def write(player: Player) -> None:
    """Add a checkpoint of the present state, and of the Logs that grew since the last one."""
    seq, _ = player.tape.head
    memory = player.memory_bytes or b"{}"
    point = Checkpoint(player.tape.turn, seq, player.state_bytes, memory, player.deferred_bytes)
    player.tape.checkpoint(point, [segment for _, segment in player.codec.logs])
    for log, segment in player.codec.logs:
        log.stored(segment)
    player.spacing.written(player.tape.turn)


async def restore(player: Player, upto: int | None = None) -> bool:
    """Stand at the newest checkpoint that agrees with history. False if there is none."""
    upto = player.tape.lineage.row.turn if upto is None else upto
    while (found := player.tape.lineage.checkpoint(upto)) is not None:
        if _agrees(player, found):
            await _stand_at(player, found)
            return True
        player.tape.operate("checkpoint_refused", turn=found.turn)
        upto = found.turn - 1
    return False


def _agrees(player: Player, point: Checkpoint) -> bool:
    """Whether history says the same of state, memories and held actions as the checkpoint does."""
    for entry in player.tape.lineage.entries(point.seq - 1, point.seq):
        if entry.turn != point.turn:
            return False
        said = read(entry)
        if not isinstance(said, (Consolidated, Migrated)) or said.state != sha256(point.state).hexdigest():
            return False
        return isinstance(said, Migrated) or _keeps(said, point)
    return False


def _keeps(said: Consolidated, point: Checkpoint) -> bool:
    """Whether memories and held actions are those of history too."""
    memory = not said.memory or said.memory == sha256(point.memory).hexdigest()
    deferred = sha256(point.deferred).hexdigest() if point.deferred != b"[]" else ""
    return memory and said.deferred == deferred


async def _stand_at(player: Player, point: Checkpoint) -> None:
    scenario, branch, schema = circumstances(player.tape.lineage, point.seq)
    player.tape.open(after=point.seq)
    player.become(scenario_from_plain(scenario, player.world), branch=branch)
    player.frame.turn = point.turn
    if schema_hash(schema) != schema_hash(describe_type(player.world.state)):
        _migrate(player, point, schema)
    else:
        player.frame.state = player.codec.decode(point.state, player.tape.lineage.segment)
    player.memory_bytes = point.memory
    restore_memories(player, player.cast.memories, point.memory)
    player.start_memories()
    player.deferred = decode_body(point.deferred, list[Deferred])
    player.encode_state()
    player.spacing.written(point.turn)


def circumstances(lineage: Lineage, seq: int) -> tuple[dict[str, Any], int, dict[str, Any]]:
    """The scenario, the branch of luck and the state's schema as they are at an entry."""
    first = next(lineage.entries(-1, 0), None)
    started = read(first) if first is not None else None
    if not isinstance(started, Started):
        raise StorageError(
            "the run has lost its first entry", where=lineage.store.location, remedy="windtunnel verify"
        )
    scenario, branch, schema = started.scenario, 0, started.schema
    for part in lineage.parts:
        for entry in lineage.store.turning_points(part.row.run_id):
            if entry.seq > min(seq, part.last_seq):
                continue
            body = read(entry)
            if isinstance(body, Forked):
                scenario, branch = body.scenario, body.branch
            elif isinstance(body, Migrated):
                schema = body.schema
    return scenario, branch, schema


def restore_memories(player: Player, types: Mapping[str, type], raw: bytes) -> None:
    """Memories as they were when the bytes were made, by the paths that keep them, and in that order: it is
    the order in which they are hashed."""
    found = decode_body(raw, dict[str, Raw]) if raw else {}
    for path, kept in found.items():
        if path not in types:
            continue
        try:
            player.frame.memories[path] = decode_body(bytes(kept), types[path])
        except (ValidationError, CodecError) as error:
            raise VersionMismatch(f"the memory of {path} does not fit its type: {error}") from None


def same_schema(player: Player, recorded: dict[str, Any]) -> None:
    """A run is played again only under the types it was recorded with."""
    now = describe_type(player.world.state)
    if recorded != now:
        raise _mismatch(player, recorded, now)


def _migrate(player: Player, point: Checkpoint, schema: dict[str, Any]) -> None:
    """Bring a state of older types over by the function the world names for it."""
    now = describe_type(player.world.state)
    migrate = player.world.migrations.get(schema_hash(schema))
    if migrate is None:
        raise _mismatch(player, schema, now)
    recorded = player.tape.take() if player.tape.ahead(FORK, "migrated") else []
    if not player.tape.live and not recorded:
        raise VersionMismatch(
            "the state's types changed while turns since the last checkpoint are still to be recomputed",
            where=player.world.name,
            remedy="resume it once with the version that recorded it, pause it, and come back",
        )
    plain = migrate(decode_state_plain(point.state))
    try:
        player.frame.state = player.codec.from_plain(plain)
    except (ValidationError, CodecError) as error:
        raise VersionMismatch(f"the migrated state does not fit: {error}", where=player.world.name) from None
    raw = player.codec.encode(player.frame.state)
    body = Migrated(now, sha256(raw).hexdigest())
    player.tape.seal(point.turn, [line(FORK, "migrated", body)], recorded)


def _mismatch(player: Player, recorded: dict[str, Any], now: dict[str, Any]) -> VersionMismatch:
    return VersionMismatch(
        f"the state of {player.world.name} has changed since this run: {schema_difference(recorded, now)}",
        where=f"schema {schema_hash(recorded)}",
        remedy=f"use the version that recorded it, or add migrations[{schema_hash(recorded)!r}] to the world",
    )
