"""Ours in `matches`, in a process of its own: `python -m bench.contests NAME` plays whole tournaments, with
all that belongs to them. Entrants meet each other in both seats; each match is a run in the store on the
disk, its outcome an effect of the tournament's own run, and in the end stand ratings with their intervals.

Two processes play, as on any machine of two cores; they are there before the first trial, as the peers are.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from bench.measure import Figures, Stopwatch, scratch
from windtunnel.config import Workspace
from windtunnel.tournaments.hands import LocalHands
from windtunnel.tournaments.model import Field, Match, Outcome
from windtunnel.tournaments.reading import inline_tournament, sources
from windtunnel.tournaments.running import begin_tournament, play_tournament
from windtunnel.tournaments.standings import standings

HERE = Path(__file__).parent
ENTRANTS = 16
PAIRS = ENTRANTS * (ENTRANTS - 1) // 2
ACTING = {"connect": 1, "prisoners": 2}  # who moves in a turn
SCENARIO = "world: {name}\nturns: 42\nagents:\n- {{id: a, role: player}}\n- {{id: b, role: player}}\n"


def workspace_at(home: Path, name: str) -> Workspace:
    (home / "windtunnel.toml").write_text(f'[[worlds]]\nname = "{name}"\npath = "{HERE / name}"\n')
    (home / "game.yaml").write_text(SCENARIO.format(name=name))
    return Workspace(home)


def field_of(workspace: Workspace, games: int, seed: int) -> Field:
    """A round-robin of at least so many matches."""
    given = {
        "tournament": "bench",
        "scenario": str(workspace.root / "game.yaml"),
        "entrants": [{"strategy": "scripted", "name": f"player-{one:02}"} for one in range(ENTRANTS)],
        "seeds": max(1, round(games / (2 * PAIRS))),
        "seed": seed,
    }
    return inline_tournament(given, sources(workspace))


async def trial(workspace: Workspace, hands: LocalHands, name: str, field: Field) -> Figures:
    outcomes: list[Outcome] = []

    def heard(_match: Match, outcome: Outcome) -> None:
        outcomes.append(outcome)

    before = hands_cpu()
    with Stopwatch() as watch:
        found = begin_tournament(workspace, field)
        await play_tournament(workspace, found, hands=hands, heard=heard)
        table = standings(found)
    cpu = watch.cpu + hands_cpu() - before
    assert len(table.lines) == ENTRANTS
    assert all(outcome.ending == "played" for outcome in outcomes)
    games = len(outcomes)
    moves = sum(outcome.turns for outcome in outcomes) * ACTING[name]
    return {"rate": games / watch.seconds, "per_cpu": games / cpu, "moves": moves / games}


def hands_cpu() -> float:
    """Seconds of the processor that the processes which play have had."""
    me = os.getpid()
    total = 0
    for pid in Path(f"/proc/{me}/task/{me}/children").read_text().split():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


async def serve(name: str) -> None:
    with scratch() as home:
        workspace = workspace_at(home, name)
        hands = LocalHands(workspace)
        try:
            await trial(workspace, hands, name, field_of(workspace, 1, seed=0))
            seed = 1
            while line := sys.stdin.readline():  # nothing else is to go on meanwhile
                field = field_of(workspace, int(line), seed)
                print(json.dumps(await trial(workspace, hands, name, field)), flush=True)
                seed += 1
        finally:
            await hands.aclose()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
