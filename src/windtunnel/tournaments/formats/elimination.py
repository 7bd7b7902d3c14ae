"""Single and double elimination: who loses, once or twice, is out.

A tree (`tree.py`) is walked along the history. Nothing is kept between calls, so the same results always
lead to the same meetings. Between equals the better seed goes on; who withdrew loses to anyone who has not.
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from windtunnel.errors import UsageError
from windtunnel.tournaments.formats import tree
from windtunnel.tournaments.formats.past import Past
from windtunnel.tournaments.formats.plan import Pairing, Plan, Played
from windtunnel.tournaments.formats.tree import Match, Source, Tree

_Follow = dict[tuple[str, int], Match]
"""By the kind and the match of a source: the match it feeds."""
State = Literal["waiting", "ready", "played", "walkover", "bye", "empty", "not needed"]


class Outcome(msgspec.Struct):
    """A match of the tree, as far as it is known."""

    state: State = "waiting"
    entrants: tuple[str, ...] = ()
    """Who is in it, in the order of its sources; nobody stands for an empty room."""
    winner: str | None = None
    loser: str | None = None
    played: Played | None = None
    round: int | None = None
    """Of the history, for matches and byes that stood in one."""


class Walk:
    """The tree of a plan with a history played into it."""

    def __init__(self, plan: Plan, past: Past) -> None:
        self.plan, self.past = plan, past
        field = len(plan.entrants)
        single = plan.format == "single-elimination"
        self.tree: Tree = tree.single(field, plan.third_place) if single else tree.double(field)
        self.outcomes = [Outcome() for _ in self.tree.matches]
        self.stage = 0
        for number in range(past.rounds):
            self._pass_over(number)
            self._play(number)
        self._pass_over(past.rounds)

    @property
    def over(self) -> bool:
        return self.stage >= self.tree.stages

    @property
    def champion(self) -> str | None:
        if not self.over:
            return None
        return next(o.winner for o in reversed(self.outcomes) if o.state != "not needed")

    def following(self) -> tuple[Pairing, ...] | None:
        if self.over:
            return None
        found = []
        for match, outcome in self._of_stage():
            if outcome.state == "ready":
                found.append(Pairing(self.past.seated(*outcome.entrants), match.label))
            elif outcome.winner in self.past.active() and match.bracket != "third place":
                found.append(Pairing((self._won(outcome),), match.label))
        return tuple(sorted(found, key=lambda pairing: pairing.bye))

    def play_out(self, *, repeat: bool) -> tuple[int, int]:
        """Rounds and meetings to come if nobody withdraws. The walk ends with winners made up."""
        rounds = meetings = 0
        while not self.over:
            rounds += 1
            for match, outcome in self._of_stage():
                if outcome.state == "ready":
                    meetings += 1
                    upset = repeat and match.bracket == "final"
                    self._settle(outcome, outcome.entrants[1 if upset else 0], None)
            self.stage += 1
            self._pass_over(self.past.rounds)
        return rounds, meetings

    # ------------------------------------------------------------ one stage

    def _of_stage(self) -> list[tuple[Match, Outcome]]:
        pairs = zip(self.tree.matches, self.outcomes, strict=True)
        return [(match, outcome) for match, outcome in pairs if match.stage == self.stage]

    def _pass_over(self, number: int) -> None:
        """Settle what needs no meeting; go on past stages in which nobody meets."""
        gone = {entrant for entrant, after in self.past.gone.items() if after < number}
        while not self.over:
            for match, outcome in self._of_stage():
                self._fill(match, outcome, gone)
            if any(outcome.state == "ready" for _, outcome in self._of_stage()):
                return
            self.stage += 1

    def _fill(self, match: Match, outcome: Outcome, gone: set[str]) -> None:
        if outcome.state != "waiting":
            return
        if match.reset and not self._must_repeat(match):
            outcome.state = "not needed"
            return
        outcome.entrants = tuple(
            name for source in match.sources if (name := self.entrant_from(source)) is not None
        )
        if not outcome.entrants:
            outcome.state = "empty"
        elif len(outcome.entrants) == 1:
            outcome.state = "bye"
            outcome.winner = outcome.entrants[0]
        elif gone.isdisjoint(outcome.entrants):
            outcome.state = "ready"
        else:
            here = [entrant for entrant in outcome.entrants if entrant not in gone]
            outcome.state = "walkover"
            self._decide(outcome, here[0] if here else self._first(outcome.entrants))

    def _must_repeat(self, match: Match) -> bool:
        """The second source came through the losers' bracket; its winning makes it one loss each."""
        final = self.outcomes[match.sources[0].number]
        return len(final.entrants) > 1 and final.winner == final.entrants[1]

    def entrant_from(self, source: Source) -> str | None:
        if source.kind == "seed":
            return self.plan.entrants[source.number] if source.number < len(self.plan.entrants) else None
        outcome = self.outcomes[source.number]
        return outcome.winner if source.kind == "winner" else outcome.loser

    def _play(self, number: int) -> None:
        if self.over:
            raise UsageError(
                "results of a round after the last",
                where=f"round {number + 1}",
                remedy="stop when next_round gives None",
            )
        results = {frozenset(played.pairing.entrants): played for played in self.past.results(number)}
        expected = set()
        for match, outcome in self._of_stage():
            if outcome.state in {"bye", "walkover"}:
                outcome.round = number
                expected.add(frozenset((self._won(outcome),)))
            if outcome.state != "ready":
                continue
            names = frozenset(outcome.entrants)
            expected.add(names)
            if names not in results:
                raise UsageError(
                    f"no result of {' v '.join(outcome.entrants)} ({match.label})",
                    where=f"round {number + 1}",
                    remedy="a round is over when each of its pairings has a result",
                )
            outcome.round = number
            self._settle(outcome, self._through(results[names]), results[names])
        for names in results.keys() - expected:
            raise UsageError(
                f"{' v '.join(sorted(names))} were not to meet",
                where=f"round {number + 1}",
                remedy="give the results of the pairings that next_round named",
            )
        self.stage += 1

    def _through(self, played: Played) -> str:
        entrants, points = played.pairing.entrants, played.points
        if math.isclose(points[0], points[1], abs_tol=1e-9):
            return self._first(entrants)
        return entrants[0] if points[0] > points[1] else entrants[1]

    def _settle(self, outcome: Outcome, winner: str, played: Played | None) -> None:
        outcome.state = "played"
        outcome.played = played
        self._decide(outcome, winner)

    def _decide(self, outcome: Outcome, winner: str) -> None:
        outcome.winner = winner
        outcome.loser = next(entrant for entrant in outcome.entrants if entrant != winner)

    def _first(self, entrants: tuple[str, ...]) -> str:
        return min(entrants, key=self.plan.entrants.index)

    @staticmethod
    def _won(outcome: Outcome) -> str:
        assert outcome.winner is not None
        return outcome.winner


