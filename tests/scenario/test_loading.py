"""Good scenario files, what they become, and the schema that editors check them with."""

import json
from pathlib import Path

import msgspec
import pytest

from tests.scenario.schema_check import problems
from tests.scenario.shop import BUYER, Bank, Good, Parameters, Steps, make_world
from windtunnel.codec import decode_body, encode_body
from windtunnel.errors import NotFound, ScenarioError
from windtunnel.scenario import (
    load_scenario,
    peek,
    scenario_from_plain,
    scenario_schema,
    scenario_to_plain,
)
from windtunnel.scenario.reading import read_yaml
from windtunnel.scenario.shape import AgentEntry, EventEntry, ScenarioFile, ToolServerEntry
from windtunnel.world import AgentSpec, Scenario, ScheduledEvent, ToolServer

GOOD = sorted((Path(__file__).parent / "good").glob("*.yaml"))
BROKEN = Path(__file__).parent / "broken"


@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.stem)
def test_a_good_file_is_read_and_survives_the_journal(file):
    world = make_world()
    scenario = load_scenario(file, world)
    plain = scenario_to_plain(scenario)
    assert scenario.name == f"shop/{file.stem}"
    assert decode_body(encode_body(plain)) == plain
    assert scenario_from_plain(plain, world) == scenario
    assert scenario_to_plain(scenario_from_plain(plain, world)) == plain


@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.stem)
def test_the_schema_accepts_a_good_file(file):
    node = read_yaml(file.read_text(encoding="utf-8"), "good")
    assert node is not None
    assert problems(node.plain(), scenario_schema(make_world())) == []


@pytest.mark.parametrize(
    "name",
    [
        "misspelt_key",
        "misspelt_agent_key",
        "misspelt_parameter",
        "misspelt_nested_parameter",
        "no_agents",
        "agents_empty",
        "role_missing",
        "role_unknown",
        "policy_of_another_role",
        "kind_unknown",
        "another_world",
        "turns_negative",
        "turns_is_text",
        "parameter_out_of_bounds",
        "parameter_enum",
        "mode_unknown",
        "event_without_a_kind",
        "id_of_the_world",
        "id_with_a_blank",
        "count_of_zero",
        "deadline_of_zero",
        "parameter_union_of_another_tag",
        "parameters_a_list",
    ],
)
def test_the_schema_refuses_what_the_check_refuses(name):
    node = read_yaml((BROKEN / f"{name}.yaml").read_text(encoding="utf-8"), name)
    assert node is not None
    assert problems(node.plain(), scenario_schema(make_world()))


def test_the_schema_is_json_and_helps_an_editor():
    schema = json.loads(json.dumps(scenario_schema(make_world())))
    assert schema["$schema"].endswith("2020-12/schema")
    tax = schema["$defs"]["Parameters"]["properties"]["tax"]
    assert tax == {
        "description": "What the state takes of each sale.",
        "type": "number",
        "minimum": 0,
        "maximum": 1,
        "default": 0.1,
    }
    agent = schema["$defs"]["AgentEntry"]
    assert agent["properties"]["role"]["enum"] == ["seller", "buyer"]
    assert set(agent["required"]) == {"id", "role"}
    for name, part in schema["properties"].items():
        assert part["description"], name


def test_with_one_role_the_role_may_go_unsaid(tmp_path):
    world = make_world(only=BUYER)
    file = tmp_path / "small.yaml"
    file.write_text("world: shop\nagents: [{id: ann, policy: dove}]\n")
    assert load_scenario(file, world).agents == (AgentSpec("ann", policy="dove"),)
    assert (
        problems({"world": "shop", "agents": [{"id": "ann", "policy": "dove"}]}, scenario_schema(world)) == []
    )
    assert problems({"world": "shop", "agents": [{"id": "ann", "policy": "hawk"}]}, scenario_schema(world))


def test_a_world_without_a_struct_of_parameters_takes_any(tmp_path):
    world = make_world(parameters=None)
    file = tmp_path / "free.yaml"
    file.write_text(
        "world: shop\nparameters: {anything: [1, {goes: true}]}\nagents: [{id: a, role: buyer}]\n"
    )
    assert load_scenario(file, world).parameters == {"anything": [1, {"goes": True}]}


