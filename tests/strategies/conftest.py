from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.databases import BOTH, made_for
from tests.strategies.pond import world
from windtunnel.journal.database import SqliteDatabase
from windtunnel.strategies import Registry
from windtunnel.world import World


@pytest.fixture
def pond() -> World:
    return world


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    made = Registry(SqliteDatabase(tmp_path / "catalog.sqlite"))
    yield made
    made.database.close()


@pytest.fixture(params=BOTH)
def anywhere(request: Any) -> Iterator[Registry]:
    """A registry in a database of either kind, for the tests whose SQL says more than `by this key`."""
    made = Registry(made_for(request))
    yield made
    made.database.close()


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """A folder with a strategy in it: `write("text of strategy.yaml", **other files by their stems)`."""
    count = 0

    def folder(text: str, **files: str) -> Path:
        nonlocal count
        count += 1
        made = tmp_path / f"folder-{count}"
        made.mkdir()
        (made / "strategy.yaml").write_text(text)
        for name, content in files.items():
            (made / f"{name}.md").write_text(content)
        return made

    return folder
