"""What the loop promises about steering: pause, cancel, mail, scheduled events, branches of luck."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.run.clocks import HandClock
from tests.run.toy import Asker, Give, Outside, Rules, State, make, python, scene
from windtunnel.errors import LeaseHeld, WrongState
from windtunnel.journal import SqliteStore, Status
from windtunnel.run.fork import Change
from windtunnel.run.mail import LOOK_SECONDS
from windtunnel.run.session import move_run, play_run
from windtunnel.testing.lab import Lab
from windtunnel.world import AgentSpec, Applied, Call, EffectKind, Event, ScheduledEvent, Wake


def test_pause_and_resume_change_nothing_of_history(tmp_path: Path) -> None:
    with Lab(make(), folder=tmp_path) as lab:
        lab.play(scene(turns=10), "clean")
        lab.begin(scene(turns=10))
        lab.post("pause")
        row = lab.go()
        assert (row.status, row.turn) == (Status.PAUSED, 0)
        assert lab.go().status is Status.COMPLETED
        assert lab.head() == lab.head("clean")


def test_a_cancelled_run_stays_cancelled(tmp_path: Path) -> None:
    with Lab(make(), folder=tmp_path) as lab:
        lab.begin(scene())
        lab.go(stop_after=2)
        lab.post("cancel")
        assert lab.go().status is Status.CANCELLED
        with pytest.raises(WrongState, match="cancelled"):
            lab.go()
        assert lab.replay().identical


def test_cancel_outweighs_pause(tmp_path: Path) -> None:
    with Lab(make(), folder=tmp_path) as lab:
        lab.begin(scene())
        lab.post("cancel")
        lab.post("pause")
        assert lab.go().status is Status.CANCELLED


def test_a_run_nobody_plays_is_moved_from_outside(tmp_path: Path) -> None:
    with Lab(make(), folder=tmp_path) as lab:
        lab.begin(scene())
        lab.go(stop_after=2)
        assert move_run(lab.store, "run", Status.CANCELLED, "me").status is Status.CANCELLED
        assert lab.row().reason == "cancelled by me"


# --- while somebody thinks ----------------------------------------------------------------------------


async def played_beside(lab: Lab, then: Any) -> Any:
    """Play the run; as soon as an effect waits, do something to it from another connection."""
    from windtunnel.journal import SqliteStore

    play = asyncio.ensure_future(
        play_run(lab.store, lab.world, "run", players=lab.players, effects=lab.effects)
    )
    outside = SqliteStore(lab.path)
    try:
        for _ in range(500):
            await asyncio.sleep(0.01)
            if outside.waiting("run"):
                then(outside)
                break
        return await asyncio.wait_for(play, 20)
    finally:
        play.cancel()
        outside.close()


@pytest.mark.parametrize(("wish", "status"), [("pause", Status.PAUSED), ("cancel", Status.CANCELLED)])
def test_a_wish_is_heard_while_a_player_elsewhere_is_silent(
    tmp_path: Path, wish: str, status: Status
) -> None:
    with Lab(make(), folder=tmp_path) as lab:
        lab.begin(scene(AgentSpec("a", kind="remote"), "b", turns=2))
        row = asyncio.run(played_beside(lab, lambda store: store.post("run", wish, b"null", "me", 0.0)))
        assert (row.status, row.turn) == (status, 0)


def test_a_paused_question_is_still_answered_after_the_pause(tmp_path: Path) -> None:
    with Lab(make(), folder=tmp_path) as lab:
        lab.begin(scene(AgentSpec("a", kind="remote"), turns=1))
        row = asyncio.run(played_beside(lab, lambda store: store.post("run", "pause", b"null", "me", 0.0)))
        assert row.status is Status.PAUSED
        (effect,) = lab.waiting()
        lab.answer(effect.name, {"type": "Give", "amount": 7})
        assert lab.go().status is Status.COMPLETED
        assert lab.bodies("decided", 1)[0]["actions"]["a"]["amount"] == 7
        assert lab.replay().identical


def test_a_pause_waits_for_what_is_being_paid_for(tmp_path: Path) -> None:
    done = []

    async def slow(request: Any, call: Call) -> int:
        await asyncio.sleep(0.2)
        done.append(call.key)
        return 1

    world = make(effects={"quote": EffectKind(slow, in_doubt="retry")})
    with Lab(world, folder=tmp_path, players={"a": Asker()}) as lab:
        lab.begin(scene(python("a"), turns=5))
        row = asyncio.run(played_beside(lab, lambda store: store.post("run", "pause", b"null", "me", 0.0)))
        assert (row.status, row.turn) == (Status.PAUSED, 1)
        assert len(done) == 1
        lab.go()
        assert len(done) == len(set(done)) == 5


def test_two_may_not_play_one_run(tmp_path: Path) -> None:
    with Lab(make(), folder=tmp_path) as lab:
        lab.begin(scene(AgentSpec("a", kind="remote"), turns=1))

        def second(store: Any) -> None:
            with pytest.raises(LeaseHeld):
                lab.store.__class__(lab.path).acquire(
                    "run", __import__("windtunnel.journal.lease").journal.lease.this_process()
                )
            store.post("run", "cancel", b"null", "me", 0.0)

        asyncio.run(played_beside(lab, second))


# --- mail and events ----------------------------------------------------------------------------------


def test_injected_events_reach_apply_in_the_order_they_were_sent(tmp_path: Path) -> None:
    with Lab(make(), folder=tmp_path) as lab:
        lab.begin(scene())
        lab.go(stop_after=2)
        lab.inject("rain")
        lab.inject("sun")
        lab.go()
        assert lab.at(2).frame.state.heard == []
        assert lab.at(3).frame.state.heard == ["rain", "sun"]
        assert lab.replay().identical


def test_mail_that_makes_no_sense_is_refused_and_the_run_goes_on(tmp_path: Path) -> None:
    with Lab(make(), folder=tmp_path) as lab:
        lab.begin(scene())
        lab.post("gossip", {"x": 1})
        lab.post("event", {"no": "kind"})
        lab.post("vote", [1, 2])
        lab.store.post("run", "event", b"{not json", "me", 0.0)
        lab.answer("1.plan.a.0", 1)
        assert lab.go().status is Status.COMPLETED
        assert len(lab.operations("mail_refused")) == 5
        assert lab.at().frame.state.heard == []


def test_scheduled_events_come_in_their_turn_and_not_again_after_a_resume(tmp_path: Path) -> None:
    events = (ScheduledEvent(3, "storm"), ScheduledEvent(1, "dawn"), ScheduledEvent(3, "flood"))
    with Lab(make(), folder=tmp_path) as lab:
        lab.begin(scene(events=events))
        for stop in (1, 2, 3):
            lab.go(stop_after=stop)
        lab.go()
        assert lab.at(1).frame.state.heard == ["dawn"]
        assert lab.at().frame.state.heard == ["dawn", "storm", "flood"]
        assert lab.replay().identical


class Waits(Rules):
    def wake(self, state: State) -> Wake | None:
        return Wake(event="fill") if state.turn == 2 else None


def test_a_world_that_waits_for_an_event_waits_with_no_process(tmp_path: Path) -> None:
    with Lab(make(engine=Waits()), folder=tmp_path) as lab:
        lab.begin(scene())
        assert (lab.go().status, lab.row().turn) == (Status.WAITING, 2)
        lab.inject("rain")
        assert (lab.go().status, lab.row().turn) == (Status.WAITING, 2)
        lab.inject("fill")
        assert lab.go().status is Status.COMPLETED
        assert lab.at(3).frame.state.heard == ["rain", "fill"]
        assert lab.replay().identical


class EchoAgent(Rules):
    """An engine that asks the outside about what it heard this turn."""

    async def apply(self, state: State, decided: Any, events: Any, context: Any) -> Any:  # type: ignore[override]
        await context.effect("quote", {"heard": [event.kind for event in events]})
        return super().apply(state, decided, events, context)


def test_mail_that_came_while_a_turn_was_cut_short_waits_for_the_next(tmp_path: Path) -> None:
    """What the turn asked the outside before the crash must still be what it asks after it."""
    outside = Outside()
    world = make(engine=EchoAgent(), effects={"quote": EffectKind(outside.quote, in_doubt="retry")})
    with Lab(world, folder=tmp_path) as lab:
        lab.begin(scene(turns=3))
        lab.go(stop_after=1)
        outside.crashes = 1
        with pytest.raises(KeyboardInterrupt):
            lab.go()
        lab.inject("rain")
        assert lab.go().status is Status.COMPLETED
        assert lab.at(2).frame.state.heard == []
        assert lab.at(3).frame.state.heard == ["rain"]
        assert outside.keys[1] == outside.keys[2]
        assert lab.replay().identical


def test_mail_that_a_cut_turn_had_taken_in_is_taken_in_again(tmp_path: Path) -> None:
    outside = Outside()
    world = make(engine=EchoAgent(), effects={"quote": EffectKind(outside.quote, in_doubt="retry")})
    with Lab(world, folder=tmp_path) as lab:
        lab.begin(scene(turns=3))
        lab.go(stop_after=1)
        lab.inject("rain")
        outside.crashes = 1
        with pytest.raises(KeyboardInterrupt):
            lab.go()
        lab.inject("sun")
        assert lab.go().status is Status.COMPLETED
        assert lab.at(2).frame.state.heard == ["rain"]
        assert lab.at(3).frame.state.heard == ["rain", "sun"]
        assert lab.replay().identical


class TickClock(HandClock):
    ticks = 0.0

    def tick(self) -> float:
        return self.ticks


def test_mail_is_durable_before_a_turn_uses_it(tmp_path: Path) -> None:
    """Who dies in the turn that took it in has written so: it is heard in that turn and in no earlier one,
    although the turns before were still waiting to be committed together."""
    clock = TickClock()  # stands still but for looking: no group grows old
    died: list[int] = []

    def fragile(seen: Any, context: Any) -> Give:
        clock.ticks += 2 * LOOK_SECONDS
        if context.turn == 2 and not died:
            with closing(SqliteStore(tmp_path / "lab.sqlite")) as beside:
                beside.post("run", "event", b'{"kind":"rain"}', "me", 0.0)
        if context.turn == 3 and not died:
            with closing(SqliteStore(tmp_path / "lab.sqlite", read_only=True)) as beside:
                died.append(beside.run("run").turn)
            raise KeyboardInterrupt("the process died here")
        return Give(1)

    with Lab(make(), folder=tmp_path, players={"a": fragile}, clock=clock) as lab:
        lab.begin(scene(python("a"), turns=5))
        with pytest.raises(KeyboardInterrupt):
            lab.go()
        assert died == [2]  # with the mail, the turns before it
        assert lab.go().status is Status.COMPLETED
        assert lab.at(2).frame.state.heard == []
        assert lab.at(3).frame.state.heard == ["rain"]
        assert lab.replay().identical


def test_a_vote_that_came_while_a_turn_was_cut_short_waits_for_the_next(tmp_path: Path) -> None:
    from tests.run.toy import always
    from windtunnel.world import hold

    outside = Outside()
    world = make(
        always(hold("big", "defer"), turn=1),
        engine=EchoAgent(),
        effects={"quote": EffectKind(outside.quote, in_doubt="retry")},
    )
    with Lab(world, folder=tmp_path) as lab:
        lab.begin(scene(turns=4))
        lab.go(stop_after=2)
        outside.crashes = 1
        with pytest.raises(KeyboardInterrupt):
            lab.go()
        lab.vote("1.validate.a.0")
        assert lab.go().status is Status.COMPLETED
        assert lab.at(3).frame.state.heard == []
        assert lab.at(4).frame.state.heard == ["approved a"]
        assert lab.replay().identical


# --- the clock ----------------------------------------------------------------------------------------


class Daily(Rules):
    def wake(self, state: State) -> Wake | None:
        return Wake(at=1_000_000.0 + 3600 * state.turn)

    def apply(self, state: State, decided: Any, events: Any, context: Any) -> Applied[State]:
        applied = super().apply(state, decided, events, context)
        applied.state.heard.append(f"{context.now():.0f}")
        return applied


@pytest.mark.parametrize("mode", ["simulated", "paper"])
def test_a_simulated_clock_jumps_and_a_paper_clock_sleeps(tmp_path: Path, mode: Any) -> None:
    clock = HandClock()
    with Lab(make(engine=Daily()), folder=tmp_path, clock=clock) as lab:
        lab.play(scene(turns=4, mode=mode))
        moments = [float(text) for text in lab.at().frame.state.heard]
        assert [round((moment - 1_000_000) / 3600) for moment in moments] == [0, 1, 2, 3]
        slept = clock.now - 1_000_000.0
        assert slept == 0 if mode == "simulated" else slept >= 3 * 3600
        clock.now += 1e6
        assert lab.replay().identical


# --- branches -----------------------------------------------------------------------------------------


def amounts(lab: Lab, run_id: str) -> list[int]:
    return [
        action["amount"]
        for body in lab.bodies("decided", run_id=run_id)
        for action in body["actions"].values()
    ]


def test_a_fork_without_a_change_goes_the_way_of_its_parent(tmp_path: Path) -> None:
    with Lab(make(), folder=tmp_path) as lab:
        lab.play(scene())
        for turn in range(6):
            lab.fork(str(turn), f"fork-{turn}")
            lab.go(f"fork-{turn}")
            mine = [e.body for e in lab.history(f"fork-{turn}") if e.phase != "fork"]
            assert mine == [entry.body for entry in lab.history()]


def test_branches_differ_in_luck_and_pair_with_their_controls(tmp_path: Path) -> None:
    change = Change(edit=lambda s: msgspec.structs.replace(s, tags=("changed",)))
    with Lab(make(), folder=tmp_path) as lab:
        lab.play(scene(turns=12))
        for branch in (1, 2, 3):
            lab.fork("2", f"branch-{branch}", change=change, branch=branch)
            lab.fork("2", f"control-{branch}", branch=branch)
            lab.go(f"branch-{branch}")
            lab.go(f"control-{branch}")
        luck = [amounts(lab, f"branch-{branch}") for branch in (1, 2, 3)]
        assert luck == [amounts(lab, f"control-{branch}") for branch in (1, 2, 3)]
        assert luck[0] != luck[1] != luck[2] != luck[0]
        assert all(own[:4] == amounts(lab, "run")[:4] for own in luck)  # the shared past
        assert all(lab.replay(f"branch-{branch}").identical for branch in (1, 2, 3))


def test_a_fork_may_change_an_agent_or_inject_an_event(tmp_path: Path) -> None:
    def edit(scenario: Any) -> Any:
        events = (*scenario.events, ScheduledEvent(5, "quake"))
        return msgspec.structs.replace(scenario, events=events, turns=8)

    with Lab(make(), folder=tmp_path) as lab:
        lab.play(scene())
        lab.fork("3", change=Change(edit=edit, events=[{"kind": "rain"}]))
        assert lab.go("fork").turn == 8
        assert lab.at(run_id="fork").frame.state.heard == ["rain", "quake"]
        lab.fork("6", "grandchild", of="fork")
        lab.go("grandchild")
        assert lab.at(run_id="grandchild").frame.state.heard == ["rain", "quake"]
        assert lab.replay("grandchild").identical


def test_events_are_kept_in_history_with_who_may_see_them(tmp_path: Path) -> None:
    class Whispers(Rules):
        def apply(self, state: State, decided: Any, events: Any, context: Any) -> Applied[State]:
            applied = super().apply(state, decided, events, context)
            return Applied(applied.state, [Event("secret", 1, "a", visible_to=("a",))])

    heard: list[tuple[str, int]] = []

    class Listener:
        def __init__(self, name: str) -> None:
            self.name = name

        def decide(self, seen: Any, context: Any) -> Any:
            return Give(0)

        def consolidate(self, outcome: Any, context: Any) -> None:
            heard.append((self.name, len(outcome.events)))

    players = {"a": Listener("a"), "b": Listener("b")}
    with Lab(make(engine=Whispers()), folder=tmp_path, players=players) as lab:
        lab.play(scene(python("a"), python("b"), turns=1))
        assert heard == [("a", 1), ("b", 0)]
        assert lab.bodies("applied")[0]["events"][0]["visible_to"] == ["a"]
