"""Teams, engines and validators that ask models, and a transcript that only grows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.toys import desk
from tests.toys.flight import fly
from windtunnel.journal import Status
from windtunnel.testing.lab import Lab
from windtunnel.world import AgentSpec, Applied, EffectKind, Log, Scenario


def scenario(turns: int = 8, kind: str = "rule") -> Scenario:
    return Scenario("desk", "toy", turns=turns, agents=(AgentSpec("d", kind=kind),))


def test_it_flies_with_a_team(tmp_path: Path) -> None:
    with fly(desk.world, scenario(kind="python"), tmp_path, players=lambda: {"d": desk.Team()}) as lab:
        paths = {entry.actor for entry in lab.history(kind="effect", turn=1)}
        assert {"d/bear", "d/bull", "d/owl", "d/chair"} < paths
        assert len(lab.at().frame.memories["d"].dialogue) == 6


def test_engine_and_validator_may_ask_models(tmp_path: Path) -> None:
    with fly(desk.world, scenario(), tmp_path) as lab:
        asked = {(entry.phase, entry.actor) for entry in lab.history(kind="effect")}
        assert asked == {("validate", "d"), ("execute", "")}


class Reader(desk.Master):
    """Reads the whole transcript in every turn."""

    async def apply(self, state: Any, decided: Any, events: Any, context: Any) -> Any:
        assert len(list(state.transcript)) == len(state.transcript)
        return await super().apply(state, decided, events, context)


def test_a_transcript_is_read_back_in_full_after_every_stop(tmp_path: Path) -> None:
    world = msgspec.structs.replace(desk.world, engine=Reader())
    with fly(world, scenario(40), tmp_path) as lab:
        assert [line.text[:8] for line in lab.at().frame.state.transcript][:2] == ["turn 1: ", "turn 2: "]


class Terse(desk.Master):
    async def apply(self, state: Any, decided: Any, events: Any, context: Any) -> Any:
        for who, action in decided.items():
            state.transcript.append(desk.Said(who, action.text + "." * 200))
        if events:
            state.last = state.transcript[0].text
        return Applied(state)


@pytest.mark.slow
def test_a_transcript_of_thousands_of_turns_keeps_checkpoints_small(tmp_path: Path) -> None:
    world = msgspec.structs.replace(desk.quiet, engine=Terse())
    with Lab(world, folder=tmp_path) as lab:
        lab.begin(scenario(3000))
        for stop in (1, 700, 1500, 2999):
            assert lab.go(stop_after=stop).turn == stop
        lab.inject("look")
        assert lab.go().status is Status.COMPLETED
        state = lab.at().frame.state
        assert len(list(state.transcript)) == 3000
        assert state.last.startswith("turn 1:")
        sizes = [len(point.state) for point in lab.store.checkpoints("run")]
        assert max(sizes) < 1000
        kept = sum(len(segment.items) for segment in lab.store.segments("run"))
        assert kept < 3000 * 300  # each line once
        assert lab.replay().identical
        lab.fork("1200")
        assert lab.go("fork").status is Status.COMPLETED
        assert len(list(lab.at(run_id="fork").frame.state.transcript)) == 3000
        assert lab.replay("fork").identical
        with Lab(world) as other:
            other.begin(scenario(3000))
            other.go(stop_after=2999)
            other.inject("look")
            other.go()
            mine, theirs = lab.bodies("consolidated"), other.bodies("consolidated")
            assert mine == theirs


def test_an_engine_that_waits_for_a_person_in_the_middle_of_a_change_leaves_nothing_half_done(
    tmp_path: Path,
) -> None:
    """The line was appended before the question: what the park stores must not know it yet."""
    world = msgspec.structs.replace(desk.quiet, effects={"model": EffectKind(waits="park")})
    with Lab(world, folder=tmp_path) as lab:
        lab.begin(scenario(4))
        for turn in range(1, 5):
            assert lab.go().status is Status.WAITING
            assert len(list(lab.at().frame.state.transcript)) == turn - 1
            lab.satisfy(answer=lambda kind, request: 5)
        assert lab.go().status is Status.COMPLETED
        assert len(list(lab.at().frame.state.transcript)) == 4
        assert lab.at().frame.state.points == {"d": 20}
        assert lab.replay().identical


class Diary(msgspec.Struct):
    pages: Log[str] = msgspec.field(default_factory=Log)


class Writer:
    def decide(self, seen: Any, context: Any) -> Any:
        context.memory.pages.append(f"turn {context.turn}")
        assert len(list(context.memory.pages)) == context.turn
        return desk.Silence()


def test_a_memory_may_hold_a_log_too(tmp_path: Path) -> None:
    role = msgspec.structs.replace(desk.world.roles["desk"], memory=Diary)
    world = msgspec.structs.replace(desk.quiet, roles={"desk": role})
    with fly(world, scenario(12, "python"), tmp_path, players=lambda: {"d": Writer()}) as lab:
        assert len(lab.at().frame.memories["d"].pages) == 12


@pytest.mark.parametrize("at", ["3.plan", "3.plan.d", "3.validate", "3.execute", "3.evaluate"])
def test_a_fork_inside_a_turn_keeps_what_the_team_had_paid_for(tmp_path: Path, at: str) -> None:
    asked = []

    async def counting(request: Any, call: Any) -> int:
        asked.append(call.turn)
        return await desk.model(request, call)

    kinds = {"model": EffectKind(counting, in_doubt="retry")}
    with Lab(desk.world, folder=tmp_path, effects=kinds, players={"d": desk.Team()}) as lab:
        lab.play(scenario(5, "python"))
        each = asked.count(3)
        assert each >= 9
        asked.clear()
        lab.fork(at)
        lab.go("fork")
        again = {"3.plan": each, "3.plan.d": each, "3.validate": each - 7, "3.execute": 1, "3.evaluate": 0}
        assert asked.count(3) == again[at]
        assert lab.replay("fork").identical
        same = [entry.body for entry in lab.history("fork") if entry.phase != "fork"]
        assert same == [entry.body for entry in lab.history()]


def test_a_transcript_is_whole_while_its_last_part_is_not_yet_committed(tmp_path: Path) -> None:
    """Taken up again, the log knows its past only by the store, which has not heard of the newest part."""
    world = msgspec.structs.replace(desk.quiet, engine=Terse())
    with Lab(world, folder=tmp_path) as lab:
        lab.begin(scenario(5))
        lab.go(stop_after=4)
        lab.go()
        transcript = lab.at().frame.state.transcript
        transcript.append(desk.Said("d", "new"))
        part = transcript.pending()
        assert part is not None
        transcript.stored(part)
        transcript.append(desk.Said("d", "newer"))
        assert [line.text[:6] for line in transcript][-3:] == ["turn 5", "new", "newer"]
        assert len(list(transcript)) == 7
