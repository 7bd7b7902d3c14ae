"""What a schedule may do in a server: runs go through the queue like everybody's, the rest is done in
processes
of its own, as without a server."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import ValidationError

from windtunnel.control.access import Principal, Role
from windtunnel.control.schedule import firing_now
from windtunnel.errors import RunError, UsageError
from windtunnel.journal import Status
from windtunnel.server.playing import Playing
from windtunnel.server.types import StartRequest

LOOK_SECONDS = 0.5
WHO = Principal("schedule", frozenset({Role.OPERATOR}), "schedule")
GOOD = (Status.COMPLETED, Status.WAITING, Status.PAUSED)  # waiting for people, or for money, is no error


class QueuedRun:
    """Start a run and wait for its end. An attempt after one that was cut off finds the run that was made."""

    def __init__(self, playing: Playing) -> None:
        self._playing = playing

    def check(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return _read(arguments).model_dump(exclude_unset=True)

    async def __call__(self, arguments: dict[str, Any]) -> dict[str, Any]:
        now = firing_now()
        started = await self._playing.start(WHO, _read(arguments), key=now.firing.key if now else "")
        if now is not None:
            now.note({"run_id": started.run_id})
        while True:  # bounded by the schedule's own limit of time
            found = await self._playing.ground.find(started.run_id)
            row = found.row
            if row.status in GOOD:
                return {"run_id": row.run_id, "status": str(row.status), "turns": row.turn}
            if row.status.ended:
                said = f"run {row.run_id} is {row.status}: {row.reason or 'no reason is known'}"
                raise RunError(said, remedy=f"windtunnel show {row.run_id}")
            await asyncio.sleep(LOOK_SECONDS)


def _read(arguments: dict[str, Any]) -> StartRequest:
    try:
        return StartRequest.model_validate(arguments)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise UsageError(f"{where}: {first['msg']}".lstrip(": "), where="arguments") from None
