"""Logs of the server: one JSON object a line, with the request's id, and without a secret.

Whatever is logged through here is scrubbed where it is written down, also what libraries say: a key in an
address (`?key=`) must not end in a file that many may read. The access log is ours; uvicorn's is turned off.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
import time
from typing import Any, TextIO
from urllib.parse import parse_qsl, quote, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from windtunnel.control.access import Principal
from windtunnel.control.audit import HIDDEN, REQUEST, scrub_text, secret_name
from windtunnel.server.asking import PRINCIPAL, address, value, via

ACCESS = logging.getLogger("windtunnel.access")
REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}", re.ASCII)
_QUERY_SECRET = re.compile(
    r"(?P<name>[?&;](?:key|code|state|api_?key|[a-z_]*token|[a-z_]*secret|password)=)[^&;\s\"']*",
    re.IGNORECASE,
)
_ESCAPED = re.compile(r"%(2D|2E|3[0-9]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])", re.IGNORECASE)
_ASKED = frozenset({"key", "code", "state"})  # of a login, and of a stream
_LONG = 512


def scrub(text: str) -> str:
    """Any text without keys, in an address or elsewhere; a letter that was written as %77 is one too."""
    text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return _QUERY_SECRET.sub(rf"\g<name>{HIDDEN}", scrub_text(text))


def scrub_query(raw: bytes) -> str:
    """A query string in which secrets are hidden, however they were written."""
    try:
        pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True, max_num_fields=100)
    except ValueError:
        return "[unreadable]"
    told = [
        (name, HIDDEN if name in _ASKED or secret_name(name) else scrub_text(said)) for name, said in pairs
    ]
    return urlencode(told, safe="[]", quote_via=quote)[:_LONG]


class JsonLines(logging.Formatter):
    """A record as one line of JSON, scrubbed."""

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        said: dict[str, Any] = {
            "at": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "log": record.name,
            "message": record.getMessage(),
        }
        if request := REQUEST.get():
            said["request"] = request
        said.update(getattr(record, "fields", {}))
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        plain = {name: scrub(text) if isinstance(text, str) else text for name, text in said.items()}
        return json.dumps(plain, ensure_ascii=False, default=lambda other: scrub(str(other)))


def _ours(record: logging.LogRecord) -> bool:
    """Uvicorn notes each WebSocket as well: once is enough."""
    return '"WebSocket' not in str(record.msg)


def configure(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send what Windtunnel and uvicorn log to one stream, as JSON. For uvicorn: `log_config=None`."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    handler.addFilter(_ours)
    for name in ("windtunnel", "uvicorn"):
        log = logging.getLogger(name)
        log.handlers, log.propagate = [handler], False
        log.setLevel(level)
    for name in ("uvicorn.error", "uvicorn.asgi"):  # they pass on to uvicorn's
        logging.getLogger(name).handlers = []
    quiet = logging.getLogger("uvicorn.access")
    quiet.handlers, quiet.propagate = [], False


class Trace:
    """Gives each request an id, which its answer, its log lines and its audit entries carry, and notes it
    when it is over."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        given = value(scope, "x-request-id") or ""
        request = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        token, started = REQUEST.set(request), time.monotonic()
        seen: dict[str, int] = {"status": 0, "bytes": 0}

        async def sent(message: Message) -> None:
            _see(message, seen)
            if message["type"] in (
                "http.response.start",
                "websocket.http.response.start",
                "websocket.accept",
            ):
                kept = [pair for pair in message.get("headers", ()) if pair[0].lower() != b"x-request-id"]
                message = {**message, "headers": [*kept, (b"x-request-id", request.encode())]}
            await send(message)

        try:
            await self.app(scope, receive, sent)
        finally:
            _note(scope, seen, time.monotonic() - started)
            REQUEST.reset(token)


def _see(message: Message, seen: dict[str, int]) -> None:
    kind = message["type"]
    if kind in ("http.response.start", "websocket.http.response.start"):
        seen["status"] = message["status"]
    elif kind == "websocket.accept":
        seen["status"] = 101
    elif kind == "websocket.close" and not seen["status"]:
        seen["status"] = 403  # what a server makes of a close before the accept
    if "body" in kind:
        seen["bytes"] += len(message.get("body", b""))
    elif kind == "websocket.send":
        seen["bytes"] += len(message.get("bytes") or message.get("text") or "")


def _note(scope: Scope, seen: dict[str, int], seconds: float) -> None:
    if not ACCESS.isEnabledFor(logging.INFO):
        return
    found = scope.get(PRINCIPAL)
    method = scope.get("method", "WEBSOCKET")
    fields = {
        "method": method[:16],
        "path": scrub(str(scope["path"])[:_LONG]),
        "query": scrub_query(bytes(scope.get("query_string", b""))[: 4 * _LONG]),
        "status": seen["status"] or 500,
        "ms": round(seconds * 1000, 1),
        "bytes": seen["bytes"],
        "who": found.name if isinstance(found, Principal) else None,
        "via": via(scope),
        "address": address(scope),
    }
    ACCESS.info("request", extra={"fields": fields})
