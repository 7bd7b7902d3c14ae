"""What Schemathesis is told about this API beside its description: how to ask for little where much is
allowed.

A fork may have a thousand branches and a run ten million turns, and a generator likes to try just that.
What is tried here is whether the door takes it, not whether a disk does: numbers that fit are made small,
the others stay.
"""

from __future__ import annotations

from typing import Any

import schemathesis

SMALL = {"turns": 2, "branches": 2, "until": 2}


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    if isinstance(body, dict):
        for name, most in SMALL.items():
            if type(body.get(name)) is int and body[name] > most:
                body[name] = most
    return body
