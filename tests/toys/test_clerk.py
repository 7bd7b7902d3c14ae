"""Long calls, long replies, long letters that people read: stored once, and whole wherever anyone looks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.toys import clerk
from tests.toys.clerk import CLOSING, INSTRUCTIONS, SCHEMA, TOOLS, Clerk
from tests.toys.flight import fly
from windtunnel.codec import decode_body
from windtunnel.config import Workspace
from windtunnel.control.verbs import Control
from windtunnel.errors import NotFound
from windtunnel.export.story import effects_told
from windtunnel.journal import Status
from windtunnel.journal.lineage import Lineage
from windtunnel.journal.verify import verify
from windtunnel.testing.lab import Lab
from windtunnel.world import Actor, AgentSpec, Scenario

NOTE = "I read it twice, and it may leave the house as it is. " * 30


def scenario(turns: int = 8, kind: str = "python") -> Scenario:
    return Scenario("clerk", "toy", turns=turns, agents=(AgentSpec("c", kind=kind),))


@pytest.fixture
def lab(tmp_path: Path) -> Any:
    with Lab(clerk.world, folder=tmp_path, players={"c": Clerk()}) as lab:
        lab.begin(scenario())
        yield lab


def vote(lab: Lab, effect: str, run_id: str = "run") -> None:
    letter = {"effect": effect, "approve": True, "note": NOTE}
    lab.post("vote", letter, sender="boss", run_id=run_id)


def doors(lab: Lab) -> Control:
    return Control(Workspace(Path(lab.store.location).parent), lambda _: clerk.world)


def test_it_flies(tmp_path: Path) -> None:
    script = {4: lambda lab, run_id: vote(lab, "2.validate.c.0", run_id)}
    with fly(clerk.world, scenario(), tmp_path, players=lambda: {"c": Clerk()}, script=script) as lab:
        assert verify(lab.store, "run").intact


def test_a_long_letter_is_voted_on_and_sent_and_the_long_note_arrives(lab: Lab) -> None:
    lab.go(stop_after=4)
    vote(lab, "2.validate.c.0")
    assert lab.go().status is Status.COMPLETED
    (ruling,) = [body for body in lab.bodies("mail") if body["kind"] == "ruling"]
    assert (ruling["body"]["outcome"], ruling["body"]["note"]) == ("approved", NOTE)
    assert f"5: Answer 2. {CLOSING}" in list(lab.at().frame.state.sent)
    assert lab.replay().identical


def test_what_waits_is_shown_whole_and_its_vote_is_bound_to_it(lab: Lab) -> None:
    lab.go(stop_after=3)
    control, path = doors(lab), lab.store.location
    (asked,) = control.waiting(path)
    assert asked.request["action"]["text"] == f"Answer 2. {CLOSING}"
    assert asked.request["hold"]["reason"].endswith(INSTRUCTIONS)
    assert control.vote(path, asked.effect, True, sender="boss", note=NOTE).found.row.run_id == "run"
    lab.go()
    assert [body["body"]["outcome"] for body in lab.bodies("mail")] == ["approved"]


class Reading(clerk.Office):
    """Shows a person the whole letter to answer."""

    def observe(self, state: clerk.State, actor: Actor) -> Mapping[str, Any]:
        return {"letter": CLOSING + INSTRUCTIONS}


def test_a_person_who_answers_is_shown_the_whole_question(tmp_path: Path) -> None:
    office = msgspec.structs.replace(clerk.world, engine=Reading())
    shown: list[Any] = []

    def answer(kind: str, request: Any) -> Any:
        shown.append(request["observation"])
        return {"type": "Write", "text": "Yes."}

    with Lab(office, folder=tmp_path) as lab:
        row = lab.play(scenario(2, kind="human"), answer=answer)
        assert row.status is Status.COMPLETED
    assert shown == [{"letter": CLOSING + INSTRUCTIONS}] * 2


def test_a_vote_for_another_long_letter_does_not_count(lab: Lab) -> None:
    lab.go(stop_after=3)
    with pytest.raises(NotFound):
        doors(lab).vote(lab.store.location, "3.validate.c.0", True, sender="boss")
    lab.vote("2.validate.c.0", digest="0" * 16)
    lab.go(stop_after=4)
    assert "means another action" in lab.operations("mail_refused")[0]["why"]


def test_a_fork_shares_the_texts_of_its_past_and_asks_again_for_its_own_votes(lab: Lab) -> None:
    lab.go(stop_after=5)
    lab.fork("3.plan.c", run_id="fork")
    assert [effect.name for effect in lab.store.waiting("fork")] == ["2.validate.c.0"]
    vote(lab, "2.validate.c.0", "fork")
    assert lab.go("fork").status is Status.COMPLETED
    assert lab.replay("fork").identical
    assert verify(lab.store, "fork").intact
    told = {one.name: one for one in effects_told(Lineage(lab.store, "fork"))}
    assert told["2.plan.c.0"].request["messages"][0]["text"] == INSTRUCTIONS
    assert (told["7.plan.c.0"].request["tools"], told["7.plan.c.0"].request["schema"]) == (TOOLS, SCHEMA)
    assert told["4.plan.c.0"].result["calls"] == [{"$text": "a" * 64}, {"$plain": CLOSING}]


def test_calls_take_less_room_than_they_say(lab: Lab) -> None:
    lab.go()
    stored = lab.store.effects("run", kind="model")
    told = [one for one in effects_told(Lineage(lab.store, "run")) if one.kind == "model"]
    said = sum(len(str(one.request)) for one in told)
    assert len(stored) == len(told) == 8
    assert sum(len(effect.request) for effect in stored) * 5 < said
    assert all(decode_body(effect.request)["messages"][1]["text"] for effect in stored), "short texts stay"
