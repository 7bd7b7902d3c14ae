"""What `[mcp.NAME]` of windtunnel.toml may say: the servers of tools that scenarios may use here, and how.

A command is started only if it stands here, word for word: a scenario may come from anywhere. A key is never
written here: `key` and `env` name variables of the environment.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Variable = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]


class ToolServer(Struct, frozen=True):
    """`key` is sent to `url` and to no other address. `env`: what the command is given besides the few
    variables that every program needs. The command starts in the folder of windtunnel.toml."""

    url: str = ""
    command: tuple[str, ...] = ()
    key: Variable | None = None
    env: tuple[Variable, ...] = ()
