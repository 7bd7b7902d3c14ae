"""Drafts of one store come in together: few commits, and nobody waits for lock or disk who could play."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

from windtunnel.errors import WindtunnelError
from windtunnel.journal.draft import Draft
from windtunnel.journal.store import Store

MANY = 24  # drafts that are worth a commit while others play
QUIET = 8  # rounds of the loop in which none comes: then nobody plays who asks nobody
LOOK_SECONDS = 0.0005
PATIENCE_SECONDS = 0.25  # then the lock is waited for: who asks now and then might never have it


class _Load:
    """Drafts that come in by one commit; `over` is done when they have, or could not."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def end(self, *, brought: bool) -> None:
        for draft in self.drafts if brought else ():
            draft.let_go()
        self.over.set_result(None)


class Gathering:
    """Brings them in as soon as there are many and nobody else writes, at the latest when nobody is left who
    could play."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._load: _Load | None = None
        self._work: set[asyncio.Task[None]] = set()

    async def publish(self, draft: Draft) -> None:
        """Bring a run in that is not played at the moment."""
        if draft.held:
            draft.pack()
            if self._load is None:
                self._load = _Load()
                self._begin(self._bring_when_idle(self._load))
            load = self._load
            load.drafts.append(draft)
            if len(load.drafts) >= MANY:
                self._bring(load, wait=False)
            await asyncio.wait([load.over])
        draft.publish()  # by itself, where all together could not be: it has its own error

    async def _bring_when_idle(self, load: _Load) -> None:
        """When no more come; while another writes, some may."""
        until, seen = time.monotonic() + PATIENCE_SECONDS, 0
        while len(load.drafts) > seen:
            seen = len(load.drafts)
            for _ in range(QUIET):
                await asyncio.sleep(0)
        while load is self._load and not self._bring(load, wait=time.monotonic() > until):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS)

    def _bring(self, load: _Load, *, wait: bool) -> bool:
        """Whether it was tried: not without `wait`, while another writes."""
        try:
            settle = self._store.bring_all([draft.whole() for draft in load.drafts], wait=wait)
        except BaseException as error:  # whatever it was: who waits is not left waiting
            self._load = None
            load.end(brought=_committed(error))
            if not isinstance(error, WindtunnelError):
                raise
            return True
        if settle is None:
            return False
        self._load = None
        on_disk = asyncio.get_running_loop().run_in_executor(None, settle)
        self._begin(self._wait_for_disk(load, on_disk))
        return True

    async def _wait_for_disk(self, load: _Load, on_disk: asyncio.Future[None]) -> None:
        brought = False
        try:
            await on_disk
            brought = True
        except WindtunnelError as error:
            brought = _committed(error)
        finally:
            load.end(brought=brought)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._work.add(task)  # the loop itself would forget it
        task.add_done_callback(self._work.discard)


def _committed(error: BaseException) -> bool:
    return isinstance(error, WindtunnelError) and bool(error.data.get("committed"))
