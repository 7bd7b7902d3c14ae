"""One turn, in its six phases. Read it from top to bottom: `play_turn` is the whole story.

A turn is sealed at its end, as a whole: until then nothing of it is history, and what it cost (the results
of effects) is durable on its own. So a turn that was cut short is simply played again, and comes to the
same end.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from windtunnel.codec import array_summary, encode_body, seen_digest
from windtunnel.errors import InvariantBroken, WindtunnelError, WorldError
from windtunnel.run.casting import Seat
from windtunnel.run.deciding import plan, together
from windtunnel.run.entries import AppliedEntry, Judgement, Line, Scored
from windtunnel.run.judging import validate
from windtunnel.run.turn import Turn, agent_failed, blame_engine, engine_failed, seal_phase, settled
from windtunnel.world import Event, Outcome, Progress

if TYPE_CHECKING:
    from windtunnel.run.player import Player

ACCEPTED = Judgement("accept")


async def play_turn(player: Player, turn: Turn) -> None:
    """Observe, decide, check, apply, score, remember. Nothing here writes; the caller seals the turn."""
    spans = player.tracer if player.tracer.is_on else None
    for phase in (analyze, plan_and_validate, execute, evaluate, consolidate):
        if spans:
            with spans.span("phase", phase.__name__):
                await phase(player, turn)
        else:
            await phase(player, turn)


# --- analyze ----------------------------------------------------------------------------------------


async def analyze(player: Player, turn: Turn) -> None:
    """Who acts, and what each of them sees."""
    player.enter("analyze")
    engine, state = player.engine, player.frame.state
    try:
        chosen = engine.to_act(state)
        if type(chosen) is CoroutineType:
            chosen = await chosen
        turn.actors, turn.seats = player.cast.called(chosen)
        observe = engine.observe
        turn.observations = [observe(state, actor) for actor in turn.actors]
        if turn.observations and type(turn.observations[0]) is CoroutineType:
            turn.observations = [await settled(seen) for seen in turn.observations]
        digest = seen_digest(turn.observations)
    except Exception as error:
        engine_failed(player, "observe", error)
        raise
    seal_phase(player, turn, "analyze", ("analyze", "observed", "", b'{"seen":"%b"}' % digest.encode()))


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
    seal_phase(player, turn, "plan", talk[0])
    seal_phase(player, turn, "validate", talk[1])
    turn.lines += talk[2:]  # what was asked and judged again


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
    try:
        applied = player.engine.apply(player.frame.state, turn.decided, events, player.context)
        if type(applied) is CoroutineType:
            applied = await applied
        player.frame.state = applied.state
        turn.events = list(applied.events)
        body = encode_body(AppliedEntry(turn.events)) if turn.events else b'{"events":[]}'
    except Exception as error:
        engine_failed(player, "apply", error)
        raise
    seal_phase(player, turn, "execute", ("execute", "applied", "", body))


# --- evaluate ---------------------------------------------------------------------------------------


async def evaluate(player: Player, turn: Turn) -> None:
    """Score the state, and hold it against the world's own invariants."""
    player.enter("evaluate")
    state, number = player.frame.state, turn.number
    try:
        scores = player.engine.score(state)
        if type(scores) is CoroutineType:
            scores = await scores
        turn.scores = scores = plain_scores(scores)
        done = player.engine.progress(state)
        if type(done) is CoroutineType:
            done = await done
        turn.progress = done = done or Progress(number, player.scenario.turns)
        body = encode_body(Scored(scores, (done.done, done.total, done.unit), done.period))
    except Exception as error:
        engine_failed(player, "score", error)
        raise
    for name, invariant in player.world.invariants.items():
        with blame_engine(player, f"invariant {name}"):
            problem = invariant(state)
        if problem:
            raise InvariantBroken(
                f"{name}: {problem}", where=f"turn {number}", remedy="a bug in the world's engine"
            )
    seal_phase(player, turn, "evaluate", ("evaluate", "scored", "", body))


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
    """Agents learn how it went, all at the same time; then state and memories are hashed."""
    player.enter("consolidate")
    slow: dict[str, Any] = {}
    for seat in player.cast.consolidates:
        try:
            work = seat.agent.consolidate(outcome_of(turn, seat.id), seat.context)  # type: ignore[attr-defined]
        except WindtunnelError:
            raise
        except Exception as error:
            raise agent_failed(player, seat, error) from error
        if type(work) is CoroutineType:
            slow[seat.id] = blaming_agent(player, seat, work)
    if slow:
        await together(player, slow)
    try:
        player.encode_state()
    except Exception as error:
        engine_failed(player, "state", error)
        raise
    seal_phase(player, turn, "consolidate", ("consolidate", "consolidated", "", player.sealed_state()))


def outcome_of(turn: Turn, who: str) -> Outcome:
    judgement = turn.judgements.get(who, ACCEPTED)
    seen = [e for e in turn.events if e.visible_to is None or who in e.visible_to]
    return Outcome(
        turn.number,
        turn.decided.get(who),
        judgement.kind,
        judgement.reason,
        turn.scores.get(who, {}),
        seen,
    )


async def blaming_agent(player: Player, seat: Seat, work: Coroutine[Any, Any, Any]) -> None:
    try:
        await work
    except WindtunnelError:
        raise
    except Exception as error:
        raise agent_failed(player, seat, error) from error
