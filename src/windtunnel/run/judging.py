"""The validate phase: each decision is judged, and held actions that were voted on come back."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from types import CoroutineType
from typing import TYPE_CHECKING, Any

import msgspec

from windtunnel.codec import decode_body, encode_body
from windtunnel.errors import WorldError
from windtunnel.journal.texts import unfolded
from windtunnel.run.casting import Seat
from windtunnel.run.deciding import one_typed, together
from windtunnel.run.effects import Parked
from windtunnel.run.entries import Judged, Judgement, Line, line
from windtunnel.run.mail import Deferred
from windtunnel.run.turn import Turn, blame_engine, settled
from windtunnel.world import ACCEPT, Event, Hold, Verdict

if TYPE_CHECKING:
    from windtunnel.run.player import Player


async def validate(
    player: Player, turn: Turn, asked: Sequence[int], attempt: int, *, last: bool
) -> tuple[list[int], Line]:
    """Judge each decision. Returns whom to ask again; the last time round, those do nothing instead."""
    player.enter("validate")
    if attempt == 1 and turn.mail:
        await judge_deferred(player, turn)
    if player.check is None and not turn.refused:
        return [], verdict_line(turn, asked, attempt, {})
    rejected: list[int] = []
    judgements: dict[str, Judgement] = {}
    parked: Parked | None = None
    for position, verdict in await verdicts(player, turn, asked):
        seat = turn.seats[position]
        who = seat.id
        try:
            judgement = await judged(player, turn, seat, verdict)
        except Parked as waits:  # let the others be asked too, then wait for all of them at once
            parked = waits
            continue
        if judgement.kind == "reject":
            seat.context.rejection = judgement.reason
            late = who in turn.refused and turn.refused[who].label == "late"
            if last or late:
                judgement.kind = "no_op"
            else:
                rejected.append(position)
        if judgement.kind in ("no_op", "hold", "denied"):
            turn.decided[who] = seat.role.no_op
        judgements[who] = judgement
    if parked is not None:
        raise parked
    turn.judgements |= judgements
    return rejected, verdict_line(turn, asked, attempt, judgements)


async def verdicts(player: Player, turn: Turn, asked: Sequence[int]) -> list[tuple[int, Verdict]]:
    """The validator's word on each decision, the plain yes left out."""
    refused, decided, seats = turn.refused, turn.decided, turn.seats
    found: list[tuple[int, Verdict]] = []
    if refused:
        bad = {position: refused[seats[position].id] for position in asked if seats[position].id in refused}
        found = [(position, Verdict("reject", f"{why.label}: {why.why}")) for position, why in bad.items()]
        asked = [position for position in asked if position not in bad]
    if player.check is None:
        return found
    with blame_engine(player, "check"):
        words = begun(player, [(seats[p], decided[seats[p].id]) for p in asked])
        if words.count(ACCEPT) == len(words):
            return found
        slow: dict[str, Coroutine[Any, Any, Any]] = {
            str(p): word for p, word in zip(asked, words, strict=True) if type(word) is CoroutineType
        }
        thought = await together(player, slow) if slow else {}
        for position, word in zip(asked, words, strict=True):
            verdict = thought.get(str(position), word)
            if type(verdict) is not Verdict:
                raise WorldError(
                    f"check returned {verdict!r}"[:120], remedy="return accept(), reject(...), ..."
                )
            if verdict is not ACCEPT:
                found.append((position, verdict))
    return sorted(found, key=lambda item: item[0])


def begun(player: Player, asked: Sequence[tuple[Seat, Any]]) -> list[Any]:
    """The validator's words; a coroutine where it takes its time, to be waited for with the others."""
    check, state = player.check, player.frame.state
    assert check is not None
    words: list[Any] = []
    try:
        for seat, action in asked:
            words.append(check(state, seat.actor, action, seat.context))
    except BaseException:
        for word in words:
            if type(word) is CoroutineType:
                word.close()
        raise
    return words


def verdict_line(turn: Turn, asked: Sequence[int], attempt: int, judgements: dict[str, Judgement]) -> Line:
    if not judgements and attempt == 1 and not turn.deferred:
        return ("validate", "judged", "", b'{"verdicts":"accept"}')
    ids = [turn.actors[position].id for position in asked]
    by_actor = {who: judgements.get(who, "accept") for who in ids}
    return line("validate", "judged", Judged(by_actor, attempt, turn.deferred if attempt == 1 else []))


