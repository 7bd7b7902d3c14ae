"""Files and folders: what they may say, and what is refused with file, line and field."""

from __future__ import annotations

import os

import pytest
from msgspec import structs

from tests.strategies.pond import llm, rule
from windtunnel.errors import NotFound, ScenarioError
from windtunnel.strategies import Choice, Number, check_strategy, content_hash, read_strategy, with_parameters

GOOD = """\
strategy: angler
world: pond
role: fisher
policy: patient
parameters:
  share: 1
schema:
  share: {type: number, minimum: 0, maximum: 2}
"""
LLM = "strategy: thinker\nworld: pond\nrole: fisher\nkind: llm\n"


def test_a_file_and_its_folder_are_the_same_strategy(write, pond):
    folder = write(GOOD)
    read = read_strategy(folder, pond)
    assert read == read_strategy(folder / "strategy.yaml", pond)
    assert (read.name, read.kind, read.policy) == ("angler", "rule", "patient")
    assert read.schema == {"share": Number(0, 2)}
    assert isinstance(read.parameters["share"], float)  # 1 and 1.0 are one number, and one hash


def test_instructions_are_taken_from_the_file_beside_unless_the_strategy_says_its_own(write, pond):
    assert read_strategy(write(LLM, instructions="Wait.\r\n\r\n"), pond).instructions == "Wait."
    assert read_strategy(write(LLM + "instructions: Go.\n", instructions="Wait."), pond).instructions == "Go."
    assert (
        read_strategy(write(LLM + "instructions: b.md\n", b="B.", instructions="A."), pond).instructions
        == "B."
    )
    assert read_strategy(write(LLM + "instructions: ''\n", instructions="A."), pond).instructions == ""


BROKEN = [
    (GOOD.replace("strategy: angler\n", ""), 1, "strategy", "lacks the key 'strategy'"),
    (GOOD.replace("role:", "rôle:"), 3, "role", "lacks the key 'role'"),
    (GOOD.replace("angler", "a/../b"), 1, "strategy", "no name for a strategy"),
    (GOOD.replace("angler", '"a\\x1b[2J"'), 1, "strategy", "control character"),
    (GOOD.replace("world: pond", "world: pont"), 2, "world", "did you mean 'pond'?"),
    (GOOD.replace("fisher", "fischer"), 3, "role", "did you mean 'fisher'?"),
    (GOOD.replace("patient", "pacient"), 4, "policy", "did you mean 'patient'?"),
    (GOOD.replace("policy: patient", "kind: swarm"), 4, "kind", "cannot be played yet"),
    (GOOD.replace("policy: patient", "kind: human"), 4, "kind", "give the seat itself"),
    (GOOD.replace("policy: patient", "kind: rules"), 4, "kind", "did you mean 'rule'?"),
    (GOOD.replace("policy: patient", "kind: [rule]"), 4, "kind", "must be text"),
    (GOOD.replace("policy: patient\n", ""), 1, "policy", "lacks the key 'policy'"),
    (GOOD.replace("policy: patient", "policy: patient\nmodel: house"), 5, "model", "no use for it"),
    (GOOD.replace("policy: patient", "kind: python\nentry: a b"), 5, "entry", "package.module:name"),
    (GOOD.replace("share: 1", "share: 3"), 6, "parameters.share", "from 0 to 2, not 3"),
    (GOOD.replace("share: 1", "share: yes"), 6, "parameters.share", "must be a number"),
    (GOOD.replace("share: 1", "share: true"), 6, "parameters.share", "must be a number"),
    (GOOD.replace("share: 1", "shares: 1"), 8, "schema.share", "no value"),
    (GOOD.replace("share: 1", "share: 1\n  speed: 2"), 7, "parameters.speed", "no such parameter"),
    (GOOD.replace("type: number", "type: nummer"), 8, "schema.share.type", "did you mean 'number'?"),
    (GOOD.replace("maximum: 2", "maximum: -1"), 8, "schema.share", "above the maximum"),
    (GOOD.replace("maximum: 2", "maximum: .inf"), 8, "", "not a finite number"),
    (GOOD.replace("minimum: 0, ", ""), 8, "schema.share.minimum", "lacks the key 'minimum'"),
    (GOOD + "settings: {share: 1}\n", 6, "parameters.share", "stands in its place"),
    (GOOD + 'settings: {"a\\x1b": 1}\n', 9, "settings", "control character"),
    (GOOD + "speed: 1\n", 9, "speed", "there is no key 'speed'"),
    (GOOD + "description: !!python/object:os.system x\n", 9, "", "refused"),
]


@pytest.mark.parametrize(("text", "line", "field", "said"), BROKEN)
def test_what_does_not_hold_is_told_with_file_line_and_field(write, pond, text, line, field, said):
    folder = write(text)
    with pytest.raises(ScenarioError) as caught:
        read_strategy(folder, pond)
    error = caught.value
    assert said in str(error)
    assert (error.data["line"], error.data["field"]) == (line, field)
    assert str(error.where).startswith(f"{folder / 'strategy.yaml'}:{line}:")


