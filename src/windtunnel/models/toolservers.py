"""Servers of tools (MCP): each connected to once in a process, over HTTP or as a command that is allowed.

A scenario may come from anywhere, and a command it names would run here: only those are started that
windtunnel.toml names, word for word. A key goes to the address it was written for. With WINDTUNNEL_OFFLINE no
address but loopback is reached; a command that is allowed is started all the same, and told of the switch.

What a server answers is bounded in size and in time. It asks nothing of us: no model, no person, no folder.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from windtunnel.codec import encode_body, find_unfit
from windtunnel.config.tools import ToolServer as Known
from windtunnel.errors import CodecError, ToolSetup
from windtunnel.models.talk import ToolFailed
from windtunnel.models.toolline import Line, Lost, Target, settle
from windtunnel.words import suggest
from windtunnel.world import ToolServer

CALL_SECONDS = 60.0
LARGEST = 200_000  # bytes of a result, and of all that a server says it offers
PAGES = 50  # of a server's list
HIDDEN = "•••"


class ToolServers:
    """The connections of one event loop. `known` are the servers of windtunnel.toml, read when first needed;
    `folder` is where commands start."""

    def __init__(
        self,
        known: Callable[[], Mapping[str, Known]],
        environ: Mapping[str, str],
        folder: Path | None = None,
        *,
        seconds: float = CALL_SECONDS,
    ) -> None:
        self._known, self._environ, self._folder, self._seconds = known, environ, folder, seconds
        self._lines: dict[Target, Line] = {}
        self._left: set[Line] = set()  # broken: with calls that still wait, or not yet closed
        self._listed: dict[Target, list[dict[str, Any]]] = {}
        self._locks: dict[Target, asyncio.Lock] = {}

    def check(self, servers: Sequence[ToolServer]) -> None:
        """ToolSetup if one of these may not be used on this machine: said before anything is played."""
        for server in servers:
            self._target(server)

    async def tools(self, server: ToolServer) -> list[dict[str, Any]]:
        """What it offers, as far as the scenario wants it; asked once. ToolSetup if it cannot be had."""
        target = self._target(server)
        async with self._locks.setdefault(target, asyncio.Lock()):
            if target not in self._listed:
                self._listed[target] = await self._list(target)
        listed = self._listed[target]
        names = [tool["name"] for tool in listed]
        for wanted in server.tools:
            if wanted not in names:
                raise ToolSetup(
                    f"{server.name} offers no tool {wanted!r}",
                    where=f"mcp.{server.name}",
                    remedy=suggest(wanted, names),
                )
        offered = [tool for tool in listed if not server.tools or tool["name"] in server.tools]
        if len(encode_body(offered)) > LARGEST:
            raise ToolSetup(
                f"what {server.name} offers is larger than {LARGEST // 1000} KB",
                where=f"mcp.{server.name}",
                remedy="name the tools that are wanted: tools: [...]",
            )
        return offered

    async def call(self, server: ToolServer, tool: str, arguments: dict[str, Any]) -> Any:
        """The result of one call. ToolFailed if the server says no or is not there; it is not tried again."""
        target = self._target(server)
        line = self._line(target)
        try:
            result = await self._within(line, lambda client: client.call_tool(tool, arguments))
        except TimeoutError:
            self._leave(line)
            raise ToolFailed(
                f"no answer within {self._seconds:g} seconds; whether {tool} did anything is not known"
            ) from None
        except ToolSetup:
            self._leave(line)
            raise
        except Lost as error:
            self._leave(line)
            raise ToolFailed(self._scrub(f"{server.name} cannot be reached: {error}", target)) from None
        except Exception as error:
            if not line.refused(error):
                self._leave(line)
                raise ToolFailed(self._scrub(f"{server.name} broke off: {error}", target)) from error
            raise ToolFailed(self._scrub(str(error), target)) from error
        answer = self._scrubbed(_plain(result), target)
        if result.is_error:
            raise ToolFailed(answer if isinstance(answer, str) else encode_body(answer).decode())
        return answer

    async def aclose(self) -> None:
        lines = {*self._lines.values(), *self._left}
        self._lines.clear()
        self._left.clear()
        self._listed.clear()
        await asyncio.gather(*(line.aclose() for line in lines))

    # --- connections ---

    def _target(self, server: ToolServer) -> Target:
        return settle(server, self._known().get(server.name), self._environ, self._folder)

    def _line(self, target: Target) -> Line:
        if target not in self._lines:
            self._lines[target] = Line(target)
        return self._lines[target]

    async def _within(self, line: Line, work: Callable[[Any], Any]) -> Any:
        client = await line.client()  # bounded by its own time
        line.users += 1
        try:
            async with asyncio.timeout(self._seconds):
                return await work(client)
        finally:
            line.users -= 1
            if line in self._left and not line.users:
                line.let_go()

    def _leave(self, line: Line) -> None:
        """Whoever calls next gets a new connection. Others may still wait for an answer on this one."""
        if self._lines.get(line.target) is line:
            del self._lines[line.target]
            self._left = {one for one in self._left if not one.closed} | {line}
            if not line.users:
                line.let_go()

    async def _list(self, target: Target) -> list[dict[str, Any]]:
        problem = ""
        for _ in range(2):  # the connection may be an old one whose server has been started anew
            line = self._line(target)
            try:
                listed: list[dict[str, Any]] = await self._within(line, _everything)
                return listed
            except ToolSetup:
                self._leave(line)
                raise
            except TimeoutError:
                problem = f"no answer within {self._seconds:g} seconds"
            except CodecError as error:
                problem = error.message
            except Exception as error:  # noqa: BLE001 - whatever it is, nothing can be called
                problem = str(error) or type(error).__name__
            self._leave(line)
        at = target.url or " ".join(target.command)
        raise ToolSetup(
            f"{target.name} does not say what it offers: {self._scrub(problem, target)}",
            where=f"mcp.{target.name}",
            remedy=f"see that {at} is an MCP server and runs; then resume",
        )

    def _scrub(self, text: str, target: Target) -> str:
        for secret in target.secrets():
            text = text.replace(secret, HIDDEN)
        return text

    def _scrubbed(self, answer: Any, target: Target) -> Any:
        """A result without our own keys, should the server say them back."""
        if isinstance(answer, str):
            return self._scrub(answer, target)
        if isinstance(answer, dict):
            return {self._scrub(key, target): self._scrubbed(value, target) for key, value in answer.items()}
        return [self._scrubbed(one, target) for one in answer] if isinstance(answer, list) else answer


async def _everything(client: Any) -> list[dict[str, Any]]:
    """All tools of a server, as they are recorded."""
    found: list[dict[str, Any]] = []
    cursor = None
    for _ in range(PAGES):
        page = await client.list_tools(cursor=cursor)
        for tool in page.tools:
            hints = tool.annotations
            again = hints is not None and bool(hints.read_only_hint or hints.idempotent_hint)
            told = {"name": tool.name, "description": tool.description or "", "schema": tool.input_schema}
            if unfit := find_unfit(told):
                raise CodecError(f"the tool {tool.name} cannot be recorded: {unfit}")
            found.append({**told, "again": True} if again else told)
        cursor = page.next_cursor
        if cursor is None:
            break
    return found


def _plain(result: Any) -> Any:
    """What a call brought: the structured content if there is some, else its text. Pictures and sounds are
    named and left out."""
    structured = result.structured_content
    if structured is not None and find_unfit(structured) is None and len(encode_body(structured)) <= LARGEST:
        return structured
    text = "\n".join(_text(block) for block in result.content)
    raw = text.encode(errors="replace")
    if len(raw) <= LARGEST:
        return raw.decode()
    return f"{raw[:LARGEST].decode(errors='ignore')}\n… (cut: {len(raw):,} bytes)"


def _text(block: Any) -> str:
    if block.type == "text":
        return str(block.text)
    if block.type == "resource" and hasattr(block.resource, "text"):
        return str(block.resource.text)
    if block.type == "resource_link":
        return f"({block.name}: {block.uri})"
    return f"({block.type}, left out)"
