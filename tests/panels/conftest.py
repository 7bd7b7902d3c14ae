"""A bazaar that waits for a vote in its third turn, drawn with whatever panels a test declares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.panels.bazaar import bazaar, scene
from windtunnel.panels.shapes import Drawn, Part
from windtunnel.run.drawing import Drawing
from windtunnel.run.replay import peek
from windtunnel.testing.lab import Lab, at_once

Draw = Callable[..., list[Drawn]]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder: Path = tmp_path_factory.mktemp("bazaar")
    with Lab(bazaar(), folder=folder) as made:
        made.begin(scene())
        made.go(stop_after=1)
        made.inject("message", {"text": "how are you?"})
        made.go()
        assert made.waiting(), "it waits for a vote"
        yield made


@pytest.fixture
def draw(lab: Lab) -> Draw:
    def drawn(*panels: Any, turn: int | None = None) -> list[Drawn]:
        player = at_once(peek(lab.store, bazaar(*panels), "run", turn))
        return at_once(Drawing(player, lab.store).draw())

    return drawn


def only(found: list[Drawn]) -> Part:
    """The one part of the one panel."""
    (one,) = found
    (part,) = one.parts
    return part
