"""Matches: whole tournaments of scripted players, beside the loops of other libraries that play the same.

Ours is a round-robin of sixteen, played by two processes: every match a durable run whose every move is
hashed into its journal, every outcome an effect of the tournament, ratings with intervals in the end.
kaggle-environments (the headline) keeps an episode's steps in memory, TextArena keeps nothing; each plays in
one process. The games have the same number of moves: connect four between players that drop at random, and
ten rounds of the prisoners' dilemma with talk. `rate` is games a second; `per_cpu` is games a second of
processor time, however many processes had it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from bench.measure import Elsewhere, Figures, PeerMissing, Result, faster, medians

ROOT = Path(__file__).parent.parent
GAMES = ROOT / ".venv-games" / "bin" / "python"
OURS = {"ours connect": "connect", "ours prisoners": "prisoners"}
PEERS = ("kaggle connect", "textarena connect", "textarena prisoners")
SIZES = {"ours": 4800, "kaggle": 40, "textarena": 2400}  # games in a trial, by who plays: seconds of each
REPETITIONS = 9


def measured(*, smoke: bool) -> dict[str, Figures]:
    """By contender. All are warm before the first is measured, and then play by turns."""
    repetitions = 1 if smoke else REPETITIONS
    seen: dict[str, list[Figures]] = {}
    with ExitStack() as stack:
        there = {
            name: stack.enter_context(Elsewhere(Path(sys.executable), "bench.contests", game))
            for name, game in OURS.items()
        }
        if GAMES.exists() and not smoke:
            there |= {name: stack.enter_context(Elsewhere(GAMES, "bench.arcade", name)) for name in PEERS}
        elif not smoke:
            raise PeerMissing(
                "kaggle-environments and textarena are not here; ./dev bench matches makes their environment"
            )
        for _ in range(repetitions):
            for name, contender in there.items():
                games = 1 if smoke else SIZES[name.split()[0]]
                seen.setdefault(name, []).append(contender.trial(games))
    return {name: medians(figures) for name, figures in seen.items()}


def ratios(found: Mapping[str, Figures], figure: str) -> dict[str, float | None]:
    return {
        peer: faster(found[f"ours {peer.split()[1]}"][figure], found[peer][figure])
        for peer in PEERS
        if peer in found
    }


def run(*, smoke: bool = False) -> Result:
    found = measured(smoke=smoke)
    mine, kaggle = found["ours connect"]["rate"], found.get("kaggle connect", {}).get("rate")
    figures = ("rate", "per_cpu", "moves")
    more = {
        "ratios": ratios(found, "rate"),
        "cpu_ratios": ratios(found, "per_cpu"),
        **{figure: {name: one[figure] for name, one in found.items()} for figure in figures},
    }
    return Result(
        "matches", mine, kaggle, "kaggle-environments", faster(mine, kaggle), "matches/s", SIZES["ours"],
        more,
        target="20 × kaggle-environments, which records too; 0.4 × TextArena, which records nothing",
        what="scripted matches of two with journal and ratings, in tournaments of sixteen on two cores",
    )  # fmt: skip