def test_a_world_that_nobody_has_is_told_in_its_line(write):
    def find(name):
        raise NotFound(f"there is no world {name!r}", remedy="did you mean 'pond'?")

    with pytest.raises(ScenarioError, match=r"strategy.yaml:2:8: world: there is no world .*did you mean"):
        read_strategy(write(GOOD), find)


@pytest.mark.parametrize(
    "named", ["../secret.md", "sub/x.md", "/etc/x.md", "linked.md", "gone.md", "pipe.md"]
)
def test_instructions_come_from_the_folder_and_nowhere_else(write, tmp_path, pond, named):
    folder = write(f"{LLM}instructions: {named}\n")
    (tmp_path / "secret.md").write_text("the secret")
    (folder / "linked.md").symlink_to(tmp_path / "secret.md")
    os.mkfifo(folder / "pipe.md")
    with pytest.raises(ScenarioError, match="instructions") as caught:
        read_strategy(folder, pond)
    assert caught.value.data["line"] == 5
    (folder / "instructions.md").symlink_to(tmp_path / "secret.md")
    (folder / "strategy.yaml").write_text(LLM)
    with pytest.raises(ScenarioError, match="not a file beside"):
        read_strategy(folder, pond)


def test_what_is_no_strategy_at_all_is_told_so(tmp_path, write):
    with pytest.raises(NotFound, match="no such file"):
        read_strategy(tmp_path / "nowhere")
    with pytest.raises(NotFound, match="no such file"):
        read_strategy("nul\0byte")
    with pytest.raises(ScenarioError, match="a mapping of keys"):
        read_strategy(write("- a\n"))
    with pytest.raises(ScenarioError, match="larger than 1 MiB"):
        read_strategy(write("#" * (1 << 20) + "\n"))
    with pytest.raises(ScenarioError, match="larger than 1 MiB"):
        read_strategy(write(LLM, instructions="a" * ((1 << 20) + 1)))


def test_one_made_in_python_is_checked_as_a_file_is(pond):
    assert check_strategy(rule(), pond) == rule()
    assert check_strategy(llm(), pond) == llm()
    for wrong in (
        rule(parameters={**rule().parameters, "bait": "cheese"}),
        rule(parameters={**rule().parameters, "nets": 2.5}),
        rule(parameters={**rule().parameters, "night": 1}),
        rule(role="king"),
        rule(name="../x"),
        rule(schema={**rule().schema, "share": Number(float("nan"), 1.0)}),
        rule(schema={**rule().schema, "share": Number(0.0, float("inf"))}),
        rule(schema={**rule().schema, "bait": Choice(["worm", "worm"])}),
        rule(schema={**rule().schema, "nets": Choice([True, 2.0])}),
        llm(instructions="\x1b]0;owned\x07"),
        llm(settings={"llm": {"temperature": 1}}),
        llm(settings={"llm": 3}),
        llm(kind="swarm"),
        llm(kind="python"),
        llm(kind="team", settings={}, parameters={}, schema={}),
    ):
        with pytest.raises(ScenarioError):
            check_strategy(wrong, pond)


def test_a_parameter_is_changed_within_its_bounds_only():
    changed = with_parameters(rule(), {"share": 1, "bait": "fly"})
    assert (changed.parameters["share"], changed.parameters["bait"]) == (1.0, "fly")
    assert rule().parameters["share"] == 0.5
    for wrong in ({"share": 1.01}, {"share": float("nan")}, {"nets": True}, {"bait": "Fly"}, {"hook": 1}):
        with pytest.raises(ScenarioError, match=r"parameters\."):
            with_parameters(rule(), wrong)
    of_numbers = rule(schema={**rule().schema, "bait": Choice([1, 2])})
    with pytest.raises(ScenarioError, match="must be one of 1, 2"):
        with_parameters(of_numbers, {"bait": True})


def test_the_hash_is_of_what_plays_and_of_nothing_else():
    before = content_hash(rule())
    same = [
        rule(name="other", description="another word"),
        rule(parameters=dict(reversed(rule().parameters.items()))),
        rule(schema={**rule().schema, "share": Number(0.0, 1.0, "told otherwise")}),
        rule(schema={**rule().schema, "share": Number(0, 1)}),
        structs.replace(rule(), instructions="\r\n "),
    ]
    assert {content_hash(one) for one in same} == {before}
    other = [
        rule(policy="greedy"), rule(role="trader"), rule(world="sea"), rule(settings={"a": 1}),
        rule(parameters={**rule().parameters, "share": 0.25}),
        rule(parameters={**rule().parameters, "night": True}),
        rule(schema={**rule().schema, "share": Number(0.0, 0.9)}),
        llm(), llm(model="test"), llm(instructions="Go."), llm(kind="team"),
    ]  # fmt: skip
    assert len({before, *map(content_hash, other)}) == len(other) + 1
    assert content_hash(llm(instructions="a\r\nb\n")) == content_hash(llm(instructions="a\nb"))
    assert content_hash(rule(parameters={**rule().parameters, "share": 0})) == content_hash(
        rule(parameters={**rule().parameters, "share": -0.0})
    )


def test_the_hash_never_changes():
    """Registries in use hold it: what changes these makes them unreadable."""
    assert content_hash(rule())[:16] == "2d62b340f0a43901"
    assert content_hash(llm())[:16] == "da72500d3462cb7c"
