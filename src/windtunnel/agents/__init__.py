"""Ways to decide. Each sees only its observation and its context."""

from windtunnel.agents.asked import Asked
from windtunnel.agents.rule import Rule

__all__ = ["Asked", "Rule"]
