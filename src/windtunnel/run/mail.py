"""Mail: the only way in for whatever reaches a run from outside while it plays.

Anyone may post; the one who plays takes in. `pause` and `cancel` steer the run. `event` reaches `apply`.
`answer` settles an effect that waits for one. `vote` counts towards an action that is held: `voting.py` says
how. `feedback` is nobody's to take in: see `feedback.py`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from msgspec import Struct, ValidationError, convert

from windtunnel.codec import decode_body
from windtunnel.errors import CodecError, WindtunnelError
from windtunnel.journal import Effect, Mail
from windtunnel.journal.texts import unfolded
from windtunnel.run.clock import Clock
from windtunnel.run.effects import Effects
from windtunnel.run.entries import MailTaken
from windtunnel.run.feedback import KIND as FEEDBACK
from windtunnel.run.feedback import Feedback
from windtunnel.run.tape import Tape
from windtunnel.run.voting import KIND as VOTE
from windtunnel.run.voting import Cast, Vote, action_digest, cast_on, expires_at, tally, terms_of

LOOK_SECONDS = 0.02


class Answer(Struct):
    effect: str
    result: Any = None


class EventMail(Struct):
    kind: str
    body: Any = None
    visible_to: tuple[str, ...] | None = None


BODIES: dict[str, type[Struct]] = {VOTE: Vote, "answer": Answer, "event": EventMail, FEEDBACK: Feedback}
CONTROL = ("pause", "cancel")


class Letter(NamedTuple):
    """An event that came by mail: its row, the turn that took it in before, and what history says of it."""

    id: int
    taken: int | None
    said: MailTaken


class Deferred(Struct):
    """A held action that did not stop the run, and still waits for its votes."""

    effect: str
    actor: str
    action: Any
    turn: int
    expires_turns: int | None = None


class Inbox:
    def __init__(self, tape: Tape, effects: Effects, clock: Clock) -> None:
        self._tape, self._effects, self._clock = tape, effects, clock
        self._store, self._run_id = tape.store, tape.run_id
        self._looked = -LOOK_SECONDS
        self.wish: str | None = None  # pause or cancel
        self._wishes: list[Mail] = []  # seen, and still to be obeyed
        self._handled: set[int] = set()  # taken or refused by us, whether or not that is committed yet
        self.events: list[Letter] = []
        # A turn that was cut short after it asked the outside something is closed: it is played again with
        # the mail it had then, or it would ask otherwise. What came since waits for the next turn.
        self.closed = False
        self._next = 0  # the turn in which a ruling made now is told

    def is_due(self) -> bool:
        return self._clock.tick() - self._looked >= LOOK_SECONDS

    async def look(self, turn: int, *, now: bool = False) -> None:
        """Take in what came, at most every few milliseconds; `turn` is the one about to be played."""
        if not (now or self.is_due()):
            return
        self._looked = self._clock.tick()
        if self._store.changed() or now:
            await self._sort(self._store.mail(self._run_id, taken_in=turn if now else None), turn)

    async def _sort(self, letters: list[Mail], turn: int) -> None:
        known = {letter.id for letter in self.events}
        self._next = max(self._next, turn + self.closed)
        votes: dict[str, dict[int, Vote]] = {}
        for mail in letters:
            if (
                mail.kind == FEEDBACK
                or mail.id in self._handled
                or (mail.taken is not None and mail.kind != "event")
            ):
                continue
            try:
                body = decode_body(mail.body, BODIES.get(mail.kind, Any))
            except (ValidationError, CodecError, ValueError) as error:
                self._refuse(mail, turn, str(error))
                continue
            if mail.kind in CONTROL:
                self._handled.add(mail.id)
                self._wishes.append(mail)
                self.wish = "cancel" if "cancel" in (self.wish, mail.kind) else "pause"
            elif mail.kind == "event" and mail.id not in known:
                self.events.append(Letter(mail.id, mail.taken, _event(mail, body)))
            elif mail.kind == "answer":
                await self._answer(mail, body, turn)
            elif mail.kind == VOTE:
                votes.setdefault(body.effect, {})[mail.id] = body
            elif mail.kind not in BODIES:
                self._refuse(mail, turn, f"mail of kind {mail.kind!r} is not known")
        for name, fresh in votes.items():
            await self._count(name, fresh, turn)

    def _done(self, mail: Mail, turn: int, **about: Any) -> None:
        self._handled.add(mail.id)
        self._tape.took(turn, mail.id)
        self._tape.operate("mail_taken", mail=mail.id, kind=mail.kind, sender=mail.sender, **about)

    def obeyed(self, turn: int) -> None:
        """The run leaves as it was wished. Taken only now: a crash on the way must not lose the wish."""
        for mail in self._wishes:
            self._done(mail, turn, wish=mail.kind)
        self._wishes.clear()

    def _refuse(self, mail: Mail, turn: int, why: str) -> None:
        self._handled.add(mail.id)
        self._tape.took(turn, mail.id)
        self._tape.operate("mail_refused", mail=mail.id, kind=mail.kind, sender=mail.sender, why=why)

    def _waiting(self, name: str) -> Effect | None:
        effect = self._effects.named(name)
        if effect is None:
            effect = next((e for e in self._store.waiting(self._run_id) if e.name == name), None)
        return effect if effect is not None and effect.result is None else None

    async def _answer(self, mail: Mail, answer: Answer, turn: int) -> None:
        effect = self._waiting(answer.effect)
        if effect is None:
            self._refuse(mail, turn, f"nothing called {answer.effect!r} waits for an answer")
        elif effect.kind == "approval":
            self._refuse(mail, turn, f"{answer.effect} waits for votes, not for an answer")
        else:
            self._done(mail, turn, effect=answer.effect)
            await self._effects.settle(effect, {"ok": answer.result})

    # --- votes ---

    async def _count(self, name: str, fresh: dict[int, Vote], turn: int) -> None:
        """Count what came anew, with all that was said before on the same action."""
        effect = self._waiting(name)
        letters = cast_on(name, self._store.letters(self._run_id))
        if effect is None or effect.kind != "approval":
            for one in letters:
                if one.mail in fresh:
                    self._voted(one, turn, "", "refused", why=f"nothing called {name!r} waits for votes")
            return
        found = tally(effect, cast := list(letters))
        digest, yes = action_digest(effect.request), 0
        for one, counted in zip(sorted(cast), found.votes, strict=True):
            yes += counted.approve and counted.refused is None
            if one.mail not in fresh:
                continue
            if counted.refused is not None:
                self._voted(one, turn, digest, "refused", refused=counted.refused, why=counted.why)
            else:
                how = f"{yes} of {found.needed}" if counted.approve else "denied"
                self._voted(one, turn, digest, how)
        if found.outcome != "waiting":
            await self._settle(effect, {"outcome": found.outcome, "by": found.by, "note": found.note})

    def _voted(self, one: Cast, turn: int, digest: str, outcome: str, **why: str) -> None:
        """Every vote leaves its mark: who, when, on what, what was said, and what came of it."""
        vote = one.vote
        about = {"via": vote.via} if vote.via else {}
        self._handled.add(one.mail)
        self._tape.took(turn, one.mail)
        self._tape.operate(
            "mail_refused" if why else "mail_taken", mail=one.mail, kind=VOTE, sender=one.sender,
            at=one.at, effect=vote.effect, approve=vote.approve, note=vote.note, meant=vote.digest,
            digest=digest, outcome=outcome, **about, **why,
        )  # fmt: skip

    async def _settle(self, effect: Effect, ruling: dict[str, Any]) -> None:
        deferred = terms_of(effect).get("mode") == "defer"
        told = {"turn": self._next} if deferred else {}
        await self._effects.settle(effect, {"ok": ruling, **told})

    def open(self, number: int) -> list[Letter]:
        """A turn begins: the events it takes in."""
        mine: list[Letter] = []
        if self.events:
            mine = [letter for letter in self.events if not self.closed or letter.taken == number]
            self.events = [letter for letter in self.events if letter not in mine]
        self.closed = False
        self._next = number + 1
        return mine

    async def expire(self, turn: int, deferred: list[Deferred]) -> None:
        """Close what nobody decided in time."""
        self._next = max(self._next, turn + self.closed)
        late = {
            d.effect for d in deferred if d.expires_turns is not None and turn >= d.turn + d.expires_turns
        }
        for effect in self._store.waiting(self._run_id):
            if effect.kind != "approval" or self._waiting(effect.name) is None:
                continue
            limit = expires_at(effect)
            if effect.name in late or (limit is not None and self._clock.wall() >= limit):
                mine = self._effects.named(effect.name) or effect
                self._tape.operate("expired", effect=effect.name, digest=action_digest(effect.request))
                await self._settle(mine, {"outcome": "expired", "by": [], "note": ""})

    def rulings(self, deferred: list[Deferred], number: int) -> list[MailTaken]:
        """What became of deferred actions that were decided before this turn."""
        found = []
        for item in deferred:
            mine = self._store.effects(self._run_id, item.turn)
            effect = next((e for e in mine if e.name == item.effect), None)
            if effect is not None and effect.result is not None:
                answer = decode_body(unfolded(self._store, effect.result))
                if answer.get("turn", 0) > number:
                    continue
                outcome = answer["ok"]
                found.append(MailTaken("ruling", {"effect": item.effect, **outcome}))
        return found


def _event(mail: Mail, body: EventMail) -> MailTaken:
    content: dict[str, Any] = {"kind": body.kind, "body": body.body}
    if body.visible_to is not None:
        content["visible_to"] = list(body.visible_to)
    return MailTaken("event", content, mail.sender)


def mail_error(kind: str, body: Any) -> WindtunnelError | None:
    """What is wrong with mail before it is posted, so that the sender hears it."""
    if kind in CONTROL:
        return None
    if kind not in BODIES:
        return WindtunnelError(f"mail of kind {kind!r} is not known")
    try:
        convert(body, BODIES[kind])
    except ValidationError as error:
        return WindtunnelError(f"this {kind} cannot be posted: {error}")
    return None
