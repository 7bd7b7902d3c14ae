"""A match is meant by its name, though the names of others go on where it ends."""

from __future__ import annotations

import asyncio

import pytest

from tests.tournaments.field import field, play, skilled
from windtunnel.config import Workspace
from windtunnel.control import Control
from windtunnel.control.catalog import find_run
from windtunnel.control.worlds import Worlds
from windtunnel.errors import UsageError

pytestmark = pytest.mark.slow


def test_the_first_of_ten_matches_is_found_by_its_name_and_in_its_file(workspace: Workspace) -> None:
    made = field(workspace, skilled(workspace.root, 0, 1), seeds=6)
    found, _, heard = play(workspace, made)
    assert len(heard) == 12
    first = f"{found.row.run_id}.1"
    assert find_run(workspace, first).row.run_id == first
    assert find_run(workspace, f"{found.location}:{first}").row.run_id == first
    with pytest.raises(UsageError, match="say which"):
        find_run(workspace, f"{found.location}:{first[:-1]}")
    control = Control(workspace, Worlds(workspace))
    assert asyncio.run(control.replay(first)).identical
    assert control.verify(first).complete
