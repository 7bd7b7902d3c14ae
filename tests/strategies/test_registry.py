"""Versions that never change, numbers that follow from what changed, heads and tags that move."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec import structs

from tests.cli.conftest import environment
from tests.databases import BOTH
from tests.strategies.pond import Sell, llm, rule
from windtunnel.errors import NotFound, ScenarioError, StorageError, UsageError, WrongState
from windtunnel.journal.database import SqliteDatabase
from windtunnel.journal.postgres_database import PostgresDatabase
from windtunnel.strategies import (
    Number,
    Registry,
    Strategy,
    Version,
    bump_between,
    content_hash,
    finding,
    lineage,
    with_parameters,
)

ROOT = Path(__file__).parents[2]


def share(value: float, **changed: Any) -> Strategy:
    return with_parameters(rule(**changed), {"share": value})


def numbers(registry: Registry, name: str = "angler") -> list[str]:
    return [version.number for version in registry.versions(name)]


CHANGES = [
    (rule(), share(0.25), "patch"),
    (rule(), rule(schema={**rule().schema, "share": Number(0.0, 0.9)}), "patch"),
    (rule(), rule(policy="greedy"), "minor"),
    (rule(), rule(policy="greedy", parameters={**rule().parameters, "share": 0.1}), "minor"),
    (llm(), llm(instructions="Catch all."), "minor"),
    (llm(), llm(model="test"), "minor"),
    (llm(), llm(settings={"llm": {"max_tokens": 100}}), "minor"),
    (llm(kind="python"), llm(kind="python", entry="a:b"), "minor"),
    (llm(), rule(), "major"),
    (llm(), llm(kind="team", instructions="Go."), "major"),
    (rule(), rule(role="trader"), "major"),
    (rule(), rule(world="sea"), "major"),
    (rule(), rule(description="said otherwise", name="other"), "none"),
]


@pytest.mark.parametrize(("a", "b", "bump"), CHANGES)
def test_the_bump_follows_from_what_changed(a, b, bump):
    assert bump_between(a, b) == bump_between(b, a) == bump


def test_numbers_follow_from_the_bump_and_are_never_given_twice(anywhere):
    first = anywhere.add(rule())
    assert (first.number, first.bump, first.parents) == ("1.0.0", "first", ())
    patch = anywhere.add(share(0.1))
    assert (patch.number, patch.parents) == ("1.0.1", ("angler@1.0.0",))
    sibling = anywhere.add(share(0.2), parents=["angler@1.0.0"], operator="mutation")
    assert sibling.number == "1.0.2"  # 1.0.1 is taken by the other child
    assert anywhere.add(share(0.3, policy="greedy"), parents=[sibling.label]).number == "1.1.0"
    assert anywhere.add(llm(name="angler"), parents=[first.label]).number == "2.0.0"
    assert anywhere.add(share(0.4), parents=[first.label]).number == "1.0.3"
    assert anywhere.add(share(0.4, role="trader"), parents=[first.label]).number == "3.0.0"
    assert anywhere.add(share(0.5, policy="greedy"), parents=["angler@1.1.0"]).number == "1.1.1"
    assert anywhere.add(share(0.6, policy="greedy"), parents=[first.label]).number == "1.2.0"


def test_other_actions_of_its_role_are_major_though_nothing_else_changed(registry, pond):
    assert registry.add(rule()).actions is None
    assert registry.add(rule(), world=pond).number == "1.0.0"  # what it plays was only not known
    first = registry.add(share(0.1), world=pond)
    assert first.actions == ("Catch", "Wait")
    fisher = structs.replace(pond.roles["fisher"], actions=(*pond.roles["fisher"].actions, Sell))
    later = structs.replace(pond, roles={**pond.roles, "fisher": fisher})
    second = registry.add(share(0.1), world=later, parents=[first.label])
    assert (second.number, second.bump, second.hash == first.hash) == ("2.0.0", "major", True)
    (change,) = registry.diff(first.label, second.label).changes
    assert (change.field, change.after) == ("actions", ["Catch", "Sell", "Wait"])
    assert registry.add(share(0.1), world=later) == second
    assert registry.find(f"angler@{first.hash}") == second


def test_equal_content_is_registered_once_and_as_it_was(registry):
    first = registry.add(rule(), why="the first", by="ana")
    again = registry.register(rule(description="other words"), why="again", by="ben", apply=True)
    assert (again.version, again.fresh) == (first, False)
    assert numbers(registry) == ["1.0.0"]
    assert registry.add(rule(name="other")).number == "1.0.0"  # another name is another line


def test_what_does_not_hold_is_not_registered(registry, pond):
    for wrong in (rule(policy="pacient"), rule(role="king"), rule(name="a/b")):
        with pytest.raises(ScenarioError):
            registry.add(wrong, world=pond)
    registry.add(rule())
    for words in (
        {"parents": ["nobody@1.0.0"]},
        {"parents": ["sha256:" + "0" * 64]},
        {"operator": "magic"},
        {"why": "\x1b[2J"},
        {"by": " "},
        {"why": "x" * 10_001},
        {"parents": ["angler"] * 65},
    ):
        with pytest.raises(UsageError):
            registry.add(share(0.1), **words)
    assert numbers(registry) == ["1.0.0"]
    assert len(registry.moves("angler")) == 1


def test_a_reference_is_a_name_a_number_a_tag_or_how_a_hash_begins(anywhere):
    first, second = anywhere.add(rule()), anywhere.add(share(0.1))
    anywhere.tag("angler@1.0.1", "best")
    for reference, meant in (
        ("angler", first),
        ("angler@1.0.1", second),
        ("angler@best", second),
        (f"angler@{second.hash[:8]}", second),
        (f"angler@sha256:{second.hash}", second),
        (f"sha256:{second.hash[:12]}", second),
    ):
        assert anywhere.find(reference) == meant
    for wrong in ("anglr", "angler@1.0.9", "angler@worst", "angler@00000000", f"angler@{second.hash[:7]}"):
        with pytest.raises(NotFound):
            anywhere.find(wrong)
    for wrong in ("", "@", "angler@", "a b", "../x", "angler@1.0.0@2", "sha256:xyz", "\x00"):
        with pytest.raises((UsageError, NotFound)):
            anywhere.find(wrong)
    with pytest.raises(NotFound, match="did you mean 'angler'"):
        anywhere.find("anglr")


def test_the_beginning_of_several_hashes_means_none_of_them(registry, monkeypatch):
    monkeypatch.setattr(finding, "HASH", re.compile("(?:sha256:)?([0-9a-f]{1,64})"))
    made = [registry.add(share(number / 20)) for number in range(17)]  # two of them begin alike
    digits = [version.hash[0] for version in made]
    shared = next(digit for digit in digits if digits.count(digit) > 1)
    with pytest.raises(UsageError, match="the beginning of several hashes"):
        registry.find(f"angler@sha256:{shared}")


def test_a_path_is_a_strategy_that_nobody_registered(registry, write, pond, monkeypatch, tmp_path):
    registry.add(rule())
    folder = write("strategy: loose\nworld: pond\nrole: fisher\npolicy: greedy\n")
    loose = registry.resolve(str(folder), pond)
    assert isinstance(loose, Strategy)
    assert loose.policy == "greedy"
    diff = registry.diff("angler", str(folder))
    assert (diff.a, diff.b, diff.bump) == ("angler@1.0.0", "loose", "minor")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFound, match=rf"\./{folder.name}"):
        registry.find(folder.name)


def test_tags_move_and_every_move_is_kept(registry):
    registry.add(rule())
    registry.add(share(0.1))
    registry.tag("angler@1.0.0", "best", why="it won", by="ana")
    move = registry.tag("angler@1.0.1", "best", why="it won too", by="ben")
    assert (move.number, move.before, move.why, move.by) == ("1.0.1", "1.0.0", "it won too", "ben")
    assert registry.tags("angler") == {"best": "1.0.1"}
    assert [(one.tag, one.number) for one in registry.moves("angler")] == [
        ("", "1.0.0"), ("best", "1.0.0"), ("best", "1.0.1"),
    ]  # fmt: skip
    for wrong in ("", "1.0.0", "deadbeef", "a b", "-x", "é", "a/b", "a" * 65, "x\n"):
        with pytest.raises(UsageError):
            registry.tag("angler", wrong)


def test_what_is_in_force_moves_by_apply_and_rollback_only(anywhere):
    for value in (0.1, 0.2, 0.3, 0.4):
        anywhere.add(share(value))
    assert anywhere.find("angler").number == "1.0.0"
    anywhere.apply("angler@1.0.1")
    anywhere.apply("angler@1.0.2", why="better", by="ana")
    assert anywhere.rollback("angler").number == "1.0.1"
    assert anywhere.rollback("angler").number == "1.0.0"  # further back, not to what was rolled back
    with pytest.raises(WrongState, match="nothing was in force before"):
        anywhere.rollback("angler")
    anywhere.apply("angler@1.0.3")
    assert anywhere.rollback("angler", "1.0.2").number == "1.0.2"
    assert anywhere.rollback("angler").number == "1.0.3"
    with pytest.raises(WrongState, match="already"):
        anywhere.apply("angler@1.0.3")
    with pytest.raises(NotFound):
        anywhere.rollback("angler", "9.0.0")
    with pytest.raises(WrongState, match=r"angler@1\.0\.3 is in force now"):
        anywhere.apply("angler@1.0.0", expecting="1.0.2")
    assert anywhere.find("angler").number == "1.0.3"
    assert [move.verb for move in anywhere.moves("angler")] == [
        "add", "apply", "apply", "rollback", "rollback", "apply", "rollback", "rollback",
    ]  # fmt: skip


def test_lineage_is_a_tree_with_what_is_in_force_and_tagged(anywhere):
    other = anywhere.add(rule(name="rival"))
    first = anywhere.add(share(0.1))
    child = anywhere.add(share(0.2), operator="mutation", why="less", by="evolution")
    grandchild = anywhere.add(
        share(0.3), parents=[other.label, child.label], operator="crossover", by="evolution"
    )
    late = anywhere.add(share(0.4), parents=[first.label], operator="mutation")
    anywhere.tag(grandchild.label, "best")
    lines = lineage(anywhere, "angler")
    assert [(line.number, line.depth, line.under) for line in lines] == [
        (first.number, 0, None), (child.number, 1, first.number), (grandchild.number, 2, child.number),
        (late.number, 1, first.number),
    ]  # fmt: skip
    assert (lines[2].others, lines[2].tags, lines[2].operator) == (("rival@1.0.0",), ("best",), "crossover")
    assert [line.in_force for line in lines] == [True, False, False, False]
    assert (lines[1].why, lines[1].by) == ("less", "evolution")


def test_a_line_of_a_thousand_generations_is_told_whole():
    first = Version(
        name="angler", number="1.0.0", hash="0", strategy=rule(), bump="patch", parents=(),
        operator="mutation", why="", by="ana", at=0.0,
    )  # fmt: skip
    line = [
        structs.replace(first, number=f"1.0.{n}", parents=(f"angler@1.0.{n - 1}",) if n else ())
        for n in range(1200)
    ]

    class Kept:
        versions = staticmethod(lambda name: line)
        find = staticmethod(lambda name: first)
        tags: Any = staticmethod(lambda name: {})

    assert [told.depth for told in lineage(cast("Registry", Kept), "angler")] == list(range(1200))


def test_a_diff_says_each_field_and_the_texts_line_by_line(registry):
    registry.add(llm())
    after = llm(
        instructions="Leave enough fish for tomorrow.\n\nAnd sleep.", settings={"llm": {"max_tokens": 100}}
    )
    registry.add(with_parameters(after, {"llm.temperature": 1.5}))
    diff = registry.diff("thinker@1.0.0", "thinker@1.1.0")
    assert [(one.field, one.before, one.after) for one in diff.changes] == [
        ("parameters.llm.temperature", 0.5, 1.5), ("settings.llm.max_tokens", 200, 100),
    ]  # fmt: skip
    assert diff.bump == "minor"
    assert diff.instructions.splitlines()[-2:] == ["-And sleep well.", "+And sleep."]
    assert registry.diff("thinker", "thinker@1.0.0").changes == []


def test_a_row_that_somebody_changed_is_not_read(registry):
    registry.add(rule())
    registry.database.rows("UPDATE strategy_version SET body=replace(body, 'patient', 'greedy')")
    with pytest.raises(StorageError, match=r"angler@1\.0\.0 was changed"):
        registry.find("angler")


@pytest.mark.parametrize("kind", BOTH)
def test_two_who_add_at_once_get_two_versions(request, tmp_path, kind):
    url = request.getfixturevalue("postgres_url") if kind == "postgres" else ""

    def opened() -> Registry:
        return Registry(PostgresDatabase(url) if url else SqliteDatabase(tmp_path / "catalog.sqlite"))

    registry = opened()
    registry.add(rule())
    start = threading.Barrier(4)
    made: list[str] = []

    def add(position: int) -> None:
        mine = opened()
        values = [(position * 5 + step + 1) / 50 for step in range(5)]
        start.wait()
        made.extend(mine.add(share(value)).number for value in (*values, 0.9))  # the last is of all four
        mine.database.close()

    threads = [threading.Thread(target=add, args=(position,)) for position in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers(registry) == [f"1.0.{n}" for n in range(22)]
    assert len(made) == 24
    assert len(set(made)) == 21
    registry.database.close()


@pytest.mark.slow
def test_a_hash_is_the_same_in_every_process(tmp_path):
    code = (
        "from tests.strategies.pond import *; from windtunnel.strategies import content_hash;"
        "print(content_hash(rule()), content_hash(llm()))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(PYTHONHASHSEED="1"),
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert said.split() == [content_hash(rule()), content_hash(llm())]


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.strategies.pond import rule
from windtunnel.journal.database import SqliteDatabase
from windtunnel.strategies import Registry, with_parameters

database, place = SqliteDatabase(Path(sys.argv[1])), int(sys.argv[2])
registry, asked, rows = Registry(database), 0, database.rows

def counted(sql, values=()):
    global asked
    if sql.startswith("INSERT"):
        asked += 1
        if asked == place:
            found = rows(sql, values)
            os.kill(os.getpid(), signal.SIGKILL)
    return rows(sql, values)

database.rows = counted
registry.register(with_parameters(rule(), {"share": 0.25}), apply=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_a_kill_in_mid_write_leaves_all_of_a_version_or_none_of_it(tmp_path):
    path = tmp_path / "catalog.sqlite"
    Registry(SqliteDatabase(path)).add(rule())
    for place, left in ((1, ["1.0.0"]), (2, ["1.0.0"]), (3, ["1.0.0"]), (9, ["1.0.0", "1.0.1"])):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(path), str(place)],
            cwd=ROOT, env=environment(), check=False,
        )  # fmt: skip
        assert done.returncode == -signal.SIGKILL
        registry = Registry(SqliteDatabase(path))
        assert numbers(registry) == left
        assert registry.find("angler").number == left[-1]
        assert len(registry.moves("angler")) == len(left)
        registry.database.close()


def test_names_come_in_pages_with_what_is_in_force(anywhere):
    for name in ("b", "a", "c"):
        anywhere.add(rule(name=name))
    anywhere.add(llm(name="b"))
    anywhere.apply("b@2.0.0")
    anywhere.add(rule(name="d", role="trader"))
    found = anywhere.heads(limit=2)
    assert [(one.label, count) for one, count in found] == [("a@1.0.0", 1), ("b@2.0.0", 2)]
    assert [one.name for one, _ in anywhere.heads(after="b")] == ["c", "d"]
    assert [one.name for one, _ in anywhere.heads(role="trader", world="pond")] == ["d"]
    assert anywhere.heads(world="sea") == []
    later = anywhere.versions("b", after=anywhere.find("b@1.0.0").id, limit=5)
    assert [one.number for one in later] == ["2.0.0"]


def test_what_is_kept_is_plain_json(registry):
    registry.add(llm())
    ((body,),) = registry.database.rows("SELECT body FROM strategy_version")
    assert json.loads(body)["settings"] == {"llm": {"max_tokens": 200}}
    assert os.linesep not in body
