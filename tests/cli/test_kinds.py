"""A file that came to the wrong command: it says what the file is, and which command takes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

FILES = {
    "agents": ("a scenario", "run", "agents: []\nworld: economy\n"),
    "tournament": ("a tournament", "tournament", "tournament: Cup\nscenario: economy/quick\n"),
    "evolution": ("an evolution", "evolve", "evolution: Up\nscenario: economy/quick\n"),
    "strategy": ("a strategy", "strategies add", "strategy: dove\nworld: economy\nrole: government\n"),
}


@pytest.mark.parametrize("wanted", FILES)
@pytest.mark.parametrize("given", FILES)
def test_the_right_command_is_named(wt: Any, workspace: Path, given: str, wanted: str) -> None:
    (what, takes, text), (name, command, _) = FILES[given], FILES[wanted]
    file = workspace / "x.yaml"
    file.write_text(text)
    said = wt(*command.split(), str(file))
    told = f"this is {what}, not {name}\nwhere: {file}:1:1\nnext:  windtunnel {takes} {file}\n"
    assert (told in said.err) == (given != wanted), said.err
    assert given == wanted or said.code == 2
