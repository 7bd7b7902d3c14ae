"""An agent that follows one of its role's policies: the default, and needs no key."""

from __future__ import annotations

from windtunnel.errors import ScenarioError
from windtunnel.words import suggest
from windtunnel.world import AgentSpec, Policy, Role


class Rule:
    def __init__(self, spec: AgentSpec, role: Role) -> None:
        policies = role.policies
        if not policies:
            raise ScenarioError(f"role {spec.role!r} has no rule policy", where=f"agents.{spec.id}")
        name = spec.policy or next(iter(policies))
        if name not in policies:
            raise ScenarioError(
                f"role {spec.role!r} has no policy {name!r}",
                where=f"agents.{spec.id}.policy",
                remedy=suggest(name, policies),
            )
        self.decide: Policy = policies[name]  # the policy itself: one call less per decision
