"""What every toy must stand: it runs, replays, and comes to the same head however often it is stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from windtunnel.journal import RunRow, Status
from windtunnel.run.clock import Clock
from windtunnel.testing.lab import Answer, Lab
from windtunnel.world import EffectKind, Scenario, World

Script = Mapping[int, Callable[[Lab, str], None]]  # after this turn, do this from outside
MOST_SITTINGS = 5000


def sit(lab: Lab, run_id: str, turns: set[int], script: Script, answer: Answer | None) -> RunRow:
    """Play a run with a stop after each of these turns, the script's among them."""
    stops = sorted(turns | set(script))
    row = lab.row(run_id)
    for _ in range(MOST_SITTINGS):
        following = next((turn for turn in stops if turn > row.turn), None)
        row = lab.go(run_id, stop_after=following)
        if row.status is Status.WAITING and not lab.satisfy(run_id, answer):
            return row
        if row.status.ended:
            return row
        if row.status is Status.PAUSED and row.turn == following and row.turn in script:
            script[row.turn](lab, run_id)
    raise AssertionError("the run did not come to its end")


def fly(
    world: World,
    scenario: Scenario,
    folder: Path,
    *,
    players: Callable[[], Mapping[str, Any]] | None = None,
    effects: Mapping[str, EffectKind] | None = None,
    script: Script | None = None,
    answer: Answer | None = None,
    clock: Callable[[], Clock] | None = None,
    stops: set[int] | None = None,
) -> Lab:
    """Two runs, one with as few stops as its script allows and one stopped after every turn."""
    lab = Lab(
        world,
        folder=folder,
        players=players() if players else None,
        effects=effects,
        clock=clock() if clock else None,
    )
    script = script or {}
    lab.begin(scenario)
    row = sit(lab, "run", set(), script, answer)
    assert row.status is Status.COMPLETED, row.reason
    assert lab.replay().identical
    often = set(range(1, row.turn)) if stops is None else stops
    with Lab(
        world,
        players=players() if players else None,
        effects=effects,
        clock=clock() if clock else None,
    ) as other:
        other.begin(scenario)
        sit(other, "run", often, script, answer)
        assert other.head() == lab.head()
        assert other.replay().identical
    return lab
