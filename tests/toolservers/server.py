"""A real MCP server for tests, over stdio or on loopback: `python server.py stdio|PORT LOG`. What is called
is written to LOG, a line for each call, before anything is answered."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from mcp.server import MCPServer
from mcp.types import ToolAnnotations

how, log = sys.argv[1], Path(sys.argv[2])
server = MCPServer("bench")


def note(text: str) -> None:
    with log.open("a") as file:
        file.write(text + "\n")


@server.tool()
def weigh(what: str) -> dict[str, Any]:
    """How heavy something is."""
    note(f"weigh {what}")
    return {"what": what, "kilos": len(what)}


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def look(where: str) -> str:
    """What there is to see."""
    note(f"look {where}")
    return f"nothing\nat {where}"


@server.tool()
def fail(why: str) -> str:
    """Always refuses."""
    note(f"fail {why}")
    raise ValueError(why)


@server.tool()
def flood(size: int) -> str:
    """Very many letters."""
    note(f"flood {size}")
    return "ä" * size


@server.tool()
def sleep(seconds: float) -> str:
    """Answers late."""
    note(f"sleep {seconds}")
    time.sleep(seconds)
    return "awake"


@server.tool()
def die() -> str:
    """Ends the server in the middle of the call."""
    note("die")
    os.kill(os.getpid(), signal.SIGKILL)
    return ""


def kill_the_caller(tool: str) -> str:
    """The first time only: a test that fails must live to say so."""
    note(tool)
    if log.read_text().split().count(tool) == 1:
        os.kill(os.getppid(), signal.SIGKILL)
    return "struck"


@server.tool()
def strike() -> str:
    """Kills whoever started this server, before it can hear the answer."""
    return kill_the_caller("strike")


@server.tool(annotations=ToolAnnotations(idempotent_hint=True))
def strike_once() -> str:
    """The same, and may be called again."""
    return kill_the_caller("strike_once")


@server.tool()
def tell(variable: str) -> str:
    """A variable of the server's environment."""
    note(f"tell {variable}")
    return os.environ.get(variable, "(not set)")


note(f"began in {Path.cwd()}")
if how == "stdio":
    server.run()
else:
    server.run("streamable-http", port=int(how))
