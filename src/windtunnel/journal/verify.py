"""Whether a run is what it says it is: two verdicts, each with what and where.

*Intact*: both chains hold, recomputed from the stored bytes and from the columns beside them, from the first
entry of the shared past to the last; and whatever stands beside history (effects, checkpoints, mail, the
run's row, the views) agrees with it. *Complete*: the journal reaches the head that is kept outside of it;
unknown where there is none. The file of heads may lag behind the journal; the journal never behind it.

Nothing is executed and nothing is decoded that need not be: `replay` proves the rest. What no chain covers
is not proved: when an effect was asked and answered, how often, its key; tags, times and the reason of the
row; leases.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct, field

from windtunnel.errors import NotFound
from windtunnel.journal.heads import Head
from windtunnel.journal.lineage import Lineage
from windtunnel.journal.model import GENESIS, Entry, RunRow, Status, entry_hash, operation_hash
from windtunnel.journal.problems import Problems, safely
from windtunnel.journal.signing import signature_holds
from windtunnel.journal.store import Store
from windtunnel.journal.witnesses import CheckpointWitness, EffectWitness, MailWitness

# Where each kind of entry may stand. Two words without blanks: so a header line is read in one way only.
PLACES: dict[str, frozenset[str]] = {
    "started": frozenset({"start"}),
    "forked": frozenset({"fork"}),
    "migrated": frozenset({"fork"}),
    "mail": frozenset({"analyze"}),
    "effect": frozenset({"start", "analyze", "plan", "validate", "execute", "evaluate", "consolidate"}),
    "observed": frozenset({"analyze"}),
    "decided": frozenset({"plan"}),
    "judged": frozenset({"validate"}),
    "applied": frozenset({"execute"}),
    "scored": frozenset({"evaluate"}),
    "consolidated": frozenset({"start", "consolidate"}),
    "ended": frozenset({"end"}),
}
_CLOSES_A_TURN = ("consolidated", "forked", "migrated")


class Verified(Struct):
    run_id: str
    intact: bool
    complete: bool | None
    entries: int
    first_problem: dict[str, Any] | None = None
    problems: list[dict[str, Any]] = field(default_factory=list)  # the first twenty
    found: int = 0  # how many there are
    notes: list[str] = field(default_factory=list)
    pruned: bool = False


class _Played(Struct):
    seed: int = 1
    mode: str = "simulated"
    name: str = ""
    parameters: msgspec.Raw = msgspec.Raw(b"")


class _Beginning(Struct):
    scenario: _Played
    world: str = ""
    branch: int = 0


_BEGINNING = msgspec.json.Decoder(_Beginning)


def verify(
    store: Store,
    run_id: str,
    *,
    heads: Mapping[str, Head] | None = None,
    public_key: str | None = None,
) -> Verified:
    """Read all of a run once and say what does not hold. Raises only if there is no such run."""
    problems = Problems()
    # The heads before the journal: what they name was committed then, and must be found.
    head, notes = _outside_head(store, run_id, heads, public_key, problems)
    with store.snapshot():
        return _verify(store, store.run(run_id), head, problems, notes)


def _verify(store: Store, row: RunRow, head: Head | None, problems: Problems, notes: list[str]) -> Verified:
    for what in store.altered():
        problems.add("schema", f"{what} of this store is not as Windtunnel makes it", what)
    if row.pruned is not None:
        return _tombstone(store, row, head, problems, notes)
    history = History(store, row, problems, head)
    history.read()
    op_reached = _operations(store, row, problems, head, history.mail)
    history.finish()
    _row_agrees(row, history, problems)
    if head is not None:
        _compare_heads(row, head, history.reached, op_reached, problems)
    return _verdict(row, head, history.count, problems, notes)


def _verdict(row: RunRow, head: Head | None, entries: int, problems: Problems, notes: list[str]) -> Verified:
    outside = [problem for problem in problems.first if problem["table"] == "heads"]
    inside = [problem for problem in problems.first if problem["table"] != "heads"]
    complete = None if head is None and not outside else not outside
    return Verified(
        run_id=row.run_id, intact=problems.count == len(outside), complete=complete, entries=entries,
        first_problem=next(iter([*inside, *outside]), None), problems=[*inside, *outside],
        found=problems.count, notes=notes, pruned=row.pruned is not None,
    )  # fmt: skip


# --- history ----------------------------------------------------------------------------------------


class History:
    """The chain of entries, through the shared past of a fork, with the witnesses that stand beside it."""

    def __init__(self, store: Store, row: RunRow, problems: Problems, head: Head | None) -> None:
        self.store, self.row, self.problems = store, row, problems
        self.count = 0
        self.last: Entry | None = None
        self.reached = False  # the outside head's entry is there, with its hash
        self.branch, self.world, self.played = 0, "", _Played()
        self.sealed = -1
        self._wanted = head.seq if head else -1
        self._wanted_hash = head.hash if head else b""
        self._about: dict[tuple[str, str, str], tuple[bytes, bool, Any, bool]] = {}
        self._lineage = self._trace()
        self.effects = EffectWitness(store, problems)
        self.states = CheckpointWitness(store, self._lineage, problems)
        self.mail = MailWitness(store, problems)
        self._listeners = {
            "started": self._begun, "forked": self._forked, "migrated": self.states.migrated,
            "consolidated": self._consolidated, "ended": self.states.ended, "effect": self.effects.used,
            "mail": self.mail.taken,
        }  # fmt: skip

    def _trace(self) -> Lineage | None:
        try:
            return Lineage(self.store, self.row.run_id)
        except NotFound:
            missing = f"its past is missing: run {self.row.parent} or one before it is not in this store"
            self.problems.add("run", missing, f"run {self.row.run_id}")
            return None

    def read(self) -> None:
        if self._lineage is None:
            return
        begins = -1
        for part in self._lineage.parts:
            if part.row.pruned is not None:
                self.problems.add("run", f"its past is gone: run {part.row.run_id} was pruned", "run")
                return
            run_id = part.row.run_id
            self.effects.enter(run_id, begins)
            self.states.enter(run_id, part.last_seq, part.last_turn)
            self.mail.enter(run_id, part.last_turn)
            after = self.last.seq if self.last else -1
            stray = safely(self.store.entries(run_id, -(1 << 62), after), self.problems, "entry", run_id)
            for entry in stray:
                self.problems.entry(entry, "stands where the shared past of the run stands already")
            entries = self.store.entries(run_id, after, part.last_seq)
            self._chain(safely(entries, self.problems, "entry", f"the history of {run_id}"))
            if run_id != self.row.run_id and (self.last is None or self.last.seq != part.last_seq):
                self.problems.add(
                    "entry", f"entry {part.last_seq}, where the fork begins, is missing", run_id
                )
            begins = part.last_turn

    def _chain(self, entries: Iterator[Entry]) -> None:
        """One entry after another. It is written for speed: this loop is nearly all of the work."""
        last = self.last
        seq = last.seq if last else -1
        previous = last.hash if last else GENESIS
        turn, closed = (last.turn, last.kind in _CLOSES_A_TURN) if last else (0, False)
        about, wanted, count = self._about, self._wanted, 0
        for last in entries:
            number, now, phase, kind, actor, body, prev, hash = last
            if number != seq + 1 or prev != previous or type(now) is not int or now != turn:
                turn = self._step(last, seq, previous, turn, closed)
            header, known, listen, closed = about.get((phase, kind, actor)) or self._learn(phase, kind, actor)
            try:
                same = sha256(b"%b%d %d %b\n%b" % (prev, number, now, header, body)).digest() == hash
            except (TypeError, ValueError):
                same = False
            if not same:
                self._changed(last, previous)
            elif not known or b"\n" in body:
                self.problems.entry(last, "is of a kind or form that this version does not know")
            elif listen is not None:
                self._heard(listen, last)
            if number == wanted:
                self.reached = hash == self._wanted_hash
            seq, previous = number, hash
            count += 1
        self.last = last
        self.count += count

    def _learn(self, phase: str, kind: str, actor: str) -> tuple[bytes, bool, Any, bool]:
        """What is the same for all entries of a phase, kind and actor."""
        if len(self._about) >= 4096:
            self._about.clear()
        header = f"{phase} {kind} {actor}".encode()
        found = (header, phase in PLACES.get(kind, ()), self._listeners.get(kind), kind in _CLOSES_A_TURN)
        self._about[phase, kind, actor] = found
        return found

    def _step(self, entry: Entry, seq: int, previous: bytes, turn: int, closed: bool) -> int:
        """What is not as it was in the entry before: usually only that a turn began. Returns the turn."""
        if entry.seq != seq + 1:
            missing = (
                f"entries {seq + 1} to {entry.seq - 1} are" if entry.seq > seq + 2 else f"entry {seq + 1} is"
            )
            self.problems.add("entry", f"{missing} missing before {entry.place}", entry.place, seq=seq + 1)
        elif entry.prev != previous:
            self.problems.entry(entry, "does not follow the entry before it: its link names another hash")
        if type(entry.turn) is not int:
            self.problems.entry(entry, f"says turn {entry.turn!r}, which is no number")
            return turn
        if entry.turn != turn and not (entry.turn == turn + 1 and closed and entry.phase == "analyze"):
            self.problems.entry(entry, f"is out of order: it stands after turn {turn}")
        return entry.turn

    def _changed(self, entry: Entry, previous: bytes) -> None:
        try:
            linked = entry_hash(previous, *entry[:6]) == entry.hash
        except (TypeError, ValueError):
            linked = False
        if not linked:  # otherwise only the link was changed, which has been said
            self.problems.entry(entry, "was changed: its hash does not match its content")

    def _heard(self, listen: Any, entry: Entry) -> None:
        try:
            listen(entry)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.problems.entry(entry, "cannot be read: its body is not what its kind says")

    def _begun(self, entry: Entry) -> None:
        body = _BEGINNING.decode(entry.body)
        self.world, self.played = body.world, body.scenario
        if entry.seq:
            self.problems.entry(entry, "begins a run in the middle of it")

    def _forked(self, entry: Entry) -> None:
        body = _BEGINNING.decode(entry.body)
        same = bytes(body.scenario.parameters) == bytes(self.played.parameters)
        self.branch, self.played = body.branch, body.scenario
        self.states.forked(entry, same_parameters=same)

    def _consolidated(self, entry: Entry) -> None:
        self.effects.seal(entry.turn)
        self.states.consolidated(entry)
        self.sealed = entry.turn

    def finish(self) -> None:
        self.effects.finish(self.sealed)
        self.states.finish()
        self.mail.finish(self.sealed)


# --- operations -------------------------------------------------------------------------------------


def _operations(store: Store, row: RunRow, problems: Problems, head: Head | None, mail: MailWitness) -> bool:
    """The chain of operations. Whether it reaches the head that is kept outside."""
    seq, previous, reached = -1, GENESIS, head is None or head.op_seq < 0
    wanted = head.op_seq if head else -1
    where = f"the operations of {row.run_id}"
    for op in safely(store.operations(row.run_id, -(1 << 62)), problems, "operation", where):
        place = f"operation {op.seq} ({op.kind})"
        if op.seq != seq + 1:
            problems.add("operation", f"operation {seq + 1} is missing before {place}", place, seq=seq + 1)
        elif op.prev != previous:
            problems.add(
                "operation",
                f"{place} does not follow the one before it: its link names another hash",
                place,
                seq=op.seq,
            )
        try:
            same = (
                operation_hash(op.prev, op.seq, op.at, op.kind, op.body) == op.hash and b"\n" not in op.body
            )
            linked = same or operation_hash(previous, op.seq, op.at, op.kind, op.body) == op.hash
        except (TypeError, ValueError, AttributeError):
            same = linked = False
        if not linked:
            problems.add(
                "operation", f"{place} was changed: its hash does not match its content", place, seq=op.seq
            )
        if op.kind == "mail_refused" and same:
            mail.refused(op.body)
        if op.seq == wanted and head is not None:
            reached = op.hash == head.op_hash
        seq, previous = op.seq, op.hash
    if (row.op_seq, row.op_hash or GENESIS) != (seq, previous):
        told = f"the run's row says its operations end at {row.op_seq}; they end at {seq}"
        told = told if row.op_seq != seq else f"the run's row names another hash than operation {seq} has"
        problems.add("run", told, f"run {row.run_id}")
    return reached


# --- the row ----------------------------------------------------------------------------------------


def _row_agrees(row: RunRow, history: History, problems: Problems) -> None:
    def disagree(what: str, said: Any, stands: Any) -> None:
        message = f"the run's row says {what} {said}, its history says {stands}"
        problems.add("run", message, f"run {row.run_id}, {what}")

    last = history.last
    if last is None:
        if row.head_seq != -1 or row.turn or row.status is not Status.QUEUED:
            disagree("head", row.head_seq, "nothing: there are no entries")
        return
    if row.head_seq != last.seq:
        disagree("head", row.head_seq, f"{last.seq}: the last is {last.place}")
    elif row.head_hash != last.hash:
        disagree("head hash", row.head_hash.hex()[:12] if row.head_hash else "nothing", last.hash.hex()[:12])
    if row.turn != last.turn:
        disagree("turn", row.turn, last.turn)
    if (last.kind == "ended") != (row.status is Status.COMPLETED):
        disagree(
            "status", row.status.value, "that it ended" if last.kind == "ended" else "that it did not end"
        )
    played = history.played
    for what, said, stands in (
        ("world", row.world, history.world),
        ("seed", row.seed, played.seed),
        ("mode", row.mode, played.mode),
        ("scenario", row.scenario, played.name),
        ("branch", row.branch, history.branch),
    ):
        if said != stands:
            disagree(what, said, stands)


# --- the head outside -------------------------------------------------------------------------------


def _outside_head(
    store: Store, run_id: str, heads: Mapping[str, Head] | None, public_key: str | None, problems: Problems
) -> tuple[Head | None, list[str]]:
    head = store.head_outside(run_id) if heads is None else heads.get(run_id)
    if head is None:
        if public_key is not None:
            problems.add("heads", "there is no signed head of this run", "heads")
        return None, ["no head of this run is kept outside: whether its tail was cut cannot be told"]
    if public_key is not None:
        if not head.signature:
            problems.add("heads", f"the head at entry {head.seq} is not signed", "heads", seq=head.seq)
        elif not signature_holds(public_key, head.line(run_id), head.signature):
            problems.add(
                "heads", f"the signature of the head at entry {head.seq} does not hold", "heads", seq=head.seq
            )
    return head, []


def _compare_heads(row: RunRow, head: Head, reached: bool, op_reached: bool, problems: Problems) -> None:
    if not reached and head.seq >= 0:
        problems.add("heads", _fell_short("entry", head.seq, row.head_seq), "heads", seq=head.seq)
    if not op_reached:
        problems.add("heads", _fell_short("operation", head.op_seq, row.op_seq), "heads", seq=head.op_seq)


def _fell_short(what: str, wanted: int, last: int) -> str:
    if last < wanted:
        return f"the tail was cut: the head kept outside is {what} {wanted}, the journal ends at {last}"
    return f"{what} {wanted} is not the one whose hash is kept outside: what follows was written anew"


def _tombstone(
    store: Store, row: RunRow, head: Head | None, problems: Problems, notes: list[str]
) -> Verified:
    """What is left of a pruned run: its row, which must name the head that is kept outside."""
    left = safely(store.entries(row.run_id, -(1 << 62)), problems, "entry", row.run_id)
    if next(left, None) is not None:
        problems.add("entry", "the run was pruned, and yet entries of it are here", f"run {row.run_id}")
    if head is not None:
        same = (row.head_seq, row.head_hash or GENESIS) == (head.seq, head.hash or GENESIS)
        if row.head_seq < head.seq or (row.head_seq == head.seq and not same):
            problems.add("heads", "the tombstone names another head than the one kept outside", "heads")
    return _verdict(row, head, 0, problems, [*notes, "pruned: only its row and its head are left"])
