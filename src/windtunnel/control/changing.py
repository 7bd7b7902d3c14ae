"""What a person or a client asks to be different: of a scenario before it is played, of a run when it is
forked.

Every door says it in the same words (settings, who sits where, a model, events), and all of it goes through
the one check of scenarios.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from windtunnel.control.blaming import agents_blamed
from windtunnel.errors import UsageError
from windtunnel.run.fork import Change
from windtunnel.scenario import is_model, override_scenario, with_model
from windtunnel.world import Scenario, World

KINDS = ("human", "remote", "llm")  # what may stand where a policy is named: who decides instead


def changed(
    scenario: Scenario, world: World, settings: Sequence[str], agents: Sequence[str], model: str
) -> Scenario:
    """The scenario with `KEY=VALUE` settings, `ID=POLICY` agents and a model; all goes through one check."""
    wanted = list(settings)
    if model:
        scenario = with_model(scenario, model)
    for given in agents:
        agent, equals, policy = given.partition("=")
        if not (agent and equals and policy):
            raise UsageError(
                f"{given!r} is not ID=POLICY", where="--agent", remedy="as in --agent alice=cautious"
            )
        if policy in KINDS:
            wanted.append(f"agents.{agent}.kind={policy}")
        elif is_model(policy):
            wanted += [f"agents.{agent}.kind=llm", f"agents.{agent}.model={json.dumps(policy)}"]
        else:
            wanted += [f"agents.{agent}.kind=rule", f"agents.{agent}.policy={policy}"]
    with agents_blamed(agents):
        return override_scenario(scenario, wanted, world) if wanted else scenario


def fork_change(
    world: World,
    settings: Sequence[str],
    agents: Sequence[str],
    model: str,
    events: Sequence[Mapping[str, Any]] = (),
    instructions: Mapping[str, str] | None = None,
) -> Change | None:
    """What a fork changes; None if it changes nothing."""
    said: dict[str, Any] = {}
    if settings:
        said["set"] = list(settings)
    if agents:
        said["agents"] = list(agents)
    if model:
        said["model"] = model
    if instructions:
        said["instructions"] = dict(instructions)
    if events:
        said["events"] = [event["kind"] for event in events]
    if not said:
        return None
    wanted = [
        *settings,
        *(f"agents.{agent}.instructions={text}" for agent, text in (instructions or {}).items()),
    ]

    def edit(scenario: Scenario) -> Scenario:
        return changed(scenario, world, wanted, agents, model)

    edits = bool(wanted or agents or model)
    return Change(edit if edits else None, [dict(event) for event in events], said)
