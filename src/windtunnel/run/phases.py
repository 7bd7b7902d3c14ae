"""One turn, in its six phases. Read it from top to bottom: `play_turn` is the whole story.

A turn is sealed at its end, as a whole: until then nothing of it is history, and what it cost (the results
of effects) is durable on its own. So a turn that was cut short is simply played again, and comes to the
same end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from hashlib import sha256
from types import CoroutineType
from typing import TYPE_CHECKING, Any

import msgspec

from windtunnel.codec import array_summary, decode_body, encode_body, encode_seen
from windtunnel.errors import (
    AgentError,
    CodecError,
    EngineError,
    InvariantBroken,
    WindtunnelError,
    WorldError,
)
from windtunnel.run.casting import Seat
from windtunnel.run.effects import LISTEN_SECONDS, Parked
from windtunnel.run.entries import (
    AppliedEntry,
    DecidedEntry,
    Judged,
    Judgement,
    Line,
    MailTaken,
    Refused,
    Scored,
    line,
)
from windtunnel.run.mail import Deferred
from windtunnel.world import ACCEPT, Actor, Decided, Event, Outcome, Progress, Verdict

if TYPE_CHECKING:
    from windtunnel.run.player import Player

MAX_ACTION_BYTES = 8 << 20
ACCEPTED = Judgement("accept")


class Turn:
    """What a turn gathers on its way through the phases."""

    __slots__ = (
        "actors", "decided", "deferred", "events", "judgements", "lines", "mail", "number",
        "observations", "progress", "refused", "retold", "scores", "seats",
    )  # fmt: skip

    def __init__(self, number: int, mail: list[MailTaken]) -> None:
        self.number, self.mail = number, mail
        self.lines: list[Line] = [line("analyze", "mail", letter) for letter in mail]
        self.actors: Sequence[Actor] = ()
        self.seats: list[Seat] = []
        self.observations: list[Any] = []
        self.decided = Decided()
        self.refused: dict[str, Refused] = {}
        self.judgements: dict[str, Judgement] = {}
        self.deferred: list[Any] = []
        self.events: list[Event] = []
        self.retold: list[Event] = []
        self.scores: Mapping[str, Any] = {}
        self.progress: Progress | None = None

    @property
    def order(self) -> dict[str, int]:
        """Where each actor stands in the order in which they act."""
        return {actor.id: position for position, actor in enumerate(self.actors)}


async def play_turn(player: Player, turn: Turn) -> Turn:
    """Observe, decide, check, apply, score, remember. Nothing here writes; the caller seals the turn."""
    await analyze(player, turn)
    await plan_and_validate(player, turn)
    await execute(player, turn)
    await evaluate(player, turn)
    await consolidate(player, turn)
    return turn


# --- analyze ----------------------------------------------------------------------------------------


async def analyze(player: Player, turn: Turn) -> None:
    """Who acts, and what each of them sees."""
    player.enter("analyze")
    engine, state = player.engine, player.frame.state
    with blame_engine(player, "observe"):
        chosen = await settled(engine.to_act(state))
        turn.actors, turn.seats = player.cast.called(chosen)
        observe = engine.observe
        turn.observations = [observe(state, actor) for actor in turn.actors]
        if turn.observations and type(turn.observations[0]) is CoroutineType:
            turn.observations = [await settled(seen) for seen in turn.observations]
        digest = sha256(encode_seen(turn.observations)).hexdigest()
    seal_phase(player, turn, "analyze")
    turn.lines.append(("analyze", "observed", "", b'{"seen":"%b"}' % digest.encode()))


# --- plan and validate: asked again with the reason, until it is valid or the attempts are used ---------


async def plan_and_validate(player: Player, turn: Turn) -> None:
    asked: Sequence[int] = range(len(turn.actors))
    attempts = player.scenario.attempts
    talk: list[Line] = []
    for attempt in range(1, attempts + 1):
        talk.append(await plan(player, turn, asked, attempt))
        rejected, judged_line = await validate(player, turn, asked, attempt, last=attempt == attempts)
        talk.append(judged_line)
        if not rejected:
            break
        asked = rejected
    if attempt > 1:
        for seat in turn.seats:
            seat.context.attempt, seat.context.rejection = 1, None
    seal_phase(player, turn, "plan")
    turn.lines.append(talk[0])
    seal_phase(player, turn, "validate")
    turn.lines += talk[1:]


async def plan(player: Player, turn: Turn, asked: Sequence[int], attempt: int) -> Line:
    """Every agent that acts decides: sync ones here and now, async ones at the same time, under a limit."""
    player.enter("plan")
    made: dict[str, Any] = {}
    pending: list[tuple[Seat, CoroutineType[Any, Any, Any]]] = []
    turn.refused = {}
    observations, seats, maybe_late = turn.observations, turn.seats, player.effects.any_known
    for position in asked:
        seat = seats[position]
        if attempt > 1:
            seat.context.attempt = attempt
        if maybe_late and player.was_late(seat, attempt):
            turn.refused[seat.id] = Refused("late", f"no decision within {player.deadline(seat):g} s")
            continue
        try:
            choice = seat.decide(observations[position], seat.context)
        except Exception as error:
            for _, other in pending:
                other.close()
            if isinstance(error, WindtunnelError):
                raise
            raise agent_failed(player, seat, error) from error
        if type(choice) is CoroutineType:
            pending.append((seat, choice))
        else:
            made[seat.id] = choice
    if pending:
        made |= await decide_together(player, turn, pending, attempt)
        made = {who: made[who] for who in turn.order if who in made}
    actions, raw = typed(player, turn, made)
    turn.decided.update(actions)
    if turn.refused or attempt > 1:
        return line("plan", "decided", DecidedEntry(actions, turn.refused, attempt))
    return ("plan", "decided", "", b'{"actions":%b}' % raw)


async def decide_together(
    player: Player, turn: Turn, pending: list[tuple[Seat, CoroutineType[Any, Any, Any]]], attempt: int
) -> dict[str, Any]:
    limit = asyncio.Semaphore(player.scenario.concurrency)

    async def one(seat: Seat, choice: Awaitable[Any]) -> Any:
        async with limit:
            return await in_time(player, turn, seat, choice, attempt)

    tasks = [asyncio.ensure_future(one(seat, choice)) for seat, choice in pending]
    waiting = set(tasks)
    try:
        while waiting:  # everyone finishes, even when one waits for a person: what was paid for is kept
            _, waiting = await asyncio.wait(waiting, timeout=LISTEN_SECONDS)
            await player.listen()
    finally:
        for task in waiting:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for _, choice in pending:
            choice.close()  # one that never got its turn
    # An exception that was returned is a decision (a bad one), and no failure.
    failures = [
        result
        for task, result in zip(tasks, results, strict=True)
        if isinstance(result, BaseException) and (task.cancelled() or task.exception() is result)
    ]
    for failure in sorted(failures, key=lambda failure: isinstance(failure, Parked)):
        raise failure
    made = {seat.id: result for (seat, _), result in zip(pending, results, strict=True)}
    return {who: choice for who, choice in made.items() if who not in turn.refused}


async def in_time(player: Player, turn: Turn, seat: Seat, choice: Awaitable[Any], attempt: int) -> Any:
    deadline = player.deadline(seat)
    try:
        async with asyncio.timeout(deadline):
            return await choice
    except TimeoutError:
        await player.late(seat, attempt, deadline or 0.0)
        turn.refused[seat.id] = Refused("late", f"no decision within {deadline:g} s")
        return None
    except (WindtunnelError, Parked, asyncio.CancelledError):
        raise
    except Exception as error:
        raise agent_failed(player, seat, error) from error


def typed(player: Player, turn: Turn, made: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """What was decided, read back from the very bytes that are stored, so that nothing else is applied."""
    try:
        raw = encode_body(made)
        actions = player.cast.decoder.decode(raw)
        if len(raw) < MAX_ACTION_BYTES and player.cast.within_roles(actions):
            return actions, raw
    except (CodecError, msgspec.ValidationError, msgspec.DecodeError, ValueError, RecursionError):
        pass  # somebody's is bad: look at each alone
    actions = {}
    for who, choice in made.items():
        try:
            actions[who] = one_typed(player.cast.seats[who], choice, player)
        except (CodecError, ValueError, RecursionError) as error:
            why = error.message if isinstance(error, CodecError) else str(error)
            turn.refused[who] = Refused("illegal", why)
    return actions, encode_body(actions)


def one_typed(seat: Seat, choice: Any, player: Player) -> Any:
    raw = encode_body(choice)
    if len(raw) > MAX_ACTION_BYTES:
        raise CodecError(f"an action of {len(raw):,} bytes; at most {MAX_ACTION_BYTES:,} are taken")
    action = player.cast.decoder.decode(b'{"a":%b}' % raw)["a"]
    if type(action) not in seat.actions:
        allowed = ", ".join(sorted(kind.__name__ for kind in seat.actions))
        raise CodecError(f"{type(action).__name__} is no action of role {seat.spec.role}: {allowed}")
    return action


async def validate(
    player: Player, turn: Turn, asked: Sequence[int], attempt: int, *, last: bool
) -> tuple[list[int], Line]:
    """Judge each decision. Returns whom to ask again; the last time round, those do nothing instead."""
    player.enter("validate")
    if attempt == 1:
        await judge_deferred(player, turn)
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
    check, state, decided, refused, seats = (
        player.check,
        player.frame.state,
        turn.decided,
        turn.refused,
        turn.seats,
    )
    found: list[tuple[int, Verdict]] = []
    if check is None and not refused:
        return found
    with blame_engine(player, "check"):
        for position in asked:
            seat = seats[position]
            if refused and (why := refused.get(seat.id)) is not None:
                found.append((position, Verdict("reject", f"{why.label}: {why.why}")))
            elif check is not None:
                verdict = check(state, seat.actor, decided[seat.id], seat.context)
                if type(verdict) is CoroutineType:
                    verdict = await verdict
                if verdict is not ACCEPT:
                    if type(verdict) is not Verdict:
                        raise WorldError(
                            f"check returned {verdict!r}"[:120], remedy="return accept(), reject(...), ..."
                        )
                    found.append((position, verdict))
    return found


def verdict_line(turn: Turn, asked: Sequence[int], attempt: int, judgements: dict[str, Judgement]) -> Line:
    if not judgements and attempt == 1 and not turn.deferred:
        return ("validate", "judged", "", b'{"verdicts":"accept"}')
    ids = [turn.actors[position].id for position in asked]
    by_actor = {who: judgements.get(who, "accept") for who in ids}
    return line("validate", "judged", Judged(by_actor, attempt, turn.deferred if attempt == 1 else []))


async def judged(player: Player, turn: Turn, seat: Seat, verdict: Verdict) -> Judgement:
    """What a verdict other than a plain yes leads to."""
    action = turn.decided.get(seat.id)
    if verdict.kind == "amend":
        with blame_engine(player, "check"):
            turn.decided[seat.id] = one_typed(seat, verdict.action, player)
        return Judgement("amend", verdict.reason, action=verdict.action)
    if verdict.kind == "accept":
        turn.decided.allowed[seat.id] = verdict.allowed
        return Judgement("accept", verdict.reason, allowed=verdict.allowed)
    if verdict.kind == "reject":
        return Judgement("reject", verdict.reason)
    terms = verdict.hold
    assert terms is not None
    request = {"actor": seat.id, "action": action, "hold": terms}
    if terms.mode == "defer":
        effect = await player.effects.post(seat.context, "approval", request)
        plain = decode_body(encode_body(action))
        item = Deferred(effect.name, seat.id, plain, turn.number, terms.expires_turns)
        player.deferred.append(item)
        return Judgement("hold", verdict.reason, hold=terms)
    votes = await player.effects.perform(seat.context, "approval", request)
    if votes["outcome"] == "approved":
        return Judgement("accept", verdict.reason, votes=votes)
    return Judgement("denied", f"{votes['outcome']}: {verdict.reason}", votes=votes)


async def judge_deferred(player: Player, turn: Turn) -> None:
    """Held actions that were voted on meanwhile: checked again now, then handed to `apply` as events."""
    rulings = {mail.body["effect"]: mail.body for mail in turn.mail if mail.kind == "ruling"}
    if not rulings:
        return
    for item in [item for item in player.deferred if item.effect in rulings]:
        player.deferred.remove(item)
        outcome = rulings[item.effect]["outcome"]
        seat = player.cast.seats[item.actor]
        action = one_typed(seat, item.action, player)
        if outcome == "approved" and player.check is not None:
            with blame_engine(player, "check"):
                verdict = await settled(player.check(player.frame.state, seat.actor, action, seat.context))
            if verdict.kind == "reject":
                outcome = "refused"
        event = Event(outcome, action, item.actor, visible_to=(item.actor,))
        turn.retold.append(event)
        turn.deferred.append({"effect": item.effect, "actor": item.actor, "outcome": outcome})


# --- execute ----------------------------------------------------------------------------------------


async def execute(player: Player, turn: Turn) -> None:
    """The engine applies what was decided, with the events that came from outside."""
    player.enter("execute")
    events = [Event(e.kind, e.body) for e in player.scheduled.get(turn.number, ())]
    for mail in turn.mail:
        if mail.kind == "event":
            seen = mail.body.get("visible_to")
            events.append(Event(mail.body["kind"], mail.body.get("body"), visible_to=seen and tuple(seen)))
    events += turn.retold
    with blame_engine(player, "apply"):
        applied = player.engine.apply(player.frame.state, turn.decided, events, player.context)
        if type(applied) is CoroutineType:
            applied = await applied
        player.frame.state = applied.state
        turn.events = list(applied.events)
        body = encode_body(AppliedEntry(turn.events)) if turn.events else b'{"events":[]}'
    seal_phase(player, turn, "execute")
    turn.lines.append(("execute", "applied", "", body))


# --- evaluate ---------------------------------------------------------------------------------------


async def evaluate(player: Player, turn: Turn) -> None:
    """Score the state, and hold it against the world's own invariants."""
    player.enter("evaluate")
    state, number = player.frame.state, turn.number
    with blame_engine(player, "score"):
        turn.scores = scores = plain_scores(await settled(player.engine.score(state)))
        turn.progress = await settled(player.engine.progress(state)) or Progress(number, player.scenario.turns)
        done = turn.progress
        body = encode_body(Scored(scores, (done.done, done.total, done.unit), done.period))
    for name, invariant in player.world.invariants.items():
        with blame_engine(player, f"invariant {name}"):
            problem = invariant(state)
        if problem:
            raise InvariantBroken(
                f"{name}: {problem}", where=f"turn {number}", remedy="a bug in the world's engine"
            )
    seal_phase(player, turn, "evaluate")
    turn.lines.append(("evaluate", "scored", "", body))


