"""Processes that play matches, where they cannot even start."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from windtunnel.config import Workspace
from windtunnel.tournaments.hands import MOST_STILLBORN, LocalHands
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
