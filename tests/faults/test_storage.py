"""A disk that fails: torn writes, errors on write, sync and truncate, no room."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.faults.disk import Fault, What
from tests.faults.lab import Case, Server, State

FAULTS: dict[What, str] = {
    "torn": "write", "eio": "write", "full": "write", "sync-lost": "sync", "sync-kept": "sync",
    "truncate": "truncate",
}  # fmt: skip
WORDS = {"full": "the disk is full", "heads": "the head of the run cannot be written"}


class Prepared:
    def __init__(self, server: Server, folder: Path) -> None:
        self.start = Case(server, folder / "start", "asking", 4).begin()
        uncut = self.start.copy(folder / "uncut")
        told = uncut.play(fault=Fault("count")).told
        assert told["status"] == "completed", told
        self.counts: dict[str, int] = told["writes"]
        self.clean: State = uncut.sound()


@pytest.fixture(scope="module")
def prepared(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return Prepared(server, tmp_path_factory.mktemp("disk"))


def told_in_words(told: dict[str, Any], what: What) -> None:
    """An error of storage, which says what is wrong, where and what to do; or none, if it was overcome."""
    if "error" not in told:
        assert told["status"] == "completed", told
        return
    assert told["error"] == "StorageError", told
    assert told["exit_code"] == 3
    assert "store.sqlite" in told["text"]
    assert told["text"].endswith(")"), f"no remedy: {told['text']}"
    if what == "full":
        assert "the disk is full" in told["text"]


def fail_at(prepared: Prepared, folder: Path, fault: Fault) -> dict[str, Any]:
    """Play on a disk that fails, look at what is left, and play on when it is mended."""
    case = prepared.start.copy(folder)
    life = case.play(fault=fault)
    try:
        assert not life.killed
        told_in_words(life.told, fault.what)
        before, paid = case.sound(), case.outside.performed()
        again = case.play()
        assert again.told.get("status") == "completed", again.told
        case.survives(before, prepared.clean)
        now = case.outside.performed()
        for key in before.answered:
            assert now[key] == paid[key], "a durable result was asked for again"
        for asked in case.outside.heard():
            assert asked.kind == "quote" or now[asked.key] == 1
    except AssertionError as error:
        error.add_note(f"the fault: {fault}")
        raise
    return life.told


def fail_everywhere(prepared: Prepared, folder: Path, what: What, moments: list[int]) -> None:
    failed = 0
    for moment in moments:
        for times in (1, 1_000_000):
            told = fail_at(prepared, folder / f"{moment}-{times}", Fault(what, moment, times))
            failed += "error" in told
    if what != "truncate":  # the WAL is truncated on closing, where nothing depends on it
        assert failed, "no fault was ever told: the disk did not fail"


@pytest.mark.slow
@pytest.mark.parametrize("what", FAULTS)
def test_a_failing_disk_is_told_in_words_and_the_run_goes_on_when_it_is_mended(
    prepared: Prepared, tmp_path: Path, random: Random, what: What
) -> None:
    number = prepared.counts[FAULTS[what]]
    assert number
    fail_everywhere(prepared, tmp_path, what, sorted(random.sample(range(number), min(4, number))))


@pytest.mark.soak
@pytest.mark.parametrize("what", FAULTS)
def test_a_disk_that_fails_at_every_call_loses_nothing(
    prepared: Prepared, tmp_path: Path, what: What
) -> None:
    fail_everywhere(prepared, tmp_path, what, list(range(prepared.counts[FAULTS[what]])))
