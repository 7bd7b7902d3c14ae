"""Mail: the only way in for whatever reaches a run from outside while it plays.

Anyone may post; the one who plays takes in. `pause` and `cancel` steer the run. `event` reaches `apply`.
`answer` settles an effect that waits for one. `vote` counts towards an action that is held: distinct
voters, never the actor itself, the first denial wins, and a vote may name the digest of the action it
means, so that it cannot be counted for another. `feedback` is nobody's to take in: see `feedback.py`.
"""

from __future__ import annotations

from hashlib import sha256
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

LOOK_SECONDS = 0.02


class Vote(Struct):
    effect: str
    approve: bool
    note: str = ""
    digest: str = ""


class Answer(Struct):
    effect: str
    result: Any = None


class EventMail(Struct):
    kind: str
    body: Any = None
    visible_to: tuple[str, ...] | None = None


BODIES: dict[str, type[Struct]] = {"vote": Vote, "answer": Answer, "event": EventMail, FEEDBACK: Feedback}
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


def action_digest(request: bytes) -> str:
    """What a vote is bound to: the request it was asked about, action and terms."""
    return sha256(request).hexdigest()[:16]


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

    async def look(self, turn: int, *, now: bool = False) -> None:
        """Take in what came, at most every few milliseconds; `turn` is the one about to be played."""
        tick = self._clock.tick()
        if not now and tick - self._looked < LOOK_SECONDS:
            return
        self._looked = tick
        if self._store.changed() or now:
            await self._sort(self._store.mail(self._run_id, taken_in=turn if now else None), turn)

    async def _sort(self, letters: list[Mail], turn: int) -> None:
        known = {letter.id for letter in self.events}
        self._next = max(self._next, turn + self.closed)
        votes: dict[str, list[tuple[Mail, Vote]]] = {}
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
            elif mail.kind == "vote":
                votes.setdefault(body.effect, []).append((mail, body))
            elif mail.kind not in BODIES:
                self._refuse(mail, turn, f"mail of kind {mail.kind!r} is not known")
        for name, cast in votes.items():
            await self._count(name, cast, turn)

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

    async def _count(self, name: str, cast: list[tuple[Mail, Vote]], turn: int) -> None:
        effect = self._waiting(name)
        if effect is None or effect.kind != "approval":
            for mail, _ in cast:
                self._refuse(mail, turn, f"nothing called {name!r} waits for votes")
            return
        needed = _terms(effect).get("approvers", 1)
        approvers: list[str] = []
        for position, (mail, vote) in enumerate(cast):
            if problem := _invalid(vote, mail.sender, effect, approvers):
                self._refuse(mail, turn, problem)
            elif not vote.approve:
                await self._rule(effect, "denied", [mail.sender], vote.note, cast[: position + 1], turn)
                return
            else:
                approvers.append(mail.sender)
                if len(approvers) >= needed:
                    await self._rule(effect, "approved", approvers, vote.note, cast[: position + 1], turn)
                    return

    async def _rule(
        self, effect: Effect, outcome: str, by: list[str], note: str, cast: list[tuple[Mail, Vote]], turn: int
    ) -> None:
        for mail, vote in cast:
            self._done(mail, turn, effect=effect.name, approve=vote.approve, note=vote.note)
        await self._settle(effect, {"outcome": outcome, "by": by, "note": note})

    async def _settle(self, effect: Effect, ruling: dict[str, Any]) -> None:
        deferred = _terms(effect).get("mode") == "defer"
        told = {"turn": self._next} if deferred else {}
        await self._effects.settle(effect, {"ok": ruling, **told})

    def open(self, number: int) -> list[Letter]:
        """A turn begins: the events it takes in."""
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
            seconds = _terms(effect).get("expires_seconds")
            if effect.name in late or (seconds is not None and self._clock.wall() >= effect.asked + seconds):
                mine = self._effects.named(effect.name) or effect
                self._tape.operate("expired", effect=effect.name)
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


def _terms(effect: Effect) -> dict[str, Any]:
    """What an action is held to. But for the reason all of it is short, and so stands in the stored form."""
    terms: dict[str, Any] = decode_body(effect.request)["hold"]
    return terms


def _invalid(vote: Vote, sender: str, effect: Effect, approvers: list[str]) -> str | None:
    if sender == effect.actor:
        return "nobody votes on an action of their own"
    if sender in approvers:
        return f"{sender} has voted already"
    if vote.digest and vote.digest != action_digest(effect.request):
        return "the vote means another action than the one that waits"
    return None


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
