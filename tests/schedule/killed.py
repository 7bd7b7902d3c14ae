"""A scheduler in a process of its own, which waits at a place that is named until it is killed there."""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path
from typing import Any

from windtunnel.control.schedule import Scheduler, Schedules, firing_now
from windtunnel.control.schedule.claims import Claims
from windtunnel.journal.database import SqliteDatabase


def wait(place: str) -> None:
    print(place, flush=True)
    threading.Event().wait(120)


async def verb(_: dict[str, Any]) -> dict[str, bool]:
    now = firing_now()
    assert now is not None
    now.note({"began": True})
    if sys.argv[2] == "begun":
        wait("begun")
    return {"done": True}


if __name__ == "__main__":
    if sys.argv[2] == "claimed":
        Claims.begin = lambda *_: wait("claimed")  # type: ignore[method-assign,assignment]
    schedules = Schedules(SqliteDatabase(Path(sys.argv[1])))
    asyncio.run(Scheduler(schedules).run({"run": verb}))
