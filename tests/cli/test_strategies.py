"""`strategies`: added, listed, compared, tagged, put in force and back, exported; and played by `run`."""

from __future__ import annotations

import pytest

from windtunnel.cli import door
from windtunnel.cli.strategies import _branches
from windtunnel.config import find_workspace
from windtunnel.control.history import overview
from windtunnel.control.strategies import Strategies
from windtunnel.control.worlds import Worlds
from windtunnel.errors import UsageError
from windtunnel.strategies import with_parameters

TEXT = """\
strategy: {name}
world: economy
role: government
policy: keynesian
description: spends into unemployment
parameters: {{response: {response}}}
schema:
  response: {{type: number, minimum: 0, maximum: 2, description: how far}}
"""


@pytest.fixture
def strategy(workspace):
    """A folder with a strategy, written again with another number at each call."""

    def write(response=0.7, name="keynesian", more=""):
        folder = workspace / name
        folder.mkdir(exist_ok=True)
        (folder / "strategy.yaml").write_text(TEXT.format(name=name, response=response) + more)
        return name

    return write


def test_a_strategy_is_added_changed_tried_and_rolled_back(wt, strategy):
    made = wt("strategies", "add", strategy(), "--why", "a start", "--as", "ana", "--json").data
    assert (made["fresh"], made["in_force"], made["version"]["number"]) == (True, True, "1.0.0")
    assert (made["version"]["by"], made["version"]["why"]) == ("ana", "a start")
    assert made["version"]["actions"] == ["Budget", "KeepCourse"]
    said = wt("strategies", "add", strategy(0.9), "--aside").out
    assert said.startswith("keynesian@1.0.1  patch  not in force")
    assert "by hand of keynesian@1.0.0" in said
    assert (
        "nothing that plays is new: it is keynesian@1.0.1 already" in wt("strategies", "add", "keynesian").out
    )
    wt("strategies", "tag", "keynesian@1.0.1", "tried")
    assert wt("strategies", "apply", "keynesian@tried", "--json").data["move"]["before"] == "1.0.0"
    (row,) = wt("strategies", "--json").rows
    assert (row["number"], row["versions"], row["tags"]) == ("1.0.1", 2, {"tried": "1.0.1"})
    said = wt("strategies", "rollback", "keynesian", "--why", "it lost")
    assert said.out == "keynesian@1.0.0 is in force; it was 1.0.1\n"
    shown = wt("strategies", "show", "keynesian", "--json").data
    assert [(move["verb"], move["why"]) for move in shown["moves"]][:2] == [
        ("rollback", "it lost"), ("apply", ""),
    ]  # fmt: skip
    assert shown["version"]["strategy"]["kind"] == "rule"  # what is at its default is told too


def test_people_see_tables_and_a_tree(wt, strategy):
    wt("strategies", "add", strategy())
    wt("strategies", "add", strategy(0.9), "--why", "more of it")
    wt("strategies", "tag", "keynesian@1.0.0", "best")
    assert ["keynesian", "1.0.1", "economy/government", "rule", "2"] in [
        line.split()[:5] for line in wt("strategies").out.splitlines()
    ]
    shown = wt("strategies", "show", "keynesian@best").out
    assert "in force is 1.0.1" in shown
    assert "response     0.7  0 to 2  how far" in shown
    diff = wt("strategies", "diff", "keynesian@1.0.0", "keynesian").out
    assert "parameters.response  0.7     0.9" in diff
    tree = wt("strategies", "lineage", "keynesian").out.splitlines()
    assert [line.split("  ")[0].strip() for line in tree] == ["1.0.0", "└─ 1.0.1"]
    assert "more of it" in tree[1]
    assert wt("strategies", "diff", "keynesian", "keynesian").out.endswith("nothing differs\n")


def test_an_exported_folder_is_added_elsewhere_and_known_again(wt, strategy, workspace):
    wt("strategies", "add", strategy())
    made = wt("strategies", "export", "keynesian", "out/k", "--json").data
    assert made["files"] == ["out/k/strategy.yaml", "out/k/lineage.yaml"]
    assert wt("strategies", "add", "out/k", "--json").data["fresh"] is False
    again = wt("strategies", "export", "keynesian", "out/k")
    assert (again.code, "not empty" in again.err) == (2, True)
    (workspace / ".windtunnel" / "catalog.sqlite").unlink()
    version = wt("strategies", "add", "out/k", "--json").data["version"]
    assert (version["hash"], version["operator"]) == (made["hash"], "import")
    assert version["origin"]["operator"] == "by hand"


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (["plan"], "strategies"),
        (["show"], "strategies"),
        (["list", "more"], "strategies"),
        (["diff", "keynesian"], "strategies"),
        (["show", "nobody"], "strategy"),
        (["add", "nowhere"], "nowhere"),
        (["tag", "keynesian", "1.0.0"], "tag"),
        (["rollback", "keynesian"], "keynesian"),
        (["export", "../../x", "to"], "strategy"),
        (["lineage", "nobody"], "strategy"),
        (["lineage", "\x1b[2J"], "strategy"),
    ],
)
def test_wrong_words_are_refused_with_what_to_type(wt, strategy, words, where):
    wt("strategies", "add", strategy())
    said = wt("strategies", *words, "--json")
    assert (said.code, said.error["where"]) == (2, where)
    assert said.error["remedy"]
    assert "\x1b" not in wt("strategies", *words).err


