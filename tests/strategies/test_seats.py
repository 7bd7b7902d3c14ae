"""A strategy in a seat, and code of one's own."""

from __future__ import annotations

import sys

import pytest

from tests.strategies.pond import llm, ready, rule
from windtunnel.errors import ScenarioError
from windtunnel.strategies import Strategy, players, read_strategy, seat, seated
from windtunnel.strategies.reading import check_strategy
from windtunnel.world import AgentSpec

POND = "tests.strategies.pond"


def own(entry: str) -> Strategy:
    return rule(kind="python", policy="", entry=entry)


def test_a_seat_has_what_the_strategy_says_and_its_parameters_among_its_settings():
    made = seat(rule(settings={"nation": "north"}), "ann")
    assert made == AgentSpec(
        id="ann", role="fisher", policy="patient",
        settings={"nation": "north", "share": 0.5, "nets": 2, "bait": "worm", "night": False},
    )  # fmt: skip
    strategy = llm()
    made = seat(strategy, "bob")
    assert (made.kind, made.model, made.instructions) == ("llm", "house", strategy.instructions)
    assert made.settings == {"llm": {"max_tokens": 200, "temperature": 0.5}}
    assert strategy.settings == {"llm": {"max_tokens": 200}}  # what was read is not changed


def test_a_seat_of_a_scenario_keeps_what_is_its_own():
    given = AgentSpec("ann", "fisher", size=5, deadline=2.0, model="x", settings={"nation": "a", "share": 1})
    made = seated(rule(), given)
    assert (made.id, made.size, made.deadline, made.model, made.policy) == ("ann", 5, 2.0, "", "patient")
    assert (made.settings["nation"], made.settings["share"]) == ("a", 0.5)
    with pytest.raises(ScenarioError, match="is for fisher"):
        seated(rule(), AgentSpec("tom", "trader"))


def test_code_is_handed_in_under_the_name_by_which_the_seat_asks_for_it():
    for name in ("ready", "Ready", "patient"):
        strategy = own(f"{POND}:{name}")
        handed = players(strategy)
        assert handed[seat(strategy, "ann").model] is next(iter(handed.values()))
    assert players(own(f"{POND}:ready")) == {f"{POND}:ready": ready}
    assert players(own(f"{POND}:ready.decide"))
    assert players(rule()) == {}


BAD = {
    "broken.py": "1/0\n",
    "needy.py": "import nothing_like_it\n",
    "leaving.py": "raise SystemExit(4)\n",
    "package/__init__.py": "",
}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("no_such_module:x", "no module 'no_such_module'"),
        ("package.no_such:x", "no module 'package.no_such'"),
        ("needy:x", "needs 'nothing_like_it'"),
        ("broken:x", "ZeroDivisionError: division by zero"),
        ("leaving:x", "ends the process"),
        (f"{POND}:redy", "did you mean 'ready'"),
        (f"{POND}:number", "of type int, and no agent"),
        (f"{POND}:Demanding", "cannot be made: TypeError"),
    ],
)
def test_code_that_is_missing_or_raises_is_told_with_what_is_wrong(tmp_path, monkeypatch, entry, said):
    for name, text in BAD.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ScenarioError) as caught:
        players(own(entry))
    assert said in str(caught.value)
    assert f"entry {entry}" in str(caught.value.where)
    for name in ("broken", "needy", "leaving", "package"):
        sys.modules.pop(name, None)


def test_reading_a_strategy_runs_none_of_its_code(tmp_path, monkeypatch, write, pond):
    (tmp_path / "booby.py").write_text("raise RuntimeError('run')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    folder = write("strategy: own\nworld: pond\nrole: fisher\nkind: python\nentry: booby:agent\n")
    assert check_strategy(read_strategy(folder, pond), pond).entry == "booby:agent"
