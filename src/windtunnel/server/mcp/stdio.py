"""MCP over standard input and output: one process for one client, which started it.

Nothing but the protocol is written to standard output; logs go to standard error. It ends with its client,
and what is being played goes on. Beside a server of the same workspace it is one more door: whichever manager
leads starts the workers.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from windtunnel.control.access import LOCAL, Principal, read_roles
from windtunnel.server.assembly import VERSION, Assembly
from windtunnel.server.mcp.making import make_mcp


def at_this_machine(*roles: str) -> Principal:
    """The person who started the client, with the roles that were asked for."""
    return Principal(LOCAL, read_roles(roles), "mcp")


async def serve_stdio(assembly: Assembly, who: Principal) -> None:
    """Until standard input ends."""
    mcp = make_mcp(assembly.verbs, lambda: who, VERSION)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(assembly.ground.desks.aclose)
        for work in assembly.by_itself():
            stack.push_async_callback(_ended, asyncio.create_task(work()))
        await mcp.run_stdio_async(show_banner=False)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
