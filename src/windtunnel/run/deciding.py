"""The plan phase: every agent that acts decides, and what it decided is typed from the stored bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Sequence
from types import CoroutineType
from typing import TYPE_CHECKING, Any

import msgspec

from windtunnel.codec import encode_body
from windtunnel.errors import CodecError, Undecided, WindtunnelError
from windtunnel.run.casting import Seat
from windtunnel.run.effects import LISTEN_SECONDS, Halted, Parked
from windtunnel.run.entries import DecidedEntry, Line, Refused, line
from windtunnel.run.refusing import unfit
from windtunnel.run.turn import Turn, agent_failed

if TYPE_CHECKING:
    from windtunnel.run.player import Player

MAX_ACTION_BYTES = 8 << 20


async def plan(player: Player, turn: Turn, asked: Sequence[int], attempt: int) -> Line:
    """Sync agents decide here and now, async ones at the same time, under a limit."""
    player.enter("plan")
    turn.refused = {}
    seats, observations = turn.seats, turn.observations
    if attempt > 1 or player.effects.known:
        present = [position for position in asked if not too_late(player, turn, seats[position], attempt)]
        seats, observations = [seats[p] for p in present], [observations[p] for p in present]
    choices = ask(player, seats, observations)
    made = {seat.id: choice for seat, choice in zip(seats, choices, strict=True)}
    if CoroutineType in map(type, choices):
        made = await decide_together(player, turn, made, attempt)
    actions, raw = typed(player, turn, made)
    turn.decided.update(actions)
    if len(turn.refused) > 1:  # they came as they were answered; history knows only the order of the seats
        in_order = [turn.seats[position].id for position in asked]
        turn.refused = {who: turn.refused[who] for who in in_order if who in turn.refused}
    if turn.refused or attempt > 1:
        return line("plan", "decided", DecidedEntry(actions, turn.refused, attempt))
    return ("plan", "decided", "", b'{"actions":%b}' % raw)


def too_late(player: Player, turn: Turn, seat: Seat, attempt: int) -> bool:
    """Whether the record says that the deadline of this decision passed."""
    seat.context.attempt = attempt
    if not player.was_late(seat, attempt):
        return False
    turn.refused[seat.id] = late_refusal(player, seat)
    return True


def late_refusal(player: Player, seat: Seat) -> Refused:
    return Refused("late", f"no decision within {player.deadline(seat):g} s")


def ask(player: Player, seats: Sequence[Seat], observations: Sequence[Any]) -> list[Any]:
    """Everyone's choice; a coroutine from those who take their time."""
    choices: list[Any] = []
    try:
        for seat, seen in zip(seats, observations, strict=True):
            choices.append(seat.decide(seen, seat.context))
    except Exception as error:
        for choice in choices:
            if type(choice) is CoroutineType:
                choice.close()
        if isinstance(error, WindtunnelError):
            raise
        raise agent_failed(player, seats[len(choices)], error) from error
    return choices


async def decide_together(player: Player, turn: Turn, made: dict[str, Any], attempt: int) -> dict[str, Any]:
    """Let the coroutines among the choices come to an end, at the same time, each within its deadline."""
    seats = player.cast.seats
    pending = {who: choice for who, choice in made.items() if type(choice) is CoroutineType}
    try:
        timed = {who: in_time(player, turn, seats[who], choice, attempt) for who, choice in pending.items()}
        decided = made | await together(player, timed)
    finally:
        for choice in pending.values():
            choice.close()  # one that never got its turn
    return {who: choice for who, choice in decided.items() if who not in turn.refused}


async def together(player: Player, work: dict[str, Coroutine[Any, Any, Any]]) -> dict[str, Any]:
    """Several at the same time, under the scenario's limit, while mail is taken in."""
    limit = asyncio.Semaphore(player.scenario.concurrency)

    async def one(what: Coroutine[Any, Any, Any]) -> Any:
        async with limit:
            return await what

    tasks = {who: asyncio.ensure_future(one(what)) for who, what in work.items()}
    waiting = set(tasks.values())
    try:
        while waiting:  # everyone finishes, even when one waits for a person: what was paid for is kept
            _, waiting = await asyncio.wait(waiting, timeout=LISTEN_SECONDS)
            await player.listen()
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        for what in work.values():
            what.close()
    raise_first([task for task in tasks.values() if task.cancelled() or task.exception() is not None])
    return {who: task.result() for who, task in tasks.items()}


def raise_first(failed: list[asyncio.Future[Any]]) -> None:
    """Raise what went wrong; a call nobody answers, then a wait for a person, only if nothing else did."""
    errors = [asyncio.CancelledError() if task.cancelled() else task.exception() for task in failed]
    for error in sorted(errors, key=lambda error: (isinstance(error, Parked), isinstance(error, Halted))):
        assert error is not None
        raise error


async def in_time(player: Player, turn: Turn, seat: Seat, choice: Awaitable[Any], attempt: int) -> Any:
    deadline = player.deadline(seat)
    limit = asyncio.timeout(deadline)
    try:
        async with limit:
            with player.tracer.span("agent", seat.id, gen_ai_agent_name=seat.id):
                return await choice
    except Undecided as error:
        turn.refused[seat.id] = Refused(error.label, error.message)
        return None
    except Exception as error:
        if isinstance(error, TimeoutError) and limit.expired():
            await player.late(seat, attempt, deadline or 0.0)
            turn.refused[seat.id] = late_refusal(player, seat)
            return None
        if isinstance(error, WindtunnelError):
            raise
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
        seat = player.cast.seats[who]
        try:
            actions[who] = one_typed(seat, choice, player)
        except msgspec.ValidationError as error:
            turn.refused[who] = Refused("illegal", unfit(seat, choice, str(error)))
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
