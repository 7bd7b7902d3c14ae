from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.control.yard import Yard


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    made = Yard(tmp_path / "ws", "hung_seconds = 3\nstuck_seconds = 4\ngrace_seconds = 1")
    yield made
    made.close()
