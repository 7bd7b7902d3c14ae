"""Small world packages, written to disk as a stranger would write them."""

import textwrap
from pathlib import Path

import pytest

WORLD = """
from windtunnel.world import Action, Applied, Engine, Role, World
import msgspec


class Wait(Action):
    pass


class State(msgspec.Struct):
    turn: int = 0


class Rules(Engine[State]):
    def start(self, scenario, context):
        return State()

    def observe(self, state, actor):
        return None

    def apply(self, state, decided, events, context):
        return Applied(state)

    def over(self, state):
        return None


role = Role((Wait,), Wait(), {{"wait": lambda observation, context: Wait()}})
world = World({name!r}, Rules(), State, {{"player": role}}, version="1.2", description="Small.")
"""
SCENARIO = "world: {name}\ntitle: First\nturns: 3\nagents: [{{id: ann, role: player, count: 2}}]\n"


class Makes:
    def __init__(self, root: Path) -> None:
        self.root = root

    def package(
        self, folder: str, name: str, extra: str = "", inside: str = "", scenarios: str = "first"
    ) -> Path:
        """A package that is a world; `folder` ends in the package's name."""
        home = self.root / folder
        home.mkdir(parents=True)
        code = textwrap.dedent(extra) + WORLD.format(name=name) + textwrap.dedent(inside)
        (home / "__init__.py").write_text(code)
        for scenario in scenarios.split():
            self.scenario(f"{folder}/scenarios/{scenario}.yaml", name)
        return home

    def scenario(self, file: str, name: str) -> Path:
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SCENARIO.format(name=name))
        return path

    def pyproject(self, folder: str, **worlds: str) -> None:
        lines = [f'{name} = "{target}"' for name, target in worlds.items()]
        (self.root / folder).mkdir(parents=True, exist_ok=True)
        table = '[project]\nname = "p"\n[project.entry-points."windtunnel.worlds"]\n'
        (self.root / folder / "pyproject.toml").write_text(table + "\n".join(lines))

    def listed(self, *worlds: tuple[str, str], more: str = "") -> None:
        text = "".join(f'[[worlds]]\nname = "{name}"\npath = "{path}"\n{more}\n' for name, path in worlds)
        (self.root / "windtunnel.toml").write_text(text)


@pytest.fixture
def makes(tmp_path):
    return Makes(tmp_path)
