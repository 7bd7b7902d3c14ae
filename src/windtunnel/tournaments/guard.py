"""Code of a strategy, kept within its actions.

It decides on a copy of what it may see, and the world's state must be after the decision what it was before:
what it changes by a side door ends its match. Its seat is written down while it decides, so that a process
that it ends is held against it.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from windtunnel.codec import StateCodec
from windtunnel.errors import AgentError, Undecided
from windtunnel.run.context import RunContext
from windtunnel.world import World


class Guard:
    def __init__(self, agent: Any, world: World, blame: Callable[[str], None]) -> None:
        self._agent, self._blame = agent, blame
        self._decide = agent.decide if hasattr(agent, "decide") else agent
        self._codec: StateCodec[Any] = StateCodec(world.state)
        self.memories = getattr(agent, "memories", {})
        if hasattr(agent, "consolidate"):
            self.consolidate = agent.consolidate

    async def decide(self, observation: Any, context: RunContext) -> Any:
        frame = context._frame
        before = self._codec.encode(frame.state)
        self._blame(context.actor)
        try:
            decided = self._decide(deepcopy(observation), context)
            if hasattr(decided, "__await__"):
                decided = await decided
        except (Undecided, AgentError):
            raise
        except Exception as error:  # its own fault, whatever it calls it
            raise AgentError(f"{type(error).__name__}: {error}", agent=context.actor) from error
        finally:
            self._blame("")
        if self._codec.encode(frame.state) != before:
            raise AgentError("it changed the world by a side door, not by an action", agent=context.actor)
        return decided
