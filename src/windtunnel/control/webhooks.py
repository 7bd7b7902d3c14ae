"""One delivery of a webhook: signed as Standard Webhooks asks, sent once, answered within seconds or failed.

A receiver checks `webhook-signature`, which is `v1,` and the base64 of HMAC-SHA256 over
`{webhook-id}.{webhook-timestamp}.{body}`; the timestamp lets it refuse what is old, the id what it had.
Redirects are not followed and proxies of the environment are not used: the address is the operator's own.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from urllib.parse import urlsplit

from windtunnel.config.notify import Webhook
from windtunnel.errors import UsageError

SECONDS = 5.0  # for a whole delivery, from the first packet to the answer
LONGEST = 64  # lines of an answer that are read for its status
PREFIX = "whsec_"


def secret_of(hook: Webhook, environ: Mapping[str, str]) -> bytes | None:
    """The key that signs; None where none is asked for."""
    if hook.secret_env is None:
        return None
    text = environ.get(hook.secret_env, "")
    if not text:
        raise UsageError(
            f"the secret of the webhook at {host(hook)} is not set",
            where=hook.secret_env,
            remedy=f"set {hook.secret_env} in the environment or in .env",
        )
    if not text.startswith(PREFIX):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise UsageError(f"what follows {PREFIX} is not base64", where=hook.secret_env) from None


def signature(secret: bytes, delivery: str, timestamp: int, body: bytes) -> str:
    signed = f"{delivery}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret, signed, sha256).digest()).decode()


def host(hook: Webhook) -> str:
    """Where it goes, without its path: a path may be a secret."""
    parts = urlsplit(hook.url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


async def send(
    hook: Webhook, event: str, delivery: str, body: bytes, *, now: float, secret: bytes | None
) -> str | None:
    """Deliver once. What went wrong, in words; None if it was taken."""
    stamp = int(now)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "windtunnel",
        "webhook-id": delivery,
        "webhook-timestamp": str(stamp),
        "windtunnel-event": event,
    }
    if secret is not None:
        headers["webhook-signature"] = signature(secret, delivery, stamp, body)
    try:
        async with asyncio.timeout(SECONDS):
            status = await _post(hook.url, headers, body)
    except TimeoutError:
        return f"no answer within {SECONDS:g} s"
    except (OSError, ValueError, asyncio.IncompleteReadError) as error:
        return f"{type(error).__name__}: {error}"[:200]
    return None if 200 <= status < 300 else f"it answered {status}"


async def _post(url: str, headers: Mapping[str, str], body: bytes) -> int:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    name = parts.hostname or ""
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    at = f"[{name}]" if ":" in name else name
    lines = [f"POST {path} HTTP/1.1", f"Host: {at}{f':{parts.port}' if parts.port else ''}"]
    lines += [f"{key}: {value}" for key, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    port = parts.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(name, port, ssl=True if secure else None)
    try:
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()
        return await _status(reader)
    finally:
        writer.close()
        with suppress(OSError, TimeoutError):
            await asyncio.wait_for(writer.wait_closed(), 1.0)


async def _status(reader: asyncio.StreamReader) -> int:
    """The final status of the answer; what comes before it (100, 103) is read over."""
    for _ in range(LONGEST):
        line = await reader.readline()
        if not line:
            break
        found = re.match(rb"HTTP/1\.[01] (\d{3})\b", line)
        if found and not found[1].startswith(b"1"):
            return int(found[1])
    raise ValueError("the answer is not HTTP")
