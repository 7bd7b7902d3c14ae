"""What a run tells, and the verbs that go on from it."""

from __future__ import annotations

import sqlite3

import pytest

import windtunnel as wt
from tests.api.shop import Shop, Work, shop
from windtunnel.errors import NotFound, UsageError, WrongState
from windtunnel.run.entries import AppliedEntry, DecidedEntry
from windtunnel.world import AgentSpec, Scenario, ScheduledEvent

TWO = (AgentSpec("ada"), AgentSpec("bob", policy="lazy"))


def played(**changes) -> wt.Run:
    given = {"turns": 4, "seed": 5, "agents": TWO, **changes}
    return wt.run(Scenario("shop", **given), world=shop())


def rows(run: wt.Run, sql: str) -> list[tuple[int, str, str, float]]:
    db = sqlite3.connect(run.store)
    try:
        return db.execute(sql, [run.run_id]).fetchall()
    finally:
        db.close()


def test_metrics_are_what_plain_sql_says():
    run = played()
    said = rows(
        run,
        "SELECT turn, agent.key, metric.key, metric.value"
        " FROM entry, json_each(entry.body, '$.metrics') AS agent, json_each(agent.value) AS metric"
        " WHERE run_id=? AND kind='scored' ORDER BY seq, agent.id, metric.id",
    )
    assert said
    assert list(run.metrics) == said


def test_the_state_is_typed_and_of_any_turn():
    run = played()
    assert isinstance(run.state, Shop)
    assert run.state.days == 4
    assert run.state_at(2).days == 2
    assert run.state_at(2).wealth["ada"] == run.metrics.series("wealth", "ada").values[1]
    with pytest.raises(NotFound, match="no turn 9"):
        run.state_at(9)


def test_the_state_can_be_had_inside_a_loop():
    import asyncio

    async def main() -> int:
        run = await wt.run(shop(), turns=2)
        days: int = run.state.days
        return days

    assert asyncio.run(main()) == 2


def test_entries_are_typed_and_filtered():
    run = played()
    (decided,) = run.entries(turn=2, phase="plan")
    assert isinstance(decided.body, DecidedEntry)
    assert decided.body.actions == {"ada": {"type": "Work", "hours": 1.0}, "bob": {"type": "Rest"}}
    assert [entry.turn for entry in run.entries(phase="execute")] == [1, 2, 3, 4]
    everything = run.entries()
    assert [entry.seq for entry in everything] == list(range(len(everything)))
    assert everything[-1].hash == run.head
    with pytest.raises(NotFound, match="no turn 7"):
        run.entries(turn=7)


def test_entries_of_an_agent_are_those_that_name_it():
    run = played(events=(ScheduledEvent(3, "gift", {"to": "bob", "amount": 1.0}),))
    kinds = {(entry.turn, entry.kind) for entry in run.entries(agent="bob")}
    assert (3, "applied") in kinds
    assert (2, "applied") not in kinds
    assert (1, "decided") in kinds
    assert run.entries(agent="nobody") == []
    (thanks,) = [e for e in run.entries(turn=3, phase="execute") if isinstance(e.body, AppliedEntry)]
    assert thanks.body.events[0]["kind"] == "thanks"


def test_decisions_tell_each_attempt_and_its_verdict():
    def stubborn(observation, context):
        return Work(200.0 if context.attempt == 1 else 2.0)

    run = wt.run(shop(), turns=1, agents={"ada": stubborn, "bob": "lazy"})
    told = [(d.agent, d.attempt, d.verdict, d.reason) for d in run.decisions]
    assert told == [
        ("ada", 1, "reject", "nobody works that long"),
        ("bob", 1, "accept", ""),
        ("ada", 2, "accept", ""),
    ]


def test_what_could_not_be_read_is_told_with_its_label():
    run = wt.run(shop(), turns=1, agents={"ada": lambda seen, context: {"type": "Fly"}})
    assert {(d.label, d.action) for d in run.decisions} == {("illegal", None)}
    assert run.decisions[-1].verdict == "no_op"


