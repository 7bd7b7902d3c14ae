"""Processes that play matches, where they cannot even start."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from windtunnel.config import Workspace
from windtunnel.errors import RunError
from windtunnel.tournaments.hands import AHEAD, MOST_STILLBORN, LocalHands
from windtunnel.tournaments.model import Scoring
from windtunnel.tournaments.playing import NotNow, Order


def test_hands_that_end_as_they_start_are_given_up_and_not_started_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []

    async def dead(self: LocalHands, blame: Path) -> Any:
        started.append(blame)
        blame.write_bytes(b"")  # noqa: ASYNC240 - a file of no bytes
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec("false", stdin=pipe, stdout=pipe)

    monkeypatch.setattr(LocalHands, "_start", dead)

    async def play() -> None:
        hands = LocalHands(Workspace(tmp_path), processes=1)
        try:
            async with asyncio.timeout(20):
                await hands.play(Order("x.sqlite", "t.1", "dice", {}, {"a": "one"}, Scoring()))
        finally:
            await hands.aclose()

    with pytest.raises(NotNow, match="end as they start"):
        asyncio.run(play())
    assert len(started) == MOST_STILLBORN


SLOW = """
import json, os, sys, time
for line in sys.stdin:
    time.sleep(0.5)
    run_id = json.loads(line)["run_id"]
    told = {"run_id": run_id, "ending": "played", "seats": {}, "turns": 1, "why": str(os.getpid())}
    print(json.dumps({"run_id": run_id, "outcome": told}), flush=True)
"""


COUNTING = """
import json, sys
for seen, line in enumerate(sys.stdin, 1):
    order = json.loads(line)
    told = {"run_id": order["run_id"], "ending": "played", "seats": {}, "turns": seen}
    told["why"] = str(order.get("fresh"))
    print(json.dumps({"run_id": order["run_id"], "began": True}), flush=True)
    if order["run_id"] in sys.argv[1:] and order.get("fresh"):
        sys.exit(1)
    if order["run_id"] == "t.busy" and seen < 3:
        error = {"code": "storage", "message": "the disk is full"}
        print(json.dumps({"run_id": "t.busy", "error": error, "not_now": True}), flush=True)
        continue
    print(json.dumps({"run_id": order["run_id"], "outcome": told}), flush=True)
"""


def counting(monkeypatch: pytest.MonkeyPatch, *deadly: str) -> None:
    """A process says how many orders it had seen with this one, and ends at some if they are fresh."""

    async def start(self: LocalHands, blame: Path) -> Any:
        blame.write_bytes(b"")  # noqa: ASYNC240 - a file of no bytes
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            sys.executable, "-c", COUNTING, *deadly, stdin=pipe, stdout=pipe
        )

    monkeypatch.setattr(LocalHands, "_start", start)


def order(number: int | str, **more: Any) -> Order:
    return Order("x.sqlite", f"t.{number}", "dice", {}, {"a": "one"}, Scoring(), **more)


def test_what_is_asked_for_next_is_played_while_nobody_asks_and_not_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting(monkeypatch)

    async def play() -> list[int]:
        hands = LocalHands(Workspace(tmp_path), processes=1)
        try:
            async with asyncio.timeout(20):
                hands.early(map(order, (2, 3)))
                first = await hands.play(order(1))
                hands.early(iter(()))
                later = [await hands.play(order(number)) for number in (3, 4, 2)]
                return [one.turns for one in (first, *later)]
        finally:
            await hands.aclose()

    assert asyncio.run(play()) == [1, 3, 4, 2]


def test_what_could_not_be_played_early_is_tried_again_when_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting(monkeypatch)

    async def play() -> int:
        hands = LocalHands(Workspace(tmp_path), processes=1)
        try:
            async with asyncio.timeout(20):
                hands.early(iter((order("busy"),)))
                await hands.play(order(1))
                await hands.play(order(2))
                return (await hands.play(order("busy"))).turns
        finally:
            await hands.aclose()

    assert asyncio.run(play()) == 4


def test_nothing_is_begun_early_any_more_once_it_is_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting(monkeypatch)
    given: list[int] = []
    going_on = asyncio.Event()

    def endless() -> Iterator[Order]:
        for number in count(2):
            given.append(number)
            if number > 5 * AHEAD:
                going_on.set()
            yield order(number)

    async def play() -> None:
        hands = LocalHands(Workspace(tmp_path), processes=1)
        try:
            async with asyncio.timeout(20):
                hands.early(endless())
                await hands.play(order(1))
                await going_on.wait()
                hands.stop(RunError("it was asked to stop"))
                so_far = len(given)
                with pytest.raises(NotNow):
                    await hands.play(order(so_far + 1))
                await asyncio.sleep(0.2)
                assert len(given) == so_far
        finally:
            await hands.aclose()

    asyncio.run(play())


def test_a_match_whose_process_ended_is_looked_for_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting(monkeypatch, "t.1")

    async def play() -> list[str]:
        hands = LocalHands(Workspace(tmp_path), processes=1)
        try:
            async with asyncio.timeout(20):
                return [(await hands.play(order(number, fresh=True))).why for number in (1, 2)]
        finally:
            await hands.aclose()

    assert asyncio.run(play()) == ["None", "True"], "its run may be in the store by now"


def test_few_matches_are_shared_out_to_all_hands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(self: LocalHands, blame: Path) -> Any:
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(sys.executable, "-c", SLOW, stdin=pipe, stdout=pipe)

    monkeypatch.setattr(LocalHands, "_start", slow)

    async def play() -> list[str]:
        hands = LocalHands(Workspace(tmp_path), processes=2)
        orders = [Order("x.sqlite", f"t.{n}", "dice", {}, {"a": "one"}, Scoring()) for n in range(4)]
        try:
            async with asyncio.timeout(20):
                return [one.why for one in await asyncio.gather(*map(hands.play, orders))]
        finally:
            await hands.aclose()

    assert sorted(Counter(asyncio.run(play())).values()) == [2, 2]
