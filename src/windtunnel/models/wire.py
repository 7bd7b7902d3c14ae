"""The wire under every provider: the offline switch, the limit on a reply's size, the proxy.

Nothing a provider's class does reaches the network but through here. With `WINDTUNNEL_OFFLINE` only loopback
does. A redirect is not followed: a key goes to the address that was written, or nowhere.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.request import getproxies, proxy_bypass

import httpx2

from windtunnel.models.settings import OFFLINE, is_loopback

LARGEST = 32 << 20  # bytes of one reply
CONNECT_SECONDS = 10.0
KEPT_ALIVE = 256


class TooLarge(httpx2.ReadError):
    """A reply that would fill the memory."""


class Outside(httpx2.ConnectError):
    """An address that is not this machine, while WINDTUNNEL_OFFLINE is set."""


class Wire(httpx2.AsyncBaseTransport):
    def __init__(self, inner: httpx2.AsyncBaseTransport, *, offline: bool, largest: int = LARGEST) -> None:
        self._inner, self._offline, self._largest = inner, offline, largest

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if self._offline and not is_loopback(request.url.host):
            raise Outside(f"{request.url.host} is outside, and {OFFLINE} is set", request=request)
        response = await self._inner.handle_async_request(request)
        announced = response.headers.get("content-length", "0")
        if announced.isdigit() and int(announced) > self._largest:
            await response.aclose()
            raise _too_large(self._largest, request)
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Counted(response.stream, self._largest, request)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Counted(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream, largest: int, request: httpx2.Request) -> None:
        self._inner, self._largest, self._request = inner, largest, request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._inner:
            size += len(chunk)
            if size > self._largest:
                raise _too_large(self._largest, self._request)
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


def _too_large(largest: int, request: httpx2.Request) -> TooLarge:
    return TooLarge(f"the reply is larger than {largest >> 20} MiB", request=request)


def client(host: str, scheme: str, timeout: float, *, offline: bool, most: int) -> httpx2.AsyncClient:
    proxy = None
    if not is_loopback(host) and not proxy_bypass(host):
        found = getproxies()
        proxy = found.get(scheme) or found.get("all")
    limits = httpx2.Limits(max_connections=most + 8, max_keepalive_connections=min(most, KEPT_ALIVE))
    return httpx2.AsyncClient(
        transport=Wire(httpx2.AsyncHTTPTransport(limits=limits, proxy=proxy), offline=offline),
        timeout=httpx2.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
        follow_redirects=False,
    )