async def judged(player: Player, turn: Turn, seat: Seat, verdict: Verdict) -> Judgement:
    """What a verdict other than a plain yes leads to."""
    if verdict.kind == "amend":
        with blame_engine(player, "check"):
            turn.decided[seat.id] = one_typed(seat, verdict.action, player)
        return Judgement("amend", verdict.reason, action=verdict.action)
    if verdict.kind == "accept":
        turn.decided.allowed[seat.id] = verdict.allowed
        return Judgement("accept", verdict.reason, allowed=verdict.allowed)
    if verdict.kind == "reject":
        return Judgement("reject", verdict.reason)
    return await held(player, turn, seat, verdict)


async def held(player: Player, turn: Turn, seat: Seat, verdict: Verdict) -> Judgement:
    """An action that waits for people: what would be done if they agree, which is what they vote on."""
    terms = verdict.hold
    assert terms is not None
    if verdict.action is not None:
        with blame_engine(player, "check"):
            turn.decided[seat.id] = one_typed(seat, verdict.action, player)
    request = {"actor": seat.id, "action": turn.decided.get(seat.id), "hold": terms}
    if verdict.allowed is not None:
        request["allowed"] = verdict.allowed
    if terms.mode == "defer":
        await defer(player, turn, seat, request, terms)
        return Judgement("hold", verdict.reason, hold=terms)
    votes = await player.effects.perform(seat.context, "approval", request)
    if votes["outcome"] != "approved":
        return Judgement("denied", f"{votes['outcome']}: {verdict.reason}", votes=votes)
    if verdict.allowed is not None:
        turn.decided.allowed[seat.id] = verdict.allowed
    kind = "accept" if verdict.action is None else "amend"
    return Judgement(kind, verdict.reason, action=verdict.action, allowed=verdict.allowed, votes=votes)


async def defer(player: Player, turn: Turn, seat: Seat, request: dict[str, Any], terms: Hold) -> str:
    """Ask for votes, and go on without the action."""
    effect = await player.effects.post(seat.context, "approval", request)
    plain = decode_body(encode_body(request["action"]))
    player.deferred.append(Deferred(effect.name, seat.id, plain, turn.number, terms.expires_turns))
    return effect.name


async def judge_deferred(player: Player, turn: Turn) -> None:
    """Held actions that were voted on meanwhile: checked again now, then handed to `apply` as events."""
    rulings = {mail.body["effect"]: mail.body for mail in turn.mail if mail.kind == "ruling"}
    if not rulings:
        return
    for item in [item for item in player.deferred if item.effect in rulings]:
        player.deferred.remove(item)
        ruling = rulings[item.effect]
        outcome = ruling["outcome"]
        seat = player.cast.seats[item.actor]
        action = one_typed(seat, item.action, player)
        told = {"effect": item.effect, "actor": item.actor, "outcome": outcome}
        if outcome == "approved" and player.check is not None:
            with blame_engine(player, "check"):
                verdict = await settled(player.check(player.frame.state, seat.actor, action, seat.context))
                told |= await again(player, turn, item, verdict, len(ruling["by"]))
        turn.deferred.append(told)
        if "as" not in told:
            event = Event(told["outcome"], action, item.actor, visible_to=(item.actor,))
            turn.retold.append(event)


async def again(player: Player, turn: Turn, item: Deferred, verdict: Verdict, votes: int) -> dict[str, Any]:
    """What becomes of an approved action under the judge's word of today. The votes were on that very action
    and on its terms of then: what would be done otherwise, or needs more people, needs votes of its own."""
    if verdict.kind == "reject" or verdict.allowed is not None:  # an event has no mask
        return {"outcome": "refused"}
    terms = verdict.hold
    if verdict.action is None and (terms is None or votes >= terms.approvers):
        return {}
    seat = player.cast.seats[item.actor]
    action = item.action if verdict.action is None else one_typed(seat, verdict.action, player)
    if terms is None:
        terms = terms_of(player, item)
    terms = msgspec.structs.replace(terms, mode="defer", reason=verdict.reason or terms.reason)
    request = {"actor": seat.id, "action": action, "hold": terms}
    return {"outcome": "held again", "as": await defer(player, turn, seat, request, terms)}


def terms_of(player: Player, item: Deferred) -> Hold:
    """The terms under which an action was held."""
    effects = player.tape.lineage.effects(item.turn)
    effect = next(effect for effect in effects if effect.name == item.effect)
    request = decode_body(unfolded(player.tape.store, effect.request))
    return msgspec.convert(request["hold"], Hold)
