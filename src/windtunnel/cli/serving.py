"""`serve`: the server of a workspace: page, REST, streams, MCP, workers, schedules, until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Annotated

import typer
from rich.markup import escape

from windtunnel.cli import render, say
from windtunnel.config import Workspace, find_workspace
from windtunnel.errors import UsageError

STOPPED_BY_HAND = 130
EXTRA = "pip install 'windtunnel[server]'"


def serve(
    host: Annotated[
        str,
        typer.Option("--host", metavar="ADDRESS", help="Listen here; [serve] host, or this machine alone."),
    ] = "",
    port: Annotated[
        int | None,
        typer.Option("--port", "-p", metavar="N", min=0, max=65535, help="0 takes any that is free."),
    ] = None,
    open_to_everyone: Annotated[
        bool,
        typer.Option("--open-to-everyone", help="Let others come though nobody is asked who they are."),
    ] = False,
) -> int:
    """Serve this workspace: REST and its documentation, streams, MCP, workers that play, schedules.

    Runs go on though the server is killed; the next one finds them. Ctrl-C ends it, and leaves what is
    being played to its workers.

    \b
    Examples:
      windtunnel serve
      windtunnel serve --port 8080
      windtunnel keys create kim --role operator && windtunnel serve --host 0.0.0.0
    """
    try:
        import uvicorn  # noqa: PLC0415 - with all that a server needs, an extra

        from windtunnel.server.assembly import Assembly  # noqa: PLC0415
        from windtunnel.server.logs import configure  # noqa: PLC0415
        from windtunnel.server.patience import PatientProtocol  # noqa: PLC0415
        from windtunnel.server.streaming.server import uvicorn_options  # noqa: PLC0415

        find_fastmcp()
    except ModuleNotFoundError as error:
        raise UsageError(f"a server needs {error.name}, which is not installed", remedy=EXTRA) from None
    workspace = find_workspace()
    settings = workspace.settings.serve
    host, port = host or settings.host, settings.port if port is None else port
    with _listening(host, port) as listener:
        assembly = Assembly(workspace)
        try:
            app = assembly.app(host, open_to_everyone=open_to_everyone)
            configure()
            _welcome(workspace, host, listener.getsockname()[1], settings.root_path)
            server = uvicorn.Server(
                uvicorn.Config(
                    app,
                    log_config=None,
                    access_log=False,
                    proxy_headers=False,
                    server_header=False,
                    timeout_graceful_shutdown=5,
                    lifespan="on",
                    http=PatientProtocol,
                    **uvicorn_options(),
                )
            )
            with _asked_to_end() as asked:
                asyncio.run(server.serve(sockets=[listener]))
        finally:
            assembly.close()
    return STOPPED_BY_HAND if signal.SIGINT in asked else 0


@contextmanager
def _asked_to_end() -> Iterator[list[int]]:
    """The signals that ended the server. uvicorn takes them, ends in peace, and raises them again: then they
    would end this process before it has tidied up."""
    asked: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda number, _: asked.append(number)) for number in numbers]
    try:
        yield asked
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def find_fastmcp() -> None:
    """It is imported for the first request to /mcp only, and missed now."""
    if find_spec("fastmcp") is None:
        raise ModuleNotFoundError("no fastmcp", name="fastmcp")


def _listening(host: str, port: int) -> socket.socket:
    """The address is taken before anything is started, so that a server that cannot be one starts nothing."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise UsageError(
            f"cannot listen on {host}:{port}: {error.strerror}",
            where="--port",
            remedy="another server may be there already; --port 0 takes any that is free",
        ) from None
    return listener


def _welcome(workspace: Workspace, host: str, port: int, root: str) -> None:
    shown = f"[{host}]" if ":" in host else "localhost" if host in ("127.0.0.1", "0.0.0.0") else host  # noqa: S104
    url = f"http://{shown}:{port}{root}"
    if say.door.json:
        say.data({"url": url, "api": f"{url}/api", "mcp": f"{url}/mcp", "workspace": str(workspace.root)})
        return
    say.show(
        render.title("[bold]windtunnel[/]", f"serves {escape(str(workspace.root))}"),
        render.facts(
            [
                ("page", f"{url}/"),
                ("API", f"{url}/docs"),
                ("stream", f"{url.replace('http', 'ws', 1)}/api/stream"),
                ("MCP", f"{url}/mcp"),
                ("stop", "Ctrl-C; what is being played goes on"),
            ]
        ),
    )