def test_counted_agents_are_written_out_so_that_their_order_sorts(tmp_path):
    file = tmp_path / "many.yaml"
    file.write_text(
        "world: shop\nagents: [{id: b, role: buyer, count: 12, settings: {x: 1}}, {id: z, role: buyer}]\n"
    )
    agents = load_scenario(file, make_world()).agents
    names = [agent.id for agent in agents]
    assert names[0] == "b-01"
    assert names[11] == "b-12"
    assert names == sorted(names)
    assert all(agent.settings == {"x": 1} for agent in agents[:12])


def test_scalars_are_those_of_yaml_1_2():
    node = read_yaml(
        "[yes, no, on, 2020-01-01, '1:30', 1:30, 0x10, 0o10, 1e3, -1.5, ~,"
        " null, true, FALSE, '', -7, .5, 1_0]",
        "x",
    )
    assert node is not None
    assert node.plain() == [
        "yes", "no", "on", "2020-01-01", "1:30", "1:30", 16, 8, 1000.0, -1.5, None, None, True, False, "", -7,
        0.5, "1_0",
    ]  # fmt: skip


def test_parameters_are_typed_by_the_world():
    made = load_scenario(Path(__file__).parent / "good" / "full.yaml", make_world()).parameters
    assert isinstance(made, Parameters)
    assert made.bank == Bank(0.05)
    assert made.goods == (Good("pears", 2.0), Good("plums", 2.0))
    assert made.floors == {1: "cellar", -2: "vault"}
    assert made.rule == Steps([0.1, 0.2])


def test_a_file_says_what_a_scenario_holds():
    """The shape of files drifts from the contract in nothing but the name, and the count of agents."""

    def names(struct: type[msgspec.Struct]) -> set[str]:
        return set(struct.__struct_fields__)

    assert names(ScenarioFile) == names(Scenario) - {"name"}
    assert names(AgentEntry) == names(AgentSpec) | {"count"}
    assert names(EventEntry) == names(ScheduledEvent)
    assert names(ToolServerEntry) == names(ToolServer)
    for shape, contract in ((ScenarioFile, Scenario), (AgentEntry, AgentSpec)):
        ours = {item.name: item.default for item in msgspec.structs.fields(shape)}
        theirs = {item.name: item.default for item in msgspec.structs.fields(contract)}
        for name in set(ours) & set(theirs) - {"agents", "events", "mcp", "tags"}:
            assert ours[name] == theirs[name] or name in {"world", "id"}, name


def test_what_a_file_plays_in_is_known_before_its_world_is():
    assert peek(GOOD[0])["world"] == "shop"
    with pytest.raises(ScenarioError, match="did you mean 'world'"):
        peek(BROKEN / "misspelt_world_key.yaml")


def test_a_missing_file_is_not_found(tmp_path):
    with pytest.raises(NotFound, match="no such scenario file"):
        load_scenario(tmp_path / "none.yaml", make_world())


@pytest.mark.parametrize(
    ("more", "where", "message", "remedy"),
    [
        ({"turns": "x"}, "turns", "must be a whole number, not the text 'x'", "schema shop"),
        ({"trns": 3}, "trns", "there is no key 'trns'", "did you mean 'turns'?"),
        ({"agents": [{"id": "a", "sze": 2}]}, "agents.0.sze", "no key 'sze'", "did you mean 'size'?"),
        ({"parameters": {"bank": {"interest": 3}}}, "parameters.bank.interest", "at most 0.5", "schema shop"),
        (
            {"parameters": {"goods": [{"name": "x"}, {"name": 4}]}},
            "parameters.goods.1.name",
            "text",
            "quotes",
        ),
        ({"parameters": {"span": {"high": -1}}}, "parameters.span", "high must not be below", "schema shop"),
        ({"parameters": 3}, "parameters", "", "schema shop"),
    ],
)
def test_plain_values_that_do_not_fit_are_told_by_their_path(more, where, message, remedy):
    with pytest.raises(ScenarioError) as caught:
        scenario_from_plain({"world": "shop", **more}, make_world())
    assert caught.value.where == where
    assert message in caught.value.message
    assert remedy in str(caught.value.remedy)
