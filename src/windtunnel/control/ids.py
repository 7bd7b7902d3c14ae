"""Names for runs: short, in the order in which they were made, and nobody else's."""

from __future__ import annotations

import secrets
import time

MATCH = "."  # between the name of a tournament and the number of its match

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_CHANCE = 32**5


def new_run_id() -> str:
    """Ten characters: five of time (so that names sort by age), five of chance."""
    seconds = int(time.time() / 30)
    stamp = "".join(_ALPHABET[seconds >> shift & 31] for shift in (20, 15, 10, 5, 0))
    return stamp + "".join(secrets.choice(_ALPHABET) for _ in range(5))


def run_ids_from(first: str, count: int) -> list[str]:
    """So many names, of which the first is given: whoever asks again gets the same, and none comes twice."""
    stamp, begin = first[:5], 0
    for letter in first[5:]:
        begin = begin * 32 + _ALPHABET.index(letter)
    numbers = ((begin + offset) % _CHANCE for offset in range(count))
    return [
        stamp + "".join(_ALPHABET[number >> shift & 31] for shift in (20, 15, 10, 5, 0)) for number in numbers
    ]


def tournament_of(run_id: str) -> str:
    """The tournament whose match a run is, by its name; empty for every other run."""
    before, dot, _ = run_id.rpartition(MATCH)
    return before if dot else ""
