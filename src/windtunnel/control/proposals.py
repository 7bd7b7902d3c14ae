"""Proposals of a workspace: made by evolutions, decided by people, applied as versions, and rolled back.

A vote is one named person's word, and counts once. When enough have said yes the candidate becomes a version
and is put in force, in the place of the very version that it was measured against: where another is in force
by then, nothing is applied. A process that dies between the two leaves `approved`; the next `approve` ends
it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from windtunnel.config import Workspace
from windtunnel.config.evolution import Evolving
from windtunnel.control.access import RESERVED
from windtunnel.control.database import open_database
from windtunnel.control.proposing import (
    COLUMNS,
    ROOM,
    STEPS,
    Proposal,
    Standing,
    Wanted,
    approvers_of,
    proposal_of,
)
from windtunnel.errors import NotFound, UsageError, VoteRefused, WrongState
from windtunnel.journal.database import Database, Rows
from windtunnel.run.voting import person
from windtunnel.scenario.approvals import policy_of
from windtunnel.scenario.reading import Place, node_of
from windtunnel.strategies.finding import find_version
from windtunnel.strategies.model import content_hash
from windtunnel.strategies.reading import check_strategy
from windtunnel.strategies.registry import Registry
from windtunnel.strategies.versions import Version
from windtunnel.words import quote
from windtunnel.world import World

HOUR = 3600.0
MOST = 1000
LONGEST_NOTE = 10_000

Many = list[Proposal]  # `list` is a verb below
Values = list[str | int]


class Proposals:
    """`with Proposals(workspace, find_world) as proposals:`; `find_world` tells the World of a name."""

    def __init__(
        self, workspace: Workspace, find_world: Callable[[str], World], database: Database | None = None
    ) -> None:
        self._own = database is None
        self._database = database or open_database(workspace)
        self._find_world = find_world
        self._workspace = workspace
        self.registry = Registry(self._database)
        self._database.lay(ROOM, STEPS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._own:
            self._database.close()

    @property
    def settings(self) -> Evolving:
        return self._workspace.settings.evolution

    # --- proposing ---

    def propose(self, wanted: Wanted) -> Proposal:
        """A proposal that waits for people. Asked again for the same run, it is the one that there is."""
        needed, seconds = approvers_of(wanted, self._policy())
        if wanted.confidence < self.settings.confidence:
            raise WrongState(
                f"a confidence of {wanted.confidence:.2f} is too little to be proposed", where=wanted.run_id,
                remedy=f"[evolution] confidence asks for {self.settings.confidence:g}",
            )  # fmt: skip
        now = self._database.now()
        with self._database.transaction() as rows:
            if known := rows.rows(f"SELECT {COLUMNS} FROM proposal WHERE run_id=?", [wanted.run_id]):
                return proposal_of(rows, known[0])
            recent = rows.rows("SELECT made FROM proposal WHERE made>? ORDER BY made DESC", [now - HOUR])
            most = self.settings.proposals_per_hour
            if len(recent) >= most:
                wait = (recent[most - 1][0] + HOUR - now) / 60
                raise WrongState(
                    f"there were {most} proposals within the last hour", where=wanted.run_id,
                    remedy=f"windtunnel evolve {wanted.run_id} proposes it again, in {wait:.0f} minutes",
                )  # fmt: skip
            made = rows.rows(
                "INSERT INTO proposal(run_id,strategy,body,needed,status,made,expires,base,version,changed)"
                f" VALUES(?,?,?,?,'pending',?,?,?,'',?) RETURNING {COLUMNS}",
                [
                    wanted.run_id, wanted.candidate.name, msgspec.json.encode(wanted).decode(), needed, now,
                    None if seconds is None else now + seconds, wanted.base, now,
                ],
            )  # fmt: skip
            return proposal_of(rows, made[0])

    def _policy(self) -> dict[str, Any] | None:
        named = self.settings.policy
        if not named:
            return None
        place = Place(str(self._workspace.file))
        return policy_of(node_of(named, place), Path(self._workspace.root), field="policy")

    # --- looking ---

    def list(self, *, status: str = "", strategy: str = "", after: int = 0, limit: int = 100) -> Many:
        """The newest first; from before `after` on, the `id` of one of them."""
        if not 1 <= limit <= MOST + 1:
            raise UsageError(f"a page has 1 to {MOST:,} items", where="limit")
        where, values = _where({"status=?": status, "strategy=?": strategy, "id<?": after})
        found = self._database.rows(
            f"SELECT {COLUMNS} FROM proposal {where} ORDER BY id DESC LIMIT ?", [*values, limit]
        )
        return [proposal_of(self._database, row) for row in found]

    def count(self, *, status: str = "", strategy: str = "") -> int:
        where, values = _where({"status=?": status, "strategy=?": strategy})
        return int(self._database.rows(f"SELECT count(*) FROM proposal {where}", values)[0][0])

    def stamps(self) -> dict[int, str]:
        """Of the latest ones, what is another whenever one of them is: nothing of their bodies is read."""
        found = self._database.rows(
            "SELECT p.id, p.status, (SELECT count(*) FROM proposal_vote v WHERE v.proposal=p.id)"
            " FROM proposal p ORDER BY p.id DESC LIMIT ?",
            [MOST],
        )
        return {key: f"{status} {votes}" for key, status, votes in found}

    def of_run(self, run_id: str) -> Proposal | None:
        """What an evolution proposed, if it did."""
        found = self._database.rows(f"SELECT {COLUMNS} FROM proposal WHERE run_id=?", [run_id])
        return proposal_of(self._database, found[0]) if found else None

    def find(self, reference: str | int) -> Proposal:
        return self._one(self._database, _number(reference))

    def _one(self, rows: Rows, key: int) -> Proposal:
        found = rows.rows(f"SELECT {COLUMNS} FROM proposal WHERE id=?", [key])
        if not found:
            raise NotFound(f"no proposal {key}", where="proposal", remedy="windtunnel proposals")
        return proposal_of(rows, found[0])

    # --- deciding ---

    def expire(self) -> None:
        """Those that nobody decided in time."""
        now = self._database.now()
        late = "status='pending' AND expires IS NOT NULL AND expires<=?"
        if self._database.rows(f"SELECT id FROM proposal WHERE {late} LIMIT 1", [now]):
            self._database.rows(f"UPDATE proposal SET status='expired', changed=? WHERE {late}", [now, now])

    def approve(self, reference: str | int, *, by: str, note: str = "") -> Proposal:
        """One person's yes. The last one that is needed puts the candidate in force."""
        key = _number(reference)
        found = self.find(key)
        if found.status != "approved":
            if found.status == "pending":  # else a yes would count for what cannot be done any more
                self._in_place(found)
                candidate = found.wanted.candidate
                check_strategy(candidate, self._find_world(candidate.world))
            found = self._vote(key, "approve", by, note)
        if found.status != "approved":
            return found
        try:
            return self._applied(found, by)
        except WrongState:
            self._take_back(found, by)
            raise

    def _take_back(self, found: Proposal, by: str) -> None:
        """Another version came to be in force between the last yes and its application: the yes counts for
        nothing, and the proposal waits again, to be rejected. Nothing where another has applied it."""
        mine = content_hash(found.wanted.candidate)
        with self._database.transaction() as rows:
            if find_version(rows, found.strategy).hash == mine:
                return
            if _move(rows, found.id, "approved", "pending", self._database.now()):
                rows.rows(
                    "DELETE FROM proposal_vote WHERE proposal=? AND person=? AND word='approve'",
                    [found.id, _person(by)],
                )

    def reject(self, reference: str | int, *, by: str, note: str = "") -> Proposal:
        """One person's no is the end of it."""
        return self._vote(_number(reference), "reject", by, note)

    def _vote(self, key: int, word: str, by: str, note: str) -> Proposal:
        who = _person(by)
        if len(note) > LONGEST_NOTE:
            raise UsageError(f"a note of {len(note):,} characters", where="note")
        now = self._database.now()
        late = False
        with self._database.transaction() as rows:
            found = self._one(rows, key)
            if found.status != "pending":
                raise WrongState(
                    f"proposal {key} is {_words(found.status)} already", where="proposal",
                    remedy=f"windtunnel proposals show {key}",
                )  # fmt: skip
            if found.expires is not None and now >= found.expires:
                late = True
                _move(rows, key, "pending", "expired", now)
            elif any(_person(vote.who) == who for vote in found.votes):
                raise VoteRefused(f"{by} has voted on proposal {key} already", where="proposal")
            else:
                _write(rows, key, who, by, word, note, now)
                if word == "reject":
                    _move(rows, key, "pending", "rejected", now)
                elif len(found.approvals) + 1 >= found.needed:
                    _move(rows, key, "pending", "approved", now)
        if late:
            raise VoteRefused(f"proposal {key} has expired", where="proposal")
        return self.find(key)

    def _in_place(self, found: Proposal) -> Version | None:
        """The version that it would replace, if it is what is in force; None where none is."""
        name = found.strategy
        try:
            head = self.registry.find(name)
        except NotFound:
            return None
        if head.hash != content_hash(found.wanted.start) and head.hash != content_hash(
            found.wanted.candidate
        ):
            raise WrongState(
                f"{head.label} is in force now, and this was measured against"
                f" {found.wanted.base or 'another content'}", where=name,
                remedy=f"begin an evolution with {head.label}; windtunnel proposals reject {found.id}",
            )  # fmt: skip
        return head

    def _applied(self, found: Proposal, by: str) -> Proposal:
        """Each step does nothing where it was done before: it may be taken up after a kill anywhere."""
        wanted = found.wanted
        world = self._find_world(wanted.candidate.world)
        why = f"proposal {found.id} of {wanted.run_id}: {wanted.title}"[:1000]
        base = self._in_place(found)
        if base is None:
            base = self.registry.add(wanted.start, why=f"start of {wanted.run_id}", by=by, world=world)
        made = self.registry.register(
            wanted.candidate, parents=[base.label], operator=wanted.operator, why=why, by=by, world=world
        )
        if not made.in_force:
            self.registry.apply(made.version.label, why=why, by=by, expecting=base.number)
            before = base.label
        else:
            before = found.base or made.version.parents[0]  # taken up after a kill
        with self._database.transaction() as rows:
            rows.rows(
                "UPDATE proposal SET version=?, base=? WHERE id=? AND status='approved'",
                [made.version.label, before, found.id],
            )
            _move(rows, found.id, "approved", "applied", self._database.now())
        return self.find(found.id)

    def rollback(self, reference: str | int, *, by: str, note: str = "") -> Proposal:
        """Put back what was in force before it."""
        found = self.find(reference)
        if found.status != "applied":
            raise WrongState(
                f"proposal {found.id} is {_words(found.status)}: there is nothing to roll back",
                where="proposal",
            )
        who = _person(by)
        head = self.registry.find(found.strategy)
        if head.label != found.base:  # else a kill came between the two
            if head.label != found.version:
                raise WrongState(
                    f"{head.label} is in force now, not what proposal {found.id} brought",
                    where=found.strategy,
                    remedy=f"windtunnel strategies rollback {found.strategy} --to {_after(found.base)}",
                )  # fmt: skip
            why = note or f"proposal {found.id} rolled back"
            self.registry.rollback(found.strategy, _after(found.base), why=why, by=by)
        with self._database.transaction() as rows:
            now = self._database.now()
            if not _move(rows, found.id, "applied", "rolled_back", now):
                raise WrongState(f"proposal {found.id} is rolled back already", where="proposal")
            _write(rows, found.id, who, by, "rollback", note, now)
        return self.find(found.id)


