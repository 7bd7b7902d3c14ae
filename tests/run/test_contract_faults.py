"""What the loop promises when an agent, an engine or a world goes wrong, or was changed meanwhile."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest

from tests.run.toy import Give, Rules, State, give, make, python, scene
from windtunnel.codec import describe_type, schema_hash
from windtunnel.errors import AgentError, CodecError, EngineError, InvariantBroken, RunError, VersionMismatch
from windtunnel.journal import Status
from windtunnel.run.fork import Change
from windtunnel.testing.lab import Lab
from windtunnel.world import AgentSpec, Applied, Event


class Moody:
    """Raises in a turn, until it is mended."""

    broken = True

    def decide(self, seen: Any, context: Any) -> Any:
        if self.broken and context.turn == 3:
            raise KeyError("price")
        return give(seen, context)


class AsyncMoody(Moody):
    async def decide(self, seen: Any, context: Any) -> Any:
        return super().decide(seen, context)


@pytest.mark.parametrize("kind", [Moody, AsyncMoody])
def test_an_agent_that_raises_fails_the_run_in_words_and_it_resumes_after_the_fix(
    tmp_path: Path, kind: type[Moody]
) -> None:
    agent = kind()
    with Lab(make(), folder=tmp_path, players={"a": agent}) as lab:
        lab.begin(scene(python("a"), "b"))
        with pytest.raises(AgentError, match=r"agent a, turn 3: KeyError: 'price'"):
            lab.go()
        assert lab.row().status is Status.FAILED
        assert lab.row().turn == 2
        assert "price" in (lab.row().reason or "")
        agent.broken = False
        assert lab.go().status is Status.COMPLETED
        lab.play(scene(python("a"), "b"), "clean")
        assert lab.head() == lab.head("clean")


class HalfWay(Rules):
    """Breaks in the middle of a change, when half of it is done."""

    broken = True

    def apply(self, state: State, decided: Any, events: Any, context: Any) -> Applied[State]:
        if self.broken and context.turn == 3:
            state.coins["a"] = -1
            raise RuntimeError("half way")
        return super().apply(state, decided, events, context)


def test_an_engine_that_raises_leaves_the_last_good_state(tmp_path: Path) -> None:
    engine = HalfWay()
    with Lab(make(engine=engine), folder=tmp_path) as lab:
        lab.begin(scene())
        with pytest.raises(EngineError, match="toy, turn 3, apply: RuntimeError: half way"):
            lab.go()
        assert lab.row().turn == 2
        assert lab.at().frame.state.coins["a"] >= 100
        engine.broken = False
        assert lab.go().status is Status.COMPLETED
        assert lab.at().frame.state.coins["a"] >= 100
        assert lab.replay().identical


class NotANumber(Rules):
    def score(self, state: State) -> Any:
        return {"a": {"wealth": float("nan") if state.turn == 2 else 1.0}}


@pytest.mark.parametrize("method", ["to_act", "observe", "score", "progress", "over", "wake", "start"])
def test_each_method_of_an_engine_is_named_when_it_raises(tmp_path: Path, method: str) -> None:
    def broken(*_: Any) -> Any:
        raise LookupError("nothing here")

    engine = Rules()
    setattr(engine, method, broken)
    with Lab(make(engine=engine), folder=tmp_path) as lab:
        lab.begin(scene())
        with pytest.raises(EngineError, match="nothing here"):
            lab.go()
        assert lab.row().status is Status.FAILED


def test_a_metric_that_is_no_number_is_refused_by_name(tmp_path: Path) -> None:
    with Lab(make(engine=NotANumber()), folder=tmp_path) as lab:
        lab.begin(scene())
        with pytest.raises(CodecError, match=r"wealth is nan"):
            lab.go()
        assert (lab.row().status, lab.row().turn) == (Status.FAILED, 1)


def test_an_invariant_that_does_not_hold_fails_the_run(tmp_path: Path) -> None:
    rule = {"no fortune": lambda s: f"{s.turn} turns" if s.turn == 4 else None}
    with Lab(make(invariants=rule), folder=tmp_path) as lab:
        lab.begin(scene())
        with pytest.raises(InvariantBroken, match="turn 4: no fortune: 4 turns"):
            lab.go()
        assert (lab.row().status, lab.row().turn) == (Status.FAILED, 3)


def test_an_invariant_that_raises_fails_the_run_too(tmp_path: Path) -> None:
    def broken(state: State) -> str | None:
        raise LookupError("no such account")

    with Lab(make(invariants={"books": broken}), folder=tmp_path) as lab:
        lab.begin(scene())
        with pytest.raises(EngineError, match="no such account"):
            lab.go()
        assert lab.row().status is Status.FAILED


def test_an_engine_that_lets_a_stranger_act_fails_the_run(tmp_path: Path) -> None:
    from windtunnel.errors import WorldError
    from windtunnel.world import Actor

    engine = Rules()
    engine.to_act = lambda state: [Actor("zoe", "giver")]  # type: ignore[method-assign]
    with Lab(make(engine=engine), folder=tmp_path) as lab:
        lab.begin(scene())
        with pytest.raises((WorldError, RunError), match="zoe"):
            lab.go()
        assert lab.row().status is Status.FAILED


# --- garbage ------------------------------------------------------------------------------------------


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


GARBAGE = {
    "nothing": None,
    "nan": {"type": "Give", "amount": float("nan")},
    "infinity": {"type": "Give", "amount": float("inf")},
    "huge": {"type": "Give", "amount": 10**40},
    "huge and bare": 10**40,
    "out of bounds": Give(101),
    "a missing field": {"type": "Give"},
    "one field more": {"type": "Rest", "amount": 1},
    "an unknown type": {"type": "Steal"},
    "text": "Rest",
    "a lone surrogate": "\ud800",
    "a surrogate inside": {"type": "\udfff"},
    "deep": nested(5000),
    "deep inside": {"type": "Give", "amount": nested(5000)},
    "one megabyte": "x" * (1 << 20),
    "a function": print,
    "a class": Give,
    "an object": object(),
    "a set": {1, 2},
    "bytes": b"\xff",
    "keys that are no text": {(1, 2): 3},
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_a_recorded_no_op_and_the_run_goes_on(tmp_path: Path, name: str) -> None:
    players = {"a": lambda seen, context: GARBAGE[name]}
    with Lab(make(), folder=tmp_path, players=players) as lab:
        lab.play(scene(python("a"), "b", turns=2, attempts=2))
        assert lab.row().status is Status.COMPLETED
        decided = lab.bodies("decided", 1)
        assert [body["refused"]["a"]["label"] for body in decided] == ["illegal", "illegal"]
        assert lab.bodies("judged", 1)[-1]["verdicts"]["a"]["kind"] == "no_op"
        assert lab.at().frame.state.coins["a"] == 100
        assert lab.replay().identical


class Series:
    """Looks like an array to those who only ask for `dtype`."""

    dtype = "float"


def test_something_that_only_looks_like_an_array_is_garbage_too(tmp_path: Path) -> None:
    with Lab(make(), folder=tmp_path, players={"a": lambda seen, context: Series()}) as lab:
        assert lab.play(scene(python("a"), turns=1)).status is Status.COMPLETED
        assert lab.bodies("decided", 1)[0]["refused"]["a"]["label"] == "illegal"


# --- the world was changed ----------------------------------------------------------------------------


class Richer(Rules):
    def observe(self, state: State, actor: Any) -> Any:
        seen = super().observe(state, actor)
        seen.coins += state.turn >= 3
        return seen


def test_a_changed_rule_is_named_by_its_first_difference(tmp_path: Path) -> None:
    with Lab(make(), folder=tmp_path) as lab:
        lab.play(scene())
        seen = lab.replay(world=make(engine=Richer()))
        assert not seen.identical
        assert seen.first_difference is not None
        assert (seen.first_difference["turn"], seen.first_difference["phase"]) == (4, "analyze")


@pytest.mark.parametrize(("kind", "turn"), [("started", 0), ("decided", 2), ("scored", 3)])
def test_a_replay_tells_an_edited_record_from_a_changed_world(tmp_path: Path, kind: str, turn: int) -> None:
    with Lab(make(), folder=tmp_path) as lab:
        lab.play(scene())
        edit = apsw.Connection(str(lab.path))
        edit.execute("UPDATE entry SET body=replace(body, ':', ': ') WHERE kind=? AND turn=?", (kind, turn))
        edit.close()
        difference = lab.replay().first_difference
        assert difference is not None
        assert "was changed" in difference["message"]
        assert (difference["turn"], kind in difference["message"]) == (turn, True)


def test_a_changed_policy_is_named_with_what_it_decides_now(tmp_path: Path) -> None:
    agent: dict[str, Any] = {"a": lambda seen, context: Give(1)}
    with Lab(make(), folder=tmp_path, players=agent) as lab:
        lab.play(scene(python("a"), turns=3))
        lab.players["a"] = lambda seen, context: Give(2 if context.turn == 2 else 1)
        difference = lab.replay().first_difference
        assert difference is not None
        assert (difference["turn"], difference["phase"]) == (2, "plan")
        assert '"amount":1' in difference["recorded"]
        assert '"amount":2' in difference["played"]


class State2(msgspec.Struct):
    turn: int
    coins: dict[str, int]
    heard: list[str]
    debts: dict[str, int]


State2.__name__ = State2.__qualname__ = "State"


class Rules2(Rules):
    def apply(self, state: Any, decided: Any, events: Any, context: Any) -> Any:
        state.debts["a"] += 1
        return super().apply(state, decided, events, context)


def with_debts(plain: dict[str, Any]) -> dict[str, Any]:
    return {**plain, "debts": {"a": 5}}


def test_an_old_state_is_refused_with_the_field_that_changed(tmp_path: Path) -> None:
    with Lab(make(), folder=tmp_path) as lab:
        lab.begin(scene())
        lab.go(stop_after=3)
        with pytest.raises(VersionMismatch, match=r"State\.debts was absent"):
            lab.go(world=make(engine=Rules2(), state=State2))
        assert lab.go().status is Status.COMPLETED


def test_an_old_state_is_brought_over_by_the_function_named_for_it(tmp_path: Path) -> None:
    old = schema_hash(describe_type(State))
    world = make(engine=Rules2(), state=State2, migrations={old: with_debts})
    with Lab(make(), folder=tmp_path) as lab:
        lab.begin(scene())
        lab.go(stop_after=3)
        row = lab.go(world=world)
        assert (row.status, row.turn) == (Status.COMPLETED, 6)
        assert [entry.kind for entry in lab.history() if entry.phase == "fork"] == ["migrated"]
        lab.world = world
        assert lab.at(6).frame.state.debts == {"a": 8}
        assert lab.at(5).frame.state.debts == {"a": 7}


def test_a_run_is_replayed_only_under_the_types_it_was_recorded_with(tmp_path: Path) -> None:
    with Lab(make(), folder=tmp_path) as lab:
        lab.play(scene())
        with pytest.raises(VersionMismatch, match="debts"):
            lab.replay(world=make(engine=Rules2(), state=State2))


def test_events_that_are_no_events_are_the_engines_fault(tmp_path: Path) -> None:
    class Wild(Rules):
        def apply(self, state: State, decided: Any, events: Any, context: Any) -> Any:
            return Applied(state, [Event("noise", object())])

    with Lab(make(engine=Wild()), folder=tmp_path) as lab:
        lab.begin(scene())
        with pytest.raises(CodecError, match="object cannot be recorded"):
            lab.go()
        assert lab.row().status is Status.FAILED


def test_a_role_with_one_bad_seat_is_refused_before_the_run_exists(tmp_path: Path) -> None:
    from windtunnel.errors import NotFound, ScenarioError

    with Lab(make(), folder=tmp_path) as lab:
        with pytest.raises(ScenarioError, match="no policy 'genius'"):
            lab.begin(scene(AgentSpec("a", policy="genius")))
        with pytest.raises(NotFound):
            lab.row()


def test_a_fork_stands_with_its_mail_or_not_at_all_whenever_its_maker_is_killed(tmp_path: Path) -> None:
    """At each call and return another connection looks: what it sees is what a kill there leaves."""
    left: set[tuple[int, int]] = set()
    asked = "SELECT (SELECT count(*) FROM run WHERE run_id='fork'), (SELECT count(*) FROM inbox)"
    with Lab(make(), folder=tmp_path) as lab:
        lab.play(scene())
        witness = apsw.Connection(str(lab.path), flags=apsw.SQLITE_OPEN_READWRITE)

        def look(*_: object) -> None:
            left.update(witness.execute(asked))

        before, change = sys.getprofile(), Change(events=[{"kind": "rain"}, {"kind": "wind"}])
        sys.setprofile(look)
        try:
            lab.fork("3", change=change)
        finally:
            sys.setprofile(before)
        witness.close()
        assert left == {(0, 0), (1, 2)}
        assert lab.go("fork").status is Status.COMPLETED
        assert lab.at(run_id="fork").frame.state.heard == ["rain", "wind"]
