"""An agent that is asked: the observation goes out as a question, the answer comes back by mail.

`kind: human` parks the run until somebody answers, with no process; `kind: remote` stays up and listens,
until the deadline of the decision passes.
"""

from __future__ import annotations

from typing import Any, Literal

from windtunnel.world import Context


class Asked:
    def __init__(self, way: Literal["ask", "listen"], actions: list[str]) -> None:
        self.way, self.actions = way, actions

    async def decide(self, observation: Any, context: Context) -> Any:
        question = {"observation": observation, "actions": self.actions}
        if context.rejection:
            question["rejected"] = context.rejection
        return await context.effect(self.way, question)
