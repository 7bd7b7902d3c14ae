"""A worker's sign of life: a thread that writes its row once a second, whatever its event loop is doing.

It is also who notices that the loop stands still, in which run and where in the code; that somebody wishes to
cancel the run which holds it; and that the process takes more memory than its run may. In the last case the
process ends itself, having said so.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from msgspec import structs

from windtunnel.control.crew import Crew, Stuck, WorkerInfo
from windtunnel.control.logs import RUN, shorten
from windtunnel.errors import WindtunnelError

BEAT_SECONDS = 1.0
MEMORY_SECONDS = 0.05
STILL_SECONDS = 2.0  # a loop that did not come round for so long is looked at
DEEPEST = 6  # lines of code that are told
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Pulse:
    def __init__(self, crew: Crew, describe: Callable[[], WorkerInfo], raw: Path) -> None:
        """`describe` is asked on the thread; `raw` is the file below Python's own prints, kept short here."""
        self._crew, self._describe, self._raw = crew, describe, raw
        self.memory_mb: int | None = None
        self.tick = time.monotonic()  # when the loop last came round
        self.loop: asyncio.AbstractEventLoop | None = None
        self._main = threading.main_thread().ident
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="pulse")

    def start(self) -> None:
        self._crew.beat(self._describe())  # or raises: nobody plays a run whom no manager can see
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        self._thread.join(5)

    def _run(self) -> None:
        due = time.monotonic() + BEAT_SECONDS
        while not self._end.wait(MEMORY_SECONDS if self.memory_mb else BEAT_SECONDS):
            if self.memory_mb and (taken := rss_mb()) > self.memory_mb:
                self._over(taken)
            if time.monotonic() >= due or not self.memory_mb:
                due = time.monotonic() + BEAT_SECONDS
                self._beat()
                shorten(self._raw)

    def _beat(self, memory: float = 0.0) -> None:
        age = time.monotonic() - self.tick
        with suppress(WindtunnelError):  # a database that is busy or gone: the next beat tries again
            info = self._describe()
            self._crew.beat(
                structs.replace(
                    info,
                    tick_age=round(age, 3),
                    rss_mb=round(rss_mb(), 1),
                    stuck=self._stuck() if age > STILL_SECONDS else None,
                    memory_mb=round(memory, 1),
                )
            )

    def _stuck(self) -> Stuck:
        run_id = ""
        if self.loop is not None and (task := asyncio.current_task(self.loop)) is not None:
            run_id = _run_of(task)
        frame = sys._current_frames().get(self._main or 0)
        stack = traceback.extract_stack(frame)[-DEEPEST:] if frame is not None else []
        return Stuck(run_id, [_told(one) for one in stack])

    def _over(self, taken: float) -> None:
        self._beat(memory=taken)
        os.killpg(os.getpgid(0), signal.SIGKILL)


TASK = "run:"  # how the task of a run is named


def _run_of(task: asyncio.Task[object]) -> str:
    """Whose task it is; those that a run's own task began know it by their context, from Python 3.12 on."""
    if task.get_name().startswith(TASK):
        return task.get_name().removeprefix(TASK)
    context = getattr(task, "get_context", None)
    return context().get(RUN, "") if context is not None else ""


def _told(frame: traceback.FrameSummary) -> str:
    return f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"


def rss_mb() -> float:
    """Resident memory of this process; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE / (1 << 20)
    except (OSError, ValueError, IndexError):
        return 0.0


def virtual_mb() -> float:
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * _PAGE / (1 << 20)
    except (OSError, ValueError, IndexError):
        return 0.0
