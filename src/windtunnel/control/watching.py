"""Watching all runs of a workspace: whose status or turn changed, and what waits for votes.

A look costs one question to the file system for each store, and reads only the stores that were written to
since the look before; a database says by itself which of its runs were. What it gives is how things stand,
not a log: changes between two looks are told as one, and `cursor` says from when on a listener who was away
must be told again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from windtunnel.codec import decode_body
from windtunnel.config import Workspace
from windtunnel.control.catalog import Found, as_it_is, database, store_paths
from windtunnel.control.ids import tournament_of
from windtunnel.control.places import Readers
from windtunnel.control.telling import Phase
from windtunnel.errors import NotFound, WindtunnelError
from windtunnel.journal import Effect, Status, Store
from windtunnel.journal.texts import whole
from windtunnel.run.voting import action_digest

SLACK = 2.0  # seconds by which clocks and looks may be apart
_TERMS = ("mode", "risk", "amount", "approvers", "expires_seconds", "expires_turns")
_OPEN = (Status.RUNNING, Status.WAITING, Status.PAUSED, Status.CRASHED)


class Standing(NamedTuple):
    """A run as it stands, and where it lies."""

    run_id: str
    location: str
    world: str
    scenario: str
    status: str
    turn: int
    turns: int
    parent: str | None
    reason: str | None
    updated: float


class Ruling(NamedTuple):
    """An action that waits for votes (`start`), gets one (`progress`), or was decided (`complete`)."""

    type: Phase
    run_id: str
    effect: str
    actor: str
    turn: int
    at: float
    body: dict[str, Any]
    action: Any  # what the agent wants to do: as it wrote it


class Changes(NamedTuple):
    runs: list[Standing]
    gone: list[str]
    rulings: list[Ruling]


class Watch:
    """`look` is for one thread at a time."""

    def __init__(self, workspace: Workspace, readers: Readers | None = None) -> None:
        """`readers` belong to who gives them; without any, `close` closes the watch's own."""
        self._workspace = workspace
        self._readers = readers or Readers(workspace)
        self._database = database(workspace)
        self._word = ""  # up to where the database was read
        self._seen: dict[Path, tuple[int, ...]] = {}
        self._played: set[Path] = set()  # looked at always: a player that dies writes nothing
        self._runs: dict[str, Standing] = {}
        self._waiting: dict[str, dict[str, Ruling]] = {}
        self._votes: dict[tuple[str, str], int] = {}
        self.latest = 0.0  # when any run was last written to

    @property
    def runs(self) -> Iterable[Standing]:
        return list(self._runs.values())

    @property
    def waiting(self) -> list[Ruling]:
        return [one for mine in list(self._waiting.values()) for one in list(mine.values())]

    def standing(self, run_id: str) -> Standing | None:
        return self._runs.get(run_id)

    def close(self) -> None:
        self._readers.close()

    def look(self) -> Changes:
        changes = Changes([], [], [])
        if self._database:
            with suppress(WindtunnelError):  # `doctor` names it; the next look tries again
                self._look_there(self._database, changes)
        self._look_at_files(changes)
        return changes

    def _look_there(self, location: str, changes: Changes) -> None:
        try:
            store = self._readers.database()
        except NotFound:  # no run was made there yet
            return
        with store.snapshot():
            rows, word, whole = store.written(self._word)
            for row in (row for row in rows if not tournament_of(row.run_id)):
                self._compare(store, Found(location, as_it_is(store, row)), changes)
            for run_id in self._waiting.keys() - {row.run_id for row in rows}:  # a vote is no part of a row
                if self._runs[run_id].location == location:
                    changes.rulings.extend(self._rulings(store, run_id))
        self._word = word
        if whole:
            there = {row.run_id for row in rows}
            self._forget(location, changes, there)

    def _look_at_files(self, changes: Changes) -> None:
        paths = store_paths(self._workspace)
        for path in paths:
            signature = _signature(path)
            if self._seen.get(path) == signature and path not in self._played:
                continue
            try:
                with self._readers.opened(str(path)) as store:
                    rows = [row for row in store.runs() if not tournament_of(row.run_id)]
                    found = [Found(str(path), as_it_is(store, row)) for row in rows]
                    self._played.discard(path)
                    if any(one.row.status is Status.RUNNING for one in found):
                        self._played.add(path)
                    for one in found:
                        self._compare(store, one, changes)
            except WindtunnelError:
                continue  # `doctor` names it; the next look tries again
            self._seen[path] = signature
        for path in self._seen.keys() - set(paths):
            del self._seen[path]
            self._played.discard(path)
            self._forget(str(path), changes)

    def _forget(self, location: str, changes: Changes, still: Collection[str] = ()) -> None:
        """The runs of a store that are not there any more."""
        mine = [run.run_id for run in self._runs.values() if run.location == location]
        for run_id in mine:
            if run_id not in still:
                changes.gone.append(run_id)
                del self._runs[run_id]
                self._waiting.pop(run_id, None)

    def _compare(self, store: Store, found: Found, changes: Changes) -> None:
        row = found.row
        now = Standing(
            row.run_id, found.location, row.world, row.scenario, str(row.status), row.turn, row.turns,
            row.parent, row.reason, row.updated,
        )  # fmt: skip
        self.latest = max(self.latest, row.updated)
        before = self._runs.get(row.run_id)
        self._runs[row.run_id] = now
        if before is None or before[:-1] != now[:-1]:
            changes.runs.append(now)
        if row.status in _OPEN or row.run_id in self._waiting:
            changes.rulings.extend(self._rulings(store, row.run_id))

    def _rulings(self, store: Store, run_id: str) -> Iterator[Ruling]:
        known = self._waiting.setdefault(run_id, {})
        waiting = {one.name: one for one in store.waiting(run_id) if one.kind == "approval"}
        for name, effect in waiting.items():
            if name not in known:
                known[name] = ruling(store, run_id, "start", effect)
                yield known[name]
        for name in [name for name in known if name not in waiting]:
            begun = known.pop(name)
            self._votes.pop((run_id, name), None)
            effects = store.effects(run_id, begun.turn, kind="approval")
            yield from (ruling(store, run_id, "complete", one) for one in effects if one.name == name)
        if waiting:
            yield from self._voted(store, run_id, waiting)
        if not known:
            self._waiting.pop(run_id, None)

    def _voted(self, store: Store, run_id: str, waiting: dict[str, Effect]) -> Iterator[Ruling]:
        votes: dict[str, list[dict[str, Any]]] = {}
        for mail in store.mail(run_id):
            if mail.kind == "vote":
                body = decode_body(mail.body)
                if isinstance(body, dict) and body.get("effect") in waiting:
                    cast = {"by": mail.sender, "approve": body.get("approve") is True, "at": mail.at}
                    votes.setdefault(body["effect"], []).append(cast)
        for name, ballot in votes.items():
            if len(ballot) != self._votes.get((run_id, name)):
                self._votes[run_id, name] = len(ballot)
                told = ruling(store, run_id, "progress", waiting[name])
                latest = max(float(one["at"]) for one in ballot)
                yield told._replace(body={**told.body, "votes": ballot}, at=latest)

    def decided_since(self, moment: float) -> list[Ruling]:
        """The outcomes after a moment, read from the journals of the runs that were written to since."""
        found: list[Ruling] = []
        for run in self.runs:
            if run.updated < moment:
                continue
            try:
                with self._readers.opened(run.location) as store:
                    found += [
                        ruling(store, run.run_id, "complete", effect)
                        for effect in store.effects(run.run_id, kind="approval")
                        if effect.answered is not None and effect.answered >= moment
                    ]
            except WindtunnelError:
                continue  # it went meanwhile
        return sorted(found, key=lambda one: one.at)


def _signature(path: Path) -> tuple[int, ...]:
    told: list[int] = []
    for file in (path, Path(f"{path}-wal")):
        try:
            found = file.stat()
        except OSError:
            told += [0, 0]
        else:  # who looks makes an empty WAL, and that is no news
            told += [found.st_mtime_ns, found.st_size] if found.st_size else [0, 0]
    return tuple(told)


def ruling(store: Store, run_id: str, phase: Phase, effect: Effect) -> Ruling:
    """What is told of an action that is held. The digest is what a vote is bound to."""
    request = decode_body(whole(store, effect).request)
    body = {key: value for key, value in (request.get("hold") or {}).items() if key in _TERMS}
    body |= {"effect": effect.name, "actor": effect.actor, "asked": effect.asked}
    body["digest"] = action_digest(effect.request)
    at = effect.asked
    if phase == "complete" and effect.result is not None:
        outcome = decode_body(whole(store, effect).result or b"{}").get("ok") or {}
        body |= {"outcome": outcome.get("outcome"), "by": outcome.get("by", []), "answered": effect.answered}
        at = effect.answered or at
    return Ruling(phase, run_id, effect.name, effect.actor, effect.turn, at, body, request.get("action"))
