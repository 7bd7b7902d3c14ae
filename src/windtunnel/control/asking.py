"""A world's own questions, asked of a run as it stood after a turn: read-only, and as somebody in it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, to_builtins

from windtunnel.control.catalog import Found
from windtunnel.control.verbs import Control
from windtunnel.errors import UsageError, WindtunnelError
from windtunnel.run.player import Player
from windtunnel.run.turn import settled
from windtunnel.words import suggest


class Answered(Struct):
    query: str
    agent: str
    turn: int
    answer: Any


async def ask(
    control: Control,
    found: Found,
    query: str,
    *,
    turn: int | None = None,
    agent: str = "",
    arguments: Mapping[str, Any] | None = None,
) -> Answered:
    """The answer to a query of the world, as one of its agents (the first, if none is named)."""
    player = await control.at(found.address, turn)
    return await ask_player(player, query, agent=agent, arguments=arguments)


async def ask_player(
    player: Player, query: str, *, agent: str = "", arguments: Mapping[str, Any] | None = None
) -> Answered:
    queries = player.world.queries
    if query not in queries:
        raise UsageError(
            f"{player.world.name} has no query {query!r}",
            where="--query",
            remedy=suggest(query, queries),
        )
    seats = player.cast.seats
    who = agent or next(iter(seats))
    if who not in seats:
        raise UsageError(f"nobody is called {who!r}", where="--agent", remedy=f"agents: {', '.join(seats)}")
    given = dict(arguments or {})
    function = queries[query]
    try:
        inspect.signature(function).bind(player.frame.state, seats[who].actor, **given)
    except TypeError as error:
        takes = ", ".join(list(inspect.signature(function).parameters)[2:]) or "nothing"
        raise UsageError(f"{query}: {error}", where="--arg", remedy=f"it takes: {takes}") from None
    try:
        answer = await settled(function(player.frame.state, seats[who].actor, **given))
    except WindtunnelError:
        raise
    except Exception as error:
        where = f"{player.world.name}, query {query}"
        raise UsageError(
            f"{type(error).__name__}: {error}", where=where, remedy="check what was asked"
        ) from error
    return Answered(query, who, player.tape.turn, to_builtins(answer, enc_hook=_plain))


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise NotImplementedError
