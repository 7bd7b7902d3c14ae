"""What `[serve]` and `[oauth.NAME]` of windtunnel.toml may say: where a server listens, who may come, how
much they may send. A secret is never written here: `client_secret_env` names a variable of the
environment."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Variable = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
# A star is no origin and no host: who may come is said by name.
Origin = Annotated[str, Meta(pattern=r"^https?://[A-Za-z0-9._:\[\]-]+$")]
HostName = Annotated[str, Meta(pattern=r"^(\*\.)?[A-Za-z0-9._-]+$|^\[[0-9a-fA-F:.]+\]$")]
Url = Annotated[str, Meta(pattern=r"^(https?://\S+)?$")]


class Serve(Struct, frozen=True):
    """`origins`: pages of other addresses that may use the API. `hosts`: names by which this server is
    called, beside the one it is bound to (`*.example.com` for all below). `max_body` in bytes. `rate`:
    requests a second of one key, or of one address without a key, with four seconds' worth at once; without
    it 50, and no limit on a server that only this machine reaches. `proxy`: addresses or networks whose
    X-Forwarded-For and -Proto are believed. `root_path`: the path a proxy puts before ours. `session_hours`:
    how long a login lasts."""

    host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8000
    origins: tuple[Origin, ...] = ()
    hosts: tuple[HostName, ...] = ()
    max_body: Annotated[int, Meta(ge=1024)] = 10 << 20
    rate: Annotated[float, Meta(gt=0)] | None = None
    proxy: tuple[str, ...] = ()
    root_path: Annotated[str, Meta(pattern=r"^(/[A-Za-z0-9._~-]+)*$")] = ""
    session_hours: Annotated[float, Meta(gt=0, le=24 * 30)] = 12.0


class OAuth(Struct, frozen=True):
    """A provider of logins: `github` or `google`. `allow` says who gets which roles. For github a login,
    `id:583231` or `org:NAME`; for google an address that was verified, `id:SUB` or `domain:NAME` (of a
    Workspace). The addresses are the provider's own unless given, for an enterprise server."""

    client_id: Annotated[str, Meta(min_length=1)]
    client_secret_env: Variable
    allow: dict[str, tuple[str, ...]]
    authorize_url: Url = ""
    token_url: Url = ""
    api_url: Url = ""
