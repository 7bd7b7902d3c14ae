"""What a turn gathers on its way through the phases, and who is blamed when something raises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from windtunnel.errors import AgentError, EngineError, WindtunnelError
from windtunnel.run.casting import Seat
from windtunnel.run.entries import Judgement, Line, MailTaken, Refused, line
from windtunnel.world import Actor, Decided, Event, Progress

if TYPE_CHECKING:
    from windtunnel.run.player import Player


class Turn:
    """What a turn gathers on its way through the phases."""

    __slots__ = (
        "actors", "decided", "deferred", "events", "judgements", "lines", "mail", "number",
        "observations", "progress", "refused", "retold", "scores", "seats",
    )  # fmt: skip

    def __init__(self, number: int, mail: list[MailTaken]) -> None:
        self.number, self.mail = number, mail
        self.lines: list[Line] = [line("analyze", "mail", letter) for letter in mail] if mail else []
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


async def settled(value: Any) -> Any:
    return await value if type(value) is CoroutineType else value


class blame_engine:  # noqa: N801 - reads as a statement
    """Turns whatever a world raises into an error that says which method, and in which turn. What every turn
    calls is in a `try` instead, which costs nothing until something is raised."""

    __slots__ = ("method", "player")

    def __init__(self, player: Player, method: str) -> None:
        self.player, self.method = player, method

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, Exception):
            engine_failed(self.player, self.method, error)


def engine_failed(player: Player, method: str, error: Exception) -> None:
    """Before what a world raised is raised again: it becomes an error that says which method, and in which
    turn. One of ours is only told where, and goes on its way."""
    where = f"{player.world.name}, turn {player.frame.turn}, {method}"
    if isinstance(error, WindtunnelError):
        error.where = error.where or where
        return
    raise EngineError(f"{type(error).__name__}: {error}", where=where, remedy="mend the world") from error


def agent_failed(player: Player, seat: Seat, error: Exception) -> AgentError:
    where = f"agent {seat.id}, turn {player.frame.turn}"
    remedy = f"mend the agent, then: windtunnel resume {player.run_id}"
    return AgentError(f"{type(error).__name__}: {error}", where=where, remedy=remedy, agent=seat.id)


def seal_phase(player: Player, turn: Turn, phase: str, own: Line) -> None:
    """What a phase leaves: the effects it used, in canonical order, ahead of its own entry."""
    if player.effects.known:
        turn.lines += player.effects.used(phase, turn.order)
    turn.lines.append(own)
