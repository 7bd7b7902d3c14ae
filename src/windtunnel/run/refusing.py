"""Why an action could not be taken as one of its role's, in words that help who is asked again.

The words are part of history: an agent finds them in `context.rejection`. They are a function of what was
decided and of the role, and of nothing else.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import fields

from windtunnel.codec import decode_body, encode_body
from windtunnel.run.casting import Seat
from windtunnel.words import suggest

LONGEST = 100  # a name that somebody may have meant


def unfit(seat: Seat, choice: Any, problem: str) -> str:
    """What the decoder said; a name that is not known is answered with the nearest one."""
    given = decode_body(encode_body(choice))
    if not isinstance(given, dict) or not isinstance(kind := given.get("type"), str):
        return problem
    known = {action.__name__: action for action in seat.role.actions}
    if kind not in known:
        named = problem.startswith("Invalid value") and len(kind) <= LONGEST
        return f"there is no action {kind!r}: {suggest(kind, known)}" if named else problem
    names = [field.encode_name for field in fields(known[kind])]
    odd = next((name for name in given if name not in names and name != "type"), "")
    if odd and len(odd) <= LONGEST and problem.startswith("Object contains unknown field"):
        return f"{kind} has no field {odd!r}: {suggest(odd, names)}"
    return problem