def plain_scores(scores: Mapping[str, Any]) -> Mapping[str, Any]:
    """Metrics as they are stored: numbers as they are, a crowd's array with its mean beside it."""
    for metrics in scores.values():
        for value in metrics.values():
            if type(value) is not float and type(value) is not int:
                return {
                    who: {name: plain_metric(value) for name, value in metrics.items()}
                    for who, metrics in scores.items()
                }
    return scores


def plain_metric(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if hasattr(value, "dtype") and value.dtype.kind in "biuf":
        return array_summary(value) if value.ndim else value.item()
    if isinstance(value, (int, float)):
        return value
    raise WorldError(f"a metric must be a number, not {value!r}"[:200])


# --- consolidate ------------------------------------------------------------------------------------


async def consolidate(player: Player, turn: Turn) -> None:
    """Agents learn how it went; then state and memories are hashed."""
    player.enter("consolidate")
    for seat in player.cast.consolidates:
        who = seat.id
        judgement = turn.judgements.get(who, ACCEPTED)
        seen = [e for e in turn.events if e.visible_to is None or who in e.visible_to]
        outcome = Outcome(
            turn.number,
            turn.decided.get(who),
            judgement.kind,
            judgement.reason,
            turn.scores.get(who, {}),
            seen,
        )
        try:
            await settled(seat.agent.consolidate(outcome, seat.context))  # type: ignore[attr-defined]
        except WindtunnelError:
            raise
        except Exception as error:
            raise agent_failed(player, seat, error) from error
    with blame_engine(player, "state"):
        player.encode_state()
    seal_phase(player, turn, "consolidate")
    turn.lines.append(("consolidate", "consolidated", "", player.sealed_state()))


def seal_phase(player: Player, turn: Turn, phase: str) -> None:
    """The effects a phase used, in canonical order, ahead of the phase's own entry."""
    if player.effects.any_known:
        turn.lines += player.effects.used(phase, turn.order)


# --- shared -----------------------------------------------------------------------------------------


async def settled(value: Any) -> Any:
    return await value if type(value) is CoroutineType else value


class blame_engine:  # noqa: N801 - reads as a statement
    """Turns whatever a world raises into an error that says which method, and in which turn."""

    __slots__ = ("method", "player")

    def __init__(self, player: Player, method: str) -> None:
        self.player, self.method = player, method

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if error is None or not isinstance(error, Exception):
            return
        where = f"{self.player.world.name}, turn {self.player.frame.turn}, {self.method}"
        if isinstance(error, WindtunnelError):
            error.where = error.where or where
            return
        raise EngineError(f"{type(error).__name__}: {error}", where=where, remedy="mend the world") from error


def agent_failed(player: Player, seat: Seat, error: Exception) -> AgentError:
    where = f"agent {seat.id}, turn {player.frame.turn}"
    remedy = f"mend the agent, then: windtunnel resume {player.run_id}"
    return AgentError(f"{type(error).__name__}: {error}", where=where, remedy=remedy)