def test_a_bad_file_is_told_with_its_line(wt, strategy):
    said = wt("strategies", "add", strategy(3), "--json")
    assert (said.code, said.error["where"]) == (2, "keynesian/strategy.yaml:6:24")
    said = wt("strategies", "add", strategy(more="model: house\n"), "--json")
    assert said.error["where"] == "keynesian/strategy.yaml:9:8"


def test_a_run_seats_a_strategy_by_its_name_or_its_path(wt, strategy):
    wt("strategies", "add", strategy(1.5))
    strategy(0.3, name="loose")
    run = wt(
        "run", "economy/growth", "--turns", 1, "--agent", "aldland=@keynesian@1.0.0", "--agent",
        "borland=@./loose", "--json",
    ).data  # fmt: skip
    started = overview(door.the_control().find(run["run_id"])).started
    seats = {seat["id"]: seat for seat in started.scenario["agents"]}
    assert (seats["aldland"]["policy"], seats["aldland"]["settings"]) == ("keynesian", {"response": 1.5})
    assert seats["borland"]["settings"] == {"response": 0.3}
    for agent, message in (
        ("aldlan=@keynesian", "did you mean 'aldland'?"),
        ("aldland=@keynesia", "did you mean 'keynesian'?"),
        ("aldland=@keynesian@9.9.9", "did you mean 'keynesian@1.0.0'?"),
    ):
        said = wt("run", "economy/growth", "--turns", 1, "--agent", agent, "--json")
        assert (said.code, said.error["where"], said.error["remedy"]) == (2, f"--agent {agent}", message)


def test_code_of_ones_own_plays_a_seat(wt, workspace, lake, monkeypatch):
    monkeypatch.syspath_prepend(str(workspace))
    (workspace / "mine_of_a_run.py").write_text(
        "def act(observation, context):\n"
        "    return {'type': 'Catch', 'amount': float(context.settings['share'])}\n"
    )
    (workspace / "own.yaml").write_text(
        "strategy: own\nworld: lake\nrole: fisher\nkind: python\nentry: mine_of_a_run:act\n"
        "parameters: {share: 3}\nschema: {share: {type: integer, minimum: 0, maximum: 9}}\n"
    )
    run = wt("run", lake, "--turns", 2, "--agent", "ana=@./own.yaml", "--json").data
    assert run["metrics"]["ana"]["wealth"] == 2 * 3 * 2.0  # turns, fish, price
    (workspace / "own.yaml").write_text(
        "strategy: own\nworld: lake\nrole: fisher\nkind: python\nentry: no:x\n"
    )
    said = wt("run", lake, "--agent", "ana=@./own.yaml", "--json")
    assert (said.code, said.error["message"]) == (2, "there is no module 'no' here")


def test_lists_come_in_pages_with_cursors(strategy):
    workspace = find_workspace()
    with Strategies(workspace, Worlds(workspace)) as kept:
        for number, name in enumerate(("a", "b", "c")):
            kept.add(strategy(number / 2, name=name))
        for number in range(3):
            kept.add(strategy(0.1 + number / 10, name="b"))
        first = kept.list(limit=2)
        assert ([one.name for one in first.items], first.next) == (["a", "b"], "b")
        assert [one.name for one in kept.list(after="b").items] == ["c"]
        assert kept.list(limit=3).next is None
        page = kept.versions("b", limit=3)
        rest = kept.versions("b", limit=3, after=str(page.next))
        assert [one.number for one in (*page.items, *rest.items)] == ["1.0.0", "1.0.1", "1.0.2", "1.0.3"]
        lines = kept.lineage("b", limit=3)
        assert (len(lines.items), lines.next) == (3, "1.0.2")
        assert [line.number for line in kept.lineage("b", after="1.0.2").items] == ["1.0.3"]
        for wrong in (
            lambda: kept.list(limit=0),
            lambda: kept.versions("b", after="x"),
            lambda: kept.lineage("b", after="9.9.9"),
        ):
            with pytest.raises(UsageError):
                wrong()


def test_a_tree_is_drawn_with_its_branches(strategy):
    workspace = find_workspace()
    with Strategies(workspace, Worlds(workspace)) as kept:
        add = kept.registry.add
        strategy_of = kept.add(strategy()).version.strategy

        def child(value: float, *parents: str) -> str:
            return add(with_parameters(strategy_of, {"response": value}), parents=parents).label

        one = child(0.1, "keynesian@1.0.0")
        child(0.2, one)
        child(0.3, one)
        child(0.4, "keynesian@1.0.0")
        lines = kept.lineage("keynesian").items
        drawn = [f"{branch}{line.number}" for branch, line in zip(_branches(lines), lines, strict=True)]
    assert drawn == ["1.0.0", "├─ 1.0.1", "│  ├─ 1.0.2", "│  └─ 1.0.3", "└─ 1.0.4"]
