"""What a tournament that comes over the network may name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from windtunnel.config import Workspace
from windtunnel.errors import NotFound, UsageError
from windtunnel.tournaments.finding import check_inside


@pytest.fixture
def home(tmp_path: Path) -> Workspace:
    (tmp_path / "home" / "kept").mkdir(parents=True)
    (tmp_path / "outside.yaml").write_text("strategy: x")
    inside = tmp_path / "home"
    for name in (".env", "windtunnel.toml", "fast.yaml", "kept/strategy.yaml"):
        (inside / name).write_text("strategy: x")
    (inside / "lead").symlink_to(tmp_path)
    return Workspace(inside)


@pytest.mark.parametrize(
    "name", ["balanced", "thrift@1.0.0", "fast.yaml", "kept", "./kept", "economy/growth"]
)
def test_names_and_what_lies_in_the_workspace_may_be_named(home: Workspace, name: str) -> None:
    check_inside(home, {"scenario": name})
    if name != "economy/growth":
        check_inside(home, {"entrants": [name, {"strategy": name}]})


@pytest.mark.parametrize(
    "name",
    ["../outside.yaml", "/etc/passwd", "lead/outside.yaml", ".env", "windtunnel.toml", ".windtunnel", "a\0b"],
)
@pytest.mark.parametrize("where", ["entrant", "parametrised entrant", "scenario", "stage"])
def test_nothing_else_is_opened(home: Workspace, name: str, where: str) -> None:
    asked: dict[str, dict[str, Any]] = {
        "entrant": {"entrants": ["balanced", name]},
        "parametrised entrant": {"entrants": [{"strategy": name}]},
        "scenario": {"scenario": name},
        "stage": {"scenarios": ["economy/growth", {"scenario": name}]},
    }
    with pytest.raises(UsageError):
        check_inside(home, asked[where])


def test_a_path_that_holds_no_strategy_is_told_as_such(home: Workspace) -> None:
    with pytest.raises(NotFound, match="no strategy lies at"):
        check_inside(home, {"entrants": ["./nothing"]})
