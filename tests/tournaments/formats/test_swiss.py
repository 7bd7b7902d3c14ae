"""Swiss: whoever stands alike meets; nobody meets twice or has two byes; seats stay within two of even."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tournaments.formats.playing import History, Player, byes, meetings, names, played_out, won
from windtunnel.tournaments.formats import Pairing, Plan, Played, check, next_round, rest, table


def planned(field: int, rounds: int | None = None, seed: int = 0) -> Plan:
    return check(Plan(format="swiss", entrants=names(field), rounds=rounds, seed=seed))


def met(plan: Plan, history: History) -> set[frozenset[str]]:
    pairings = next_round(plan, history)
    assert pairings is not None
    return {frozenset(pairing.entrants) for pairing in pairings}


def check_rules(plan: Plan, history: History) -> None:
    """The rules that hold whatever happens, after each round."""
    balance: Counter[str] = Counter()
    for results in history:
        for played in results:
            if not played.pairing.bye and not played.forfeits:
                balance[played.pairing.entrants[0]] += 1
                balance[played.pairing.entrants[1]] -= 1
        assert all(abs(lean) <= 2 for lean in balance.values())
    contested = [[p for p in results if not p.forfeits] for results in history]
    assert max(Counter(frozenset(pair) for pair in meetings(contested)).values(), default=1) == 1
    assert max(Counter(byes(history)).values(), default=1) == 1


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.integers(2, 40), st.data())
def test_no_rematch_no_second_bye_and_seats_within_two(field: int, data: st.DataObject) -> None:
    rounds = data.draw(st.integers(1, min(9, (field + 1) // 2)))
    plan = planned(field, rounds, seed=data.draw(st.integers(0, 99)))
    history = played_out(plan, Player(data.draw(st.integers(0, 999))))
    assert len(history) == rounds
    check_rules(plan, history)
    assert len(byes(history)) == rounds * (field % 2)
    lines = table(plan, history)
    assert sum(line.points for line in lines) == rounds * ((field + 1) // 2)
    assert {line.played + line.byes for line in lines} == {rounds}


@pytest.mark.parametrize("seed", range(8))
def test_forfeits_and_withdrawals_break_no_rule(seed: int) -> None:
    plan = planned(9 + seed, 5, seed)
    history = played_out(plan, Player(seed, forfeits=0.1, leaving=0.05))
    check_rules(plan, history)
    forfeit_wins = {p.pairing.entrants[0] for results in history for p in results if p.forfeits}
    for entrant in forfeit_wins & set(byes(history)):
        turns = [p for results in history for p in results if entrant in p.pairing.entrants]
        first_won = next(i for i, p in enumerate(turns) if p.forfeits and p.pairing.entrants[0] == entrant)
        assert not any(p.pairing.bye for p in turns[first_won:]), "a win without a meeting is a bye already"


@pytest.mark.parametrize("field", range(2, 11))
def test_all_declared_rounds_are_held_even_if_everyone_must_meet_everyone(field: int) -> None:
    for seed in range(2):
        plan = planned(field, field - 1 + field % 2, seed)
        history = played_out(plan, Player(seed))
        assert len(history) == plan.rounds
        assert len({frozenset(pair) for pair in meetings(history)}) == field * (field - 1) // 2
        assert max(Counter(byes(history)).values(), default=1) == 1


@pytest.mark.slow
@pytest.mark.parametrize("rounds", [3, 4, 5])
def test_six_are_not_left_in_two_threes(rounds: int) -> None:
    for seed in range(25):
        assert len(played_out(planned(6, rounds, seed), Player(seed))) == rounds


def test_the_upper_half_meets_the_lower_then_winners_meet_winners() -> None:
    plan = planned(8)
    assert met(plan, []) == {frozenset((f"e{i}", f"e{i + 4}")) for i in range(1, 5)}
    history = [[won(f"e{i}", f"e{i + 4}") for i in range(1, 5)]]
    assert met(plan, history) == {
        frozenset(p) for p in (("e1", "e3"), ("e2", "e4"), ("e5", "e7"), ("e6", "e8"))
    }


def test_who_sits_first_is_drawn_by_the_seed_of_the_plan() -> None:
    first = {}
    for seed in range(8):
        pairings = next_round(planned(4, seed=seed), [])
        assert pairings is not None
        assert pairings == next_round(planned(4, seed=seed), [])
        first[seed] = pairings[0].entrants[0]
    assert set(first.values()) == {"e1", "e3"}


def test_shares_of_several_games_make_score_groups() -> None:
    plan = planned(8)
    shares = {1: (0.7, 0.3), 2: (0.7, 0.3), 3: (1.0, 0.0), 4: (1.0, 0.0)}
    history = [[Played(Pairing((f"e{i}", f"e{i + 4}")), share) for i, share in shares.items()]]
    assert met(plan, history) == {
        frozenset(p) for p in (("e1", "e2"), ("e3", "e4"), ("e5", "e6"), ("e7", "e8"))
    }


def test_leaders_do_not_meet_in_the_last_round_where_a_seat_would_pass_two() -> None:
    """FIDE would have e5 and e7 meet, and one of them in the second seat for the third time."""
    plan = planned(8, 3)
    history = [
        [won("e5", "e1"), won("e2", "e6"), won("e7", "e3"), won("e4", "e8")],
        [won("e5", "e2"), won("e7", "e4"), Played(Pairing(("e6", "e1")), (0.5, 0.5)), won("e3", "e8")],
    ]
    swapped = [
        [Played(Pairing(p.pairing.entrants[::-1]), p.points[::-1]) for p in results] for results in history
    ]
    for seats in (history, swapped):
        assert frozenset(("e5", "e7")) not in met(plan, seats)
        assert frozenset(("e5", "e7")) in met(plan, [history[0], swapped[1]])


def test_whoever_withdrew_is_paired_no_more_and_the_rest_plays_on() -> None:
    plan = planned(6, 3)
    history = [
        [won("e1", "e4"), won("e2", "e5"), Played(Pairing(("e3", "e6")), (1.0, 0.0), withdrawn=("e6",))]
    ]
    assert rest(plan, history) == 4
    paired = met(plan, history)
    assert sorted(len(pair) for pair in paired) == [1, 2, 2]
    assert "e6" not in set().union(*paired)
    everyone_else = ("e2", "e3", "e4", "e5", "e6")
    over = [[Played(history[0][0].pairing, (1.0, 0.0), withdrawn=everyone_else), *history[0][1:]]]
    assert next_round(plan, over) is None
    assert rest(plan, over) == 0


def test_tie_breaks_have_the_values_worked_out_by_hand() -> None:
    plan = planned(4)
    history = [
        [won("e1", "e3"), won("e2", "e4")],
        [
            Played(Pairing(("e2", "e1")), (0.5, 0.5)),
            Played(Pairing(("e3", "e4")), (1.0, 0.0), forfeits=("e4",)),
        ],
    ]
    lines = table(plan, history)
    # A forfeit counts as a meeting with one's own points: e3 has 1.5 + 1, e4 has 1.5 + 0.
    assert [(line.rank, line.entrant, line.points) for line in lines] == [
        (1, "e1", 1.5), (2, "e2", 1.5), (3, "e3", 1.0), (4, "e4", 0.0),
    ]  # fmt: skip
    assert [tuple(line.tie_breaks.values()) for line in lines] == [
        (2.5, 1.5, 1.75), (1.5, 1.5, 0.75), (2.5, 1.5, 1.0), (1.5, 1.5, 0.0),
    ]  # fmt: skip
    assert list(lines[0].tie_breaks) == ["buchholz", "buchholz-cut-1", "sonneborn-berger"]


def test_a_bye_is_worth_a_win_whatever_the_history_says() -> None:
    plan = planned(3)
    for points in ((0.0,), (1.0,), ()):
        history = [[won("e1", "e2"), Played(Pairing(("e3",)), points)]]
        lines = {line.entrant: line for line in table(plan, history)}
        assert (lines["e3"].points, lines["e3"].byes, lines["e3"].played) == (1.0, 1, 0)
        assert frozenset(("e3",)) not in met(plan, history)


def test_the_published_order_is_the_one_that_was_asked_for() -> None:
    plan = check(Plan(format="swiss", entrants=names(4), tie_breaks=("sonneborn-berger", "buchholz")))
    history = [[won("e1", "e3"), won("e2", "e4")]]
    assert list(table(plan, history)[0].tie_breaks) == ["sonneborn-berger", "buchholz"]
    assert "sonneborn-berger, buchholz" in plan.description
