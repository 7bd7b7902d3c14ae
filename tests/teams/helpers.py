"""Short words for tests of teams."""

from __future__ import annotations

import asyncio
from typing import Any

from windtunnel.models.talk import Message
from windtunnel.teams import OrchestrationResult, Team
from windtunnel.testing.scripted import Scripted

SECONDS = 20.0  # a team that hangs fails here, and says so


def play(team: Team, runtime: Any, task: Any = "the task") -> OrchestrationResult:
    async def bounded() -> OrchestrationResult:
        async with asyncio.timeout(SECONDS):
            return await team.invoke(task, runtime)

    return asyncio.run(bounded())


def seen(runtime: Scripted, member: str, call: int = -1) -> list[Message]:
    """What a member's model was sent."""
    asks = [ask for path, ask in runtime.asks if path == member]
    return list(asks[call].messages)


def text_seen(runtime: Scripted, member: str, call: int = -1) -> str:
    return "\n".join(message.text for message in seen(runtime, member, call))


def said(result: OrchestrationResult) -> list[tuple[str, str]]:
    return [(line.member, line.message.text) for line in result.transcript]
