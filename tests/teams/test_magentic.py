"""The manager with two ledgers: it always comes to an end, and always with an answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.teams.cases import CASES, ledger
from tests.teams.helpers import play, said, text_seen
from windtunnel.errors import ModelError, ScenarioError
from windtunnel.models.talk import Ask
from windtunnel.teams import HumanMember, Limits, Magentic, MagenticPrompts, ModelMember
from windtunnel.testing.scripted import Scripted


def team(**settings: Any) -> Magentic:
    return Magentic([ModelMember("finder", "You find."), ModelMember("writer")], **settings)


def manager(*rounds: Any, final: str = "the end") -> list[Any]:
    return ["facts", "plan", *rounds, final]


def test_done_at_once_is_answered_without_anyone_speaking() -> None:
    runtime = Scripted({"manager": manager(ledger("", done=True))})
    result = play(team(), runtime)
    assert (result.value, result.status, result.calls) == ("the end", "completed", 4)


def test_the_next_speaker_is_given_its_instruction_and_the_ledger() -> None:
    runtime = Scripted(
        {"manager": manager(ledger("finder", "look here"), ledger("", done=True)), "finder": ["x"]}
    )
    play(team(), runtime)
    shown = text_seen(runtime, "finder")
    assert "finder: look here" in shown
    assert "facts" in shown
    assert "plan" in shown
    assert "the task" in shown


def test_too_many_stalls_make_a_new_plan_and_the_conversation_begins_again() -> None:
    """Seen elsewhere: the new plan waited for a lock that its own round held, and the team hung."""
    stuck = ledger("finder", moves=False)
    runtime = Scripted(
        {
            "manager": manager(
                *[stuck, stuck, "new facts", "new plan"],
                *[ledger("writer"), ledger("", done=True)],
            ),
            "finder": ["old words"],
            "writer": ["done"],
        }
    )
    result = play(team(stalls=1, resets=1), runtime)
    assert (result.status, result.value) == ("completed", "the end")
    shown = text_seen(runtime, "writer")
    assert "new facts" in shown
    assert "new plan" in shown
    assert "old words" not in shown
    assert "old words" in [text for _, text in said(result)]  # the transcript keeps all


def test_being_in_a_loop_counts_as_a_stall_and_progress_pays_one_back() -> None:
    loop, moves = ledger("finder", loop=True), ledger("finder")
    rounds = [loop, moves, loop, moves, loop, loop]
    runtime = Scripted({"manager": manager(*rounds), "finder": ["x"] * 9})
    result = play(team(stalls=1, resets=0), runtime)
    assert (result.status, result.value, result.rounds) == ("limited", "the end", 6)


def test_when_no_plan_helps_there_is_an_answer_all_the_same() -> None:
    def answers(ask: Ask) -> Any:
        return ledger("finder", moves=False) if ask.schema else "words"

    runtime = Scripted({"manager": answers, "finder": lambda _: "x"})
    result = play(team(stalls=2, resets=3), runtime)
    assert (result.status, result.value) == ("limited", "words")
    assert "3 new plans" in result.reason
    assert result.rounds == 3 * 4


def test_at_the_limit_of_rounds_there_is_an_answer_all_the_same() -> None:
    runtime = Scripted(
        {"manager": lambda ask: ledger("finder") if ask.schema else "words", "finder": lambda _: "x"}
    )
    result = play(team(limits=Limits(rounds=4)), runtime)
    assert (result.status, result.value, result.reason) == ("limited", "words", "4 rounds have passed")


def test_without_a_call_left_the_last_word_of_a_member_is_the_answer() -> None:
    runtime = Scripted(
        {"manager": lambda ask: ledger("finder") if ask.schema else "words", "finder": lambda _: "x"}
    )
    result = play(team(limits=Limits(calls=6)), runtime)
    assert (result.status, result.value, result.calls) == ("limited", "x", 6)


@pytest.mark.parametrize("bad", ["not json", {"is_request_satisfied": True}, ledger("nobody")])
def test_a_ledger_that_cannot_be_used_is_asked_again_with_the_reason(bad: Any) -> None:
    runtime = Scripted({"manager": manager(bad, ledger("", done=True))})
    result = play(team(), runtime)
    assert result.status == "completed"
    assert "cannot be used" in text_seen(runtime, "manager", 3)


def test_a_ledger_that_stays_bad_is_a_stall_and_not_the_end() -> None:
    runtime = Scripted({"manager": manager(*["?"] * 3, ledger("", done=True))})
    result = play(team(), runtime)
    assert result.status == "completed"
    assert "no usable answer" in result.errors[0].message


def test_a_member_that_fails_costs_a_round_and_the_manager_is_told() -> None:
    runtime = Scripted(
        {
            "manager": manager(ledger("finder"), ledger("", done=True)),
            "finder": [ModelError("503 from there")],
        }
    )
    result = play(team(), runtime)
    assert result.status == "completed"
    assert "503 from there" in text_seen(runtime, "manager", 3)
    assert result.member("finder").status == "failed"


def test_what_a_person_says_is_part_of_the_same_conversation() -> None:
    """Seen elsewhere: after a hand-over to a person, their answer was taken for a new task."""
    members = [ModelMember("finder"), HumanMember("boss")]
    runtime = Scripted(
        {
            "manager": manager(ledger("boss", "which?"), ledger("finder"), ledger("", done=True)),
            "finder": ["found the red one"],
        },
        people={"boss": ["the red one"]},
    )
    result = play(Magentic(members), runtime)
    assert "boss says:\nthe red one" in text_seen(runtime, "finder")
    assert "the task" in text_seen(runtime, "finder")
    assert result.calls == 7


def test_prompts_can_be_replaced_and_a_wrong_name_in_one_is_refused() -> None:
    own = MagenticPrompts(final='Say {"json": true} for $task to $names')
    runtime = Scripted({"manager": manager(ledger("", done=True))})
    play(team(prompts=own), runtime, "sums with $facts")
    assert 'Say {"json": true} for sums with $facts to finder, writer' in text_seen(runtime, "manager")
    with pytest.raises(ScenarioError, match=r"did you mean 'plan'") as caught:
        team(prompts=MagenticPrompts(progress="$plann"))
    assert caught.value.where == "team.prompts.progress"


def test_progress_pays_back_one_stall_and_not_all() -> None:
    loop, moves = ledger("finder", loop=True), ledger("finder")
    runtime = Scripted({"manager": manager(loop, loop, moves, loop, loop), "finder": ["x"] * 9})
    result = play(team(stalls=2, resets=0), runtime)
    assert (result.status, result.rounds) == ("limited", 5)


def test_a_member_that_always_fails_is_a_stall_whatever_the_manager_thinks() -> None:
    runtime = Scripted({"manager": manager(*[ledger("finder")] * 4), "finder": [ModelError("503")] * 4})
    result = play(team(stalls=2, resets=0), runtime)
    assert (result.status, result.rounds) == ("limited", 4)


def test_a_turn_that_ended_late_takes_no_call_of_the_limit() -> None:
    """How many it had made is chance: with them counted, a resumed team would come to its limit elsewhere."""
    case = CASES["late"]
    made = play(case.team(), case.runtime()).calls
    limited = case.team()
    limited.limits = Limits(calls=made)
    assert play(limited, case.runtime()).status == "completed"
