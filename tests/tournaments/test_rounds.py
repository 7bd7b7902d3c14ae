"""The matches of one round, as the tournament asks for them."""

from __future__ import annotations

import asyncio
from typing import Any

from windtunnel.tournaments import engine
from windtunnel.tournaments.model import Match, Outcome


class Asked:
    """A context whose matches end when it is said; who was asked for, in that order."""

    def __init__(self, ends: Any) -> None:
        self.ends = ends
        self.names: list[str] = []

    def member(self, name: str) -> Any:
        return type("Member", (), {"effect": lambda _, _kind, _match: self.played(name)})()

    async def played(self, name: str) -> Any:
        self.names.append(name)
        await self.ends(self)
        return Outcome(name, "played", {}, 1)


MATCHES = [Match(number, 1, 1, 0, 5, {}) for number in range(1, engine.FIRST + 9)]


def test_all_matches_of_a_long_round_go_on_together_though_none_ends(monkeypatch: Any) -> None:
    monkeypatch.setattr(engine, "SOON_SECONDS", 0.01)

    all_there = asyncio.Event()

    async def when_all_are_there(asked: Asked) -> None:
        if len(asked.names) == len(MATCHES):
            all_there.set()
        await all_there.wait()

    async def play() -> list[Outcome]:
        asked: Any = Asked(when_all_are_there)
        async with asyncio.timeout(10):
            return await engine.all_played(MATCHES, asked)

    assert [one.run_id for one in asyncio.run(play())] == [f"m{match.number}" for match in MATCHES]


def test_the_first_are_at_work_before_the_last_are_asked_for(monkeypatch: Any) -> None:
    monkeypatch.setattr(engine, "SOON_SECONDS", 60.0)
    seen: list[int] = []

    over = asyncio.Event()

    async def at_once(asked: Asked) -> None:
        seen.append(len(asked.names))
        if len(seen) == engine.FIRST:  # whoever else could be asked for had the time to be
            await asyncio.sleep(0.05)
            seen.append(len(asked.names))
            over.set()
        await over.wait()

    async def play() -> None:
        asked: Any = Asked(at_once)
        async with asyncio.timeout(10):
            await engine.all_played(MATCHES, asked)
        assert len(asked.names) == len(MATCHES)

    asyncio.run(play())
    assert seen[: engine.FIRST + 1] == [*range(1, engine.FIRST + 1), engine.FIRST]
