"""What a tournament is asked to be, who meets next, and what came of it: data, and nothing else."""

from __future__ import annotations

from typing import Literal

import msgspec

Format = Literal[
    "round-robin", "single-elimination", "double-elimination", "swiss", "free-for-all", "ladder", "gauntlet"
]
ELIMINATIONS = ("single-elimination", "double-elimination")


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A tournament before its first meeting. `check` fills in what is left open here."""

    format: Format
    entrants: tuple[str, ...]
    """In seeding order, the best first."""
    rounds: int | None = None
    double: bool = False
    """Round-robin: everyone meets everyone twice, the second time with seats swapped."""
    third_place: bool = False
    """Single elimination: the losers of the semifinals meet too."""
    seats: int = 2
    """Free-for-all: how many sit at one table."""
    pool: tuple[str, ...] = ()
    """Gauntlet: those of the entrants whom every other one meets, and who do not meet each other."""
    seed: int = 0
    """For what is drawn by lot."""
    tie_breaks: tuple[str, ...] = ()
    """What ranks after the format's own measure, in this order."""
    description: str = ""
    """The rules in words, for whoever wants to know them before they play; written by `check`."""


class Pairing(msgspec.Struct, frozen=True, omit_defaults=True):
    """One meeting to be held. One entrant alone has a bye: nothing is played."""

    entrants: tuple[str, ...]
    """In the order of their seats."""
    label: str = ""

    @property
    def bye(self) -> bool:
        return len(self.entrants) == 1


class Played(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of a pairing. Points go by seat: between two 1, 0.5 or 0, or the share of several games."""

    pairing: Pairing
    points: tuple[float, ...]
    """What stands here for a bye is ignored: the format says what a bye is worth."""
    forfeits: tuple[str, ...] = ()
    """Who did not play. They are paired again, until they withdraw."""
    withdrawn: tuple[str, ...] = ()
    """Who left the tournament in this round, at this table or at any other."""


class Line(msgspec.Struct, frozen=True):
    """One entrant's line of the table."""

    rank: int
    entrant: str
    points: float
    played: int
    wins: int
    draws: int
    losses: int
    byes: int
    balance: int
    """Meetings of two: first seats less second. Larger tables: the most used seat less the least used."""
    tie_breaks: dict[str, float]
    """In the published order."""
    withdrawn: bool = False
