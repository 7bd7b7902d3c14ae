"""For tests of worlds, ours and strangers': the conformance kit, and a laboratory to play in.

    from windtunnel.testing import assert_world

    def test_my_world_keeps_the_contract() -> None:
        assert_world(my_world)

Needs no test runner. Never imported by anything that plays for real.
"""

from windtunnel.testing.kit import CHECKS, assert_world, check_world
from windtunnel.testing.lab import Lab
from windtunnel.testing.report import Finding, Report

__all__ = ["CHECKS", "Finding", "Lab", "Report", "assert_world", "check_world"]
