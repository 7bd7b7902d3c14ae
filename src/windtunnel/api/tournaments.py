"""`wt.tournament`: strategies against each other, from Python."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from windtunnel.api.home import the_workspace
from windtunnel.api.playing import Playing
from windtunnel.api.verbs import Where
from windtunnel.config import Workspace
from windtunnel.control import Found
from windtunnel.tournaments.hands import LocalHands
from windtunnel.tournaments.reading import inline_tournament, read_tournament, sources
from windtunnel.tournaments.running import begin_tournament, find_tournament, play_tournament
from windtunnel.tournaments.standings import Standing, Standings, standings


class Tournament:
    """One that was begun here, or taken up again. What is asked of it while it goes waits for its end."""

    def __init__(self, workspace: Workspace, found: Found, playing: Playing) -> None:
        self._workspace, self._found, self._playing = workspace, found, playing

    @property
    def run_id(self) -> str:
        return self._found.row.run_id

    def wait(self) -> Tournament:
        self._playing.wait()
        return self

    def __await__(self) -> Generator[Any, None, Tournament]:
        yield from self._playing.__await__()
        return self

    @property
    def standings(self) -> Standings:
        """The table, with ratings, their intervals, and what to know before believing it."""
        self._playing.wait()
        return standings(self._found)

    @property
    def best(self) -> Standing:
        return self.standings.lines[0]

    def __repr__(self) -> str:
        return f"<tournament {self.run_id}>"


def tournament(
    what: str | os.PathLike[str] | Mapping[str, Any],
    *,
    budget: float | None = None,
    workers: int = 0,
    store: str | os.PathLike[str] | None = None,
    workspace: Where = None,
) -> Tournament:
    """Play a tournament: the path of its file, what such a file would hold, or the id of one that was begun.

    >>> import windtunnel as wt
    >>> cup = wt.tournament(
    ...     {
    ...         "tournament": "Two rules",
    ...         "scenario": "economy/quick",
    ...         "turns": 3,
    ...         "seeds": 1,
    ...         "entrants": ["balanced", "austerity"],
    ...     }
    ... )
    >>> [line.matches for line in cup.standings.lines]
    [2, 2]
    """
    place = the_workspace(workspace)
    path = None if store is None else Path(store).expanduser().absolute()
    if isinstance(what, Mapping):
        found = begin_tournament(place, inline_tournament(dict(what), sources(place)), path=path)
    elif Path(what).is_file():
        field = read_tournament(Path(what), sources(place))
        found = begin_tournament(place, field, name=Path(what).stem, path=path)
    else:
        found = find_tournament(place, os.fspath(what))

    async def work(playing: Playing) -> None:
        hands = LocalHands(place, processes=workers)
        try:
            await play_tournament(place, found, hands=hands, observer=playing.watch, budget=budget)
        finally:
            await hands.aclose()

    return Tournament(place, found, Playing(work).start())
