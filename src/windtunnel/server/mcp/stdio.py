"""MCP over standard input and output: one process for one client, which started it.

Nothing but the protocol is written to standard output; logs go to standard error. It ends with its client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windtunnel.control.access import LOCAL, Principal, Role
from windtunnel.server.mcp.making import make_mcp

if TYPE_CHECKING:
    from windtunnel.server.verbs import Verbs


def local(*roles: Role) -> Principal:
    """The person at this machine who started the client, with the roles that were asked for."""
    return Principal(LOCAL, frozenset(roles), "mcp")


async def serve_stdio(verbs: Verbs, who: Principal, version: str = "") -> None:
    """Until standard input ends."""
    await make_mcp(verbs, lambda: who, version).run_stdio_async(show_banner=False)
