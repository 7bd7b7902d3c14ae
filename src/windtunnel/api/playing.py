"""Playing runs for somebody who may or may not have an event loop of their own.

Without a running loop a play happens here and now. With one (a notebook, async code) it starts at once in a
thread with a loop of its own, so that neither disturbs the other; who needs its result waits, or awaits it.
The first Ctrl-C asks the runs to pause at the end of their turn, the second ends at once. A play that nobody
waited for is paused when Python ends, and can be resumed like any other.
"""

from __future__ import annotations

import asyncio
import atexit
import signal
import threading
from collections.abc import Callable, Coroutine, Generator, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from windtunnel.run.at_once import at_once, in_a_loop, settle
from windtunnel.run.player import Player

__all__ = ["Playing", "at_once", "in_a_loop"]

Work = Callable[["Playing"], Coroutine[Any, Any, None]]

LAST_SECONDS = 10.0  # that the end of Python waits for the turn in hand
_going: set[Playing] = set()


class Playing:
    """One play of one or more runs, on its way or over. An error of it is told once, to who asks first."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._future: Future[None] = Future()
        self._ended: Future[None] = Future()  # the same moment, without an outcome
        self._watched: set[str] = set()
        self._stops: list[Callable[[str], None]] = []
        self._lock = threading.Lock()
        self.wish: str | None = None

    # --- from the side that plays ---

    def watch(self, player: Player) -> None:
        """An observer of players: it learns whom to stop."""

        def stop(wish: str) -> None:
            player.stop = wish

        self.stops_by(stop, once_for=player.run_id)

    def stops_by(self, stop: Callable[[str], None], once_for: str = "") -> None:
        with self._lock:
            if once_for and once_for in self._watched:
                return
            self._watched.add(once_for)
            self._stops.append(stop)
            wish = self.wish
        if wish:
            stop(wish)

    # --- from the side that waits ---

    def start(self) -> Playing:
        if in_a_loop():
            self._beside()
        else:
            self._here()
        return self

    @property
    def over(self) -> bool:
        return self._ended.done()

    def stop(self, wish: str) -> None:
        """Ask every run to pause or to be cancelled at the end of its turn."""
        self.wish = wish
        for stop in list(self._stops):
            stop(wish)

    def wait(self) -> None:
        """Until it is over; raises what went wrong, once."""
        try:
            self._future.result()
        except KeyboardInterrupt:
            self.stop("pause")
            raise
        finally:
            self._tell()

    def __await__(self) -> Generator[Any, None, None]:
        """The same without blocking the loop. Who is cancelled stops waiting; the runs go on."""
        yield from asyncio.shield(asyncio.wrap_future(self._ended)).__await__()
        self.wait()

    def _tell(self) -> None:
        """From now on the outcome is known: whoever asks next looks at the run itself."""
        if self._future.done():
            told: Future[None] = Future()
            told.set_result(None)
            self._future = told

    # --- the two ways to play ---

    def _here(self) -> None:
        with _interrupts_pause(self):
            self._play()
        self.wait()

    def _beside(self) -> None:
        _going.add(self)
        threading.Thread(target=self._play, daemon=True, name="windtunnel").start()

    def _play(self) -> None:
        settle(self._future, self._work(self))
        _going.discard(self)
        self._ended.set_result(None)


@contextmanager
def _interrupts_pause(playing: Playing) -> Iterator[None]:
    """Ctrl-C means: to the end of the turn, then stop. Where somebody else handles it, they go on to."""
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    asked = False

    def interrupted(_number: int, _frame: Any) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        playing.stop("pause")

    signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if asked:
        playing._tell()
        raise KeyboardInterrupt


def _pause_all() -> None:
    going = list(_going)
    for playing in going:
        playing.stop("pause")
    for playing in going:
        try:
            playing._ended.result(timeout=LAST_SECONDS)
        except TimeoutError:
            continue


atexit.register(_pause_all)
