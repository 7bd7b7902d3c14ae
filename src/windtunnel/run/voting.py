"""Votes on an action that is held: which of them count, and what they come to.

What they come to is a function of the votes in the order in which they came, so whoever counts them (the
process that plays, a door that shows how it stands) comes to the same. A vote is one named person's word on
one action: on nobody's own, once, in time, and bound to the action by its digest. The first denial wins; what
is said after the decision, or again, counts for nothing and is recorded as refused.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from msgspec import Struct, ValidationError, field

from windtunnel.codec import decode_body
from windtunnel.errors import CodecError
from windtunnel.journal import Effect, Mail

KIND = "vote"
Refusal = Literal["self", "unnamed", "duplicate", "changed", "late", "decided"]
Outcome = Literal["waiting", "approved", "denied"]


class Vote(Struct):
    """The body of a letter. `via` is the door it came through, and who was there if that is another."""

    effect: str
    approve: bool
    note: str = ""
    digest: str = ""
    via: str = ""


class Cast(NamedTuple):
    """A vote as it lies in the inbox."""

    mail: int
    sender: str
    at: float
    vote: Vote


class Counted(Struct):
    """A vote, and whether it counts: `refused` says why it does not."""

    mail: int
    sender: str
    at: float
    approve: bool
    note: str = ""
    via: str = ""
    refused: Refusal | None = None
    why: str = ""


class Tally(Struct):
    outcome: Outcome = "waiting"
    needed: int = 1
    by: list[str] = field(default_factory=list)  # who decided; who said yes, while it waits
    note: str = ""
    votes: list[Counted] = field(default_factory=list)


def action_digest(request: bytes) -> str:
    """What a vote is bound to: the request it was asked about, action and terms."""
    return sha256(request).hexdigest()[:16]


def terms_of(effect: Effect) -> dict[str, Any]:
    """What an action is held to. But for words all of it is short, and so stands in the stored form."""
    terms: dict[str, Any] = decode_body(effect.request)["hold"]
    return terms


def expires_at(effect: Effect) -> float | None:
    """The moment after which nobody can decide any more; None if there is none, or turns decide it."""
    seconds = terms_of(effect).get("expires_seconds")
    return None if seconds is None else effect.asked + float(seconds)


def cast_on(name: str, letters: Iterable[Mail]) -> Iterator[Cast]:
    """The votes on one held action, in the order in which they came."""
    for mail in letters:
        if mail.kind != KIND:
            continue
        try:
            vote = decode_body(mail.body, Vote)
        except (ValidationError, CodecError, ValueError):
            continue  # refused when it was taken in
        if vote.effect == name:
            yield Cast(mail.id, mail.sender, mail.at, vote)


def tally(effect: Effect, cast: Iterable[Cast]) -> Tally:
    """What the votes come to."""
    found = Tally(needed=terms_of(effect).get("approvers", 1))
    digest, limit = action_digest(effect.request), expires_at(effect)
    said: dict[str, Counted] = {}
    for one in sorted(cast):
        counted = Counted(one.mail, one.sender, one.at, one.vote.approve, one.vote.note, one.vote.via)
        found.votes.append(counted)
        who = person(one.sender)
        if problem := _problem(one, who, effect, found, said.get(who), digest, limit):
            counted.refused, counted.why = problem
            continue
        said[who] = counted
        if not one.vote.approve:
            found.outcome, found.by, found.note = "denied", [one.sender], one.vote.note
            continue
        found.by.append(one.sender)
        if len(found.by) >= found.needed:
            found.outcome, found.note = "approved", one.vote.note
    return found


def person(name: str) -> str:
    """Two ways to write one name are one person."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _problem(
    one: Cast,
    who: str,
    effect: Effect,
    found: Tally,
    before: Counted | None,
    digest: str,
    limit: float | None,
) -> tuple[Refusal, str] | None:
    if not who:
        return "unnamed", "a vote needs a name"
    if who == person(effect.actor.split("/")[0]):
        return "self", "nobody votes on an action of their own"
    if one.vote.digest and one.vote.digest != digest:
        return "changed", "the vote means another action than the one that waits"
    if limit is not None and one.at >= limit:
        return "late", "the vote came after the action had expired"
    if before is not None:
        return "duplicate", f"{one.sender} has voted already, and said {'yes' if before.approve else 'no'}"
    if found.outcome != "waiting":
        return "decided", f"the action was {found.outcome} already, by {', '.join(found.by)}"
    return None
