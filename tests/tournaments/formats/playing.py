"""Tournaments played at random, from a seed, and checked round by round."""

from __future__ import annotations

from random import Random

from windtunnel.tournaments.formats import Pairing, Plan, Played, check, next_round

History = list[list[Played]]
RESULTS = ((1.0, 0.0), (1.0, 0.0), (0.5, 0.5), (0.0, 1.0), (0.0, 1.0))


def names(field: int) -> tuple[str, ...]:
    return tuple(f"e{i + 1}" for i in range(field))


def won(*entrants: str) -> Played:
    """The first of them won."""
    return Played(Pairing(entrants), (1.0, *[0.0] * (len(entrants) - 1)))


class Player:
    """Plays rounds at random; some forfeit a meeting, some leave."""

    def __init__(self, seed: int, *, forfeits: float = 0.0, leaving: float = 0.0) -> None:
        self.random = Random(seed)
        self.forfeits, self.leaving = forfeits, leaving

    def play(self, pairing: Pairing) -> Played:
        size = len(pairing.entrants)
        leaving = tuple(e for e in pairing.entrants if self.random.random() < self.leaving)
        if size == 1:
            return Played(pairing, (0.0,), withdrawn=leaving)
        if size == 2 and self.random.random() < self.forfeits:
            return Played(pairing, (1.0, 0.0), forfeits=pairing.entrants[1:], withdrawn=leaving)
        if size == 2:
            return Played(pairing, self.random.choice(RESULTS), withdrawn=leaving)
        order = [i / (size - 1) for i in range(size)]
        self.random.shuffle(order)
        return Played(pairing, tuple(order), withdrawn=leaving)


def played_out(plan: Plan, player: Player, *, most: int = 100) -> History:
    """A whole tournament. Nobody stands twice in a round, and whoever has left stands in none."""
    plan = check(plan)
    history: History = []
    gone: set[str] = set()
    while (pairings := next_round(plan, history)) is not None:
        seated = [entrant for pairing in pairings for entrant in pairing.entrants]
        assert len(seated) == len(set(seated))
        assert set(seated) <= set(plan.entrants) - gone
        assert any(not pairing.bye for pairing in pairings)
        history.append([player.play(pairing) for pairing in pairings])
        gone |= {entrant for played in history[-1] for entrant in played.withdrawn}
        if len(history) == most:
            break
    return history


def meetings(history: History) -> list[tuple[str, ...]]:
    return [p.pairing.entrants for results in history for p in results if not p.pairing.bye]


def byes(history: History) -> list[str]:
    return [p.pairing.entrants[0] for results in history for p in results if p.pairing.bye]
