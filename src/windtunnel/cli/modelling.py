"""`mcp`: the tools of this workspace for the model of one client, over standard input and output."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from windtunnel.cli import say
from windtunnel.config import find_workspace
from windtunnel.errors import UsageError

EXTRA = "pip install 'windtunnel[server]'"


def mcp(
    role: Annotated[
        list[str] | None,
        typer.Option(
            "--role",
            metavar="ROLE",
            help="What the model may do: viewer, operator (the default), approver, admin.",
        ),
    ] = None,
) -> int:
    """Let a model start, watch, steer and explain runs: MCP over standard input and output.

    A client such as Claude Desktop starts this by itself; docs/mcp.md shows what to write where. A server
    that runs has the same tools at /mcp. With --role viewer the model can only look.

    \b
    Examples:
      windtunnel mcp
      windtunnel mcp --role viewer
      windtunnel mcp --role operator --role approver
    """
    if sys.stdin.isatty():
        raise UsageError(
            "a client speaks with this, not a person: standard input is a terminal",
            remedy="docs/mcp.md shows how a client starts it; windtunnel serve has the same tools at /mcp",
        )
    try:
        from windtunnel.server.assembly import Assembly  # noqa: PLC0415 - an extra, and heavy
        from windtunnel.server.logs import configure  # noqa: PLC0415
        from windtunnel.server.mcp.stdio import at_this_machine, serve_stdio  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise UsageError(f"MCP needs {error.name}, which is not installed", remedy=EXTRA) from None
    who = at_this_machine(*(role or ["operator"]))
    assembly = Assembly(find_workspace())
    try:
        configure()
        say.note("speaking MCP over standard input and output, until it ends")
        asyncio.run(serve_stdio(assembly, who))
    finally:
        assembly.close()
    return 0
