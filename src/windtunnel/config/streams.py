"""How the server's streams are bounded: `[streams]` of windtunnel.toml."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class Streams(Struct, frozen=True):
    poll: Annotated[float, Meta(ge=0.005, le=5)] = 0.03  # seconds between two looks at a run that is followed
    look: Annotated[float, Meta(ge=0.05, le=60)] = 1.0  # and between two at all runs
    heartbeat: Annotated[float, Meta(ge=0.1, le=300)] = 15.0
    clients: Annotated[int, Meta(ge=1)] = 2000
    subscriptions: Annotated[int, Meta(ge=1)] = 100  # of one client
    runs: Annotated[int, Meta(ge=1)] = 500  # followed at a time
    queue_messages: Annotated[int, Meta(ge=10)] = 2000  # that wait for one client
    queue_bytes: Annotated[int, Meta(ge=65536)] = 4 << 20
    stalled: Annotated[float, Meta(ge=0.1)] = 30.0  # seconds in which a client took nothing at all
