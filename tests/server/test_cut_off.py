"""What a server that died has left half done is taken up by whoever asks again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.server.assembled import assembled
from windtunnel.control import Control
from windtunnel.control.access import Principal, Role
from windtunnel.control.desks import Desks
from windtunnel.control.worlds import Worlds
from windtunnel.discovery import find_scenario
from windtunnel.scenario import load_scenario
from windtunnel.server.types import StartRequest

KIM = Principal("kim", frozenset({Role.OPERATOR}), "rest")
REQUEST = StartRequest(scenario="economy/quick", turns=1)


def test_a_run_that_was_made_and_not_queued_is_queued_when_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with assembled(tmp_path, monkeypatch) as house:
        ground, playing = house.assembly.ground, house.assembly.verbs.playing
        worlds = Worlds(ground.workspace)
        control = Control(ground.workspace, worlds)

        async def create(_: Desks, world: str, verb: str, asked: dict[str, Any], **__: Any) -> None:
            assert verb == "create"
            scenario = load_scenario(find_scenario("economy/quick", ground.workspace).path, worlds(world))
            control.create(worlds(world), scenario, run_id=asked["run_id"])

        async def died(*_: Any, **__: Any) -> None:
            raise ConnectionError("the server is gone")

        monkeypatch.setattr(Desks, "call", create)
        with monkeypatch.context() as gone:
            gone.setattr(type(playing.steering), "enqueue", died)
            with pytest.raises(ConnectionError):
                asyncio.run(playing.start(KIM, REQUEST, key="k"))
        assert sum(depth.ready for depth in ground.queue.depth().values()) == 0
        told = [asyncio.run(playing.start(KIM, REQUEST, key="k")).run_id for _ in range(2)]
        assert len(set(told)) == 1
        assert ground.queue.known(told) == {told[0]}
        assert sum(depth.ready for depth in ground.queue.depth().values()) == 1
