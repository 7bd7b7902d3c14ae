"""Runs side by side: final values, differences, the first entry in which two histories part, and what the
pairs of a fork say about a change, with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist, fmean, stdev
from typing import Any

from msgspec import Struct

from windtunnel.codec import decode_body
from windtunnel.control.catalog import Found, opened
from windtunnel.control.history import Finals, Key, finals
from windtunnel.errors import UsageError
from windtunnel.journal import Entry
from windtunnel.journal.lineage import Lineage
from windtunnel.run.entries import Forked, read

_T975 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)  # of 1 to 10 degrees
_SAID = 8  # differences that are told; more are only counted


class Parting(Struct):
    """The first entry in which another run's history is not the first one's. None in both: they are equal."""

    run_id: str
    seq: int | None
    turn: int | None
    phase: str = ""
    kind: str = ""
    actor: str = ""
    differences: list[str] = []


class Row(Struct):
    agent: str
    name: str
    values: list[float | None]  # one for each run
    differences: list[float | None]  # to the first run; its own is 0


class Comparison(Struct):
    runs: list[Found]
    finals: list[Finals]
    rows: list[Row]
    partings: list[Parting]


class Interval(Struct):
    """The mean of paired differences with its 95% interval (Student's t); no interval from a single pair."""

    mean: float
    low: float | None
    high: float | None
    pairs: int

    @property
    def clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def compare(runs: Sequence[Found], keys: Sequence[Key] = (), *, turn: int | None = None) -> Comparison:
    """The first run beside the others, as they stand or as they stood after a turn. `keys` says which
    metrics;
    all of them by default."""
    if len(runs) < 2:
        raise UsageError("one run has nothing to be compared with", remedy="windtunnel compare RUN RUN…")
    tables = [finals(found, turn) for found in runs]
    wanted = list(keys) or list(dict.fromkeys((a, n) for t in tables for a, m in t.items() for n in m))
    rows = []
    for agent, name in wanted:
        values = [table.get(agent, {}).get(name) for table in tables]
        base = values[0]
        apart = [None if value is None or base is None else value - base for value in values]
        rows.append(Row(agent, name, values, apart))
    return Comparison(list(runs), tables, rows, [parting(runs[0], other) for other in runs[1:]])


def parting(one: Found, other: Found) -> Parting:
    """Hashes are chained, so equal hashes mean an equal past: the place is found by halving."""
    with opened(one, read_only=True) as left, opened(other, read_only=True) as right:
        mine, its = Lineage(left, one.row.run_id), Lineage(right, other.row.run_id)
        low, high = -1, max(one.row.head_seq, other.row.head_seq) + 1
        while high - low > 1:  # equal up to `low`, not equal at `high`
            middle = (low + high) // 2
            a, b = _at(mine, middle), _at(its, middle)
            if a is not None and b is not None and a.hash == b.hash:
                low = middle
            else:
                high = middle
        a, b = _at(mine, high), _at(its, high)
    if a is None and b is None:
        return Parting(other.row.run_id, None, None)
    shown = b or a
    assert shown is not None
    said = differences(decode_body(a.body), decode_body(b.body)) if a and b and a.kind == b.kind else []
    if a is None or b is None:
        said = [f"{one.row.run_id if a is None else other.row.run_id} ends here"]
    elif "forked" in (a.kind, b.kind):
        said = [
            _fork_told(run.row.run_id, entry)
            for run, entry in ((one, a), (other, b))
            if entry.kind == "forked"
        ]
    elif a.kind != b.kind:
        said = [f"{a.kind} → {b.kind}"]
    return Parting(other.row.run_id, shown.seq, shown.turn, shown.phase, shown.kind, shown.actor, said)


def _fork_told(run_id: str, entry: Entry) -> str:
    body: Forked = read(entry)
    changes = ", ".join(f"{key} {_short(value)}" for key, value in body.changes.items()) or "nothing"
    return f"{run_id} is a fork: changed {changes}, branch of luck {body.branch}"


def _at(lineage: Lineage, seq: int) -> Entry | None:
    return next(iter(lineage.entries(seq - 1, seq)), None)


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """What is not the same in two plain values, each by its path; the first few, the rest counted."""
    found = _differences(one, other, path)
    return [*found[:_SAID], f"and {len(found) - _SAID} more"] if len(found) > _SAID else found


def _differences(one: Any, other: Any, path: str) -> list[str]:
    if one == other:
        return []
    if isinstance(one, dict) and isinstance(other, dict):
        inside: list[str] = []
        for key in dict.fromkeys([*one, *other]):
            inside += _differences(one.get(key), other.get(key), f"{path}.{key}" if path else str(key))
        return inside
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [
            said
            for index, (a, b) in enumerate(zip(one, other, strict=True))
            for said in _differences(a, b, f"{path}[{index}]")
        ]
    return [f"{path or 'value'}: {_short(one)} → {_short(other)}"]


def _short(value: Any) -> str:
    text = "nothing" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


# --- pairs ---


def paired(differences: Sequence[float]) -> Interval:
    """What K pairs of branch and control say."""
    count, mean = len(differences), fmean(differences)
    if count < 2:
        return Interval(mean, None, None, count)
    reach = _t975(count - 1) * stdev(differences) / sqrt(count)
    return Interval(mean, mean - reach, mean + reach, count)


def _t975(degrees: int) -> float:
    if degrees <= len(_T975):
        return _T975[degrees - 1]
    z = NormalDist().inv_cdf(0.975)  # Cornish and Fisher's expansion: right to three digits from here on
    return z + (z**3 + z) / (4 * degrees) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)


class Verdict(Struct):
    """What a fork's change did to one metric: against the controls, or against the parent."""

    agent: str
    name: str
    against: str  # controls or parent
    branch: float
    reference: float
    difference: Interval


def effect_of(
    parent: Found,
    branches: Sequence[Found],
    controls: Sequence[Found],
    keys: Sequence[Key],
    *,
    turn: int | None = None,
) -> list[Verdict]:
    """Branch i is held against control i (the same luck), or a single branch against the parent; as they
    stand, or as they stood after a turn."""
    changed = [finals(found, turn) for found in branches]
    against = [finals(found, turn) for found in controls] or [finals(parent, turn)]
    said = []
    for agent, name in keys:
        pairs = [
            (a[agent][name], b[agent][name])
            for a, b in zip(changed, against, strict=True)
            if name in a.get(agent, {}) and name in b.get(agent, {})
        ]
        if pairs:
            interval = paired([a - b for a, b in pairs])
            means = fmean(a for a, _ in pairs), fmean(b for _, b in pairs)
            said.append(Verdict(agent, name, "controls" if controls else "parent", *means, interval))
    return said
