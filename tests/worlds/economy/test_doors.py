"""The economy through the doors: its matrix, its questions, and its section in a report."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

import windtunnel as wt
from tests.worlds.economy.conftest import SCENARIOS
from windtunnel.errors import UsageError
from windtunnel.world import Reported, Section
from windtunnel.worlds.economy import world
from windtunnel.worlds.economy.calibration import moments as m
from windtunnel.worlds.economy.reports import FITTED, calibration, inside


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("doors") / "quick.sqlite"
    assert wt.run("economy/quick", store=path).status == "completed"
    return path


def said(*words: object, at: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "windtunnel", *(str(word) for word in words)]
    return subprocess.run(command, cwd=at, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.slow
def test_show_matrix_adds_up_before_ones_eyes(store: Path) -> None:
    done = said("show", store, "--matrix", "--turn", 5, "--agent", "borland", at=store.parent)
    assert done.returncode == 0, done.stderr
    title, head, *rows = done.stdout.splitlines()
    assert "as borland, after turn 5" in title
    assert "households" in head
    wages = next(row for row in rows if row.startswith("wages")).split()
    assert float(wages[1].replace(",", "")) == -float(wages[2].replace(",", ""))
    assert all(row.split()[-1] == "·" for row in rows)  # the sums of the rows
    assert set(rows[-1].split()[1:]) == {"·"}  # and of the columns


@pytest.mark.slow
def test_a_question_takes_arguments_and_answers_scripts(store: Path) -> None:
    words = ("--query", "forecast", "--arg", "what=inflation", "--arg", "ahead=3", "--json")
    answer = json.loads(said("show", store, *words, at=store.parent).stdout)
    assert (answer["query"], answer["agent"], answer["turn"]) == ("forecast", "aldland", 12)
    assert len(answer["answer"]) == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--query", "forcast"), "did you mean 'forecast'?"),
        (("--query", "forecast", "--arg", "mood=1"), "it takes: what, ahead, rule"),
        (("--query", "forecast", "--arg", "ahead"), "name=value"),
        (("--matrix", "--agent", "nobody"), "agents: aldland, borland"),
        (("--matrix", "--turn", "99"), "its last is 12"),
    ],
)
def test_a_wrong_question_is_answered_with_the_right_one(
    store: Path, words: tuple[str, ...], told: str
) -> None:
    done = said("show", store, *words, at=store.parent)
    assert done.returncode == 2
    assert told in done.stderr


def test_python_asks_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = wt.run("economy/quick", turns=3)
    shown: Any = run.query("matrix", turn=2, agent="borland")
    assert all(round(sum(row), 6) == 0 for row in shown["rows"].values())
    assert shown != run.query("matrix", turn=2)
    with pytest.raises(UsageError, match="no query 'matrx'"):
        run.query("matrx")


# --- the section in the report ------------------------------------------------------------------------------


def reported(turns: int, scenario: str = "economy/us_1960s") -> Reported:
    us = m.recorded("1959Q1", "1974Q4").part(0, turns)
    columns: dict[str, Any] = {
        "gdp": us.gdp, "consumption": us.consumption, "investment": us.investment,
        "inflation": [0.0, *(b / a - 1.0 for a, b in zip(us.prices, us.prices[1:], strict=False))],
        "unemployment": us.unemployment / 100, "rate": (1 + us.rate / 100) ** 0.25 - 1,
    }  # fmt: skip
    return Reported(scenario, 1, turns, {"us": {name: list(values) for name, values in columns.items()}})


def test_the_section_marks_what_lies_outside_and_only_that() -> None:
    section = calibration(reported(64))
    assert section is not None
    known = json.loads(FITTED.read_text())["moments"]
    outside = [name for name, found in known.items() if not inside(found)]
    assert [section.rows[at][0] for at in section.outside] == outside
    assert [row[0] for row in section.rows if row[-1] == "outside"] == outside
    assert len(section.rows) == len(m.MOMENTS)


def test_most_of_what_was_fitted_fits() -> None:
    known = json.loads(FITTED.read_text())["moments"]
    assert sum(inside(found) for found in known.values()) >= 10


def test_another_scenario_has_no_such_section_and_a_short_run_says_why() -> None:
    assert calibration(reported(64, "economy/growth")) is None
    short = calibration(reported(50))
    assert short is not None
    assert not short.rows
    assert "here are 50" in short.words[0]


@pytest.mark.slow
def test_the_intervals_are_those_of_the_world_as_it_is(tmp_path: Path) -> None:
    """The file was made by this very world: its first seed comes out again."""
    run = wt.run("economy/us_1960s", seed=1, store=tmp_path / "us.sqlite")
    told = Reported(
        "economy/us_1960s", 1, 84, {"us": {n: run.metrics.series(n, "us").values for n in COLUMNS}}
    )
    section = calibration(told)
    assert section is not None
    known = json.loads(FITTED.read_text())["moments"]
    own = {row[0]: float(row[3]) for row in section.rows}
    assert own == {name: pytest.approx(found["first_seed"], abs=0.00501) for name, found in known.items()}


COLUMNS = ("gdp", "consumption", "investment", "inflation", "unemployment", "rate")


def broken(told: Reported) -> Section | None:
    raise RuntimeError("<b>no</b>")


def test_a_section_that_fails_costs_only_itself(tmp_path: Path) -> None:
    from windtunnel.export import export_run

    path = tmp_path / "one.sqlite"
    run = wt.run("economy/us_1960s", turns=4, store=path)
    good = export_run(path, run.run_id, "html", tmp_path / "good.html", world=world).read_text()
    assert "Beside the data" in good
    both = msgspec.structs.replace(world, reports=(broken, calibration))
    page = export_run(path, run.run_id, "html", tmp_path / "bad.html", world=both).read_text()
    assert "This section failed: RuntimeError: &lt;b&gt;no&lt;/b&gt;" in page
    assert "Beside the data" in page


def test_every_scenario_is_listed() -> None:
    assert len(SCENARIOS) == 13
