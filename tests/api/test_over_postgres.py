"""Runs in PostgreSQL, from Python."""

from pathlib import Path

import pytest

import windtunnel as wt
from tests.api.shop import shop
from windtunnel.errors import UsageError


def test_a_run_is_played_opened_forked_and_replayed(postgres_url: str) -> None:
    Path("windtunnel.toml").write_text(f'[store]\nurl = "{postgres_url}"\n')
    run = wt.run(shop(), turns=6)
    assert run.status == "completed"
    assert [one.run_id for one in wt.runs()] == [run.run_id]
    again = wt.open(run.run_id, world=shop())
    assert again.head == run.head
    assert again.replay().identical
    assert again.verify().complete
    assert again.fork(at=3).status == "completed"
    assert again.export("csv", "out.csv").exists()
    with pytest.raises(UsageError, match="in a database"):
        _ = again.store
    assert not list(Path.cwd().rglob("*.sqlite"))
