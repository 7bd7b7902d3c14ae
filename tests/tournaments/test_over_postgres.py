"""Tournaments, versions and proposals of a workspace whose runs and catalog lie in PostgreSQL."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.evolution.searching import Pretended, by_skill, played
from tests.evolution.searching import made as evolution
from tests.tournaments.field import field, lines, play, skilled, workspace_at
from windtunnel.config import Workspace
from windtunnel.control import Control
from windtunnel.control.proposals import Proposals
from windtunnel.control.strategies import Strategies
from windtunnel.control.worlds import Worlds
from windtunnel.errors import RunError
from windtunnel.evolution.proposing import propose
from windtunnel.journal import Status
from windtunnel.tournaments.hands import LocalHands
from windtunnel.tournaments.model import Match, Outcome
from windtunnel.tournaments.running import begin_tournament, play_tournament
from windtunnel.tournaments.standings import standings

pytestmark = pytest.mark.slow


@pytest.fixture
def there(workspace: Workspace, postgres_url: str) -> Workspace:
    with (workspace.root / "windtunnel.toml").open("a") as file:
        file.write(f'[store]\nurl = "{postgres_url}"\n')
    return Workspace(workspace.root)


def test_an_interrupted_tournament_goes_on_and_ends_as_one_in_a_file(
    there: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = field(there, skilled(there.root, 0, 2, 4), seeds=2)
    found = begin_tournament(there, made)
    assert found.location.startswith("postgresql:")
    seen: list[int] = []

    async def interrupted() -> None:
        hands = LocalHands(there, processes=1)

        def heard(match: Match, _outcome: Outcome) -> None:
            seen.append(match.number)
            if len(seen) == 3:
                hands.stop(RunError("stopped by the test"))

        try:
            await play_tournament(there, found, hands=hands, heard=heard)
        finally:
            await hands.aclose()

    asyncio.run(interrupted())
    halfway = standings(found)
    assert halfway.status == Status.PAUSED
    assert 3 <= halfway.matches < 12
    again: list[int] = []
    asyncio.run(play_tournament(there, found, heard=lambda match, _outcome: again.append(match.number)))
    assert not set(again) & set(seen), "what had come to an outcome is not played again"
    whole = standings(found)
    assert (whole.status, whole.matches) == (Status.COMPLETED, 12)
    assert Control(there, Worlds(there)).verify(found.row.run_id).intact
    assert not list(there.root.rglob("*.sqlite"))
    at_home = workspace_at(tmp_path_factory.mktemp("home"))
    _, alone, _ = play(at_home, made)
    assert lines(whole) == lines(alone)


def test_versions_registered_there_enter_and_a_proposal_is_applied_and_taken_back(
    there: Workspace,
) -> None:
    plan = evolution(there, generations=2)
    with Strategies(there, Worlds(there)) as kept:
        kept.add(str(there.root / "thrower.yaml"), by="kim")
    _, story = played(there, plan, Pretended(by_skill))
    assert story.verdict is not None
    assert story.verdict.promoted, story.verdict.reason
    with Proposals(there, Worlds(there)) as proposals:
        one = propose(story, proposals)
        assert one is not None
        assert one.status == "pending"
        assert proposals.approve(one.id, by="kim", note="good").version == "thrower@1.0.1"
    made = field(there, [{"versions": "thrower"}], seeds=1)
    assert [entrant.version for entrant in made.entrants] == ["thrower@1.0.1", "thrower@1.0.0"]
    _, table, _ = play(there, made)
    assert table.lines[0].strategy == "thrower@1.0.1"
    with Proposals(there, Worlds(there)) as proposals:
        assert proposals.rollback(one.id, by="kim").status == "rolled_back"
    with Strategies(there, Worlds(there)) as kept:
        assert kept.show("thrower").in_force == "1.0.0"
    assert not list(Path(there.root).rglob("*.sqlite"))
