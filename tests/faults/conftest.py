"""Fixtures of the fault lab: the fork server, the seed (printed, and taken from WINDTUNNEL_SEED)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random, SystemRandom

import pytest

from tests.faults.lab import Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def random(request: pytest.FixtureRequest) -> Random:
    """Chance of the test's own. In the soak it is new each time; a failure shows its seed."""
    given = os.environ.get("WINDTUNNEL_SEED")
    fresh = SystemRandom().randrange(1 << 32) if request.node.get_closest_marker("soak") else 20_260
    seed = int(given) if given else fresh
    print(f"to reproduce: WINDTUNNEL_SEED={seed}")
    return Random(f"{seed} {request.node.originalname}")
