"""Something short and asynchronous, for a caller who may or may not stand in an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


def in_a_loop() -> bool:
    """Whether the caller is inside a running event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of something short, whether or not a loop runs here."""
    if not in_a_loop():
        return asyncio.run(coroutine)
    future: Future[T] = Future()
    threading.Thread(target=settle, args=(future, coroutine), daemon=True, name="windtunnel").start()
    return future.result()


def settle(future: Future[T], coroutine: Coroutine[Any, Any, T]) -> None:
    try:
        future.set_result(asyncio.run(coroutine))
    except BaseException as error:  # noqa: BLE001 - handed to who waits, whatever it is
        future.set_exception(error)
