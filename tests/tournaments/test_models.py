"""Entrants that ask models which cannot be asked: refused where they are named, or waited for."""

from __future__ import annotations

import pytest

from tests.tournaments.field import field, play
from windtunnel.config import Workspace
from windtunnel.errors import ScenarioError
from windtunnel.journal import Status
from windtunnel.testing.provider import Provider, failing


def talker(workspace: Workspace, model: str) -> str:
    (workspace.root / "lost.yaml").write_text(
        f"strategy: lost\nworld: dice\nrole: player\nkind: llm\npolicy: dice\nmodel: {model}\n"
        "instructions: Throw as high as you can.\n"
    )
    return "lost.yaml"


def with_deployment(workspace: Workspace, url: str) -> Workspace:
    with (workspace.root / "windtunnel.toml").open("a") as file:
        file.write(f'[models.deployments.mine]\nmodel = "openai-chat:gone"\nurl = "{url}"\nlocal = true\n')
        file.write("[models.retry]\nattempts = 1\n")
    return Workspace(workspace.root)


def test_a_model_that_is_not_there_is_refused_before_anything_is_played(workspace: Workspace) -> None:
    with pytest.raises(ScenarioError) as caught:
        field(workspace, ["dice", "greedy", talker(workspace, "nobody")])
    assert "lost: there is no model 'nobody'" in caught.value.message
    assert caught.value.remedy
    assert not workspace.runs.exists()


def test_a_model_whose_key_is_missing_is_refused_with_the_variable_to_set(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("WINDTUNNEL_OFFLINE", raising=False)
    with pytest.raises(ScenarioError) as caught:
        field(workspace, ["dice"], pool=[talker(workspace, "openai:gpt-5")])
    assert "lost: openai:gpt-5 cannot be asked yet" in caught.value.message
    assert "OPENAI_API_KEY" in (caught.value.remedy or "")


def test_a_provider_that_nobody_knows_is_refused_before_anything_is_played(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WINDTUNNEL_OFFLINE", raising=False)
    with pytest.raises(ScenarioError) as caught:
        field(workspace, ["dice"], pool=[talker(workspace, "nosuch:x")])
    assert "lost: Unknown model: nosuch:x" in caught.value.message
    assert "openai" in (caught.value.remedy or "")


@pytest.mark.slow
def test_a_model_that_its_provider_does_not_know_pauses_the_tournament_and_nobody_loses_by_it(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WINDTUNNEL_HANGS_SECONDS", "0.2")  # loading the provider's package takes longer
    with Provider([failing(404, "no such model")] * 50) as provider:
        place = with_deployment(workspace, provider.openai)
        made = field(place, ["dice", "greedy", talker(place, "mine")], seeds=1)
        _, table, _ = play(place, made)
    assert table.status == Status.PAUSED
    assert "no such model" in table.reason
    assert "mine" in table.reason
    assert {line.entrant: line.forfeits for line in table.lines} == {"dice": 0, "greedy": 0, "lost": 0}
