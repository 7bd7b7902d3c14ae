"""A workspace with the world of dice, and tournaments in it, for tests."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from windtunnel.config import Workspace
from windtunnel.control.catalog import Found
from windtunnel.tournaments.hands import LocalHands
from windtunnel.tournaments.model import Field, Match, Outcome
from windtunnel.tournaments.reading import inline_tournament, sources
from windtunnel.tournaments.running import begin_tournament, play_tournament
from windtunnel.tournaments.standings import Standings, standings

ARENA = Path(__file__).parent / "arena"


def workspace_at(home: Path) -> Workspace:
    settings = f'[[worlds]]\nname = "dice"\npath = "{ARENA / "dice"}"\n'
    (home / "windtunnel.toml").write_text(settings)
    return Workspace(home)


def skilled(home: Path, *skills: float) -> list[str]:
    """A strategy of each skill, the best first: `s3`, `s2`, …"""
    names = []
    for skill in skills:
        name = f"s{skill:g}".replace(".", "_").replace("-", "m")
        text = (
            f"strategy: {name}\nworld: dice\nrole: player\npolicy: dice\nparameters: {{skill: {skill}}}\n"
            "schema: {skill: {type: number, minimum: -6, maximum: 6}}\n"
        )
        (home / f"{name}.yaml").write_text(text)
        names.append(f"{name}.yaml")
    return names


def coded(home: Path, name: str) -> str:
    """A strategy of code, from rogues.py."""
    text = f"strategy: {name}\nworld: dice\nrole: player\nkind: python\nentry: rogues:{name}\n"
    (home / f"{name}.yaml").write_text(text)
    return f"{name}.yaml"


def field(workspace: Workspace, entrants: list[Any], **more: Any) -> Field:
    given = {"tournament": "A cup", "scenario": "dice/bout", "entrants": entrants, "seeds": 2, **more}
    return inline_tournament(given, sources(workspace))


def play(
    workspace: Workspace, made: Field, *, processes: int = 1
) -> tuple[Found, Standings, list[tuple[Match, Outcome]]]:
    found = begin_tournament(workspace, made)
    heard: list[tuple[Match, Outcome]] = []

    async def go() -> None:
        hands = LocalHands(workspace, processes=processes)
        try:
            await play_tournament(
                workspace, found, hands=hands, heard=lambda match, outcome: heard.append((match, outcome))
            )
        finally:
            await hands.aclose()

    asyncio.run(go())
    return found, standings(found), heard


def command(home: Path, *words: str, **environ: str) -> subprocess.Popen[str]:
    env = {
        **os.environ,
        "WINDTUNNEL_HOME": str(home),
        "WINDTUNNEL_OFFLINE": "1",
        "PYTHONPATH": str(ARENA),
        **environ,
    }
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "windtunnel", *words], cwd=home, env=env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def told(home: Path, *words: str) -> Any:
    with command(home, *words, "--json") as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out)


def lines(found: Standings) -> list[tuple[Any, ...]]:
    """What must be the same of two tournaments that are alike."""
    names = ("rank", "entrant", "points", "wins", "draws", "losses", "rating", "elo", "score")
    return [tuple(getattr(line, name) for name in names) for line in found.lines]
