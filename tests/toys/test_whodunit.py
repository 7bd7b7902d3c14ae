"""The arena's needs: secrets, one speaker at a time, memories, a guest elsewhere, a human seat."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.toys import whodunit
from tests.toys.flight import fly
from windtunnel.codec import encode_body
from windtunnel.journal import Status
from windtunnel.testing.lab import Lab
from windtunnel.world import AgentSpec, Chance, Scenario, visible

GUESTS = ("ann", "bo", "cy", "di")


def scenario(*seats: AgentSpec, **more: Any) -> Scenario:
    agents = seats or tuple(AgentSpec(name) for name in GUESTS)
    return Scenario("whodunit", "toy", agents=agents, **{"turns": 30, **more})


def seated(**kinds: Any) -> tuple[AgentSpec, ...]:
    return tuple(AgentSpec(name, **kinds.get(name, {})) for name in GUESTS)


def test_it_flies_with_memories(tmp_path: Path) -> None:
    minds = seated(**{name: {"kind": "python"} for name in GUESTS})
    with fly(
        whodunit.world, scenario(*minds), tmp_path,
        players=lambda: {name: whodunit.Minded() for name in GUESTS},
    ) as lab:  # fmt: skip
        assert lab.row().reason == "everybody has voted"
        later = lab.at().frame.memories["ann"].suspicion
        assert later
        assert later != lab.at(2).frame.memories["ann"].suspicion


def test_they_speak_one_at_a_time(tmp_path: Path) -> None:
    with fly(whodunit.world, scenario(), tmp_path, stops=set()) as lab:
        speakers = [list(body["actions"]) for body in lab.bodies("decided")]
        assert speakers[:5] == [["ann"], ["bo"], ["cy"], ["di"], ["ann"]]


def test_what_one_whispered_is_not_for_the_others(tmp_path: Path) -> None:
    from windtunnel.world import Event

    with fly(whodunit.world, scenario(), tmp_path, stops=set()) as lab:
        last = lab.bodies("applied")[-1]["events"][0]
        event = Event(last["kind"], last["body"], last["actor"], tuple(last["visible_to"]))
        assert event.kind == "accused"
        assert visible(event, event.actor)
        assert visible(event, None)
        assert not any(visible(event, name) for name in GUESTS if name != event.actor)


def test_a_redraw_changes_the_secret_and_not_what_is_seen(tmp_path: Path) -> None:
    with fly(whodunit.world, scenario(), tmp_path, stops=set()) as lab:
        culprits, culprit = set(), lab.at(5).frame.state.culprit
        for luck in range(20):
            player = lab.at(5)
            actor = player.cast.actors[0]
            engine = player.engine
            before = encode_body(engine.observe(player.frame.state, actor))
            state = whodunit.redraw(player.frame.state, actor, Chance("redraw", luck))
            assert encode_body(engine.observe(state, actor)) == before
            culprits.add(state.culprit)
        assert (culprits == {"ann"}) is (culprit == "ann")
        assert culprit == "ann" or len(culprits) == 2


@pytest.mark.slow
def test_a_guest_in_another_process_answers_until_it_falls_silent(tmp_path: Path) -> None:
    far = {"bo": {"kind": "remote", "deadline": 1.5}}
    with Lab(whodunit.world, folder=tmp_path) as lab:
        lab.begin(scenario(*seated(**far), turns=14))
        command = [sys.executable, "-m", "tests.toys.guest_process", str(lab.path), "bo", "2"]
        guest = subprocess.Popen(command, cwd=Path(__file__).parents[2], env=child_path())
        try:
            row = lab.go()
        finally:
            guest.wait(30)
        assert guest.returncode == 0
        assert (row.status, row.turn) == (Status.COMPLETED, 14)
        mine = {turn: lab.bodies("decided", turn)[0] for turn in (2, 6, 10, 14)}
        assert [mine[turn]["actions"]["bo"]["text"][:4] for turn in (2, 6)] == ["Not "] * 2
        assert [mine[turn]["refused"]["bo"]["label"] for turn in (10, 14)] == ["late", "late"]
        assert lab.bodies("judged", 10)[0]["verdicts"]["bo"]["kind"] == "no_op"
        assert lab.replay().identical


def child_path() -> dict[str, str]:
    import os

    import windtunnel

    source = str(Path(windtunnel.__file__).parents[1])
    return {**os.environ, "PYTHONPATH": os.pathsep.join([source, os.environ.get("PYTHONPATH", "")])}


def test_a_human_seat_parks_and_nothing_is_asked_twice(tmp_path: Path) -> None:
    asked: list[Any] = []

    def answer(kind: str, request: Any) -> Any:
        asked.append((kind, request["observation"]["hint"]))
        return {"type": "Say", "text": f"statement {request['observation']['talk'][-1:]}"}

    human = seated(cy={"kind": "human"})
    with fly(whodunit.world, scenario(*human, turns=8), tmp_path, answer=answer) as lab:
        assert len(asked) == 4  # two turns of its own, in each of the two runs
        assert [line.who for line in lab.at().frame.state.talk] == list(GUESTS) * 2


def test_a_human_who_makes_no_sense_is_asked_again_with_the_reason(tmp_path: Path) -> None:
    replies = iter([{"type": "Accuse", "whom": "zoe"}, {"type": "Dance"}, {"type": "Accuse", "whom": "bo"}])
    told = []

    def answer(kind: str, request: Any) -> Any:
        told.append(request.get("rejected"))
        return next(replies)

    with Lab(whodunit.world, folder=tmp_path) as lab:
        lab.play(scenario(*seated(ann={"kind": "human"}), turns=1), answer=answer)
        assert told[0] is None
        assert "zoe" in told[1]
        assert "illegal" in told[2]
        assert lab.at().frame.state.votes == {"ann": "bo"}
        assert lab.replay().identical
