"""Export and import: a version as a folder, and back to the same hash, with what is known of its past."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies.pond import llm, rule
from windtunnel.errors import ScenarioError, UsageError
from windtunnel.journal.database import SqliteDatabase
from windtunnel.scenario.reading import read_text, read_yaml
from windtunnel.strategies import Registry, check_strategy, content_hash, export, read_origin, read_strategy
from windtunnel.strategies.folders import yaml_of
from windtunnel.strategies.reading import CONTROL

TEXT = st.text(st.characters(codec="utf-8"), max_size=12).filter(lambda text: not CONTROL.search(text))
TRICKY = [
    "yes", "~", "null", "1.0", "0x1", "- a", "a: b", "#", "*a", ".inf", "1e3", "<<", "a\nb", "\u2028",
]  # fmt: skip
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
PLAIN: Any = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT | st.sampled_from(TRICKY),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT.filter(bool), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(TEXT.filter(bool), PLAIN, max_size=4))
def test_what_is_written_as_yaml_is_read_back_the_same(plain):
    node = read_yaml(read_text(yaml_of(plain).encode(), "x"), "x")
    read = {} if node is None else node.plain()
    assert read == plain
    assert repr(read) == repr(plain)  # 1 is not 1.0, nor true


@settings(max_examples=15, deadline=None)
@given(instructions=TEXT, why=TEXT, notes=st.dictionaries(TEXT.filter(bool), PLAIN, max_size=3))
def test_what_is_exported_is_read_back_to_the_same_hash(tmp_path_factory, instructions, why, notes):
    strategy = check_strategy(
        llm(instructions=instructions, settings={"notes": notes}, parameters={}, schema={}, description=why)
    )
    folder = tmp_path_factory.mktemp("out")
    export(strategy, folder)
    read = read_strategy(folder)
    assert read == strategy
    assert content_hash(read) == content_hash(strategy)


def test_a_version_goes_to_another_registry_with_its_past(tmp_path, pond):
    here, there = (Registry(SqliteDatabase(tmp_path / f"{name}.sqlite")) for name in ("here", "there"))
    first = here.add(llm(), world=pond)
    child = here.add(
        llm(model="test"), parents=[first.label], operator="reflection", why="it said so", by="evolution"
    )
    for version, hashes in ((first, {}), (child, {first.label: first.hash})):
        files = export(version, tmp_path / version.number, hashes)
        assert [path.name for path in files] == ["strategy.yaml", "instructions.md", "lineage.yaml"]

    def bring(folder: Path) -> Any:
        strategy = read_strategy(folder, pond)
        origin = read_origin(folder, strategy)
        assert origin is not None
        return there.register(
            strategy, parents=origin.parents, operator="import", origin=origin.said, by="ben", world=pond
        ).version

    late = bring(tmp_path / child.number)
    assert (late.hash, late.number, late.operator, late.by) == (child.hash, "1.0.0", "import", "ben")
    assert late.parents == (f"sha256:{first.hash}",)  # it is not known there
    assert late.origin["operator"] == "reflection"
    assert (late.origin["why"], late.origin["by"], late.origin["version"]) == (
        "it said so", "evolution", "1.1.0",
    )  # fmt: skip
    early = bring(tmp_path / first.number)
    (tmp_path / first.number / "instructions.md").write_text("Take all of it.")
    edited = bring(tmp_path / first.number)
    assert edited.parents == (early.label,)
    assert edited.origin["edited"] is True
    assert early.origin["edited"] is False
    for registry in (here, there):
        registry.database.close()


def test_a_folder_that_is_in_use_is_not_written_to(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for folder in ("full", "file", "file/below", "a\0b"):
        with pytest.raises(UsageError):
            export(rule(), tmp_path / folder)
    assert (tmp_path / "file").read_text() == "mine"
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]


def test_nothing_is_written_beside_the_folder_that_was_named(tmp_path):
    """Not even for names that no registry takes: they come to no path."""
    inside = tmp_path / "a" / "b"
    export(rule(name="../../../escaped"), inside)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")} == {
        "a", "a/b", "a/b/strategy.yaml",
    }  # fmt: skip
    with pytest.raises(ScenarioError, match="no name for a strategy"):
        read_strategy(inside)


def test_a_past_that_is_no_past_is_refused_or_left_alone(write, pond):
    folder = write("strategy: angler\nworld: pond\nrole: fisher\npolicy: patient\n")
    strategy = read_strategy(folder, pond)
    assert read_origin(folder, strategy) is None
    past = folder / "lineage.yaml"
    good = f"lineage: angler\nversion: '1.0.0'\nhash: {content_hash(strategy)}\noperator: import\n"
    past.write_text(good.replace("angler", "other"))
    assert read_origin(folder, strategy) is None
    past.write_text(good + "hashes: ['1.0.0', ../x]\n")
    origin = read_origin(folder / "strategy.yaml", strategy)
    assert origin is not None
    assert (origin.parents, origin.edited) == ((), False)
    for wrong in ("", "[]", good + "more: 1\n", good.replace("hash:", "hush:"), good + "why: \x07\n"):
        past.write_text(wrong)
        with pytest.raises(ScenarioError) as caught:
            read_origin(folder, strategy)
        assert "lineage.yaml:" in str(caught.value.where)
