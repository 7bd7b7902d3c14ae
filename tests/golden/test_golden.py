"""Journals written by an earlier Windtunnel: today's code reads, proves and replays them."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import apsw
import pytest

from tests.golden.stories import HERE, STORIES, write
from windtunnel.journal import SqliteStore
from windtunnel.journal.verify import verify
from windtunnel.run.replay import Replayed, peek, replay


@pytest.fixture(params=STORIES)
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    for kept in HERE.glob(f"{request.param}.*"):
        shutil.copy(kept, tmp_path)
    return request.param, tmp_path / f"{request.param}.sqlite"


def played_again(name: str, path: Path, run_id: str) -> Replayed:
    story = STORIES[name]
    store = SqliteStore(path)
    try:
        return asyncio.run(replay(store, story.world, run_id, players=story.players()))
    finally:
        store.close()


@pytest.mark.parametrize("run_id", ["run", "fork"])
def test_an_old_journal_replays_to_its_old_head(golden: tuple[str, Path], run_id: str) -> None:
    result = played_again(*golden, run_id)
    assert result.identical, result.first_difference
    assert result.turns == STORIES[golden[0]].scenario.turns


@pytest.mark.parametrize("run_id", ["run", "fork"])
def test_an_old_journal_is_still_intact_and_complete(golden: tuple[str, Path], run_id: str) -> None:
    store = SqliteStore(golden[1])
    verdict = verify(store, run_id)
    store.close()
    assert (verdict.intact, verdict.complete) == (True, True), verdict.first_problem


def test_an_old_checkpoint_still_opens(golden: tuple[str, Path]) -> None:
    story, store = STORIES[golden[0]], SqliteStore(golden[1])
    player = asyncio.run(peek(store, story.world, "run", 6, players=story.players()))
    store.close()
    assert player.tape.turn == 6


def test_an_old_journal_that_was_edited_is_found_by_proof_and_by_replay(golden: tuple[str, Path]) -> None:
    name, path = golden
    db = apsw.Connection(str(path))
    db.execute(
        """UPDATE entry SET body=replace(body, '"index":0', '"index":1')
        WHERE run_id='run' AND kind='effect'"""
    )
    assert db.changes()
    db.close()
    store = SqliteStore(path)
    assert not verify(store, "run").intact
    store.close()
    assert not played_again(name, path, "run").identical


def test_the_same_story_told_today_has_the_same_turns(golden: tuple[str, Path], tmp_path: Path) -> None:
    # The first entry names the Python that wrote it; from there on, every byte of a turn is a function of it.
    name, path = golden
    fresh = write(name, tmp_path / "fresh")
    told = []
    for file in (path, fresh):
        store = SqliteStore(file)
        told.append([(e.turn, e.kind, e.actor, e.body) for e in store.entries("run", after=0)])
        store.close()
    assert told[0] == told[1]
