"""What uvicorn is told for the streams' sake.

Messages are encoded once and sent to many, so nothing is compressed for each client anew; what a client may
send is short; and a client that is dropped while it takes nothing can be cut off, where uvicorn would keep
its unsent bytes until the other side dies.
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from windtunnel.server.streaming.asked import MOST_BYTES

ABORT = "windtunnel.abort"  # an extension of the scope: cut the connection off


class Abortable(WebSocketsSansIOProtocol):
    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        scope = getattr(self, "scope", None)
        if scope is not None:
            scope["extensions"][ABORT] = {"abort": self.transport.abort}


def uvicorn_options() -> dict[str, Any]:
    """For `uvicorn.Config(app, **uvicorn_options())`."""
    return {
        "ws": Abortable,
        "ws_max_size": 4
        * MOST_BYTES,  # what is larger than a message may be is told so, and what is huge is not read
        "ws_per_message_deflate": False,
        "ws_ping_interval": 20.0,
        "ws_ping_timeout": 20.0,
    }