def reached(walk: Walk) -> dict[str, float]:
    """How far each entrant came: the stage they fell out of, or would if they lost all that is to come.

    A quarter more stands for not having lost yet, a half for having won the last match there was.
    """
    follow: _Follow = {
        (source.kind, source.number): match for match in walk.tree.matches for source in match.sources
    }
    far = dict.fromkeys(walk.plan.entrants, 0.0)
    for match, outcome in zip(walk.tree.matches, walk.outcomes, strict=True):
        worth = _worth(match, follow)
        for entrant in outcome.entrants:
            far[entrant] = max(far[entrant], worth)
        if outcome.winner is not None:
            onward = follow.get(("winner", match.number))
            last = onward is None or walk.outcomes[onward.number].state == "not needed"
            gained = worth + 0.5 if onward is None or last else _worth(onward, follow)
            far[outcome.winner] = max(far[outcome.winner], gained)
    return far


def _worth(match: Match, follow: _Follow) -> float:
    if match.bracket == "third place":
        return match.stage - 1.0
    fall = follow.get(("loser", match.number))
    if match.bracket == "winners" and fall is not None and fall.bracket != "third place":
        return fall.stage + 0.25
    return float(match.stage)


def most_rounds(plan: Plan) -> int:
    """Rounds in which somebody meets, the grand final played again included."""
    walk = Walk(plan, Past(plan, ()))
    return walk.play_out(repeat=True)[0]


def rest(plan: Plan, past: Past) -> int:
    """Meetings to come, a grand final played again left out until it is certain."""
    return Walk(plan, past).play_out(repeat=False)[1]
