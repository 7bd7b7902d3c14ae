"""Connect four for two seats: a world of a page, whose matches are as long as those of the peers. Found by
its path, as a stranger's world is.

Moves alternate; whoever moves is the one who acts. Players are scripted: they drop into the first free column
of an order that luck gives them, so that matches have the length of random play.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from windtunnel.world import (
    Action,
    Actor,
    Applied,
    Context,
    Decided,
    Engine,
    Event,
    Progress,
    Role,
    Scenario,
    World,
)

COLUMNS, ROWS, IN_A_ROW = 7, 6, 4
CELLS = COLUMNS * ROWS


class Drop(Action, frozen=True, tag="drop"):
    column: int


class Board(msgspec.Struct):
    cells: list[int]  # 0 is free, else 1 or 2; from the lowest row up
    seats: tuple[str, str]
    moves: int = 0
    winner: int = 0


class Seen(msgspec.Struct):
    cells: list[int]
    mark: int


class Rules(Engine[Board]):
    def start(self, scenario: Scenario, context: Context) -> Board:
        first, second = (agent.id for agent in scenario.agents)
        return Board([0] * CELLS, (first, second))

    def to_act(self, state: Board) -> Sequence[Actor]:
        return [Actor(state.seats[state.moves % 2], "player")]

    def observe(self, state: Board, actor: Actor) -> Seen:
        return Seen(list(state.cells), state.moves % 2 + 1)

    def apply(
        self, state: Board, decided: Decided, events: Sequence[Event], context: Context
    ) -> Applied[Board]:
        mark = state.moves % 2 + 1
        (action,) = decided.values()
        place = free(state.cells, action.column)
        if place is None:
            state.winner = 3 - mark  # a move that cannot be made loses
        else:
            state.cells[place] = mark
            if wins(state.cells, place):
                state.winner = mark
        state.moves += 1
        return Applied(state)

    def score(self, state: Board) -> Mapping[str, Any]:
        if not state.winner:
            return {seat: {"wealth": 0.5} for seat in state.seats}
        return {seat: {"wealth": float(state.winner == n)} for n, seat in enumerate(state.seats, 1)}

    def progress(self, state: Board) -> Progress:
        return Progress(state.moves, CELLS, "move")

    def over(self, state: Board) -> str | None:
        if state.winner:
            return f"{state.seats[state.winner - 1]} has four in a row"
        return "the board is full" if state.moves == CELLS else None


def free(cells: list[int], column: int) -> int | None:
    for row in range(ROWS):
        if not cells[row * COLUMNS + column]:
            return row * COLUMNS + column
    return None


def wins(cells: list[int], place: int) -> bool:
    """Whether the piece that was just dropped completes a row."""
    mark = cells[place]
    row, column = divmod(place, COLUMNS)
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        length = 1
        for sign in (1, -1):
            r, c = row + sign * down, column + sign * right
            while 0 <= r < ROWS and 0 <= c < COLUMNS and cells[r * COLUMNS + c] == mark:
                length += 1
                r, c = r + sign * down, c + sign * right
        if length >= IN_A_ROW:
            return True
    return False


def scripted(seen: Seen, context: Context) -> Drop:
    open_columns = [c for c in range(COLUMNS) if not seen.cells[(ROWS - 1) * COLUMNS + c]]
    return Drop(open_columns[context.chance().below(len(open_columns))])


world = World(
    "connect",
    Rules(),
    Board,
    {"player": Role((Drop,), Drop(0), {"scripted": scripted})},
    headline=("wealth",),
)
