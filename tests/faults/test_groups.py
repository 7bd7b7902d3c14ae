"""Group commit: what a crash may cost, what it may not, and that nothing piles up in memory."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random
from statistics import median

import pytest

from tests.faults.lab import Case, Server


def sealed(case: Case) -> list[int]:
    """The turns that were played, durable or not, in their order."""
    return [int(line) for line in (case.aside / "sealed.log").read_text().split()]


@pytest.mark.slow
def test_a_crash_costs_at_most_the_group_that_was_not_committed(
    server: Server, tmp_path: Path, random: Random
) -> None:
    start = Case(server, tmp_path / "start", "rules", 60).begin()
    uncut = start.copy(tmp_path / "uncut")
    points: list[str] = uncut.play(note=True).told["points"]
    clean = uncut.look()
    commits, group, largest = 0, 0, 0
    for name in points:
        group += name == "seal.before"
        largest = max(largest, group)
        if name == "commit.after":
            commits, group = commits + 1, 0
    assert 3 < largest < 30, "the turns were not committed in groups"
    assert commits > 3
    costs = []
    for moment in random.sample(range(len(points)), 12):
        case = start.copy(tmp_path / f"{moment}")
        assert case.play(kill_at=moment).killed
        played = max(sealed(case), default=0) if (case.aside / "sealed.log").exists() else 0
        before = case.sound()
        costs.append(played - before.turn)
        assert 0 <= played - before.turn <= largest
        assert before.history == clean.history[: len(before.history)]
        assert case.play().told["head"] == clean.head.hex()
        again = Counter(sealed(case))
        assert set(range(before.turn + 1, 61)) <= set(again)
    assert max(costs) > 0, "no kill cost anything: nothing was in a group"


def test_before_a_call_all_turns_are_durable_and_before_its_use_the_result(
    server: Server, tmp_path: Path
) -> None:
    """Looked at from another connection, at the moment of each call and of each use."""
    case = Case(server, tmp_path / "run", "asking", 8).begin()
    assert case.play().told["status"] == "completed"
    calls = Counter(asked.what for asked in case.outside.heard())
    assert calls.keys() == {"perform"}, calls
    assert calls["perform"] > 50


def flat_memory(server: Server, folder: Path, turns: int) -> None:
    case = Case(server, folder, "plain", turns).begin()
    told = case.server.live(case.job("measure")).told
    assert told["turn"] == turns
    tenths, blocks = told["kilobytes"], told["blocks"]
    assert len(tenths) == len(blocks) == 10
    kept = blocks[-1] - blocks[1]
    assert kept < turns / 10, f"{kept} objects more in the end than after two tenths: {blocks}"
    # What no object is, by the machine's reckoning, which swings by a megabyte: page caches, what others do.
    grown = median(tenths[6:]) - median(tenths[1:5])
    assert grown < 3 * 1024, f"{grown:g} kB more in the end than in the first half: {tenths}"


@pytest.mark.slow
def test_memory_is_flat_over_20_000_turns(server: Server, tmp_path: Path) -> None:
    flat_memory(server, tmp_path / "run", 20_000)


@pytest.mark.soak
def test_memory_is_flat_over_100_000_turns(server: Server, tmp_path: Path) -> None:
    flat_memory(server, tmp_path / "run", 100_000)
