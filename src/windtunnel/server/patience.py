"""How long a connection may take to say what it wants.

uvicorn waits for the headers of a request for ever, so that a few slow clients could hold all connections
that the process may have. Here whoever has not sent all headers in time is cut off: from when it came, or
from the first byte of a further request. Bodies have limits of their own (`bodies`), what rests has
uvicorn's.
"""

from __future__ import annotations

import asyncio
from typing import cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 20.0


class PatientProtocol(H11Protocol):
    """uvicorn's own, with an end to its patience. For `uvicorn.Config(app, http=PatientProtocol)`."""

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast("asyncio.Transport", transport))
        self._wait()

    def data_received(self, data: bytes) -> None:
        if self._patience is None and self.conn.their_state is h11.IDLE:
            self._wait()
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._heard()

    def connection_lost(self, exc: Exception | None) -> None:
        self._heard()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._patience = self.loop.call_later(HEADER_SECONDS, self.transport.abort)

    def _heard(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
