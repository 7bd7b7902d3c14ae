"""What keeps agents from doing harm: policies that say which actions wait for people."""

from windtunnel.safety.policy import Policy

__all__ = ["Policy"]
