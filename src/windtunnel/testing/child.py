"""Plays one scenario in this fresh process and prints the head. Started by the kit, spoken to over stdin."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any

import msgspec

from windtunnel.scenario import scenario_from_plain
from windtunnel.testing.lab import Lab
from windtunnel.world import World


class Request(msgspec.Struct):
    module: str
    attribute: str
    file: str
    path: list[str]
    scenario: dict[str, Any]


def find(request: Request) -> World:
    module: Any
    try:
        module = importlib.import_module(request.module)
    except ModuleNotFoundError:
        spec = importlib.util.spec_from_file_location("windtunnel_kit_world", request.file)
        if spec is None or spec.loader is None:
            raise
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    world: World = getattr(module, request.attribute)
    return world


def main() -> None:
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    sys.path[:] = [*request.path, *(entry for entry in sys.path if entry not in request.path)]
    world = find(request)
    with Lab(world) as lab:
        lab.play(scenario_from_plain(request.scenario, world))
        sys.stdout.write(f"\n{lab.head()}\n")


if __name__ == "__main__":
    main()
