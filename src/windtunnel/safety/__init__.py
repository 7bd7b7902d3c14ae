"""What keeps agents from doing harm: policies that say which actions wait for people.

`policy.py` judges by a scenario's policy; `profiles/` are those that come with Windtunnel.
"""

from windtunnel.safety.policy import Policy

__all__ = ["Policy"]
