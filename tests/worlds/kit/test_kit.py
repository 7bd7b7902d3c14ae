"""The kit must find what it promises to find: each broken world here lacks one thing, and is told so."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from tests.run.toy import Give, Rest, Rules, State, give, make
from tests.toys import broker, crowd, desk, shop, whodunit
from windtunnel.testing import CHECKS, assert_world, check_world
from windtunnel.world import Action, AgentSpec, Applied, Event, Progress, Role, Scenario, Stakes, World

FOUR = Scenario("whodunit", agents=tuple(AgentSpec(name) for name in ("ann", "bo", "cy", "di")))
CROWD = Scenario("crowd", agents=(AgentSpec("all", size=500),))


@pytest.mark.parametrize(
    ("world", "scenarios"),
    [
        (shop.world, None),
        pytest.param(broker.world, None, marks=pytest.mark.slow),
        pytest.param(whodunit.world, [FOUR], marks=pytest.mark.slow),
        pytest.param(crowd.world, [CROWD], marks=pytest.mark.slow),
        pytest.param(desk.world, None, marks=pytest.mark.slow),
    ],
    ids=lambda value: value.name if isinstance(value, World) else "",
)
def test_the_toys_keep_the_contract(world: World, scenarios: Any) -> None:
    report = assert_world(world, scenarios)
    assert {finding.check for finding in report.findings} >= set(CHECKS)
    assert report.about("determinism elsewhere")[0].verdict == "ok"


def lacking(world: World, check: str, **more: Any) -> str:
    """What the kit says that this world lacks, in that check and in no other."""
    report = check_world(world, turns=12, only=[check], **more)
    found = report.about(check)
    assert [finding.verdict for finding in found if finding.verdict == "lacks"], str(report)
    assert not report.ok
    with pytest.raises(AssertionError, match="LACKS"):
        assert_world(world, turns=12, only=[check], **more)
    return str(report)


# --- the contract -------------------------------------------------------------------------------------


class Sets(msgspec.Struct):
    names: set[str]


class Needy(msgspec.Struct):
    must: int


def roles(**more: Any) -> dict[str, Role]:
    given: dict[str, Any] = {"actions": (Give, Rest), "no_op": Rest(), "policies": {"give": give}, **more}
    return {"giver": Role(**given)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"roles": {}}, "no role"),
        ({"roles": roles(no_op=broker.Wait())}, "none of its actions"),
        ({"roles": roles(policies={})}, "no rule policy"),
        ({"roles": roles(memory=Needy)}, "cannot be made without arguments"),
        ({"roles": {**roles(), "x": Role((type("Give", (Action,), {}),), Rest(), {})}}, "two action types"),
        ({"state": Sets}, "holds a set"),
        ({"parameters": dict}, "no msgspec.Struct"),
        ({"engine": object()}, r"no start\(\)"),
        ({"validator": object()}, r"no check\(\)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_world_forgot_to_say_is_named(change: dict[str, Any], words: str) -> None:
    world = msgspec.structs.replace(make(), **change)
    with pytest.raises(AssertionError, match=words):
        assert_world(world)


def test_a_scenario_file_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("world: toy\nturnz: 3\n")
    with pytest.raises(AssertionError, match=r"bad\.yaml"):
        assert_world(msgspec.structs.replace(make(), scenarios=str(tmp_path)))


# --- sameness -----------------------------------------------------------------------------------------


class Counting(Rules):
    """Keeps a counter where it does not belong."""

    def __init__(self) -> None:
        self.counter = itertools.count()

    def apply(self, state: State, decided: Any, events: Any, context: Any) -> Applied[State]:
        state.turn += next(self.counter)
        return Applied(state)


def test_a_counter_on_the_engine_is_found() -> None:
    assert "another way" in lacking(make(engine=Counting()), "determinism")


class Fresh(Rules):
    """Starts its own counter anew at each start, so that only a stop shows it."""

    def start(self, scenario: Any, context: Any) -> State:
        self.calls = 0
        return super().start(scenario, context)

    def apply(self, state: State, decided: Any, events: Any, context: Any) -> Applied[State]:
        self.calls += 1
        state.turn = self.calls
        return Applied(state)


def test_what_is_kept_outside_the_state_is_lost_by_a_stop() -> None:
    report = check_world(make(engine=Fresh()), only=["determinism"])
    assert report.ok
    lacking(make(engine=Fresh()), "resume")


class Hashing(Rules):
    def apply(self, state: State, decided: Any, events: Any, context: Any) -> Applied[State]:
        state.turn += hash("the same text") % (1 << 40)  # no two seeds agree by luck
        return Applied(state)


hashing = make(engine=Hashing())


@pytest.mark.slow
def test_a_hash_of_text_is_found_in_another_process() -> None:
    assert "another process came to head" in lacking(hashing, "determinism elsewhere")


def test_a_world_without_chance_is_warned_not_failed() -> None:
    class Plain(Rules):
        def apply(self, state: State, decided: Any, events: Any, context: Any) -> Applied[State]:
            return Applied(state)

    world = msgspec.structs.replace(
        make(engine=Plain()), roles=roles(policies={"rest": lambda seen, context: Rest()})
    )
    report = check_world(world, only=["chance"])
    assert report.ok
    assert "no chance in it" in str(report)


class Loose(msgspec.Struct):
    turn: int
    coins: dict[str, int]
    heard: Any = None


class Tuples(Rules):
    def start(self, scenario: Any, context: Any) -> Any:
        return Loose(0, {agent.id: 100 for agent in scenario.agents}, [])

    def apply(self, state: Any, decided: Any, events: Any, context: Any) -> Any:
        if not isinstance(state.heard, Event):
            state.heard = {"kept": b"", "n": 2**63} if state.turn > 2 else Event("x")
        state.turn += 1
        return Applied(state)


def test_a_state_that_comes_back_as_something_else_is_found() -> None:
    lacking(make(engine=Tuples(), state=Loose), "resume")


# --- secrets ------------------------------------------------------------------------------------------


class Peeping(whodunit.Table):
    def observe(self, state: Any, actor: Any) -> Any:
        seen = super().observe(state, actor)
        seen.hint = state.culprit
        return seen


def test_an_observation_that_shows_a_secret_is_found() -> None:
    world = msgspec.structs.replace(whodunit.world, engine=Peeping())
    assert "may not know" in lacking(world, "hidden information", scenarios=[FOUR])


@pytest.mark.slow
def test_a_redraw_that_redraws_nothing_is_found() -> None:
    world = msgspec.structs.replace(whodunit.world, redraw_hidden=lambda state, actor, luck: state)
    assert "never changed a thing" in lacking(world, "hidden information", scenarios=[FOUR])


@pytest.mark.parametrize("method", ["observe", "score", "over", "to_act", "progress"])
def test_a_question_that_changes_the_state_is_found(method: str) -> None:
    engine = Rules()
    honest = getattr(engine, method)

    def meddling(state: State, *rest: Any) -> Any:
        state.turn += 1
        return honest(state, *rest)

    setattr(engine, method, meddling)
    assert f"{method}()" in lacking(make(engine=engine), "only apply changes")


def test_a_shared_stream_of_luck_is_warned_about() -> None:
    class Shared(Rules):
        def apply(self, state: State, decided: Any, events: Any, context: Any) -> Applied[State]:
            luck = context.chance("dice")
            for who in decided:
                state.coins[who] += luck.below(6)
            return Applied(state)

    report = check_world(make(engine=Shared()), only=["luck of one's own"])
    assert report.about("luck of one's own")[0].verdict == "warns"
    assert "dice" in str(report)
    assert check_world(make(), only=["luck of one's own"]).about("luck of one's own")[0].verdict == "ok"


# --- what it bears and tells --------------------------------------------------------------------------


class Wish(Action, frozen=True):
    amount: float


class Greedy(Rules):
    def apply(self, state: State, decided: Any, events: Any, context: Any) -> Applied[State]:
        for who, action in decided.items():
            if type(action) is Wish:
                state.coins[who] += int(action.amount * 10)
        return Applied(state)


def test_an_action_without_bounds_is_found_by_its_extremes() -> None:
    wishes = roles(actions=(Wish, Rest), policies={"rest": lambda seen, context: Rest()})
    world = msgspec.structs.replace(make(engine=Greedy()), roles=wishes)
    assert "broke" in lacking(world, "extreme actions")


def test_an_invariant_that_random_actions_break_is_found() -> None:
    rule = {"few coins": lambda state: "too many" if max(state.coins.values()) > 250 else None}
    world = msgspec.structs.replace(make(), invariants=rule)
    assert "few coins" in lacking(world, "random actions")


class Fussy(Action, frozen=True):
    words: Annotated[str, msgspec.Meta(max_length=5)]


def test_garbage_breaks_no_run_and_is_counted() -> None:
    world = msgspec.structs.replace(make(), roles=roles(actions=(Fussy, Give, Rest)))
    report = check_world(world, only=["garbage refused"])
    (found,) = report.about("garbage refused")
    assert found.verdict == "ok"
    assert int(found.what.split()[0]) > 50


class Telling(Rules):
    def __init__(self, metrics: Any = None, done: Any = None, event: Event | None = None) -> None:
        self.metrics, self.done, self.event = metrics, done, event

    def apply(self, state: State, decided: Any, events: Any, context: Any) -> Applied[State]:
        applied = super().apply(state, decided, events, context)
        return Applied(applied.state, [self.event] if self.event else [])

    def score(self, state: State) -> Mapping[str, Any]:
        return self.metrics(state) if self.metrics else super().score(state)

    def progress(self, state: State) -> Progress | None:
        return Progress(self.done(state)) if self.done else None


@pytest.mark.parametrize(
    ("engine", "check", "words"),
    [
        (Telling(metrics=lambda s: {}), "metrics", "no wealth"),
        (Telling(done=lambda s: -s.turn), "metrics", "went back"),
        (Telling(event=Event("x", visible_to=("zoe",))), "events", "'zoe', who has no seat"),
        (Telling(event=Event("x", actor="zoe")), "events", "'zoe', who has no seat"),
    ],
    ids=["no wealth", "backwards", "unknown viewer", "unknown actor"],
)
def test_what_it_tells_wrongly_is_found(engine: Any, check: str, words: str) -> None:
    assert words in lacking(make(engine=engine), check)


def test_a_headline_that_is_never_scored_is_found() -> None:
    assert "gdp" in lacking(make(headline=("gdp",)), "metrics")


def test_a_world_that_cannot_be_played_is_told_once() -> None:
    engine = Rules()
    engine.start = lambda scenario, context: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    report = check_world(make(engine=engine))
    assert [finding.check for finding in report.lacks] == ["it plays"]
    assert "ZeroDivisionError" in str(report)


def test_an_unknown_check_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no check 'beauty'"):
        check_world(make(), only=["beauty"])


def test_the_kit_needs_no_test_runner() -> None:
    code = "import sys, windtunnel.testing; print('pytest' in sys.modules or 'hypothesis' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


# --- stakes -------------------------------------------------------------------------------------------


_NUMBERS = itertools.count()


def _changes(state: State, actor: Any, action: Any) -> Stakes:
    state.turn += 1
    return Stakes()


@pytest.mark.parametrize(
    ("stakes", "words"),
    [
        (lambda state, actor, action: None, "returned None"),
        (lambda state, actor, action: Stakes(-1.0), "no amount"),
        (lambda state, actor, action: Stakes(float(action.amount)), "AttributeError"),
        (lambda state, actor, action: Stakes(float(next(_NUMBERS))), "asked twice"),
        (_changes, "changed the state"),
    ],
    ids=["nothing", "less than nothing", "not for every action", "another word each time", "changes"],
)
def test_stakes_that_a_policy_cannot_rely_on_are_found(stakes: Any, words: str) -> None:
    assert words in lacking(msgspec.structs.replace(make(), stakes=stakes), "stakes")


def test_a_world_that_says_nothing_of_its_stakes_lacks_nothing() -> None:
    report = check_world(make(), only=["stakes"], turns=3)
    assert [finding.verdict for finding in report.about("stakes")] == ["skipped"]
    sound = msgspec.structs.replace(make(), stakes=lambda state, actor, action: Stakes(1.0, "low"))
    assert [finding.verdict for finding in check_world(sound, only=["stakes"]).about("stakes")] == ["ok"]
