"""One peer of `matches` in a process of its own: games between players that cost nothing.

`python -m bench.arcade NAME` is told on stdin how many games to play, and prints what that took; it needs
the environment that `./dev bench matches` makes. Making the game is left out where it can be: kaggle's is
made once.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from typing import Any

from bench.measure import Figures, Stopwatch

Play = Callable[[int], int]  # so many games; how many moves they had


def kaggle() -> Play:
    """Its own random players; each step is recorded in the episode, in memory."""
    from kaggle_environments import make  # type: ignore[import-not-found, unused-ignore]

    game = make("connectx")

    def play(games: int) -> int:
        moves = 0
        for _ in range(games):
            game.reset()
            moves += len(game.run(["random", "random"])) - 1  # the first step is the empty board
        return moves

    return play


def textarena(name: str, answer: Callable[[random.Random], str]) -> Play:
    """Nothing is recorded."""
    import textarena as ta  # type: ignore[import-not-found, unused-ignore]

    luck = random.Random(1)

    def play(games: int) -> int:
        moves = 0
        for number in range(games):
            game: Any = ta.make(name)
            game.reset(num_players=2, seed=number)
            done = False
            while not done:
                game.get_observation()
                done, _ = game.step(action=answer(luck))
                moves += 1
            game.close()
        return moves

    return play


PEERS: dict[str, Callable[[], Play]] = {
    "kaggle connect": kaggle,
    "textarena connect": lambda: textarena("ConnectFour-v0", lambda luck: f"[col {luck.randrange(7)}]"),
    "textarena prisoners": lambda: textarena(
        "IteratedPrisonersDilemma-v0", lambda luck: luck.choice(["[cooperate]", "[defect]"])
    ),
}


def main(name: str) -> None:
    play = PEERS[name]()
    play(1)
    while line := sys.stdin.readline():
        games = int(line)
        with Stopwatch() as watch:
            moves = play(games)
        told: Figures = {
            "rate": games / watch.seconds, "per_cpu": games / watch.cpu, "moves": moves / games,
        }  # fmt: skip
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
