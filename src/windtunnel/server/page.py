"""The dashboard as files: the page that was built, served at `/` and at every address inside it.

The page is a program in the browser that asks the API like any other client, so that its files hold no data
and need no login. An address such as /runs/abc is one of the page's own: it answers with the page, if a
browser asks. Nothing below the server's own places (`/api`, `/auth`, …) is ever taken for one, a file that is
not there is not found, and who asks for JSON is told that in JSON. No script stands in the page itself, and
none may.
"""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from starlette.datastructures import URLPath
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

from windtunnel.server.asking import route, value, values

PACKAGED = Path(__file__).parent / "dashboard"  # in a wheel, where the build hook puts it
CHECKOUT = Path(__file__).parents[3] / "dashboard"  # built there by ./dev serve
TAKEN = ("/api", "/auth", "/docs", "/health", "/ready", "/metrics", "/mcp", "/openapi.json")
ASSETS = "/assets/"  # their names hold a hash of what they hold
FOREVER, ASK_FIRST = "public, max-age=31536000, immutable", "no-cache"
PACKED = (("br", ".br"), ("gzip", ".gz"))  # made when the page is built; the smaller first
# Names of files as the build writes them: no steps up, nothing hidden.
_FILE = re.compile(r"/(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*\.[A-Za-z0-9]+", re.ASCII)
_BASE = re.compile(r"<base\b[^>]*>", re.IGNORECASE)
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src {reached}; manifest-src 'self'; worker-src 'self'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".webmanifest": "application/manifest+json"}
MISSING = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<base href="/">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>Windtunnel</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}
code{font-family:ui-monospace,monospace}</style>
</head>
<body>
<h1>The dashboard is not built here</h1>
<p>This server is whole without it: the <a href="docs">API</a>, streams and MCP answer.</p>
<p>In a checkout, <code>./dev serve</code> builds the page and serves it. To build it beside a server that
runs: <code>npm ci &amp;&amp; npm run build</code> in <code>dashboard/</code>, and load this page again. An
installed package brings the page with it: <code>pip install 'windtunnel[server]'</code>.</p>
</body>
</html>
"""


def find_page() -> Path | None:
    """The folder of the page that was built; None if there is none. Looked for each time: a checkout may
    build it while the server runs."""
    for folder in (PACKAGED, CHECKOUT / "dist"):
        if (folder / "index.html").is_file():
            return folder
    return None


def is_page(scope: Scope) -> bool:
    """Whether a request is for the page or one of its files, which anybody may see."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return False
    path = route(scope)
    if any(path == taken or path.startswith(f"{taken}/") for taken in TAKEN):
        return False
    if path in ("/", "/index.html"):
        return _accepts(scope, "text/html", "text/*", "*/*")
    return _FILE.fullmatch(path) is not None or _accepts(scope, "text/html")


class PageRoute(BaseRoute):
    """All addresses of the page; stands last among the routes."""

    path = "/"  # as it is counted

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return (Match.FULL, {}) if is_page(scope) else (Match.NONE, {})

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        raise NoMatchFound(name, path_params)  # it has no name

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await asyncio.to_thread(partial(answer, Request(scope)))
        await response(scope, receive, send)


def answer(request: Request) -> Response:
    """The file of that name, or the page. Reads the disk: to be called in a thread."""
    folder, path = find_page(), route(request.scope)
    if path != "/index.html" and _FILE.fullmatch(path):
        if folder is not None and (file := folder / path[1:]).is_file():
            return _file(request, file, forever=path.startswith(ASSETS))
        # A name with a dot may be of a run or a world, and then a browser asks for a page, not for a file.
        if path.startswith(ASSETS) or not _accepts(request.scope, "text/html"):
            raise HTTPException(404)
    text = MISSING if folder is None else (folder / "index.html").read_text(encoding="utf-8")
    return _page(request, text)


def _page(request: Request, text: str) -> Response:
    """The page, told where it stands: whatever it loads and asks lies below that."""
    base = f'<base href="{request.scope.get("root_path", "")}/">'
    text = _BASE.sub(base, text, count=1) if _BASE.search(text) else _HEAD.sub(rf"\g<0>{base}", text, count=1)
    host = value(request.scope, "host")  # the guard has checked that it is ours
    reached = (
        f"'self' ws://{host} wss://{host}" if host else "'self'"
    )  # not every browser counts ws as 'self'
    headers = {"content-security-policy": POLICY.format(reached=reached), "cache-control": ASK_FIRST}
    return _tagged(request, text.encode(), {**headers, "content-type": "text/html; charset=utf-8"})


def _file(request: Request, file: Path, *, forever: bool) -> Response:
    kind = TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    if kind.startswith("text/") or kind in ("application/json", "image/svg+xml"):
        kind += "; charset=utf-8"
    headers = {
        "content-type": kind,
        "cache-control": FOREVER if forever else ASK_FIRST,
        "vary": "Accept-Encoding",
    }
    for coding, ending in PACKED:
        packed = file.with_name(file.name + ending)
        if coding in _codings(request.scope) and packed.is_file():
            return _tagged(request, packed.read_bytes(), {**headers, "content-encoding": coding})
    return _tagged(request, file.read_bytes(), headers)


def _tagged(request: Request, body: bytes, headers: dict[str, str]) -> Response:
    """With a mark of what it holds, so that a browser that has it already is told no more than that."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**headers, "etag": tag}
    known = ",".join(values(request.scope, "if-none-match"))
    if any(one.strip().removeprefix("W/") == tag for one in known.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers)


def _accepts(scope: Scope, *kinds: str) -> bool:
    """Whether one of these was asked for by name. Who says nothing takes all."""
    said = list(_weighed(scope, "accept"))
    return any(kind in kinds for kind in said) if said else "*/*" in kinds


def _codings(scope: Scope) -> set[str]:
    return set(_weighed(scope, "accept-encoding"))


def _weighed(scope: Scope, header: str) -> Iterator[str]:
    """The words of a header, without those that it refuses (`q=0`)."""
    for part in ",".join(values(scope, header)).split(","):
        word, *more = (piece.strip().lower() for piece in part.split(";"))
        if word and not any(re.fullmatch(r"q\s*=\s*0(\.0*)?", piece) for piece in more):
            yield word
