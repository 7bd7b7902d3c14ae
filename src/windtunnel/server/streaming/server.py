"""What uvicorn is told for the streams' sake.

A message is encoded once, as the very frame that goes to each of many clients: so nothing is compressed,
and a frame is handed to the transport as it is, while that has room. What a client may send is short. And
one that is dropped while it takes nothing can be cut off, where uvicorn would keep its unsent bytes until the
other side dies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from windtunnel.server.streaming.asked import MOST_BYTES

EXTENSION = "windtunnel.line"  # of the scope; under another server, or behind a wrapper, there may be none


class Lines(NamedTuple):
    """What can be done to a connection from beside its ASGI application."""

    write: Callable[[bytes], bool]  # a whole frame, at once; False: it must be sent in the usual way
    abort: Callable[[], None]


class StreamProtocol(WebSocketsSansIOProtocol):
    """uvicorn's own, with the extension."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        scope = getattr(self, "scope", None)
        if scope is not None:  # the handshake was well formed
            scope["extensions"][EXTENSION] = Lines(self.write_frame, self.transport.abort)

    def write_frame(self, frame: bytes) -> bool:
        if (
            not self.writable.is_set()
            or self.disconnected
            or self.close_sent
            or not self.handshake_complete
            or self.transport.is_closing()
        ):
            return False
        self.transport.write(frame)
        return True


def lines_of(scope: Any) -> Lines | None:
    found = scope.get("extensions", {}).get(EXTENSION)
    return found if isinstance(found, Lines) else None


def uvicorn_options() -> dict[str, Any]:
    """For `uvicorn.Config(app, **uvicorn_options())`."""
    return {
        "ws": StreamProtocol,
        "ws_max_size": 4 * MOST_BYTES,  # what is too large for a message is told so; what is huge is not read
        "ws_per_message_deflate": False,
        "ws_ping_interval": 20.0,
        "ws_ping_timeout": 20.0,
    }
