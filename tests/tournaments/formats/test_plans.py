"""A plan is declared in full before anybody plays, or refused with the remedy."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import msgspec
import pytest

from tests.tournaments.formats.playing import Player, names, played_out, won
from windtunnel.errors import UsageError
from windtunnel.tournaments.formats import (
    Pairing,
    Plan,
    Played,
    bracket,
    check,
    crosstable,
    next_round,
    published_order,
    rest,
    table,
)

FORMATS: list[dict[str, Any]] = [
    {"format": "round-robin"},
    {"format": "round-robin", "double": True},
    {"format": "single-elimination", "third_place": True},
    {"format": "double-elimination"},
    {"format": "swiss"},
    {"format": "free-for-all", "seats": 3},
    {"format": "ladder", "rounds": 6},
]


def planned(field: int = 7, **options: Any) -> Plan:
    return Plan(entrants=names(field), **options)


@pytest.mark.parametrize(
    ("field", "options", "rounds"),
    [
        (6, {"format": "round-robin"}, 5),
        (7, {"format": "round-robin", "double": True}, 14),
        (16, {"format": "single-elimination"}, 4),
        (17, {"format": "single-elimination"}, 5),
        (8, {"format": "double-elimination"}, 7),
        (9, {"format": "swiss"}, 4),
        (16, {"format": "swiss"}, 4),
        (16, {"format": "free-for-all", "seats": 4}, 5),
        (6, {"format": "ladder"}, None),
    ],
)
def test_rounds_are_declared_before_the_first(field: int, options: Any, rounds: int | None) -> None:
    assert check(planned(field, **options)).rounds == rounds


@pytest.mark.parametrize(
    ("field", "options", "where"),
    [
        (1, {"format": "swiss"}, "entrants"),
        (5, {"format": "swiss", "rounds": 6}, "rounds"),
        (6, {"format": "swiss", "rounds": 6}, "rounds"),
        (6, {"format": "swiss", "rounds": 0}, "rounds"),
        (6, {"format": "round-robin", "rounds": 4}, "rounds"),
        (8, {"format": "single-elimination", "rounds": 2}, "rounds"),
        (6, {"format": "free-for-all", "seats": 7}, "seats"),
        (6, {"format": "free-for-all", "seats": 1}, "seats"),
        (6, {"format": "swiss", "seats": 3}, "seats"),
        (6, {"format": "swiss", "double": True}, "double"),
        (6, {"format": "double-elimination", "third_place": True}, "third_place"),
        (3, {"format": "single-elimination", "third_place": True}, "third_place"),
        (6, {"format": "swiss", "tie_breaks": ("luck",)}, "tie_breaks"),
        (6, {"format": "swiss", "tie_breaks": ("wins", "wins")}, "tie_breaks"),
        (6, {"format": "ladder", "tie_breaks": ("wins",)}, "tie_breaks"),
        (6, {"format": "knockout"}, "format"),
    ],
)
def test_what_cannot_be_held_is_refused_with_a_remedy(field: int, options: Any, where: str) -> None:
    with pytest.raises(UsageError) as refused:
        check(planned(field, **options))
    assert refused.value.where == where
    assert refused.value.remedy


@pytest.mark.parametrize("entrants", [("a", "b", "a"), ("a", "")])
def test_each_entrant_has_a_name_of_its_own(entrants: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=r"entered twice: a|without a name"):
        check(Plan(format="swiss", entrants=entrants))


@pytest.mark.parametrize("options", FORMATS)
def test_a_checked_plan_is_checked_already(options: Any) -> None:
    plan = check(planned(**options))
    assert check(plan) == plan
    assert plan.description


@pytest.mark.parametrize("options", FORMATS)
def test_state_kept_as_json_gets_the_same_answers(options: Any) -> None:
    plan = check(planned(**options))
    history = played_out(plan, Player(5, leaving=0.03))
    kept = msgspec.json.decode(msgspec.json.encode(plan), type=Plan)
    replayed = msgspec.json.decode(msgspec.json.encode(history), type=list[list[Played]])
    assert kept == plan
    assert table(kept, replayed) == table(plan, history)
    for number in range(len(history)):
        again = next_round(kept, replayed[:number])
        assert again == tuple(played.pairing for played in history[number])


@pytest.mark.parametrize("options", FORMATS)
def test_what_is_left_to_play_comes_true(options: Any) -> None:
    plan = check(planned(8, **options))
    history = played_out(plan, Player(3))
    for number in range(len(history) + 1):
        left = sum(not p.pairing.bye for results in history[number:] for p in results)
        # A grand final that has to be played again is not known before.
        repeated = options["format"] == "double-elimination" and len(history) == 7 and number < 6
        assert rest(plan, history[:number]) == left - repeated
    assert rest(planned(8, format="ladder"), history[:0]) is None


@pytest.mark.parametrize("options", FORMATS)
def test_drawings_are_plain_json(options: Any) -> None:
    plan = check(planned(**options))
    history = played_out(plan, Player(4))
    drawn = crosstable(plan, history)
    assert msgspec.json.decode(msgspec.json.encode(drawn)) == drawn
    assert [row["entrant"] for row in drawn["rows"]] == list(plan.entrants)
    if options["format"].endswith("elimination"):
        drawn = bracket(plan, history)
        assert msgspec.json.decode(msgspec.json.encode(drawn)) == drawn
        assert drawn["champion"] == table(plan, history)[0].entrant
    else:
        with pytest.raises(UsageError, match="has no bracket"):
            bracket(plan, history)


@pytest.mark.parametrize("options", FORMATS)
def test_lines_follow_the_published_order(options: Any) -> None:
    plan = check(planned(9, **options))
    for seed in range(4):
        history = played_out(plan, Player(seed, leaving=0.02))
        for number in range(len(history) + 1):
            lines = table(plan, history[:number])
            keys = [
                tuple(-{"points": line.points, **line.tie_breaks}[name] for name in published_order(plan))
                for line in lines
            ]
            assert sorted(line.entrant for line in lines) == sorted(plan.entrants)
            assert [line.rank for line in lines] == [1 + sum(k < key for k in keys) for key in keys]
            assert keys == sorted(keys)
            assert all(line.played == line.wins + line.draws + line.losses for line in lines)


@pytest.mark.parametrize(
    "results",
    [
        [won("e1", "nobody")],
        [won("e1", "e2"), won("e3", "e1")],
        [Played(Pairing(("e1", "e2")), (1.0,))],
        [Played(Pairing(("e1", "e2")), (1.0, float("nan")))],
        [Played(Pairing(("e1", "e2")), (1.0, 0.0), withdrawn=("nobody",))],
    ],
)
def test_results_that_make_no_sense_are_refused(results: list[Played]) -> None:
    with pytest.raises(UsageError) as refused:
        next_round(planned(6, format="swiss"), [results])
    assert refused.value.where == "round 1"


def test_the_pairing_library_is_loaded_by_swiss_alone() -> None:
    code = """
import sys
from windtunnel.tournaments.formats import *
next_round(Plan(format="round-robin", entrants=("a", "b")), ())
check(Plan(format="swiss", entrants=("a", "b")))
assert "py4swiss" not in sys.modules and "pydantic" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_machine_without_the_pairing_library_is_told_what_to_do(monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "py4swiss", None)
    monkeypatch.setitem(sys.modules, "py4swiss.engines", None)
    with pytest.raises(UsageError, match="py4swiss") as refused:
        next_round(planned(6, format="swiss"), ())
    assert refused.value.remedy
