"""What an agent that asks a model may call: the world's queries, and tools of servers the scenario names.

A query is answered from the state, here and now. A tool of a server is an effect: recorded before it is used.
What is called and may not be is answered with an error, whatever the conversation says; nothing a tool does
wrong ends a turn.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from windtunnel.agents.render import render
from windtunnel.errors import EffectFailed, ScenarioError, UsageError, WindtunnelError
from windtunnel.models.signature import arguments_of, schema_of
from windtunnel.models.talk import Tool, ToolCall
from windtunnel.words import suggest
from windtunnel.world import Context, ToolServer, World

# Kinds of effect: what a server offers, a call, and a call of a tool that may be called again.
LIST, CALL, CALL_AGAIN = "tools", "tool", "tool_again"
MOST = 12_000  # characters of a result that are shown
MOST_NAMED = 64  # characters of a name that are told back
LARGEST = 20_000  # bytes of the arguments of a call
APART = "__"  # between a server's name and its tool's
UNNAMEABLE = re.compile(r"[^\w-]", re.ASCII)  # what providers do not take in the name of a tool
LONGEST = 64  # characters of such a name


class Served(Tool, frozen=True):
    """A tool of a server. `again`: it may be called a second time without harm, or so it says of itself."""

    again: bool = False


class Tools:
    def __init__(
        self, world: World, servers: Sequence[ToolServer], wanted: Sequence[str] | None, where: str
    ) -> None:
        """`wanted` limits what is offered, by the name of a query, or of a server, or of one of its tools."""
        names = [*world.queries, *(server.name for server in servers)]
        for name in wanted or ():
            if name not in names and name.partition(APART)[0] not in names:
                raise ScenarioError(f"there is no tool {name!r}", where=where, remedy=suggest(name, names))
        self._wanted = None if wanted is None else set(wanted)
        self._arguments: dict[str, type[Struct]] = {}
        self._own: dict[str, Tool] = {}
        self._served: dict[str, tuple[str, Served]] = {}  # by the name that a model knows it by
        for name, query in world.queries.items():
            if self._is_wanted(name):
                self._arguments[name] = arguments = arguments_of(query, name, skip=2)
                self._own[name] = Tool(name, inspect.getdoc(query) or "", schema_of(arguments))
        self._queries = tuple(self._own.values())
        self._servers = [server for server in servers if self._serves(server)]

    def _is_wanted(self, name: str) -> bool:
        return self._wanted is None or name in self._wanted or name.partition(APART)[0] in self._wanted

    def _serves(self, server: ToolServer) -> bool:
        if self._wanted is None or server.name in self._wanted:
            return True
        return any(name.startswith(server.name + APART) for name in self._wanted)

    async def offered(self, context: Context) -> tuple[Tool, ...]:
        """What may be called now. What a server offers is asked of it once a turn, and recorded."""
        if not self._servers:
            return self._queries  # the same each time: what providers make of it is remembered
        found = dict(self._own)
        self._served.clear()
        for server in self._servers:
            listed = await context.effect(LIST, {"server": server.name})
            for one in msgspec.convert(listed, list[Served]):
                name = f"{server.name}{APART}{one.name}"
                shown = UNNAMEABLE.sub("_", name)[:LONGEST]
                if self._is_wanted(name) and shown not in found:
                    self._served[shown] = server.name, one
                    found[shown] = Tool(shown, one.description, one.schema)
        return tuple(found.values())

    def sound(
        self, calls: Sequence[ToolCall], offered: Sequence[Tool]
    ) -> tuple[tuple[ToolCall, ...], tuple[str, ...]]:
        """The calls that can be made, and what is wrong with the others. Those never stand in the
        conversation again: a provider refuses one in which a tool has no name of its own, or twice one id."""
        names = [tool.name for tool in offered]
        good: list[ToolCall] = []
        wrong: list[str] = []
        for call in calls:
            if call.name not in names:
                near = suggest(call.name[:MOST_NAMED], names)
                wrong.append(f"error: there is no tool {call.name[:MOST_NAMED]!r} for you: {near}")
            elif not isinstance(call.arguments, dict):
                wrong.append(f"error: {call.name}: the arguments must be an object of names and values")
            elif (size := len(msgspec.json.encode(call.arguments))) > LARGEST:
                wrong.append(
                    f"error: {call.name}: arguments of {size:,} bytes; at most {LARGEST:,} are taken"
                )
            else:
                good.append(call)
        if len({call.id for call in good} - {""}) < len(good):
            good = [msgspec.structs.replace(call, id=f"call_{n + 1}") for n, call in enumerate(good)]
        return tuple(good), tuple(wrong)

    async def run(self, call: ToolCall, offered: Sequence[Tool], context: Context) -> str:
        """The result of one call, as the model is shown it."""
        names = [tool.name for tool in offered]
        if call.name not in names:
            return f"error: there is no tool {call.name!r} for you: {suggest(call.name, names)}"
        if not isinstance(call.arguments, dict):
            return "error: the arguments must be an object of names and values"
        try:
            return render(await self._result(call, context), MOST) or "(nothing)"
        except msgspec.ValidationError as error:
            return f"error: the arguments do not fit: {error}"
        except (EffectFailed, UsageError) as error:
            return f"error: {error.message}" + (f" ({error.remedy})" if error.remedy else "")
        except WindtunnelError:
            raise
        except Exception as error:  # noqa: BLE001 - a query may refuse what it is asked in its own words
            return f"error: {type(error).__name__}: {error}"

    async def _result(self, call: ToolCall, context: Context) -> Any:
        if (arguments := self._arguments.get(call.name)) is not None:
            given = msgspec.convert(call.arguments, arguments, str_keys=True)
            return context.query(
                call.name, **{name: getattr(given, name) for name in given.__struct_fields__}
            )
        server, tool = self._served[call.name]
        kind = CALL_AGAIN if tool.again else CALL
        return await context.effect(kind, {"server": server, "tool": tool.name, "arguments": call.arguments})
