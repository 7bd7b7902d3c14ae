"""Resources: a run's scenario, checkpoints and results by address; and completion of run ids."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import mcp_types
from fastmcp.exceptions import ResourceError

from windtunnel.control.index import Filter
from windtunnel.errors import WindtunnelError
from windtunnel.server.mcp.shared import Who
from windtunnel.server.mcp.telling import told
from windtunnel.server.mcp.untrusted import Vocabulary

if TYPE_CHECKING:
    from fastmcp import FastMCP

    from windtunnel.server.verbs import Verbs

OFFERED = 50  # ids of runs
F = TypeVar("F", bound=Callable[..., Awaitable[Any]])


class Reading:
    def __init__(self, verbs: Verbs, who: Who, words: Vocabulary) -> None:
        self.verbs, self.who, self.words = verbs, who, words

    async def config(self, run_id: str) -> str:
        """The scenario that a run plays, as YAML."""
        import yaml  # noqa: PLC0415 - only this one resource is told in YAML

        config = await self.verbs.looking.config(self.who(), run_id)
        return str(yaml.safe_dump(config, sort_keys=False, allow_unicode=True))

    async def checkpoints(self, run_id: str) -> str:
        """The turns of a run that have a checkpoint. Any other can be forked as well; it takes longer."""
        return (await self.verbs.looking.checkpoints(self.who(), run_id)).model_dump_json()

    async def results(self, run_id: str) -> str:
        """What came of a run: metrics, standings, cost."""
        results = await self.verbs.looking.results(self.who(), run_id)
        veil = await self.words.veil(self.who(), run_id, show=False)
        return results.model_copy(update={"reason": veil.text(results.reason)}).model_dump_json()

    async def complete(
        self, _ref: Any, argument: mcp_types.CompletionArgument, _context: Any
    ) -> mcp_types.Completion | None:
        """Ids of runs, newest first, for whatever takes one; names of scenarios, for whatever takes one."""
        if argument.name.startswith("run_id"):
            page = await self.verbs.looking.list(self.who(), Filter(), after=None, limit=OFFERED)
            known = [run.run_id for run in page.runs]
        elif argument.name == "scenario":
            known = [one.name for one in (await self.verbs.operating.scenarios(self.who(), None)).scenarios]
        else:
            return None
        return mcp_types.Completion(values=[name for name in known if name.startswith(argument.value)])


def add_resources(mcp: FastMCP[Any], reading: Reading) -> None:
    for name, method, media in (
        ("config", reading.config, "application/yaml"),
        ("checkpoints", reading.checkpoints, "application/json"),
        ("results", reading.results, "application/json"),
    ):
        mcp.resource(f"simulation://{{run_id}}/{name}", name=f"simulation_{name}", mime_type=media)(
            _told(method)
        )
    mcp.add_completion_handler(reading.complete)


def _told(method: F) -> F:
    @wraps(method)
    async def read(*values: Any, **named: Any) -> Any:
        try:
            return await method(*values, **named)
        except WindtunnelError as error:
            raise ResourceError(str(told(error)), log_level=logging.DEBUG) from None

    return cast("F", read)
