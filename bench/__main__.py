"""The door: which benches, how large, and whether a person or a script reads the result."""

from __future__ import annotations

import argparse
import importlib
import json
import sys

from bench.measure import PeerMissing, Result
from bench.paper import sheet

BENCHES = {  # module, by name, in the order in which all of them are run
    "durable-turns": "bench.durable_turns",
    "activations": "bench.activations",
    "resume": "bench.resume",
    "memory": "bench.memory",
    "startup": "bench.startup",
    "postgres-turns": "bench.postgres_turns",
    "verify": "bench.verify",
    "replay": "bench.replay",
    "economy": "bench.economy",
    "crowd": "bench.crowd",
    "llm-efficiency": "bench.llm_efficiency",
    "gateway-overhead": "bench.gateway_overhead",
    "catalog": "bench.catalog",
    "start-latency": "bench.start_latency",
    "fanout": "bench.fanout",
    "dashboard": "bench.dashboard",
    "ratings": "bench.ratings",
    "matches": "bench.matches",
}


def run(name: str, *, smoke: bool) -> Result:
    result: Result = importlib.import_module(BENCHES[name]).run(smoke=smoke)
    return result


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--json", action="store_true", help="one line for each bench")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes; peers not installed are left out")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in BENCHES]
    if unknown:
        print(f"no bench {unknown[0]!r}; there are: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    for name in options.names or BENCHES:
        try:
            result = run(name, smoke=options.smoke)
        except PeerMissing as missing:
            print(f"bench {name}: {missing}", file=sys.stderr)
            return 2
        print(json.dumps(result.as_dict()) if options.json else sheet(result), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
