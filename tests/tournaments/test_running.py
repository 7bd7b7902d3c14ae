"""Tournaments are played to their end, and say who is better."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from tests.tournaments.field import coded, command, field, lines, play, skilled, told
from windtunnel.config import Workspace
from windtunnel.control import Control
from windtunnel.control.catalog import find_run
from windtunnel.control.worlds import Worlds
from windtunnel.errors import ScenarioError
from windtunnel.journal import Status

pytestmark = pytest.mark.slow


def test_a_planted_order_is_found_and_every_match_is_a_run(workspace: Workspace) -> None:
    made = field(workspace, skilled(workspace.root, 0, 4, 2), seeds=4)
    found, table, heard = play(workspace, made, processes=2)
    assert table.status == "completed"
    assert [line.entrant for line in table.lines] == ["s4", "s2", "s0"]
    assert [line.matches for line in table.lines] == [16, 16, 16]
    assert len(heard) == table.matches == 3 * 4 * 2
    ratings = [line.rating or 0.0 for line in table.lines]
    assert ratings == sorted(ratings, reverse=True)
    for match, outcome in heard:
        run = find_run(workspace, outcome.run_id)
        assert (run.row.status, run.row.seed, run.row.head_hash.hex()) == (
            Status.COMPLETED,
            match.seed,
            outcome.head,
        )
        winner = max(outcome.seats.values(), key=lambda seat: seat.metrics["wealth"])
        assert winner.points == max(seat.points for seat in outcome.seats.values())
    control = Control(workspace, Worlds(workspace))
    assert control.verify(found.row.run_id).intact


def test_each_seed_is_played_with_the_seats_changed_round(workspace: Workspace) -> None:
    _, _, heard = play(workspace, field(workspace, skilled(workspace.root, 1, 0), seeds=3))
    by_seed: dict[int, list[tuple[str, ...]]] = {}
    for match, _ in heard:
        by_seed.setdefault(match.seed, []).append(tuple(match.seats.values()))
    assert len(by_seed) == 3
    assert all(sorted(seats) == [("s0", "s1"), ("s1", "s0")] for seats in by_seed.values())


def test_entrants_who_sit_alone_are_compared_by_what_they_reach_with_the_same_luck(
    workspace: Workspace,
) -> None:
    made = field(
        workspace,
        skilled(workspace.root, 3, 0),
        scenario="dice/alone",
        scoring={"metrics": [{"metric": "wealth"}]},
    )
    _, table, heard = play(workspace, made)
    assert all(len(match.seats) == 1 for match, _ in heard)
    assert [line.matches for line in table.lines] == [2, 2]
    assert [line.points for line in table.lines] == [0.5, 0.5]  # alone, everybody throws highest


def test_many_sit_at_one_table(workspace: Workspace) -> None:
    made = field(
        workspace, skilled(workspace.root, 0, 1, 2, 6), scenario="dice/table",
        format={"kind": "free-for-all", "table": 4, "rounds": 2}, seeds=2,
    )  # fmt: skip
    _, table, heard = play(workspace, made)
    assert len(heard) == 2 * 2 * 4  # rounds, seeds, rotations
    assert table.lines[0].entrant == "s6"
    assert table.lines[0].skill is not None
    assert all(
        sum(seat.points for seat in outcome.seats.values()) == pytest.approx(2.0) for _, outcome in heard
    )


def test_two_formats_of_the_same_field_end_with_the_best_in_front(workspace: Workspace) -> None:
    names = skilled(workspace.root, 0, 1, 2, 3, 5)
    for shape in ("swiss", "single-elimination"):
        _, table, _ = play(workspace, field(workspace, names, format=shape, seeds=3))
        assert table.status == "completed"
        assert table.lines[0].entrant == "s5", shape


def test_rogues_lose_what_they_spoil_and_the_tournament_goes_on(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WINDTUNNEL_HANGS_SECONDS", "3")
    home = workspace.root
    rogues = ["crashes", "hangs", "exits", "burgles", "bribes"]
    entrants = [*skilled(home, 0), coded(home, "honest"), *(coded(home, name) for name in rogues)]
    made = field(workspace, entrants, seeds=1, rotate=False, limits={"seconds": 30})
    _, table, heard = play(workspace, made, processes=2)
    assert table.status == "completed"
    by_name = {line.entrant: line for line in table.lines}
    assert {line.entrant for line in table.lines[:2]} == {"s0", "honest"}
    for name in rogues[:4]:
        mine = [(match, outcome) for match, outcome in heard if name in match.seats.values()]
        innocent = [o for m, o in mine if not set(m.seats.values()) & set(rogues[:4]) - {name}]
        assert len(innocent) == 3
        assert {(o.ending, o.fault) for o in innocent} == {("forfeited", name)}, name
    assert any("side door" in outcome.why for _, outcome in heard)
    assert any("computed for more than" in outcome.why for _, outcome in heard)
    assert any("process ended" in outcome.why for _, outcome in heard)
    assert by_name["bribes"].forfeits == 0  # it only spoiled its own copy
    assert max(seat.metrics.get("wealth", 0) for _, o in heard for seat in o.seats.values()) < 200
    assert any("forfeited" in note for note in table.notes)


def test_what_is_not_allowed_is_counted(workspace: Workspace) -> None:
    _, table, _ = play(workspace, field(workspace, ["dice", "greedy"], seeds=1))
    refused = {line.entrant: line.refused for line in table.lines}
    assert refused["dice"] == 0
    assert refused["greedy"] == 2 * 6  # matches, turns


def test_a_malformed_entrant_is_told_with_its_line_before_anything_is_played(workspace: Workspace) -> None:
    (workspace.root / "bad.yaml").write_text("strategy: bad\nworld: dice\nrole: player\npolicy: dcie\n")
    with pytest.raises(ScenarioError) as caught:
        field(workspace, ["dice", "bad.yaml"])
    assert "dcie" in str(caught.value)
    assert "bad.yaml:4" in str(caught.value)
    assert not workspace.runs.exists()


def test_a_mistyped_rule_is_told_with_the_one_that_was_meant(workspace: Workspace) -> None:
    with command(workspace.root, "duel", "dicee", "greedy", "--scenario", "dice/bout") as process:
        _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "did you mean 'dice'?" in said


def test_one_that_is_over_is_shown_when_it_is_asked_for_again(workspace: Workspace) -> None:
    found, _, _ = play(workspace, field(workspace, ["dice", "greedy"], seeds=1))
    again = told(workspace.root, "tournament", found.row.run_id)
    assert (again["status"], again["matches"]) == ("completed", 2)


def killed_and_resumed(workspace: Workspace, kills: int, luck: random.Random) -> None:
    home = workspace.root
    names = skilled(home, 0, 1, 2, 3)
    shape = f"tournament: A cup\nscenario: dice/bout\nturns: 60\nseeds: {kills + 16}\n"
    text = f"{shape}entrants: [{', '.join(names)}]\n"
    (home / "cup.yaml").write_text(text)
    alone = told(home, "tournament", "cup.yaml")
    before = set(workspace.runs.glob("*.sqlite"))
    begun, finished = "cup.yaml", 0
    for _ in range(kills):
        with command(home, "tournament", begun, "--workers", "2", "--json") as process:
            while process.poll() is None and not (made := set(workspace.runs.glob("*.sqlite")) - before):
                time.sleep(0.01)
            begun = made.pop().stem
            time.sleep(luck.uniform(0.05, 0.8))
            finished += process.poll() is not None
            process.kill()
            process.communicate()
    after = told(home, "tournament", begun) if finished == 0 else told(home, "standings", begun)
    assert same(after) == same(alone)
    assert after["drawing"] == alone["drawing"]
    assert finished < kills


def same(table: dict[str, Any]) -> list[tuple[Any, ...]]:
    keys = (
        "rank",
        "entrant",
        "points",
        "matches",
        "wins",
        "losses",
        "elo",
        "rating",
        "low",
        "high",
        "score",
        "roi",
    )
    return [tuple(line.get(key) for key in keys) for line in table["lines"]]


def test_killed_in_the_middle_it_ends_with_the_same_standings(workspace: Workspace) -> None:
    killed_and_resumed(workspace, 2, random.Random(5))


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_killed_fifty_times_it_ends_with_the_same_standings(workspace: Workspace) -> None:
    killed_and_resumed(workspace, 50, random.Random(6))


def test_the_same_field_gives_the_same_standings(workspace: Workspace) -> None:
    made = field(workspace, skilled(workspace.root, 0, 1, 2), seeds=2)
    tables = [play(workspace, made, processes=processes)[1] for processes in (1, 2)]
    assert lines(tables[0]) == lines(tables[1])