@pytest.mark.parametrize(
    ("choice", "why"),
    [
        ({"type": "Wrk"}, "there is no action 'Wrk': did you mean 'Work'?"),
        ({"type": "Fly"}, "there is no action 'Fly': one of: Work, Rest"),
        ({"type": "Work", "hurs": 1.0}, "Work has no field 'hurs': did you mean 'hours'?"),
        ({"type": "Rest", "hours": 1.0}, "Rest has no field 'hours': there is none"),
        ({"type": "Work", "hours": "x"}, "Expected `float`, got `str`"),
        ({"type": "W" * 5000}, "Invalid value"),
        ({"hours": 1.0}, "missing required field `type`"),
    ],
)
def test_a_name_that_no_action_has_is_answered_with_the_nearest(choice, why):
    heard = []

    def clumsy(seen, context):
        heard.append(context.rejection)
        return choice

    run = wt.run(shop(), turns=1, agents={"ada": clumsy})
    assert why in heard[1]
    assert run.replay().identical


def test_a_held_action_waits_for_a_vote_and_goes_on():
    run = wt.run(
        shop(), turns=2, agents={"ada": lambda seen, context: Work(30.0 if context.turn == 2 else 1.0)}
    )
    assert run.status == "waiting"
    (asked,) = run.waiting()
    assert (asked.kind, asked.actor, asked.turn) == ("approval", "ada", 2)
    assert run.vote(approve=True, sender="boss").resume().status == "completed"
    assert run.metrics.final()["ada"]["wealth"] > 41
    assert run.waiting() == []
    with pytest.raises(WrongState):
        run.resume()


def test_a_question_to_a_person_is_answered():
    run = wt.run(shop(), turns=1, agents={"ada": "human"})
    assert run.status == "waiting"
    assert run.answer({"type": "Work", "hours": 3.0}).resume().status == "completed"
    assert run.decisions[0].action == {"type": "Work", "hours": 3.0}
    with pytest.raises(NotFound):
        run.answer({}, "1.plan.ada.0")


def test_an_injected_event_reaches_the_world():
    run = wt.run(
        shop(), turns=2, agents={"ada": lambda seen, context: Work(30.0 if context.turn == 1 else 1.0)}
    )
    run.inject("gift", {"to": "ada", "amount": 1000.0}).vote().resume()
    assert run.metrics.final()["ada"]["wealth"] > 1000


def test_runs_compare_and_say_where_they_part():
    one, other, same = played(), played(seed=6), played()
    found = one.compare(other, same)
    assert [row.differences[2] for row in found.rows] == [0.0] * len(found.rows)
    assert found.partings[0].seq == 0
    assert found.partings[1].seq is None


def test_verify_finds_what_was_changed_with_plain_sqlite():
    run = played()
    assert run.verify().intact
    db = sqlite3.connect(run.store)
    db.execute("UPDATE entry SET body = replace(body, 'Work', 'Rest') WHERE kind='decided' AND turn=2")
    db.commit()
    db.close()
    assert not run.verify().intact


def test_a_run_is_opened_by_prefix_and_by_path():
    run = played()
    assert wt.open(run.run_id[:9]).head == wt.open(run.store).head == run.head
    with pytest.raises(NotFound, match="no run"):
        wt.open("zzzz")


def test_what_there_is_can_be_listed():
    first, second = played(), played()
    assert [run.run_id for run in wt.runs()] == [first.run_id, second.run_id]
    with pytest.raises(NotFound, match="no world 'nowhere'"):
        wt.scenarios("nowhere")


def test_it_shows_itself():
    run = played()
    assert run.run_id in repr(run)
    assert "completed" in repr(run)
    assert "4 turns" in repr(run)


def test_an_export_lands_beside_who_asked(tmp_path):
    run = played()
    assert run.export("csv").resolve() == tmp_path / f"{run.run_id}.csv"
    assert run.export("jsonl", tmp_path / "x.jsonl").stat().st_size > 0
    with pytest.raises(UsageError, match="chat"):
        run.export("chat")
