"""Which worlds there are, and where their scenarios lie.

A world is found by an entry point of the group `windtunnel.worlds`, by `[[worlds]]` of `windtunnel.toml`, or
beside the scenario file that names it. Entry points are imported here; a world given by a path is listed and
checked in a child process and imported only by the process that plays it (`load_here`).
"""

from __future__ import annotations

from windtunnel.discovery.child import ScenarioInfo
from windtunnel.discovery.listing import WorldInfo, list_scenarios, list_worlds
from windtunnel.discovery.loading import find_world, load_here
from windtunnel.discovery.scenarios import FoundScenario, find_scenario, world_beside
from windtunnel.discovery.sources import GROUP, WorldSource, find_source

__all__ = [
    "GROUP",
    "FoundScenario",
    "ScenarioInfo",
    "WorldInfo",
    "WorldSource",
    "find_scenario",
    "find_source",
    "find_world",
    "list_scenarios",
    "list_worlds",
    "load_here",
    "world_beside",
]
