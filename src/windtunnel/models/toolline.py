"""One connection to a server of tools, and what must be true before there may be one.

The protocol's own client (the extra `mcp`) is loaded here, and only when a server is asked. It is entered and
left by one task of ours, as it must be; any number of others call through it at the same time.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from windtunnel.config.tools import ToolServer as Known
from windtunnel.errors import ToolSetup
from windtunnel.models.settings import OFFLINE, is_loopback
from windtunnel.world import ToolServer

if TYPE_CHECKING:
    from mcp import Client

CONNECT_SECONDS = 30.0
CLOSE_SECONDS = 10.0
READ_SECONDS = 300.0  # of silence on a line; calls have a shorter time of their own
LAST_WORDS = 400  # characters of what a command that would not start has said
EXTRA = "pip install 'windtunnel[mcp]'"


class Lost(Exception):
    """The server is not there, or went away."""


class Target(NamedTuple):
    """A server, all settled. `token` and `env` hold what is secret, and are never shown."""

    name: str
    url: str = ""
    token: str = ""
    command: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    folder: str | None = None
    offline: bool = False

    def __repr__(self) -> str:
        return f"Target({self.name!r}, {self.url!r}, {self.command!r})"

    def secrets(self) -> list[str]:
        """What must not be told on, the longest first."""
        held = [self.token, *(value for _, value in self.env)]
        return sorted((one for one in held if len(one) >= 4), key=len, reverse=True)


def settle(
    server: ToolServer, known: Known | None, environ: Mapping[str, str], folder: Path | None
) -> Target:
    """Where the server is, or ToolSetup with what it lacks. `known` is what windtunnel.toml says of it."""
    where = f"mcp.{server.name}"
    if server.url and server.command:
        raise ToolSetup(
            f"{server.name} has an address and a command", where=where, remedy="leave one of them"
        )
    url, command = server.url, server.command
    if not (url or command):
        if known is None or not (known.url or known.command):
            raise ToolSetup(
                f"nothing says where {server.name} is",
                where=where,
                remedy=f"give it a url, or write one under [mcp.{server.name}] of windtunnel.toml",
            )
        url, command = known.url, known.command if not known.url else ()
    offline = environ.get(OFFLINE, "").strip().lower() in {"1", "true", "yes", "on"}
    if url:
        _check_address(server.name, url, where, offline=offline)
        keyed = known is not None and known.key and known.url == url
        token = _variable(environ, known.key or "", where) if keyed and known is not None else ""
        return Target(server.name, url, token, offline=offline)
    if known is None or known.command != command:
        written = ", ".join(f'"{_quoted(word)}"' for word in command)
        raise ToolSetup(
            f"{server.name} is a command, and this machine does not allow it: {' '.join(command)}",
            where=where,
            remedy=f"if you trust it, write in windtunnel.toml [mcp.{server.name}] command = [{written}]",
        )
    env = tuple((name, _variable(environ, name, where)) for name in known.env)
    return Target(server.name, "", "", command, env, str(folder) if folder else None, offline)


def _check_address(name: str, url: str, where: str, *, offline: bool) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ToolSetup(
            "the address of a server of tools starts with http:// or https://", where=where, remedy="mend it"
        )
    if parts.username or parts.password:
        raise ToolSetup(
            "an address holds no name and no password",
            where=where,
            remedy=f"name a variable: key under [mcp.{name}] of windtunnel.toml",
        )
    if offline and not is_loopback(parts.hostname):
        raise ToolSetup(
            f"{name} is outside this machine, and {OFFLINE} is set", where=where, remedy=f"unset {OFFLINE}"
        )


def _variable(environ: Mapping[str, str], name: str, where: str) -> str:
    if not (value := environ.get(name, "").strip()):
        raise ToolSetup(f"the variable {name} is not set", where=where, remedy=f"set {name}")
    return value


def _quoted(word: str) -> str:
    return word.replace("\\", "\\\\").replace('"', '\\"')


class Line:
    """A connection. It is made at once, and held until `let_go` or `aclose`."""

    def __init__(self, target: Target) -> None:
        self.target, self.users = target, 0
        self._wanted = asyncio.Event()
        self._ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._held = asyncio.ensure_future(self._hold())

    async def client(self) -> Client:
        """Lost if it could not be made; ToolSetup if this machine lacks the package."""
        return await asyncio.shield(self._ready)

    @property
    def closed(self) -> bool:
        return self._held.done()

    def let_go(self) -> None:
        self._wanted.set()

    async def aclose(self) -> None:
        self.let_go()
        await asyncio.wait([self._held], timeout=CLOSE_SECONDS)
        self._held.cancel()
        with suppress(asyncio.CancelledError):
            await self._held

    def refused(self, error: Exception) -> bool:
        """Whether the server itself said no to this one call, and the connection stands."""
        from mcp import MCPError  # noqa: PLC0415 - loaded by now
        from mcp_types import INVALID_PARAMS, METHOD_NOT_FOUND  # noqa: PLC0415

        return isinstance(error, MCPError) and error.code in {INVALID_PARAMS, METHOD_NOT_FOUND}

    async def _hold(self) -> None:
        with tempfile.TemporaryFile() as said:
            try:
                async with AsyncExitStack() as stack:
                    async with asyncio.timeout(CONNECT_SECONDS):
                        client = await self._open(stack, said)
                    self._ready.set_result(client)
                    await self._wanted.wait()
            except ToolSetup as error:
                self._fail(error)
            except TimeoutError:
                self._fail(Lost(f"no connection within {CONNECT_SECONDS:g} seconds{_last_words(said)}"))
            except Exception as error:  # noqa: BLE001 - what it breaks with is the protocol's client's affair
                self._fail(Lost(f"{_why(error)}{_last_words(said)}"))

    def _fail(self, error: Exception) -> None:
        """One that was ready is told to nobody: who calls on it hears it there."""
        if not self._ready.done():
            self._ready.set_exception(error)
            self._ready.exception()  # mark as seen: perhaps nobody waits for it any more

    async def _open(self, stack: AsyncExitStack, said: IO[bytes]) -> Client:
        try:
            from mcp import Client, StdioServerParameters, stdio_client  # noqa: PLC0415 - heavy, and rarely asked
            from mcp.client.streamable_http import streamable_http_client  # noqa: PLC0415

            from windtunnel.models import wire  # noqa: PLC0415
        except ImportError:
            raise ToolSetup(
                f"{self.target.name} needs a package that is not installed",
                where=f"mcp.{self.target.name}",
                remedy=EXTRA,
            ) from None
        logging.getLogger("mcp").addHandler(
            logging.NullHandler()
        )  # it would write tracebacks to the terminal
        target = self.target
        transport: Any
        if target.url:
            parts = urlsplit(target.url)
            http = wire.client(parts.hostname or "", parts.scheme, READ_SECONDS, offline=target.offline)
            stack.push_async_callback(http.aclose)
            if target.token:
                http.headers["Authorization"] = f"Bearer {target.token}"
            transport = streamable_http_client(target.url, http_client=http)
        else:
            program, *arguments = target.command
            env = {**dict(target.env), **({OFFLINE: "1"} if target.offline else {})}
            parameters = StdioServerParameters(command=program, args=arguments, env=env, cwd=target.folder)
            transport = stdio_client(parameters, errlog=said)  # type: ignore[arg-type]
        return await stack.enter_async_context(Client(transport, cache=None))


def _why(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _last_words(said: IO[bytes]) -> str:
    """What a command wrote before it went."""
    text = ""
    with suppress(OSError):
        said.seek(0)
        text = " ".join(said.read().decode(errors="replace").split())
    return f"; it said: {text[-LAST_WORDS:]}" if text else ""
