"""Swiss rounds as caissify-pairings pairs them: code that shares nothing with ours.

It is not handed our own summary of the past: scores, seats and floats are computed here again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from windtunnel.tournaments.formats import Plan, Played
from windtunnel.tournaments.formats.swiss import first_seat_first

Pairs = set[tuple[str, ...]]


class Standing:
    """What a pairing program asks about one entrant."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.score = 0.0
        self.seats: list[str] = []
        self.floats: list[str] = []
        self.byes = self.forfeit_wins = 0
        self.met: set[str] = set()

    @property
    def balance(self) -> int:
        return self.seats.count("white") - self.seats.count("black")


def standings(plan: Plan, history: Sequence[Sequence[Played]]) -> dict[str, Standing]:
    standing = {entrant: Standing(i + 1) for i, entrant in enumerate(plan.entrants)}
    for results in history:
        before = {entrant: each.score for entrant, each in standing.items()}
        for played in results:
            _take(standing, before, played)
    return standing


def _take(standing: dict[str, Standing], before: dict[str, float], played: Played) -> None:
    names = played.pairing.entrants
    if len(names) == 1:
        alone = standing[names[0]]
        alone.score += 1.0
        alone.byes += 1
        alone.floats.append("down")
        return
    for seat, name in enumerate(names):
        mine, other = standing[name], names[1 - seat]
        mine.score += played.points[seat]
        if played.forfeits:
            mine.forfeit_wins += played.points[seat] == 1.0
            mine.floats.append("down")
            continue
        mine.met.add(other)
        mine.seats.append("white" if seat == 0 else "black")
        gap = before[name] - before[other]
        mine.floats.append("down" if gap > 0 else "up" if gap < 0 else "none")


def theirs(plan: Plan, history: Sequence[Sequence[Played]]) -> Pairs:
    from caissify_pairings import generate_pairings

    standing = standings(plan, history)
    players: list[dict[str, Any]] = [
        {
            "id": each.number,
            "name": name,
            "score": each.score,
            "rating": 3000 - each.number,
            "starting_number": each.number,
            "color_hist": each.seats,
            "float_history": each.floats,
            "bye_count": each.byes,
            "forfeit_win_count": each.forfeit_wins,
        }
        for name, each in standing.items()
    ]
    number = {name: each.number for name, each in standing.items()}
    found = generate_pairings(
        system="dutch",
        players=players,
        previous_pairings={(number[a], number[b]) for a in number for b in standing[a].met},
        round_number=len(history) + 1,
        total_rounds=plan.rounds,
        initial_color="white" if first_seat_first(plan) else "black",
    )
    pairs: Pairs = set()
    for pair in found:
        ids = [number for number in (pair["white_id"], pair["black_id"]) if number is not None]
        pairs.add(tuple(plan.entrants[number - 1] for number in ids))
    return pairs
