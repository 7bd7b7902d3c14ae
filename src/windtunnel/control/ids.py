"""Names for runs: short, in the order in which they were made, and nobody else's."""

from __future__ import annotations

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_run_id() -> str:
    """Ten characters: five of time (so that names sort by age), five of chance."""
    seconds = int(time.time() / 30)
    stamp = "".join(_ALPHABET[seconds >> shift & 31] for shift in (20, 15, 10, 5, 0))
    return stamp + "".join(secrets.choice(_ALPHABET) for _ in range(5))
