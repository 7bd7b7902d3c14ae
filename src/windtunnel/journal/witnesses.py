"""What stands beside history and must agree with it: effects, checkpoints, mail.

Each witness hears the entries that concern it, in order, and reads its own table in the same order, so that
one pass with little memory is enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from windtunnel.codec import Segment
from windtunnel.errors import StorageError
from windtunnel.journal.lineage import Lineage
from windtunnel.journal.model import GENESIS, Checkpoint, Effect, Entry, Mail, Place
from windtunnel.journal.problems import Problems, safely
from windtunnel.journal.store import Store
from windtunnel.journal.texts import named, text_of

FIRST = -(1 << 62)


class Used(Struct):
    """The body of an `effect` entry."""

    index: int
    kind: str
    request: str
    result: str | None = None


class Digests(Struct):
    """The body of a `consolidated` entry; of a `migrated` one, the state."""

    state: str
    memory: str = ""
    deferred: str = ""


class Letter(Struct):
    """The body of a `mail` entry."""

    kind: str
    body: Any = None
    sender: str = ""


_USED = msgspec.json.Decoder(Used)
_DIGESTS = msgspec.json.Decoder(Digests)
_LETTER = msgspec.json.Decoder(Letter)
_NOTHING = {"memory": b"{}", "deferred": b"[]"}


class EffectWitness:
    """Every sealed `effect` entry has its row with the same digests; every row of a sealed turn its entry."""

    def __init__(self, store: Store, problems: Problems) -> None:
        self._store, self._problems = store, problems
        self._rows: Iterator[Effect] = iter(())
        self._next: Effect | None = None
        self._named: dict[Place, Used] = {}
        self._proved: set[bytes] = set()  # texts that were found as their hashes say
        self._open: dict[Place, Used] = {}  # sealed while unanswered: a fork may have a copy of its own

    def enter(self, run_id: str, begins: int) -> None:
        """The rows of a run whose own turns begin after `begins`."""
        rows = self._store.effects_by_place(run_id)
        self._rows = safely(rows, self._problems, "effect", f"the effects of {run_id}")
        self._advance()
        while self._next is not None and self._int(self._next.turn) <= begins:
            used = self._open.get(self._next.place)
            self._compare(used, self._next) if used else self._unnamed(self._next)
            self._advance()

    def _advance(self) -> None:
        self._next = next(self._rows, None)

    def _int(self, turn: Any) -> int:
        return turn if isinstance(turn, int) else FIRST

    def used(self, entry: Entry) -> None:
        used = _USED.decode(entry.body)
        place = (entry.turn, entry.phase, entry.actor, used.index)
        self._named[place] = used
        if used.result is None:
            self._open[place] = used

    def seal(self, turn: int) -> None:
        """A turn is over: its rows are those its entries named."""
        if self._next is None and not self._named:
            return
        while self._next is not None and self._int(self._next.turn) <= turn:
            used = self._named.pop(self._next.place, None)
            self._compare(used, self._next) if used else self._unnamed(self._next)
            self._advance()
        for place, used in self._named.items():
            name = _name(place)
            self._problems.add(
                "effect",
                f"effect {name} ({used.kind}) is missing from its table",
                f"effect {name}",
                turn=turn,
            )
        self._named.clear()

    def _compare(self, used: Used, row: Effect) -> None:
        if row.kind != used.kind:
            self._say(row, f"is of kind {row.kind!r}, its entry says {used.kind!r}")
        if sha256(row.request).hexdigest() != used.request:
            self._say(row, "has another request than the one its entry was sealed with")
        if used.result is not None and sha256(row.result or b"").hexdigest() != used.result:
            self._say(row, "has another result than the one its entry was sealed with")
        self._texts(row)

    def _texts(self, row: Effect) -> None:
        """What the row names must be there, and be what it is named by."""
        for what, raw in (("request", row.request), ("result", row.result)):
            try:
                for hash in named(raw):
                    if hash not in self._proved:
                        text_of(self._store, hash)
                        self._proved.add(hash)
            except StorageError as error:
                self._say(row, f"cannot be read whole: in its {what}, {error.message}")
            except (TypeError, AttributeError):  # a tampered cell holds anything
                self._say(row, f"cannot be read whole: its {what} is no text")

    def _unnamed(self, row: Effect) -> None:
        self._say(row, "stands in a sealed turn, and no entry names it")

    def _say(self, row: Effect, what: str) -> None:
        self._problems.add(
            "effect", f"effect {_name(row.place)} {what}", f"effect {_name(row.place)}", turn=row.turn
        )

    def finish(self, sealed: int) -> None:
        """Rows of the turn that was being played may be there; of later ones, none."""
        self._named.clear()
        while self._next is not None:
            if self._int(self._next.turn) != sealed + 1:
                self._say(self._next, "belongs to a turn that was never played")
            else:
                self._texts(self._next)
            self._advance()


def _name(place: Place) -> str:
    turn, phase, actor, index = place
    return f"{turn}.{phase}.{actor or 'world'}.{index}"


class CheckpointWitness:
    """Every checkpoint is the state that history says, and all parts of its Logs can be found."""

    def __init__(self, store: Store, lineage: Lineage | None, problems: Problems) -> None:
        self._store, self._lineage, self._problems = store, lineage, problems
        self._rows: Iterator[Checkpoint] = iter(())
        self._next: Checkpoint | None = None
        self._raw: bytes | None = None
        self._said: Digests | None = None
        self._known: set[bytes] = set()

    def enter(self, run_id: str, last_seq: int, last_turn: int) -> None:
        self.finish()
        rows = (row for row in self._store.checkpoints(run_id) if not _beyond(row, last_seq, last_turn))
        self._rows = safely(rows, self._problems, "checkpoint", f"the checkpoints of {run_id}")
        self._next = next(self._rows, None)

    def consolidated(self, entry: Entry) -> None:
        self._raw, self._said = entry.body, None  # decoded only when a checkpoint is compared with it
        self._look(entry)

    def migrated(self, entry: Entry) -> None:
        said = self._digests()
        state = _DIGESTS.decode(entry.body).state
        self._said = Digests(state, said.memory, said.deferred) if said else Digests(state)
        self._look(entry)

    def forked(self, entry: Entry, *, same_parameters: bool) -> None:
        """The same state, unless the world revised it for other parameters: only a replay shows that."""
        self._look(entry, compare=same_parameters, memory=False)

    def ended(self, entry: Entry) -> None:
        self._look(entry)

    def _digests(self) -> Digests | None:
        if self._said is None and self._raw is not None:
            self._said = _DIGESTS.decode(self._raw)
        return self._said

    def _look(self, entry: Entry, *, compare: bool = True, memory: bool = True) -> None:
        while self._next is not None and self._next.seq <= entry.seq:
            point = self._next
            if point.seq != entry.seq:
                self._say(point, f"names entry {point.seq}, at which no turn ends")
            elif point.turn != entry.turn:
                self._say(point, f"names {entry.place}")
            elif compare and (said := self._digests()) is not None:
                self._compare(point, said, memory=memory)
            self._logs(point)
            self._next = next(self._rows, None)

    def _compare(self, point: Checkpoint, said: Digests, *, memory: bool) -> None:
        if sha256(point.state).hexdigest() != said.state:
            self._say(point, f"is not the state that entry {point.seq} was sealed with")
        for what, digest in (("memory", said.memory), ("deferred", said.deferred)) if memory else ():
            raw = getattr(point, what)
            same = sha256(raw).hexdigest() == digest if digest else raw == _NOTHING[what]
            if not same:
                self._say(point, f"has another {what} than entry {point.seq} was sealed with")

    def _logs(self, point: Checkpoint) -> None:
        wanted = logs_of(point.state)
        for hash, count in wanted:
            for segment in missing_segments(self._lineage, hash, count, self._known):
                self._say(point, f"needs a part of a Log that {segment}")
        self._known = {hash for hash, _ in wanted}

    def _say(self, point: Checkpoint, what: str) -> None:
        where = f"checkpoint of turn {point.turn}"
        self._problems.add("checkpoint", f"the {where} {what}", where, turn=point.turn, seq=point.seq)

    def finish(self) -> None:
        while self._next is not None:
            self._say(self._next, f"names entry {self._next.seq}, which is not there")
            self._next = next(self._rows, None)


def _beyond(point: Checkpoint, last_seq: int, last_turn: int) -> bool:
    """A parent's checkpoint from after the fork: not part of this run."""
    return point.seq > last_seq or point.turn > last_turn


