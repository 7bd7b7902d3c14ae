"""Worlds by entry point, from packages that are installed as a wheel would be."""

import subprocess
import sys
from pathlib import Path

import pytest

LIST = """
from pathlib import Path
from windtunnel.config import Workspace
from windtunnel.discovery import *
workspace = Workspace(Path.cwd())
for info in list_worlds(workspace):
    names = [scenario.name for scenario in info.scenarios]
    print(info.name, info.source, info.origin, info.version, names, info.error, sep="|")
"""


class Site:
    """A folder of installed packages, and code run where they are importable."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def install(self, name: str, target: str, dist: str) -> None:
        info = self.root / f"site/{dist}-2.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 2.0\n")
        (info / "entry_points.txt").write_text(f"[windtunnel.worlds]\n{name} = {target}\n")

    def run(self, code: str) -> str:
        command = [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(self.root / 'site')!r})\n{code}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.root, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def lines(text: str, name: str) -> list[list[str]]:
    return [line.split("|") for line in text.splitlines() if line.startswith(f"{name}|")]


def test_an_installed_world_is_listed(makes, site):
    makes.package("site/tiny", "tiny", extra="print('hello')\n")
    site.install("tiny", "tiny:world", "tiny-world")
    (found,) = lines(site.run(LIST), "tiny")
    assert found == [
        "tiny",
        "entry point",
        "entry point tiny of tiny-world 2.0",
        "1.2",
        "['tiny/first']",
        "None",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("gone:world", "No module named 'gone'"),
        ("tiny:wrld", "tiny:wrld does not exist"),
        ("tiny", "names 'tiny'"),
    ],
)
def test_a_broken_entry_point_is_listed_with_its_error(makes, site, target, words):
    makes.package("site/tiny", "tiny")
    site.install("tiny", target, "tiny-world")
    (found,) = lines(site.run(LIST), "tiny")
    assert words in found[-1]


@pytest.mark.slow
def test_a_world_both_installed_and_listed_is_an_error_that_names_both(makes, site):
    makes.package("site/tiny", "tiny")
    site.install("tiny", "tiny:world", "tiny-world")
    makes.package("mine/tiny", "tiny")
    makes.listed(("tiny", "mine"))
    found = lines(site.run(LIST), "tiny")
    assert len(found) == 2
    for one in found:
        assert "tiny-world 2.0" in one[-1]
        assert "windtunnel.toml" in one[-1]


@pytest.mark.slow
def test_a_scenario_file_of_an_installed_world_plays_in_the_installed_one(makes, site):
    home = makes.package("site/tiny", "tiny")
    site.install("tiny", "tiny:world", "tiny-world")
    code = f"""
from pathlib import Path
from windtunnel.config import Workspace
from windtunnel.discovery import *
found = find_scenario({str(home / "scenarios/first.yaml")!r}, Workspace(Path.cwd()))
world = load_here(found.source)
print(found.source.kind, find_scenario("tiny/first", Workspace(Path.cwd())) == found, world.scenarios)
"""
    assert site.run(code).split() == ["entry", "point", "True", str(home / "scenarios")]
