"""What waits for votes, in words a person can decide on; and a vote, with what has come of it.

How an action stands is counted from the votes in the run's inbox by the very function that the process which
plays will use: a vote is answered at once, whether or not anybody plays. A vote that cannot count is posted
all the same, so that the journal keeps that it was tried, and refused to its sender by name.

Who may vote is the doors' business; which votes count is not: one name, one word, never the actor's own.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from windtunnel.codec import decode_body, encode_body
from windtunnel.control.catalog import Found
from windtunnel.errors import NotFound, UsageError, VoteRefused, WrongState
from windtunnel.journal import Effect, Status, Store
from windtunnel.journal.texts import whole
from windtunnel.run.voting import (
    KIND,
    Counted,
    Tally,
    action_digest,
    cast_on,
    expires_at,
    person,
    tally,
)

Standing = Literal["waiting", "approved", "denied", "expired"]
LONGEST_NAME = 200
LONGEST_NOTE = 10_000


class Approval(Struct):
    """A held action: what would be done, why it waits, and what was said to it."""

    run_id: str
    effect: str
    status: Standing
    actor: str
    turn: int
    action: Any
    summary: str
    reason: str
    risk: str
    amount: float | None
    unit: str
    rule: str
    mode: str  # park: the run waits for it; defer: it goes on
    digest: str
    asked: float
    expires: float | None  # a moment of the wall clock
    expires_turn: int | None
    decided: float | None
    needed: int
    by: list[str]  # who said yes so far, or decided
    note: str
    tell: list[str]
    votes: list[Counted]
    location: str
    world: str
    scenario: str
    run_status: str
    request: Any = None
    kind: str = "approval"
    id: str = ""

    @property
    def word(self) -> str:
        """How it stands, in words."""
        if self.status != "waiting":
            return f"{self.status}{' by ' if self.by else ''}{', '.join(self.by)}"
        return f"{len(self.by)} of {self.needed}"


class Voted(Struct):
    """A vote that counts, and what has come of the action by it. `resume` is the run that can go on now, if
    nobody plays it: whoever took the vote puts it into the queue."""

    found: Found
    approval: Approval
    mail: int
    resume: str | None = None
    others: list[str] = field(default_factory=list)  # what else of the run still waits for votes


def approvals_of(store: Store, found: Found, now: float, *, every: bool = False) -> list[Approval]:
    """The held actions of a run that wait for votes; or all that it ever had."""
    run = found.row.run_id
    effects = store.effects(run, kind="approval") if every else store.waiting(run)
    mine = [effect for effect in effects if effect.kind == "approval"]
    if not mine:
        return []
    letters = [mail for mail in store.letters(run) if mail.kind == KIND]
    return [_told(store, found, effect, tally(effect, cast_on(effect.name, letters)), now) for effect in mine]


def _told(store: Store, found: Found, effect: Effect, counted: Tally, now: float) -> Approval:
    row = found.row
    full = whole(store, effect)
    request = decode_body(full.request)
    terms = request["hold"]
    status, by, note = _standing(effect, full, counted, now)
    turns = terms.get("expires_turns") if terms.get("mode", "park") == "defer" else None
    return Approval(
        run_id=row.run_id, effect=effect.name, status=status, actor=effect.actor, turn=effect.turn,
        action=request["action"], summary=terms.get("summary", ""), reason=str(terms.get("reason", "")),
        risk=terms.get("risk", "medium"), amount=terms.get("amount"), unit=terms.get("unit", ""),
        rule=terms.get("rule", ""), mode=terms.get("mode", "park"), digest=action_digest(effect.request),
        asked=effect.asked, expires=expires_at(effect),
        expires_turn=None if turns is None else effect.turn + turns, decided=effect.answered,
        needed=counted.needed, by=by, note=note,
        tell=list(terms.get("tell", ())), votes=counted.votes, location=found.location, world=row.world,
        scenario=row.scenario, run_status=str(row.status), request=request, id=f"{row.run_id}:{effect.name}",
    )  # fmt: skip


def _standing(effect: Effect, full: Effect, counted: Tally, now: float) -> tuple[Standing, list[str], str]:
    """The ruling that is recorded; else what the votes come to; else whether its time is over."""
    if full.result is not None:
        ruling = decode_body(full.result)["ok"]
        return ruling["outcome"], list(ruling["by"]), ruling.get("note", "")
    limit = expires_at(effect)
    if counted.outcome == "waiting" and limit is not None and now >= limit:
        return "expired", [], ""
    return counted.outcome, list(counted.by), counted.note


def the_one(store: Store, found: Found, effect: str, now: float) -> Approval:
    """The held action of that name, decided or not; without a name, the only one that waits."""
    waiting = approvals_of(store, found, now)
    if not effect and len(waiting) == 1:
        return waiting[0]
    run = found.row.run_id
    if not effect and waiting:
        names = ", ".join(one.effect for one in waiting)
        raise NotFound("several things wait for votes", where=run, remedy=f"name one: {names}")
    if not effect:
        raise NotFound(f"nothing in {run} waits for votes", remedy=f"windtunnel show {run}")
    for one in waiting or ():
        if one.effect == effect:
            return one
    for one in approvals_of(store, found, now, every=True):
        if one.effect == effect:
            return one
    names = ", ".join(one.effect for one in waiting) or "nothing"
    raise NotFound(f"nothing called {effect!r} waits for votes", where=run, remedy=f"what waits: {names}")


def vote(  # noqa: PLR0913 - what a vote says, each by name
    store: Store,
    found: Found,
    effect: str,
    approve: bool,
    *,
    sender: str,
    now: float,
    note: str = "",
    digest: str = "",
    via: str = "",
) -> Voted:
    """Put a vote into the run's inbox and tell what has come of it. It is bound to the action as it waits
    now, or to the `digest` that its sender saw."""
    _check(found, sender, note)
    one = the_one(store, found, effect, now)
    body = {"effect": one.effect, "approve": approve, "note": note, "digest": digest or one.digest}
    body |= {"via": via} if via else {}
    decided = one.status
    mail = store.post(found.row.run_id, KIND, encode_body(body), sender, now)
    one = the_one(store, found, one.effect, now)
    mine = next(counted for counted in one.votes if counted.mail == mail)
    if decided != "waiting" and mine.refused is None:  # decided by a ruling that no vote made
        mine.refused, mine.why = ("late" if decided == "expired" else "decided"), f"the action is {decided}"
    if mine.refused is not None:
        raise VoteRefused(
            f"this vote does not count: {mine.why}", where=one.id, remedy=_remedy(mine, one),
            refused=mine.refused, status=one.status, run_id=one.run_id, effect=one.effect,
        )  # fmt: skip
    return _voted(store, found, one, mail, now)


def _check(found: Found, sender: str, note: str) -> None:
    if found.row.status.ended or found.row.pruned is not None:
        raise WrongState(f"run {found.row.run_id} is {found.row.status}; nothing of it waits for votes")
    if not person(sender) or len(sender) > LONGEST_NAME:
        raise UsageError("a vote needs the name of whoever votes", where="--as", remedy="--as NAME")
    if len(note) > LONGEST_NOTE:
        raise UsageError(f"a note of {len(note):,} characters", where="--note", remedy="a shorter one")


def _remedy(mine: Counted, one: Approval) -> str:
    run, effect = one.run_id, one.effect
    ways = {
        "self": "somebody else decides",
        "duplicate": f"somebody else decides; {one.word} so far",
        "changed": f"windtunnel approvals show {run} {effect} shows what waits now",
        "late": f"windtunnel resume {run} goes on without it",
        "decided": f"windtunnel approvals show {run} {effect}",
    }
    return ways.get(str(mine.refused), "vote by name")


def _voted(store: Store, found: Found, one: Approval, mail: int, now: float) -> Voted:
    row = store.run(found.row.run_id)
    others = approvals_of(store, found, now)
    waiting = [other for other in others if other.status == "waiting"]
    parked = any(other.mode == "park" for other in waiting)
    ready = one.status != "waiting" and row.status is Status.WAITING and not parked
    return Voted(found, one, mail, row.run_id if ready else None, [other.effect for other in waiting])
