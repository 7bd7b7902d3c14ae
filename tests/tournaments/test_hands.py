"""Processes that play matches, where they cannot even start."""

from __future__ import annotations

import asyncio
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
