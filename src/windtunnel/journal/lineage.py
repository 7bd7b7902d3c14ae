"""A run together with the past it shares: a fork's history is its parents' up to the fork, then its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from windtunnel.codec import Segment
from windtunnel.journal.model import Checkpoint, Effect, Entry, RunRow
from windtunnel.journal.store import Store

NO_LIMIT = 1 << 62


class _Scored(Struct):
    metrics: dict[str, dict[str, Any]]


_SCORED = msgspec.json.Decoder(_Scored)


def scores_of(body: bytes) -> Mapping[str, Mapping[str, Any]]:
    """The metrics of a `scored` entry as they are stored, by agent: a number, or what stands for an array."""
    return _SCORED.decode(body).metrics


class Part(NamedTuple):
    """What one run of the line contributes: its own entries and turns up to where the next one forked."""

    row: RunRow
    last_seq: int
    last_turn: int


class Lineage:
    def __init__(self, store: Store, run_id: str) -> None:
        self.store = store
        self.row = store.run(run_id)
        parts = [Part(self.row, NO_LIMIT, NO_LIMIT)]
        seen = {run_id}
        while (child := parts[0].row).parent and child.parent not in seen:
            seen.add(child.parent)
            assert child.parent_seq is not None
            assert child.parent_turn is not None
            parent = store.run(child.parent)
            # A fork of a fork may begin before the first fork did: what is shared is the shorter past.
            last_seq = min(child.parent_seq, parts[0].last_seq)
            parts.insert(0, Part(parent, last_seq, min(child.parent_turn, parts[0].last_turn)))
        self.parts = parts

    def entries(self, after: int = -1, upto: int = NO_LIMIT) -> Iterator[Entry]:
        for part in self.parts:
            last = min(part.last_seq, upto)
            if last > after:
                yield from self.store.entries(part.row.run_id, after, last)

    def effects(self, turn: int) -> list[Effect]:
        found: list[Effect] = []
        for part in self.parts:
            if turn <= part.last_turn:
                found += self.store.effects(part.row.run_id, turn)
                if found:
                    break
        return found

    def checkpoint(self, upto: int = NO_LIMIT) -> Checkpoint | None:
        for part in reversed(self.parts):
            found = self.store.checkpoint(part.row.run_id, min(upto, part.last_turn))
            while (
                found is not None and found.seq > part.last_seq
            ):  # the parent went on, or ended, in that turn
                found = self.store.checkpoint(part.row.run_id, found.turn - 1)
            if found is not None:
                return found
        return None

    def segment(self, hash: bytes) -> Segment | None:
        for part in reversed(self.parts):
            if found := self.store.segment(part.row.run_id, hash):
                return found
        return None

    def metrics(
        self, *, names: Iterable[str] = (), agents: Iterable[str] = (), after: int = -1, upto: int = NO_LIMIT
    ) -> Iterator[tuple[int, str, str, Any]]:
        """Turn, agent, name and value of every metric, in order; a crowd's array is told by its mean."""
        names, agents = frozenset(names), frozenset(agents)
        for turn, body in self._scored(after, upto):
            for agent, metrics in scores_of(body).items():
                if agents and agent not in agents:
                    continue
                for name, value in metrics.items():
                    if not names or name in names:
                        yield turn, agent, name, value["mean"] if type(value) is dict else value

    def _scored(self, after: int, upto: int) -> Iterator[tuple[int, bytes]]:
        for part in self.parts:
            yield from self.store.scored(part.row.run_id, after, min(part.last_turn, upto))

    def last_of_turn(self, turn: int) -> Entry | None:
        """The last entry of a turn, the end of the run left out: where a fork begins."""
        found = None
        for entry in self.entries(self.near_end(turn)):
            if entry.turn > turn or entry.phase == "end":
                break
            found = entry
        return found if found is not None and found.turn == turn else None

    def near_end(self, turn: int) -> int:
        """An entry not far before the end of a turn, found without reading all that came before."""
        for part in self.parts:
            if 0 < turn <= part.last_turn:
                seq = self.store.scored_seq(part.row.run_id, turn)
                if seq is not None:
                    return seq - 1
        return -1

    def approvals(self, upto: int) -> list[Effect]:
        """Every vote that was asked for, up to a turn."""
        found: list[Effect] = []
        for part in self.parts:
            mine = self.store.effects(part.row.run_id, kind="approval")
            found += [effect for effect in mine if effect.turn <= min(upto, part.last_turn)]
        return found
