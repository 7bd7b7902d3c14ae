"""The last whole JSON object of a reply, wherever a model put it.

Small models wrap an answer in prose, fences and second thoughts. The last whole object is what they settled
on. Nothing is guessed: no quote is mended, no brace is closed, and what is no JSON is no answer.
"""

from __future__ import annotations

import json
from typing import Any

MOST = 1_000_000  # characters that are looked at: the end of the reply
WORK = 10_000_000  # characters that may be read, those read again included: hostile text costs no more
SCANNED = (
    32  # of the characters before an error, which are scanned for their lines, so many cost as much as one
)


def last_object(text: str) -> dict[str, Any] | None:
    """The last whole `{…}` that is no part of another one; None where there is none."""
    text = text[-MOST:]
    found, at, work = None, text.find("{"), 0
    while at >= 0 and work < WORK:
        try:
            found, after = _DECODER.raw_decode(text, at)
        except json.JSONDecodeError as error:
            work += error.pos - at + error.pos // SCANNED + 64
            after = at + 1
        except (ValueError, RecursionError):  # no number of JSON, an integer without end, a nest too deep
            work += len(text) - at
            after = at + 1
        at = text.find("{", after)
    return found if at < 0 else None  # stopped half way: what was found may not be the last


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)
