"""The child's side: `python -m windtunnel.discovery describe SOURCE` answers one JSON object on stdout."""

from __future__ import annotations

import os
import sys

import msgspec

from windtunnel.discovery.child import Answer, describe
from windtunnel.discovery.listing import list_scenarios
from windtunnel.discovery.loading import load_here
from windtunnel.discovery.sources import WorldSource
from windtunnel.errors import WindtunnelError


def main() -> None:
    answer_to = os.dup(1)
    os.dup2(2, 1)  # whatever else is printed, by C code too, is not the answer
    if len(sys.argv) != 3 or sys.argv[1] != "describe":
        sys.exit("usage: python -m windtunnel.discovery describe SOURCE")
    source = msgspec.json.decode(sys.argv[2], type=WorldSource)
    try:
        world = load_here(source)
        answer = Answer(describe(world, tuple(list_scenarios(world))))
    except WindtunnelError as error:
        itself = error.data.get("calls_itself")
        answer = Answer(None, error.message, error.where, error.remedy, itself)
    with os.fdopen(answer_to, "wb") as out:
        out.write(msgspec.json.encode(answer))
    sys.stderr.flush()
    os._exit(0)  # threads that the world started do not keep us waiting


if __name__ == "__main__":
    main()
