"""What forks among some runs say about their change: each branch held against the control that has its luck.

It pairs runs by what their own first entries say, so nobody has to remember which run was made with which; it
only reads, and tells nothing about a branch whose control (or, of a single one, whose parent) is not among
the runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from msgspec import Struct, field

from windtunnel.codec import encode_body
from windtunnel.control import history
from windtunnel.control.catalog import Found, opened
from windtunnel.control.compare import Verdict, effect_of
from windtunnel.journal import RunRow
from windtunnel.run.entries import Forked, read


class Changed(Struct):
    """One change, and what it did up to a turn that all its runs have played."""

    parent: str
    at: int  # the turn it was forked at
    turn: int  # the turn it is compared after
    changes: dict[str, Any]
    before: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    branches: list[str] = field(default_factory=list)
    controls: list[str] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)


class _Fork(NamedTuple):
    found: Found
    own: Forked

    @property
    def row(self) -> RunRow:
        return self.found.row

    @property
    def place(self) -> tuple[str | None, int | None, str]:
        return self.row.parent, self.row.parent_seq, self.own.before

    @property
    def unchanged(self) -> bool:
        return not self.own.changes and not self.own.events


def changes_among(runs: Sequence[Found], turn: int | None = None) -> list[Changed]:
    """The changes of which these runs hold branch and control, as they stood after `turn`, or after the last
    turn that all of a change's runs have played."""
    forks = list(_forks(runs))
    by_id = {found.row.run_id: found for found in runs}
    controls = {(*one.place, one.row.branch): one.found for one in forks if one.unchanged and one.row.branch}
    pairs: dict[bytes, list[tuple[_Fork, Found]]] = {}
    for one in forks:
        if one.unchanged:
            continue
        luck = one.row.branch  # 0 is the parent's own: such a branch is held against the parent itself
        other = controls.get((*one.place, luck)) if luck else by_id.get(one.row.parent or "")
        if other is not None:
            key = encode_body([*one.place, bool(luck), one.own.changes, one.own.events])
            pairs.setdefault(key, []).append((one, other))
    told = (_changed(made, by_id, turn) for made in pairs.values())
    return [one for one in told if one is not None]


def _forks(runs: Sequence[Found]) -> Iterator[_Fork]:
    for found in runs:
        if found.row.parent is None or found.row.pruned is not None:
            continue
        with opened(found, read_only=True) as store:
            first = next(
                (one for one in store.turning_points(found.row.run_id) if one.kind == "forked"), None
            )
        if first is not None:
            yield _Fork(found, read(first))


def _changed(
    made: Sequence[tuple[_Fork, Found]], by_id: dict[str, Found], turn: int | None
) -> Changed | None:
    one = made[0][0]
    branches, against = [fork.found for fork, _ in made], [other for _, other in made]
    if not one.row.branch:
        branches, against = branches[:1], against[:1]  # its twins have the same luck: they say nothing more
    reached = min(found.row.turn for found in (*branches, *against))
    at = reached if turn is None else turn
    if at > reached or at <= (one.row.parent_turn or 0):
        return None  # nobody has come so far, or it is before anything was changed
    tables = [history.finals(found, at) for found in (*branches, *against)]
    keys = list(
        dict.fromkeys((agent, name) for table in tables for agent, of in table.items() for name in of)
    )
    controls = against if one.row.branch else []
    parent = by_id.get(one.row.parent or "", against[0])
    return Changed(
        one.row.parent or "",
        one.row.parent_turn or 0,
        at,
        one.own.changes,
        one.own.before,
        one.own.events,
        [found.row.run_id for found in branches],
        [found.row.run_id for found in controls],
        effect_of(parent, branches, controls, keys, turn=at),
    )
