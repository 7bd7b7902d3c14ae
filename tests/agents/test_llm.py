"""Agents that ask a model, in runs against a real server: what they are told, what comes of their words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.agents.desk import desk, hub, play, says, thinker
from tests.run.toy import Memory, make, scene
from windtunnel.agents.mind import Mind
from windtunnel.codec import decode_body
from windtunnel.errors import ScenarioError
from windtunnel.journal import Status
from windtunnel.models.hub import Hub
from windtunnel.models.talk import Reply
from windtunnel.testing.lab import Lab
from windtunnel.testing.provider import (
    Answer,
    Call,
    Provider,
    Request,
    empty,
    failing,
    refused,
    truncated,
    unauthorized,
)
from windtunnel.world import ACCEPT, AgentSpec, Context, reject


@pytest.mark.slow
def test_an_answer_becomes_the_action_and_every_call_is_in_the_journal():
    with desk([says(amount=7), says("Rest")]) as (lab, provider):
        play(lab, thinker())
        assert [body["actions"]["a"] for body in lab.bodies("decided")] == [
            {"type": "Give", "amount": 7},
            {"type": "Rest"},
        ]
        effects = [e for e in lab.store.effects("run") if e.kind == "model"]
        assert [e.name for e in effects] == ["1.plan.a.0", "2.plan.a.0"]
        reply = msgspec.convert(decode_body(effects[0].result or b"")["ok"], Reply)
        assert reply.text == says(amount=7)
        assert reply.model == "openai-chat:scripted"
        assert reply.cost == reply.usage.input + reply.usage.output > 0
        assert [exchange.key for exchange in provider.log] == [e.key for e in effects]
        assert lab.replay().identical


def test_a_replay_asks_nobody():
    with Provider([says(amount=1), says(amount=2)]) as provider, Lab(make(), hub=hub(provider)) as lab:
        play(lab, thinker())
        head = lab.head()
        asked = provider.log.totals.asked
        lab.hub = None
        assert lab.replay().identical
        assert (lab.head(), provider.log.totals.asked) == (head, asked)


def test_it_is_told_its_part_what_it_may_do_and_what_it_sees():
    def answer(request: Request) -> str:
        assert "You are `a`" in request.system
        assert "`giver`" in request.system
        assert "`Give`" in request.system
        assert "`amount`: integer from 0 to 100" in request.system
        assert "answer with `Rest`" in request.system
        assert "give your all, a of toy, 2 turns, colour blue" in request.system
        assert "coins: 100" in request.last or request.number > 1
        return says("Rest")

    told = AgentSpec(
        "a", kind="llm", model="scripted", settings={"colour": "blue"},
        instructions="give your all, {{agent}} of {{ world }}, {{turns}} turns, colour {{settings.colour}}",
    )  # fmt: skip
    with desk(answer) as (lab, _):
        play(lab, told)
        assert lab.row().status is Status.COMPLETED


def test_a_variable_that_is_not_known_is_said_before_anything_is_played():
    spec = AgentSpec("a", kind="llm", model="house", instructions="{{ agnet }}")
    with Lab(make()) as lab, pytest.raises(ScenarioError, match="agnet") as caught:
        lab.begin(scene(spec))
    assert caught.value.remedy == "did you mean 'agent'?"


@pytest.mark.parametrize(
    ("bad", "label"),
    [
        ("I would rather not say.", "unparsable"),
        ('{"why": "no action"}', "unparsable"),
        (says("Give", amount=101), "illegal"),
        (says("Steal"), "illegal"),
        (says("Give", amount=1, more=2), "illegal"),
        (empty(), "empty"),
        (refused(), "refused"),
        (truncated('{"why": "too lo'), "truncated"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isalpha() else "",
)
def test_what_cannot_be_used_is_labelled_and_asked_again_with_the_reason(bad: Any, label: str):
    def again(request: Request) -> str:
        assert "That was not taken" in request.last
        assert label in request.last
        return says(amount=3)

    def answer(request: Request) -> Any:
        return bad if request.number == 1 else again(request)

    with desk(answer) as (lab, provider):
        play(lab, thinker(), turns=1)
        first, second = lab.bodies("decided")
        assert (first["actions"], first["refused"]["a"]["label"]) == ({}, label)
        assert second["actions"]["a"] == {"type": "Give", "amount": 3}
        assert len({exchange.key for exchange in provider.log}) == 2
        assert lab.replay().identical


def test_who_never_answers_well_does_nothing_and_that_is_recorded():
    with desk("no JSON here") as (lab, provider):
        play(lab, thinker(), turns=1, attempts=3)
        assert provider.log.totals.asked == 3
        assert lab.at().frame.state.coins == {"a": 100}
        last = lab.bodies("judged")[-1]["verdicts"]["a"]
        assert last["kind"] == "no_op"
        assert "unparsable" in last["reason"]


def test_the_validators_reason_reaches_the_model():
    def rule(state: Any, actor: Any, action: Any, context: Context) -> Any:
        return reject("too generous") if getattr(action, "amount", 0) > 5 else ACCEPT

    def answer(request: Request) -> str:
        return says(amount=5) if "too generous" in request.last else says(amount=50)

    with desk(answer, world=make(rule)) as (lab, _):
        play(lab, thinker(), turns=1)
        assert lab.bodies("decided")[-1]["actions"]["a"]["amount"] == 5


# --- tools ---


def doubled(state: Any, actor: Any, *, number: int, times: int = 2) -> int:
    """A number, so many times."""
    return number * times + len(state.coins)


def test_queries_of_the_world_are_tools_and_what_is_none_is_refused():
    def answer(request: Request) -> Any:
        assert [tool.name for tool in request.tools] == ["doubled"]
        results = [said.text for said in request.messages if said.role == "tool"]
        if not results:
            calls = (
                Call("doubled", {"number": 20}),
                Call("doubled", {"number": "x"}),
                Call("transfer", {"to": "me"}),
            )
            return Answer(calls=calls)
        assert results[0] == "41"
        assert "do not fit" in results[1]
        assert len(results) == 2
        assert "there is no tool 'transfer'" in request.last
        return says(amount=41)

    with desk(answer, world=make(queries={"doubled": doubled})) as (lab, _):
        play(lab, thinker(), turns=1)
        assert lab.bodies("decided")[-1]["actions"]["a"]["amount"] == 41
        assert lab.replay().identical


def test_who_calls_tools_without_end_is_told_to_answer():
    def answer(request: Request) -> Any:
        if request.tools:
            return Answer(calls=(Call("doubled", {"number": 1}),))
        assert "Answer now" in request.last
        return says(amount=1)

    with desk(answer, world=make(queries={"doubled": doubled})) as (lab, provider):
        play(lab, thinker(tool_rounds=2), turns=1)
        assert provider.log.totals.asked == 3
        assert lab.bodies("decided")[-1]["actions"]["a"]["amount"] == 1


def test_an_agent_may_be_offered_fewer_tools_and_none_that_is_not_there():
    def answer(request: Request) -> str:
        assert not request.tools
        return says("Rest")

    world = make(queries={"doubled": doubled})
    with desk(answer, world=world) as (lab, _):
        play(lab, thinker(tools=[]), turns=1)
        with pytest.raises(ScenarioError, match="doubld"):
            lab.begin(scene(thinker(tools=["doubld"])), "other")


# --- what it keeps in mind ---


def test_it_remembers_what_it_did_and_what_came_of_it():
    seen: list[str] = []

    def answer(request: Request) -> str:
        seen.append(request.last)
        return says(amount=7, why="I like sevens")

    with desk(answer) as (lab, _):
        play(lab, thinker(memory={"recent": 1, "summary": 0}), turns=3)
    assert "turn 1" not in seen[0]
    assert "turn 1: {type: Give, amount: 7}" in seen[1]
    assert "I like sevens" in seen[1]
    assert "wealth 10" in seen[1]
    assert "turn 2" in seen[2]
    assert "turn 1" not in seen[2]  # only the last one is kept


def test_what_fades_is_summed_up_by_the_model_within_its_limit():
    prompts: list[str] = []

    def answer(request: Request) -> str:
        if "Rewrite the summary" in request.last:
            prompts.append(request.last)
            return "word " * 1000
        return says(amount=1)

    with desk(answer) as (lab, _):
        play(lab, thinker(memory={"recent": 2, "summary": 40}), turns=6)
        mind: Mind = lab.at().frame.memories["a/mind"]
        assert len(prompts) == 2
        assert "turn 1:" in prompts[0]
        assert "turn 2:" in prompts[0]
        assert "word word" in prompts[1]  # what was known goes into the next one
        assert len(mind.summary) <= 160
        assert [line.partition(":")[0] for line in mind.recent] == ["turn 5", "turn 6"]
        assert not mind.fading
        assert lab.replay().identical


def test_it_reflects_now_and_then_and_keeps_a_few_lessons():
    count = iter(range(1, 100))

    def answer(request: Request) -> str:
        return f"lesson {next(count)}" if "What have you learned" in request.last else says("Rest")

    with desk(answer) as (lab, _):
        play(lab, thinker(memory={"reflect": 2, "lessons": 2}), turns=8)
        assert lab.at().frame.memories["a/mind"].lessons == ["lesson 3", "lesson 4"]


def test_a_mind_comes_back_with_a_checkpoint(tmp_path):
    with desk(lambda request: says(amount=1), tmp_path) as (lab, _):
        lab.begin(scene(thinker(), turns=4))
        lab.go(stop_after=2)
        lab.go()
        resumed = lab.head()
        assert len(lab.at().frame.memories["a/mind"].recent) == 4
        lab.play(scene(thinker(), turns=4), "other")
        assert lab.head("other") == resumed


# --- house, and people who set it up wrongly ---


def test_the_house_plays_its_policy_through_the_whole_path():
    with Lab(make(memory=Memory)) as lab, Lab(make(memory=Memory)) as ruled:
        lab.play(scene(AgentSpec("a", kind="llm", model="house"), turns=5))
        ruled.play(scene("a", turns=5))
        assert [b["actions"] for b in lab.bodies("decided")] == [
            b["actions"] for b in ruled.bodies("decided")
        ]
        assert lab.at().frame.state == ruled.at().frame.state
        effects = lab.store.effects("run")
        assert all(b"I decide so" in (e.result or b"") for e in effects)
        assert len(effects) == 5
        assert lab.replay().identical


def test_a_model_of_the_scenario_is_everybodys_who_names_none():
    with desk(lambda request: says("Rest")) as (lab, provider):
        agents = (AgentSpec("a", kind="llm"), AgentSpec("b", kind="llm", model="house"))
        play(lab, *agents, turns=1, model="scripted")
        assert provider.log.totals.asked == 1


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (AgentSpec("a", kind="llm", model="house", size=3), "crowd"),
        (AgentSpec("a", kind="llm", model="rule"), "no language model"),
        (thinker(tool_round=3), "tool_round"),
        (thinker(memory={"recent": -1}), "recent"),
        (AgentSpec("a", kind="team", model="house"), "does not say which"),
    ],
)
def test_what_cannot_play_is_refused_with_its_place(spec: AgentSpec, said: str):
    with Lab(make()) as lab, pytest.raises(ScenarioError, match=said) as caught:
        lab.begin(scene(spec))
    assert str(caught.value.where).startswith("agents.a")


# --- when nobody answers ---


def test_a_wrong_key_pauses_the_run_and_says_what_to_do():
    with desk(unauthorized()) as (lab, provider):
        play(lab, thinker(), turns=2)
        row = lab.row()
        assert row.status is Status.PAUSED
        assert "401" in (row.reason or "")
        (halted,) = lab.operations("halted")
        assert halted["remedy"]
        provider.play(says(amount=2))
        assert lab.go().status is Status.COMPLETED
        assert lab.replay().identical


def test_a_prompt_that_no_model_takes_is_answered_for_by_a_no_op():
    too_long = failing(400, "maximum context length is 8192 tokens", code="context_length_exceeded")
    with desk(too_long) as (lab, _):
        play(lab, thinker(), turns=1, attempts=2)
        assert lab.row().status is Status.COMPLETED
        assert [body["refused"]["a"]["label"] for body in lab.bodies("decided")] == ["empty", "empty"]
        assert lab.replay().identical


def test_a_run_without_a_hub_reaches_nobody():
    with Lab(make()) as lab:
        play(lab, AgentSpec("a", kind="llm", model="ollama:any"), turns=1)
        assert lab.row().status is Status.PAUSED


def test_a_budget_pauses_the_run_before_it_is_exceeded_and_more_money_goes_on(tmp_path):
    with desk(lambda request: says(amount=1), tmp_path, money=0.005) as (lab, provider):
        play(lab, thinker(max_tokens=64), turns=12)
        row = lab.row()
        assert row.status is Status.PAUSED
        assert "budget" in (row.reason or "")
        spent = sum(e.usage.input + e.usage.output for e in provider.log)  # a micro-dollar each
        assert 0 < spent <= 5_000
        (halted,) = lab.operations("halted")
        assert "--budget" in halted["remedy"]
        (balance,) = lab.operations("model_balance")
        assert balance["spent"][0] == spent
        assert lab.go(budget=1.0).status is Status.COMPLETED
        whole = sum(e.usage.input + e.usage.output for e in provider.log)
        assert lab.operations("model_balance")[-1]["spent"][0] == whole  # what was spent before counts on
        assert provider.log.paid_again() == {}


def test_broken_settings_stop_only_who_needs_them():
    def broken() -> Any:
        raise AssertionError("read")

    with Lab(make(), hub=Hub(broken)) as lab:
        assert lab.play(scene("a", turns=1)).status is Status.COMPLETED
