"""A request as its headers say it: read carefully, because whoever is outside wrote them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.types import Scope

from windtunnel.control.access import Principal
from windtunnel.errors import Unauthenticated, UsageError

PRINCIPAL = "windtunnel.principal"  # where in a scope the guard leaves who asks
BY = "windtunnel.by"  # and by what it knew them: `key`, `login`, or nothing that they showed
FORWARDED = "windtunnel.forwarded"  # whether somebody passed the request on
PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+?)\.?(?::(\d{1,5}))?", re.ASCII | re.IGNORECASE)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def values(scope: Scope, name: str) -> list[str]:
    wanted = name.encode()
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == wanted]


def value(scope: Scope, name: str) -> str | None:
    """The one value of a header; None where there is none, or more than one: nobody then says which
    counts."""
    found = values(scope, name)
    return found[0].strip() if len(found) == 1 else None


def route(scope: Scope) -> str:
    """The path without what a proxy put before it."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    if root and (path == root or path.startswith(f"{root}/")):
        return path[len(root) :] or "/"
    return path


def via(scope: Scope) -> str:
    """Through which door a request comes, as the audit log says it."""
    if scope["type"] == "websocket":
        return "stream"
    path = route(scope)
    return "mcp" if path == "/mcp" or path.startswith("/mcp/") else "rest"


def address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def principal_of(scope: Scope) -> Principal:
    """Who asks, as the guard found out; Unauthenticated if it let a stranger in to a public place."""
    found = scope.get(PRINCIPAL)
    if not isinstance(found, Principal):
        raise Unauthenticated(
            "this needs a key or a login",
            remedy="send the header Authorization: Bearer wt_…; windtunnel keys create NAME makes one",
        )
    return found


def is_loopback(host: str) -> bool:
    """Whether only this machine can mean that address. A name other than localhost is taken for another's."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost":
        return True
    found = ip(name)
    return found is not None and found.is_loopback


def ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def networks(written: Iterable[str], where: str) -> tuple[Network, ...]:
    found = []
    for text in written:
        try:
            found.append(ipaddress.ip_network(text, strict=False))
        except ValueError:
            remedy = "such as 10.0.0.5 or 10.0.0.0/8"
            raise UsageError(f"{text!r} is no address and no network", where=where, remedy=remedy) from None
    return tuple(found)


def split_host(text: str) -> tuple[str, int | None] | None:
    """Name and port of a Host header, small letters, without the dot at its end; None if it is none."""
    match = _HOST.fullmatch(text)
    if match is None or (match[2] and int(match[2]) > 65535):
        return None
    return match[1].lower(), int(match[2]) if match[2] else None


def split_origin(text: str) -> tuple[str, str, int] | None:
    """Scheme, name and port of an origin; None for `null` and whatever else is none."""
    try:
        parts = urlsplit(text)
        named = split_host(parts.netloc)
    except ValueError:
        return None
    if named is None or parts.scheme not in PORTS or parts.path or parts.query or parts.fragment:
        return None
    return parts.scheme, named[0], named[1] or PORTS[parts.scheme]


def own_origin(scope: Scope) -> tuple[str, str, int] | None:
    """The origin of pages that this server itself sends, as who asks calls it."""
    named = split_host(value(scope, "host") or "")
    scheme = {"ws": "http", "wss": "https"}.get(scope.get("scheme", "http"), scope.get("scheme", "http"))
    if named is None or scheme not in PORTS:
        return None
    return scheme, named[0], named[1] or PORTS[scheme]