def logs_of(state: bytes) -> list[tuple[bytes, int]]:
    """The Logs in a stored state: each one's hash and how many items it has."""
    size = int.from_bytes(state[:4], "big")
    main = state[4 : 4 + size]
    if b"\xa3log" not in main:
        return []
    found: list[tuple[bytes, int]] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if value.keys() == {"log", "count"} and _is_hash(value["log"]):
                if value["count"]:
                    found.append((bytes.fromhex(value["log"]), value["count"]))
                return
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    try:
        walk(msgspec.msgpack.decode(main, strict=False))
    except (msgspec.DecodeError, RecursionError):
        return []  # a changed state has been told of already
    return found


def _is_hash(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 64 and all(mark in "0123456789abcdef" for mark in value)


def segments_of(lineage: Lineage, hash: bytes, known: set[bytes]) -> Iterator[Segment]:
    """The stored parts of a Log, the newest first, down to one that is known already."""
    while hash != GENESIS and hash not in known:
        segment = lineage.segment(hash)
        if segment is None:
            return
        yield segment
        hash = segment.prev


def missing_segments(lineage: Lineage | None, hash: bytes, count: int, known: set[bytes]) -> list[str]:
    """What is wrong with the parts of a Log, in words."""
    if lineage is None:
        return []
    try:
        for segment in segments_of(lineage, hash, known):
            end, items = segment.prev, segment.items.split(b"\n")
            for item in items:
                end = sha256(end + item).digest()
            if end != segment.hash or segment.count != count:
                return [f"was changed ({segment.hash.hex()[:12]})"]
            hash, count = segment.prev, count - len(items)
    except (StorageError, TypeError, AttributeError) as error:
        return [f"cannot be read: {error}"]
    if hash not in known and (hash != GENESIS or count):
        return [f"is missing ({hash.hex()[:12]})"]
    return []


class MailWitness:
    """Mail that history took in is what stands in the inbox, where it still stands there."""

    def __init__(self, store: Store, problems: Problems) -> None:
        self._store, self._problems = store, problems
        self._taken: dict[int, list[bytes]] = {}  # what history took in, by turn
        self._refused: set[int] = set()
        self._runs: list[tuple[str, int]] = []

    def enter(self, run_id: str, last_turn: int) -> None:
        self._runs.append((run_id, last_turn))

    def taken(self, entry: Entry) -> None:
        letter = _LETTER.decode(entry.body)
        if letter.kind == "event":
            self._taken.setdefault(entry.turn, []).append(_digest(letter.sender, letter.body))

    def refused(self, body: bytes) -> None:
        self._refused.add(msgspec.json.decode(body).get("mail", 0))

    def finish(self, sealed: int) -> None:
        for run_id, last_turn in self._runs:
            letters = self._store.letters(run_id)
            upto = min(sealed, last_turn)
            for mail in safely(letters, self._problems, "inbox", f"the inbox of {run_id}"):
                if mail.kind == "event" and mail.id not in self._refused:
                    self._hold_against(mail, upto)

    def _hold_against(self, mail: Mail, upto: int) -> None:
        posted = _posted(mail.sender, mail.body)
        if mail.taken is None:
            for turn, said in self._taken.items():
                if turn <= upto and posted in said:
                    self._say(mail.id, f"still waits, but history took it in in turn {turn}")
        elif not isinstance(mail.taken, int):  # a tampered cell holds anything
            self._say(mail.id, "is marked as taken in no turn that could be")
        elif mail.taken <= upto:
            said = self._taken.get(mail.taken, [])
            if posted in said:
                said.remove(posted)
            elif said:
                self._say(mail.id, f"is not what was taken in in turn {mail.taken}")
            else:
                self._say(mail.id, f"is marked as taken in turn {mail.taken}, and no entry names it")

    def _say(self, number: int, what: str) -> None:
        self._problems.add("inbox", f"mail {number} {what}", f"mail {number}")


def _posted(sender: Any, raw: bytes) -> bytes:
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return b""
    return _digest(sender, body)


def _digest(sender: Any, body: Any) -> bytes:
    """The content of an event, whichever of its empty fields are written."""
    content = (
        {key: value for key, value in body.items() if value is not None} if isinstance(body, dict) else body
    )
    return sha256(msgspec.json.encode([sender, content], order="deterministic")).digest()
