"""A team described in a scenario: what can be said, and how a mistake in it is named."""

from __future__ import annotations

from typing import Any

import pytest

from tests.teams.helpers import play, text_seen
from windtunnel.errors import ScenarioError
from windtunnel.scenario.reading import read_yaml
from windtunnel.teams import Concurrent, GroupChat, Handoff, Magentic, Sequential, Team, build_team, tool
from windtunnel.testing.scripted import Scripted, calls

BOARD = """
pattern: sequential
limits: {calls: 30}
look_after: [desk]
members:
  - name: desk
    kind: team
    description: knows prices
    team:
      pattern: concurrent
      aggregate: {kind: best, function: longest}
      policy: 1
      deadline: 5
      members:
        - {name: bull, instructions: You hope.}
        - {name: bear, instructions: You fear., tools: [price]}
  - {name: chair, tools: [buy], needs_approval: [buy], model: "anthropic:x", task: {risk: high}}
  - {name: boss, kind: human}
  - {name: count, kind: function, function: longest}
"""


def buy(good: str) -> str:
    return f"{good} bought"


def longest(value: Any) -> int:
    return len(str(getattr(value, "text", value)))


def build(settings: Any, **more: Any) -> Any:
    functions = {"longest": longest, "pick": longest}
    return build_team(
        settings,
        functions=functions,
        tools={"buy": tool(buy)},
        offered=["price"],
        where="agents.b.settings",
        **more,
    )


def described(text: str = BOARD) -> dict[str, Any]:
    node = read_yaml(text, "board.yaml")
    assert node is not None
    found: dict[str, Any] = node.plain()
    return found


def test_a_description_becomes_a_team_that_plays() -> None:
    def price() -> int:
        return 3

    runtime = Scripted(
        {
            "desk/bull": ["up"],
            "desk/bear": [calls("price"), "down"],
            "chair": [calls("buy", good="it"), "bought"],
        },
        people={"manager": [True], "chair": [True], "boss": ["fine"]},
        tools=[price],
    )
    result = play(build(described(), model="house"), runtime)
    assert result.value == len("fine")
    assert [(path, ask.model) for path, ask in runtime.asks if path != "chair"] == [
        ("desk/bull", "house"),
        ("desk/bear", "house"),
        ("desk/bear", "house"),
    ]
    assert runtime.asks[-1][1].model == "anthropic:x"
    assert runtime.asks[-1][1].task.risk == "high"
    assert "desk says:\ndown" in text_seen(runtime, "chair")


@pytest.mark.parametrize(
    ("pattern", "more", "kind"),
    [
        ("sequential", {"passes": "answers"}, Sequential),
        ("concurrent", {"aggregate": {"kind": "judge"}}, Concurrent),
        ("group_chat", {"manager": {"kind": "model", "prompts": {"select": "Who? $names"}}}, GroupChat),
        ("group_chat", {"manager": {"kind": "function", "select": "pick"}}, GroupChat),
        ("handoff", {"start": "b", "routes": {"b": {"a": "for sums"}}}, Handoff),
        ("magentic", {"stalls": 0, "resets": 1, "manager": {"model": "house"}}, Magentic),
    ],
)
def test_every_pattern_can_be_described(pattern: str, more: dict[str, Any], kind: type[Team]) -> None:
    team = build({"pattern": pattern, "members": [{"name": "a"}, {"name": "b"}], **more}, name="seat")
    assert isinstance(team, kind)
    assert team.name == "seat"
    assert team.limits.rounds == 20


def one(**changes: Any) -> dict[str, Any]:
    member = {"name": "a", **changes.pop("member", {})}
    return {"pattern": "handoff", "members": [member, {"name": "bea"}], **changes}


@pytest.mark.parametrize(
    ("settings", "message", "remedy", "where"),
    [
        ({"members": []}, "lacks the key 'pattern'", "sequential, concurrent", ""),
        (one(pattern="handof"), "'handof' is not valid", "did you mean 'handoff'?", ""),
        (one(rounds=3), "has no key 'rounds'", "did you mean 'routes'?", ""),
        (one(member={"tool": ["x"]}), "members.0 has no key 'tool'", "did you mean 'tools'?", ""),
        (one(member={"kind": "modle"}), "members.0.kind: 'modle' is not valid", "did you mean 'model'?", ""),
        (one(limits={"rounds": 0}), "limits.rounds: must be at least 1, not 0", None, ""),
        (one(member={"tools": ["prise"]}), "no tool 'prise'", "did you mean 'price'?", "members.0.tools.0"),
        (
            one(member={"tools": ["price"], "needs_approval": ["pric"]}),
            "a has no tool 'pric' to approve",
            "did you mean 'price'?",
            "members.0.needs_approval.0",
        ),
        (
            one(member={"kind": "function", "function": "longes"}),
            "there is no function 'longes'",
            "did you mean 'longest'?",
            "members.0.function",
        ),
        (one(member={"kind": "function"}), "does not say which", "add function: …", "members.0.function"),
        (
            one(member={"kind": "human", "tools": ["price"]}),
            "a is of kind human, which has no tools",
            "delete it, or write kind: model",
            "members.0.tools",
        ),
        (one(start="be"), "no member 'be'", "did you mean 'bea'?", "start"),
        (one(routes={"a": {"beo": ""}}), "no member 'beo'", "did you mean 'bea'?", "routes.a.beo"),
        (
            one(member={"kind": "team", "team": {"pattern": "magentic", "members": [{"name": "two words"}]}}),
            "cannot be called 'two words'",
            None,
            "members.0.team.members.0",
        ),
        (
            {**one(pattern="magentic"), "prompts": {"final": "$tsk"}},
            "names $tsk",
            "did you mean 'task'?",
            "prompts.final",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place_and_a_remedy(
    settings: dict[str, Any], message: str, remedy: str | None, where: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        build(settings)
    assert message in caught.value.message
    assert remedy is None or remedy in str(caught.value.remedy)
    place = f"agents.b.settings.{where}".rstrip(".")
    assert str(caught.value.where) == place


def test_teams_that_are_nested_without_end_are_refused() -> None:
    settings = one()
    for _ in range(6):
        settings = one(member={"kind": "team", "team": settings})
    with pytest.raises(ScenarioError, match="nested more than 5 deep"):
        build(settings)
