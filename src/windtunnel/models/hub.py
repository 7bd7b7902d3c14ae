"""The gateway of a process, made when the first model is asked: who asks none never loads it.

All runs that one event loop plays share it, and with it breakers, lanes and the accounts of the workspace.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from windtunnel.config import models as words
from windtunnel.config.tools import ToolServer
from windtunnel.errors import ModelSetup
from windtunnel.models.talk import Task
from windtunnel.models.tracing import Tracer, tracer_for

if TYPE_CHECKING:
    from windtunnel.models.budget import Account
    from windtunnel.models.gateway import Gateway
    from windtunnel.models.settings import Setup
    from windtunnel.models.toolservers import ToolServers


class Asked(Struct, frozen=True):
    """A deployment as one process knows it: its breaker, and the requests to it that ended."""

    deployment: str
    breaker: str
    calls: int = 0
    errors: int = 0  # without a reply
    seconds: float = 0.0  # that all of them took


class Hub:
    def __init__(
        self,
        settings: words.Models | Callable[[], words.Models] | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        home: Path | None = None,
        tools: Callable[[], Mapping[str, ToolServer]] | None = None,
    ) -> None:
        """`home` is the workspace's `.windtunnel`, for accounts that last; without one there are none.
        `tools`: the servers of tools that its settings know."""
        self._settings = settings
        self.environ = os.environ if environ is None else environ
        self.home = home
        self._gateway: Gateway | None = None
        self._tools = tools or dict
        self._servers: ToolServers | None = None
        self.charged: tuple[str, str, float | None] | None = (
            None  # tournament or evolution, its name, dollars
        )

    @cached_property
    def settings(self) -> words.Models:
        """Read when the first model is asked: broken settings stop only who needs them."""
        if self._settings is None:
            return words.Models()
        return self._settings() if callable(self._settings) else self._settings

    @cached_property
    def tracer(self) -> Tracer:
        """Silent, unless the environment asks for traces."""
        return tracer_for(self.environ)

    @property
    def gateway(self) -> Gateway:
        if self._gateway is None:
            from windtunnel.models.gateway import Gateway  # noqa: PLC0415 - only who asks a model pays for it

            self._gateway = Gateway(self.settings, environ=self.environ, home=self.home, tracer=self.tracer)
        return self._gateway

    @property
    def servers(self) -> ToolServers:
        """The servers of tools: connected to when they are first asked, and left with the hub."""
        if self._servers is None:
            from windtunnel.models.toolservers import ToolServers  # noqa: PLC0415 - as above

            folder = self.home.parent if self.home is not None else None
            self._servers = ToolServers(self._tools, self.environ, folder)
        return self._servers

    def asked(self) -> list[Asked]:
        """The deployments that were asked; may be called by another thread, and loads nothing."""
        stations = self._gateway.stations if self._gateway is not None else ()
        return [
            Asked(one.deployment.name, one.breaker.state, one.calls, one.errors, round(one.seconds, 3))
            for one in stations
            if one.calls
        ]

    def above(self) -> list[Account]:
        """The accounts that stand above every run's."""
        if self.home is None:
            return []
        found = []
        if self.charged is not None:
            kind, name, money = self.charged
            found.append(self.gateway.lasting(kind, name, money=money))
        limit = self.settings.budgets.workspace
        if limit.money is not None or limit.tokens is not None:
            found.append(self.gateway.lasting("workspace"))
        return found

    def check(self, models: Sequence[str]) -> None:
        """ModelSetup if one of these could not be asked on this machine: said before anything is played."""
        if set(models) <= {"house", "test"}:
            return
        from windtunnel.models.settings import Setup  # noqa: PLC0415 - as above

        setup = Setup(self.settings, self.environ)
        for model in models:
            _check(setup, model)

    async def aclose(self) -> None:
        gateway, self._gateway = self._gateway, None
        servers, self._servers = self._servers, None
        try:
            if gateway is not None:
                await gateway.aclose()
            self.tracer.close()
        finally:
            if servers is not None:
                await servers.aclose()


def _check(setup: Setup, model: str) -> None:
    """One step of its plan that can be asked is enough."""
    from windtunnel.models.providers import check_known, check_reachable  # noqa: PLC0415 - as above
    from windtunnel.models.routes import plan  # noqa: PLC0415

    wrong: ModelSetup | None = None
    for step in plan(setup, model, Task()).steps:
        if isinstance(step, str):
            return
        try:
            check_reachable(step, offline=setup.offline)
            check_known(step)
        except ModelSetup as error:
            wrong = wrong or error
            continue
        if (missing := setup.missing(step)) is None:
            return
        said = f"{step.full_name} cannot be asked yet"
        wrong = wrong or ModelSetup(said, where=step.name, remedy=f"{missing}; windtunnel models shows more")
    assert wrong is not None
    raise wrong
