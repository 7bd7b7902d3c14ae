"""Plays a run in which one agent calls one tool, and is killed: by the tool, or by itself once it has the
answer. `python child.py FOLDER LOG TOOL`."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from tests.toolservers.pot import Take, hub, over_pipes, pot
from windtunnel.agents.tools import Tools
from windtunnel.models.talk import ToolCall
from windtunnel.testing.lab import Lab
from windtunnel.world import AgentSpec, Context, Scenario, ToolServer


class Caller:
    """Calls its tool in its first turn, and takes as many coins as the answer has letters."""

    def __init__(self, server: ToolServer, tool: str, *, killed: bool) -> None:
        self._tools = Tools(pot, [server], None, "here")
        self._tool, self._killed = tool, killed

    async def decide(self, seen: Any, context: Context) -> Take:
        offered = await self._tools.offered(context)
        arguments = {"what": "gold"} if self._tool == "weigh" else {}
        call = ToolCall("1", f"bench__{self._tool}", arguments)
        answer = await self._tools.run(call, offered, context)
        if self._killed:
            os.kill(os.getpid(), signal.SIGKILL)
        return Take(len(answer))


def lab(folder: Path, log: Path, tool: str, *, killed: bool = False) -> Lab:
    server = over_pipes(log)
    caller = Caller(server, tool, killed=killed)
    return Lab(pot, folder=folder, players={"ann": caller}, hub=hub(server))


def main() -> None:
    folder, log, tool = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    ann = AgentSpec("ann", kind="python")
    with lab(folder, log, tool, killed=True) as played:
        played.begin(Scenario("pot", turns=1, agents=(ann,), mcp=(over_pipes(log),)))
        played.go()


if __name__ == "__main__":
    main()
