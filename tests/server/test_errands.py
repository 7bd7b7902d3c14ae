"""Errands: commands of ours that the server sends off, and what becomes of one that is killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from windtunnel.config import Workspace
from windtunnel.control.carrying import ProcessDied
from windtunnel.server.errands import Errands
from windtunnel.server.problems import problem_of


def test_an_errand_that_is_killed_is_told_as_such_and_may_be_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = tmp_path / "python"
    killed.write_text("#!/bin/sh\nkill -9 $$\n")
    killed.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(killed))
    with pytest.raises(ProcessDied, match="verify ended by signal 9") as died:
        asyncio.run(Errands(Workspace(tmp_path)).run("verify", "--", "RUN"))
    problem = problem_of(died.value)
    assert (problem.status, "ask again" in (problem.remedy or "")) == (503, True)
