"""The tools of servers that a run calls: effects of three kinds, so that none is called twice by accident.

What a server offers may be asked again. A call that a crash left in doubt is held, because nobody knows
whether it acted: a person says what came of it (`windtunnel answer`). One whose tool says of itself that it
changes nothing, or nothing more the second time, is called again.

What a server says against a call, and its death, are recorded failures that the model is told. A server that
cannot even say what it offers, or may not be used here, pauses the run: it goes on when that is mended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from windtunnel.agents.render import short
from windtunnel.agents.tools import CALL, CALL_AGAIN, LIST
from windtunnel.errors import EffectFailed, ToolSetup
from windtunnel.models.hub import Hub
from windtunnel.models.talk import ToolFailed
from windtunnel.run.effects import Halted
from windtunnel.world import Call, EffectKind, ToolServer

MOST_SAID = 2000  # characters of an error that a model is told


class ToolCalls:
    def __init__(self, hub: Hub, servers: Callable[[], Sequence[ToolServer]]) -> None:
        """`servers` are those of the scenario as it is now: a fork may change them."""
        self._hub, self._servers = hub, servers

    def kinds(self) -> dict[str, EffectKind]:
        return {
            LIST: EffectKind(self._list, in_doubt="retry"),
            CALL: EffectKind(self._call, in_doubt="hold"),
            CALL_AGAIN: EffectKind(self._call, in_doubt="retry"),
        }

    async def _list(self, request: Any, _call: Call) -> Any:
        try:
            return await self._hub.servers.tools(self._named(request))
        except ToolSetup as error:
            raise Halted(error) from error

    async def _call(self, request: Any, _call: Call) -> Any:
        try:
            return await self._hub.servers.call(
                self._named(request), request["tool"], request.get("arguments") or {}
            )
        except ToolFailed as error:
            raise EffectFailed(short(str(error), MOST_SAID), where=request["server"]) from error
        except ToolSetup as error:  # nothing was called: the call is made when the run is resumed
            raise Halted(error) from error

    def _named(self, request: Any) -> ToolServer:
        for server in self._servers():
            if server.name == request["server"]:
                return server
        raise ToolSetup(
            f"the scenario has no server of tools called {request['server']!r}", where="mcp", remedy="add it"
        )
