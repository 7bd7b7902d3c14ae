"""The registry: versions that never change, which one of a name is in force, tags, and where each came from.

A version is written once, with its parents, the operator that made it, why, by whom and when. What moves is
the head of a name (the version in force) and tags; every move is kept. Each verb that writes is one
transaction: of two that write at once, each gets a version of its own; what is killed leaves all of it or
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from windtunnel.errors import NotFound, UsageError, WrongState
from windtunnel.journal.database import Database, Rows
from windtunnel.strategies.finding import HASH, TAG, find_version, is_path
from windtunnel.strategies.model import Strategy, content_hash
from windtunnel.strategies.reading import CONTROL, actions_of, check_strategy, read_strategy
from windtunnel.strategies.tables import HEAD, ROOM, STEPS, Move, find, moves_of
from windtunnel.strategies.versions import (
    FIRST,
    Actions,
    Bump,
    Diff,
    Version,
    VersionNumber,
    bump_between,
    compared,
    packed,
    read_number,
)
from windtunnel.words import quote
from windtunnel.world import World

BY_HAND, IMPORT = "by hand", "import"
OPERATORS = (BY_HAND, IMPORT, "mutation", "crossover", "reflection", "rollback")
LONGEST_WHY, LONGEST_BY, MOST_PARENTS = 10_000, 200, 64


class Registered(Struct, frozen=True):
    """What became of a strategy that was to be registered. `fresh` is False where the name had that very
    content already: `version` is then the one there was."""

    version: Version
    fresh: bool
    in_force: bool


class Registry:
    def __init__(self, database: Database) -> None:
        self.database = database
        database.lay(ROOM, STEPS)

    # --- writing ---

    def add(
        self,
        strategy: Strategy,
        *,
        parents: Sequence[str] = (),
        operator: str = BY_HAND,
        why: str = "",
        by: str = "operator",
        world: World | None = None,
    ) -> Version:
        """The version that the strategy is from now on. It is in force if it is the first of its name;
        `apply` puts another in force. With its `world` it is checked whole."""
        return self.register(
            strategy, parents=parents, operator=operator, why=why, by=by, world=world
        ).version

    def register(
        self,
        strategy: Strategy,
        *,
        parents: Sequence[str] = (),
        operator: str = BY_HAND,
        why: str = "",
        by: str = "operator",
        world: World | None = None,
        apply: bool = False,
        origin: dict[str, Any] | None = None,
    ) -> Registered:
        """`add`, and what became of it. `apply`: a new version is put in force in the same breath. `origin`:
        what a folder says of the past of what is in it."""
        strategy = check_strategy(strategy, world)
        played = None if world is None else actions_of(strategy, world)
        _check_words(operator, why, by, parents)
        hashed = content_hash(strategy)
        with self.database.transaction() as rows:
            head = self._head(rows, strategy.name)
            same = _same(find(rows, "name=? AND hash=?", [strategy.name, hashed]), played)
            if same is not None:
                return Registered(same, False, head is not None and head.id == same.id)
            known = [_parent(rows, text, strategy.name, operator) for text in parents]
            named = tuple(dict.fromkeys(one.label if isinstance(one, Version) else one for one in known))
            base = next(
                (one for one in known if isinstance(one, Version) and one.name == strategy.name), head
            )
            number, bump = _next(rows, strategy, base, played)
            made = Version(
                name=strategy.name, number=str(number), hash=hashed, strategy=strategy, bump=bump,
                parents=named or (() if head is None else (head.label,)), operator=operator, why=why, by=by,
                at=self.database.now(), actions=played, origin=origin,
            )  # fmt: skip
            key = _insert(rows, made, number)
            in_force = head is None or apply
            if in_force:
                self._move(rows, made.name, HEAD, "add", key, why, by)
            return Registered(find(rows, "id=?", [key])[0], True, in_force)

    def apply(self, reference: str, *, why: str = "", by: str = "operator", expecting: str = "") -> Move:
        """Put a version in force. `expecting`: the number that is in force now, as whoever decided saw it; if
        it is another by then, nothing is moved."""
        _check_words(BY_HAND, why, by)
        with self.database.transaction() as rows:
            version = find_version(rows, reference)
            head = self._sure_head(rows, version.name)
            if expecting and head.number != expecting:
                raise WrongState(
                    f"{head.label} is in force now, not {expecting}", where=version.name,
                    remedy=f"look again: windtunnel strategies diff {head.label} {version.label}",
                )  # fmt: skip
            if head.id == version.id:
                raise WrongState(f"{version.label} is in force already", where=version.name)
            return self._move(rows, version.name, HEAD, "apply", version.id, why, by)

    def rollback(self, name: str, to: str | None = None, *, why: str = "", by: str = "operator") -> Move:
        """Put back what was in force before; or the version `to`. Again and again goes back further."""
        _check_words(BY_HAND, why, by)
        with self.database.transaction() as rows:
            head = self._sure_head(rows, name)
            if to:
                version = find_version(rows, to if "@" in to else f"{name}@{to}")
                if version.name != name:
                    raise UsageError(f"{version.label} is no version of {name!r}", where="to")
            else:
                past = _past(moves_of(rows, name, HEAD))
                if not past:
                    raise WrongState(
                        f"nothing was in force before {head.label}", where=name,
                        remedy=f"windtunnel strategies show {name}",
                    )  # fmt: skip
                version = find_version(rows, f"{name}@{past[-1]}")
            if version.id == head.id:
                raise WrongState(f"{version.label} is in force already", where=name)
            return self._move(rows, name, HEAD, "rollback", version.id, why, by)

    def tag(self, reference: str, tag: str, *, why: str = "", by: str = "operator") -> Move:
        """Give a version a name of its own, which moves with the next call."""
        _check_words(BY_HAND, why, by)
        if not TAG.fullmatch(tag) or HASH.fullmatch(tag):
            raise UsageError(
                f"{quote(tag)} is no tag", where="tag",
                remedy="a letter, then up to 63 letters, digits, dots, dashes and underscores; no hash",
            )  # fmt: skip
        with self.database.transaction() as rows:
            version = find_version(rows, reference)
            return self._move(rows, version.name, tag, "tag", version.id, why, by)

    def _move(self, rows: Rows, name: str, tag: str, verb: str, key: int, why: str, by: str) -> Move:
        before = rows.rows("SELECT version FROM strategy_mark WHERE name=? AND tag=?", [name, tag])
        rows.rows(
            "INSERT INTO strategy_mark(name,tag,version) VALUES(?,?,?)"
            " ON CONFLICT(name,tag) DO UPDATE SET version=excluded.version",
            [name, tag, key],
        )
        rows.rows(
            "INSERT INTO strategy_move(name,tag,verb,version,before,why,who,made) VALUES(?,?,?,?,?,?,?,?)",
            [name, tag, verb, key, before[0][0] if before else None, why, by, self.database.now()],
        )
        return moves_of(rows, name, tag)[-1]

    # --- reading ---

    def find(self, reference: str) -> Version:
        """By name, `name@number`, `name@tag` or `name@` and the beginning of its hash."""
        return find_version(self.database, reference)

    def resolve(
        self, reference: str, world: World | Callable[[str], World] | None = None
    ) -> Version | Strategy:
        """The version that is meant; or, where it is a path, the strategy that lies there."""
        return read_strategy(Path(reference), world) if is_path(reference) else self.find(reference)

    def diff(self, a: str, b: str) -> Diff:
        return compared(self.resolve(a), self.resolve(b))

    def versions(self, name: str, *, after: int = 0, limit: int | None = None) -> list[Version]:
        """All of a name, in the order in which they came; from past `after` on, the `id` of one of them."""
        self._sure_head(self.database, name)
        order = "id" if limit is None else f"id LIMIT {int(limit)}"
        return find(self.database, "name=? AND id>?", [name, after], order)

    def heads(
        self, *, after: str = "", limit: int = 100, world: str = "", role: str = ""
    ) -> list[tuple[Version, int]]:
        """The version in force of each name past `after`, with how many versions the name has."""
        wanted = {"v.world": world, "v.role": role}
        tests = "".join(f" AND {column}=?" for column, value in wanted.items() if value)
        found = self.database.rows(
            "SELECT v.id, (SELECT count(*) FROM strategy_version o WHERE o.name=v.name) FROM strategy_mark m"
            f" JOIN strategy_version v ON v.id=m.version WHERE m.tag='' AND m.name>?{tests}"
            " ORDER BY m.name LIMIT ?",
            [after, *(value for value in wanted.values() if value), limit],
        )
        counts: dict[int, int] = dict(found)
        if not counts:
            return []
        marks = ",".join("?" * len(counts))
        return [
            (version, counts[version.id])
            for version in find(self.database, f"id IN ({marks})", list(counts), "name")
        ]

    def tags(self, name: str) -> dict[str, str]:
        """The tags of a name, each with the number it stands at."""
        found = self.database.rows(
            "SELECT m.tag, v.major, v.minor, v.patch FROM strategy_mark m JOIN strategy_version v"
            " ON v.id=m.version WHERE m.name=? AND m.tag<>'' ORDER BY m.tag",
            [name],
        )
        return {tag: str(VersionNumber(*number)) for tag, *number in found}

    def moves(self, name: str) -> list[Move]:
        """Every move of its head and its tags, oldest first."""
        return moves_of(self.database, name)

    def _head(self, rows: Rows, name: str) -> Version | None:
        found = find(rows, "id=(SELECT version FROM strategy_mark WHERE name=? AND tag='')", [name])
        return found[0] if found else None

    def _sure_head(self, rows: Rows, name: str) -> Version:
        head = self._head(rows, name)
        return head if head is not None else find_version(rows, name)  # which says what there is


def _past(moves: Sequence[Move]) -> list[str]:
    """What was in force before, as one goes back: what was rolled back is no past to go back to."""
    stack: list[str] = []
    for move in moves:
        if move.verb == "rollback" and move.number in stack:
            del stack[stack.index(move.number) + 1 :]
        else:
            stack = [number for number in stack if number != move.number] + [move.number]
    return stack[:-1]


def _same(found: list[Version], played: Actions) -> Version | None:
    """Of those with this content, one that plays the same actions as far as anybody knows."""
    fitting = [one for one in found if played is None or one.actions is None or one.actions == played]
    return fitting[-1] if fitting else None


def _next(
    rows: Rows, strategy: Strategy, base: Version | None, played: Actions
) -> tuple[VersionNumber, Bump]:
    """The number that follows from what changed, the next one of its kind that nobody has."""
    if base is None:
        return FIRST, "first"
    bump = bump_between(base.strategy, strategy, base.actions, played)
    number = read_number(base.number)
    assert number is not None
    if bump == "patch":
        where, values = "name=? AND major=? AND minor=?", [base.name, number.major, number.minor]
        return VersionNumber(number.major, number.minor, _most(rows, "patch", where, values) + 1), bump
    if bump == "minor":
        most = _most(rows, "minor", "name=? AND major=?", [base.name, number.major])
        return VersionNumber(number.major, most + 1, 0), bump
    return VersionNumber(_most(rows, "major", "name=?", [base.name]) + 1, 0, 0), "major"


def _most(rows: Rows, column: str, where: str, values: Sequence[Any]) -> int:
    return int(rows.rows(f"SELECT max({column}) FROM strategy_version WHERE {where}", values)[0][0])


def _insert(rows: Rows, made: Version, number: VersionNumber) -> int:
    whole = made.strategy
    found = rows.rows(
        "INSERT INTO strategy_version(name,major,minor,patch,hash,world,role,kind,body,actions,bump,parents,"
        "operator,why,who,made,origin) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) RETURNING id",
        [
            made.name, *number, made.hash, whole.world, whole.role, whole.kind, packed(whole),
            None if made.actions is None else packed(made.actions), made.bump, packed(made.parents),
            made.operator, made.why, made.by, made.at, None if made.origin is None else packed(made.origin),
        ],
    )  # fmt: skip
    return int(found[0][0])


def _parent(rows: Rows, text: str, name: str, operator: str) -> Version | str:
    """A parent that is known here, of the same name if several names have its content; an import may name by
    its hash one that is not known."""
    if mine := find(rows, "name=? AND hash=?", [name, text.removeprefix("sha256:")]):
        return mine[-1]
    try:
        return find_version(rows, text)
    except NotFound:
        if operator == IMPORT and text.startswith("sha256:"):
            return text
        raise


def _check_words(operator: str, why: str, by: str, parents: Sequence[str] = ()) -> None:
    if operator not in OPERATORS:
        raise UsageError(f"{quote(operator)} is no operator", where="operator", remedy=", ".join(OPERATORS))
    for name, text, longest in (("why", why, LONGEST_WHY), ("by", by, LONGEST_BY)):
        if len(text) > longest:
            raise UsageError(f"{name}: {len(text):,} characters", where=name, remedy=f"at most {longest:,}")
        if (found := CONTROL.search(text)) is not None:
            raise UsageError(f"{name}: the control character {found[0]!r}", where=name, remedy="delete it")
    if not by.strip():
        raise UsageError("whoever does this needs a name", where="by")
    if len(parents) > MOST_PARENTS:
        raise UsageError(f"{len(parents)} parents", where="parents", remedy=f"at most {MOST_PARENTS}")
