"""What a proposal is: a change to a strategy that something found out, with the evidence for it, which people
decide on. Its tables, rows as proposals, and how many people its risk asks for."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct, field

from windtunnel.errors import Forbidden
from windtunnel.journal.database import Row, Rows
from windtunnel.safety import Policy
from windtunnel.scenario import GRAVE
from windtunnel.strategies.model import Strategy
from windtunnel.strategies.versions import Diff
from windtunnel.world import Action, Risk, Stakes, accept

Type: TypeAlias = Literal["parameter", "prompt", "model"]
Standing: TypeAlias = Literal["pending", "approved", "rejected", "expired", "applied", "rolled_back"]

ROOM = "proposals"
# `body` is what was proposed and never changes; the columns are how it stands.
STEPS = [
    """
    CREATE TABLE proposal(
        id {id}, run_id TEXT NOT NULL UNIQUE, strategy TEXT NOT NULL, body TEXT NOT NULL,
        needed {int} NOT NULL, status TEXT NOT NULL, made {real} NOT NULL, expires {real},
        base TEXT NOT NULL, version TEXT NOT NULL, changed {real} NOT NULL);
    CREATE INDEX proposal_made ON proposal(made);
    CREATE INDEX proposal_status ON proposal(status, id);
    CREATE TABLE proposal_vote(
        id {id}, proposal {int} NOT NULL, person TEXT NOT NULL, who TEXT NOT NULL, word TEXT NOT NULL,
        note TEXT NOT NULL, made {real} NOT NULL, UNIQUE(proposal, person, word))
    """
]
COLUMNS = "id,body,needed,status,made,expires,base,version,changed"


class ChangeParameters(Action, frozen=True):
    """Other numbers within their bounds."""

    strategy: str
    summary: str


class ChangePrompt(Action, frozen=True):
    """Other instructions."""

    strategy: str
    summary: str


class ChangeModel(Action, frozen=True):
    """Another model."""

    strategy: str
    summary: str


CHANGES: dict[Type, Any] = {"parameter": ChangeParameters, "prompt": ChangePrompt, "model": ChangeModel}


class Wanted(Struct, frozen=True):
    """What is proposed: `candidate` instead of `start`, which is the version `base` where it is registered.
    `run_id` is the run that found it out."""

    run_id: str
    type: Type
    title: str
    description: str
    confidence: float
    risk: Risk
    evidence: dict[str, Any]
    diff: Diff
    start: Strategy
    candidate: Strategy
    operator: str = "mutation"
    base: str = ""


class Vote(Struct, frozen=True):
    who: str
    word: str  # approve, reject, rollback
    note: str
    at: float


class Proposal(Struct, frozen=True):
    """A proposal and how it stands. `version` is what was applied, `base` what was in force before."""

    id: int
    wanted: Wanted
    status: Standing
    needed: int
    made: float
    expires: float | None
    base: str
    version: str
    changed: float
    votes: list[Vote] = field(default_factory=list)

    @property
    def strategy(self) -> str:
        return self.wanted.candidate.name

    @property
    def approvals(self) -> list[str]:
        return [vote.who for vote in self.votes if vote.word == "approve"]


def approvers_of(wanted: Wanted, policy: dict[str, Any] | None) -> tuple[int, float | None]:
    """How many people must say yes, and within how many seconds. At least one, whatever the policy allows;
    two where the risk is high."""
    least = 2 if wanted.risk in GRAVE else 1
    if policy is None:
        return least, None
    action = CHANGES[wanted.type](wanted.candidate.name, wanted.title)
    word = Policy(policy).judge(accept(), action, Stakes(risk=wanted.risk, summary=wanted.title))
    if word.kind == "reject":
        raise Forbidden(f"the approval policy refuses it: {word.reason}", where="[evolution] policy")
    if word.hold is None:
        return least, None
    return max(least, word.hold.approvers), word.hold.expires_seconds


def proposal_of(rows: Rows, row: Row) -> Proposal:
    key, body, needed, status, made, expires, base, version, changed = row
    votes = rows.rows("SELECT who,word,note,made FROM proposal_vote WHERE proposal=? ORDER BY id", [key])
    wanted = msgspec.json.decode(body, type=Wanted)
    return Proposal(
        key, wanted, status, needed, made, expires, base, version, changed, [Vote(*vote) for vote in votes]
    )
