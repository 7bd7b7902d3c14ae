"""Killed anywhere, a team goes on: the same result, and nothing recorded is asked for again."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from tests.sampling import sampled
from tests.teams.cases import CASES
from windtunnel.codec import decode_body, encode_body
from windtunnel.errors import Divergence
from windtunnel.teams import ModelMember, OrchestrationResult, Sequential
from windtunnel.testing.scripted import Killed, Recorded, Scripted, Waits

TASK = "Find out what bread costs."


def invoke(name: str, runtime: Scripted) -> OrchestrationResult:
    return asyncio.run(CASES[name].team().invoke(TASK, runtime))


def in_time(runtime: Scripted) -> dict[tuple[str, int], Recorded]:
    """What was recorded of members that were not late: how far those came who were is chance."""
    return {place: entry for place, entry in runtime.record.items() if place[0] not in runtime.late}


@pytest.mark.parametrize("name", CASES)
def test_a_story_goes_as_it_is_told(name: str) -> None:
    runtime = CASES[name].runtime()
    result = invoke(name, runtime)
    assert result.status == CASES[name].status, result.reason
    given = {path: len(answers) for path, answers in runtime.script.items() if path not in runtime.late}
    used = Counter(path for kind, (path, _) in runtime.performed if kind == "model")
    assert {path: used[path] for path in given} == given  # the whole script was needed


@pytest.mark.parametrize("kept", [True, False], ids=["recorded", "lost"])
@pytest.mark.parametrize("name", sampled(CASES, 2))
def test_killed_after_any_answer_it_ends_as_if_never_stopped(name: str, kept: bool) -> None:
    whole = CASES[name].runtime()
    expected = invoke(name, whole)
    for count in range(1, len(whole.record) + 1):
        first = CASES[name].runtime().killed_after(count, kept=kept)
        with pytest.raises(Killed):
            invoke(name, first)
        second = first.resumed()
        assert invoke(name, second) == expected, count
        assert second.asked_again == []
        assert in_time(second) == in_time(whole)


@pytest.mark.parametrize("name", CASES)
def test_killed_at_every_answer_in_turn_it_ends_the_same(name: str) -> None:
    whole = CASES[name].runtime()
    expected = invoke(name, whole)
    runtime, result = CASES[name].runtime().killed_after(1), None
    for _ in range(3 * len(whole.record)):
        try:
            result = invoke(name, runtime)
            break
        except Killed:
            runtime = runtime.resumed().killed_after(1)
    assert result == expected
    assert runtime.performed == []  # the last process only read what those before had recorded


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("shuffle", range(1, 6))
def test_the_order_of_arrival_decides_nothing(name: str, shuffle: int) -> None:
    runtime = CASES[name].runtime()
    expected = invoke(name, runtime)
    other = CASES[name].runtime()
    other.shuffle = shuffle
    assert invoke(name, other) == expected


@pytest.mark.parametrize("name", CASES)
def test_a_result_survives_its_own_bytes(name: str) -> None:
    result = invoke(name, CASES[name].runtime())
    assert decode_body(encode_body(result), OrchestrationResult) == result


@pytest.mark.parametrize("name", CASES)
def test_every_line_of_the_transcript_is_noted_in_its_members_order(name: str) -> None:
    runtime = CASES[name].runtime()
    result = invoke(name, runtime)
    for member in {line.member for line in result.transcript}:
        lines = [line.message for line in result.transcript if line.member == member]
        assert [message for path, message in runtime.notes if path == member] == lines


@pytest.mark.parametrize("name", ["sequential", "group_chat", "handoff"])
def test_a_team_waits_for_a_person_with_no_process_and_goes_on(name: str) -> None:
    expected = invoke(name, CASES[name].runtime())
    people = CASES[name].runtime().people
    first = CASES[name].runtime()
    first.people = {}
    with pytest.raises(Waits):
        invoke(name, first)
    second = first.resumed(people=people)
    assert invoke(name, second) == expected
    assert second.asked_again == []


def test_a_question_that_changed_is_not_answered_from_the_record() -> None:
    def team(instructions: str) -> Sequential:
        return Sequential([ModelMember("a", instructions), ModelMember("b")])

    runtime = Scripted({"a": ["1"], "b": ["2"]})
    asyncio.run(team("Be kind.").invoke(TASK, runtime))
    with pytest.raises(Divergence, match="recorded otherwise"):
        asyncio.run(team("Be rude.").invoke(TASK, runtime.resumed()))
