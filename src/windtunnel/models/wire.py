"""The wire under every provider: the offline switch, the limit on a reply's size, the proxy.

Nothing a provider's class does reaches the network but through here. With `WINDTUNNEL_OFFLINE` only loopback
does. A redirect is not followed: a key goes to the address that was written, or nowhere.

Each connection stands alone. httpcore's pool looks at every idle connection for every request, and at 64 of
them that costs half a millisecond a call; here the one that was used last is taken, whatever their number.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from urllib.request import getproxies, proxy_bypass

import httpx2

from windtunnel.models.settings import OFFLINE, is_loopback

LARGEST = 32 << 20  # bytes of one reply
CONNECT_SECONDS = 10.0
KEPT_ALIVE = 256  # lines kept for the next request
KEPT_SECONDS = 5.0

# Set by who asks, to be told whether any response came: what fails after that fails over what it holds.
HEARD: ContextVar[list[int] | None] = ContextVar("HEARD", default=None)
# Set by who asks, to be told when the request is out, or waits for the network: another may be prepared then.
LEAVES: ContextVar[Callable[[], None] | None] = ContextVar("LEAVES", default=None)
OUT = ("connect_tcp.started", "connect_unix_socket.started", "send_request_body.complete")
Dial = Callable[[], httpx2.AsyncBaseTransport]
Free = Callable[[], Awaitable[None]]


class TooLarge(httpx2.ReadError):
    """A reply that would fill the memory."""


class Outside(httpx2.ConnectError):
    """An address that is not this machine, while WINDTUNNEL_OFFLINE is set."""


class Wire(httpx2.AsyncBaseTransport):
    def __init__(self, dial: Dial, *, offline: bool, largest: int = LARGEST) -> None:
        self._dial, self._offline, self._largest = dial, offline, largest
        self._idle: list[httpx2.AsyncBaseTransport] = []
        self._all: set[httpx2.AsyncBaseTransport] = set()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if self._offline and not is_loopback(request.url.host):
            raise Outside(f"{request.url.host} is outside, and {OFFLINE} is set", request=request)
        line = self._idle.pop() if self._idle else self._dial()
        self._all.add(line)
        if (leaves := LEAVES.get()) is not None:
            request.extensions = {**request.extensions, "trace": _told_when_out(leaves)}
        try:
            response = await line.handle_async_request(request)
        except BaseException:
            await self._free(line)
            raise
        if (heard := HEARD.get()) is not None:
            heard.append(response.status_code)
        if not isinstance(response.stream, httpx2.AsyncByteStream):
            await self._free(line)
            return response
        response.stream = _Counted(response.stream, self._largest, request, lambda: self._free(line))
        announced = response.headers.get("content-length", "0")
        if announced.isdigit() and int(announced) > self._largest:
            await response.aclose()
            raise _too_large(self._largest, request)
        return response

    async def _free(self, line: httpx2.AsyncBaseTransport) -> None:
        """The line may be taken again; what broke on it, it has closed itself."""
        if len(self._idle) < KEPT_ALIVE:
            self._idle.append(line)
        else:
            self._all.discard(line)
            await line.aclose()

    async def aclose(self) -> None:
        lines, self._all = self._all, set()
        self._idle.clear()
        for line in lines:
            await line.aclose()


def _told_when_out(leaves: Callable[[], None]) -> Callable[[str, object], Awaitable[None]]:
    async def trace(event: str, _about: object) -> None:
        if event.endswith(OUT):
            leaves()

    return trace


class _Counted(httpx2.AsyncByteStream):
    def __init__(
        self, inner: httpx2.AsyncByteStream, largest: int, request: httpx2.Request, free: Free
    ) -> None:
        self._inner, self._largest, self._request = inner, largest, request
        self._free: Free | None = free

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._inner:
            size += len(chunk)
            if size > self._largest:
                raise _too_large(self._largest, self._request)
            yield chunk

    async def aclose(self) -> None:
        free, self._free = self._free, None
        if free is not None:
            try:
                await self._inner.aclose()
            finally:
                await free()


def _too_large(largest: int, request: httpx2.Request) -> TooLarge:
    return TooLarge(f"the reply is larger than {largest >> 20} MiB", request=request)


def client(host: str, scheme: str, timeout: float, *, offline: bool) -> httpx2.AsyncClient:
    proxy = None
    if not is_loopback(host) and not proxy_bypass(host):
        found = getproxies()
        proxy = found.get(scheme) or found.get("all")
    trusted = httpx2.create_ssl_context()  # read once: it takes longer than a call
    alone = httpx2.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEPT_SECONDS)

    def dial() -> httpx2.AsyncBaseTransport:
        return httpx2.AsyncHTTPTransport(verify=trusted, limits=alone, proxy=proxy)

    return httpx2.AsyncClient(
        transport=Wire(dial, offline=offline),
        timeout=httpx2.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
        follow_redirects=False,
    )
