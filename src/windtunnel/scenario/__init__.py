"""Scenario files: read, checked against their world, changed by overrides, described to editors.

Start reading at `loading.py`; `reading.py` turns YAML into nodes that know their places, `checking.py` holds
them against types, `shape.py` says what a file may hold.
"""

from __future__ import annotations

from windtunnel.scenario.approvals import profiles, whole_policy
from windtunnel.scenario.loading import MAX_BYTES, inline_scenario, load_scenario, override_scenario, peek
from windtunnel.scenario.modelled import is_model, models_of, with_model
from windtunnel.scenario.overrides import apply_overrides
from windtunnel.scenario.plain import scenario_from_plain, scenario_to_plain
from windtunnel.scenario.policy import GRAVE, PolicyFile, PolicyRule, fits_type
from windtunnel.scenario.schema import scenario_schema
from windtunnel.scenario.shape import ID_PATTERN, KINDS

__all__ = [
    "GRAVE",
    "ID_PATTERN",
    "KINDS",
    "MAX_BYTES",
    "PolicyFile",
    "PolicyRule",
    "apply_overrides",
    "fits_type",
    "inline_scenario",
    "is_model",
    "load_scenario",
    "models_of",
    "override_scenario",
    "peek",
    "profiles",
    "scenario_from_plain",
    "scenario_schema",
    "scenario_to_plain",
    "whole_policy",
    "with_model",
]