def _where(tests: dict[str, str | int]) -> tuple[str, Values]:
    """The clause for those tests whose value is not empty, with the values."""
    wanted = {test: value for test, value in tests.items() if value}
    return f"WHERE {' AND '.join(wanted)}" if wanted else "", [*wanted.values()]


def _move(rows: Rows, key: int, before: Standing, after: Standing, now: float) -> bool:
    return bool(
        rows.rows(
            "UPDATE proposal SET status=?, changed=? WHERE id=? AND status=? RETURNING id",
            [after, now, key, before],
        )
    )


def _write(rows: Rows, key: int, who: str, by: str, word: str, note: str, now: float) -> None:
    rows.rows(
        "INSERT INTO proposal_vote(proposal,person,who,word,note,made) VALUES(?,?,?,?,?,?)",
        [key, who, by, word, note, now],
    )


def _person(by: str) -> str:
    who = person(by)
    if not who or who in RESERVED or len(who) > 200:
        raise VoteRefused(f"{quote(by)} names nobody: a vote needs a person's name", where="by")
    return who


def _number(reference: str | int) -> int:
    text = str(reference).removeprefix("p")
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise UsageError(
            f"{quote(str(reference))} is no proposal's number",
            where="proposal",
            remedy="windtunnel proposals",
        )
    return int(text)


def _words(status: str) -> str:
    return status.replace("_", " ")


def _after(label: str) -> str:
    return label.rpartition("@")[2]
