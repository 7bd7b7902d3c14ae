"""Types made ready before there are threads.

msgspec works out how to read a Struct when it is first asked to, and two threads that ask at the same moment
for
the same type can bring the process down (seen with 0.22). A process that reads in threads calls `warm` first,
once what it will read is imported.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import msgspec


def warm() -> int:
    """Work out every Struct that is imported by now; how many there were."""
    known = list(dict.fromkeys(_below(msgspec.Struct)))
    for kind in known:
        with suppress(TypeError, NameError, ValueError):  # generic, or with types that only a checker sees
            msgspec.json.Decoder(kind)
    return len(known)


def _below(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)
