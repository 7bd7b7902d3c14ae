"""SIGKILL at every moment that has a name, at moments that have none, and again during the resume."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.faults.disk import Fault
from tests.faults.lab import Case, Server, State
from windtunnel.journal import Status

WORLDS = {"rules": 30, "asking": 5, "people": 6}


class Uncut:
    """A run that nobody stopped, and the moments it passed."""

    def __init__(self, server: Server, folder: Path, world: str, turns: int) -> None:
        self.start = Case(server, folder / "start", world, turns).begin()
        self.case = self.start.copy(folder / "uncut")
        told = self.case.play(note=True).told
        assert told["status"] == "completed", told
        self.points: list[str] = told["points"]
        self.state = self.case.sound()
        assert max(self.case.outside.performed().values(), default=0) <= 1


@pytest.fixture(scope="module", params=WORLDS)
def uncut(request, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Uncut:
    return Uncut(server, tmp_path_factory.mktemp(request.param), request.param, WORLDS[request.param])


def finish(case: Case, clean: State) -> State:
    """Resume it until it has ended, and hold it against the run never stopped."""
    before = case.sound()
    paid = case.outside.performed()
    life = case.play()
    assert not life.killed
    assert life.told.get("status") == "completed", life.told
    after = case.survives(before, clean)
    assert after.status is Status.COMPLETED
    asked_again(case, before, paid)
    return after


def asked_again(case: Case, before: State, paid: dict[str, int]) -> None:
    """What was durable is not asked for again; what was in doubt went the way its kind declares."""
    now, heard = case.outside.performed(), case.outside.heard()
    looked = {asked.key for asked in heard if asked.what == "look"}
    for key, effect in before.effects.items():
        more = now[key] - paid.get(key, 0)
        if effect.result is not None:
            assert more == 0, f"{effect.name} was durable, and was asked for again"
        elif effect.kind == "quote":
            assert more == 1, f"{effect.name} was in doubt, and was not tried again with its key"
        elif effect.kind == "order":
            assert key in looked, f"{effect.name} was in doubt, and nobody asked the other side"
            assert now[key] == 1, f"{effect.name} happened {now[key]} times"
        elif effect.kind == "wire":
            assert more == 0, f"{effect.name} was in doubt, and was not held for a person"
    effects = case.look().effects
    for asked in heard:
        assert not asked.what.startswith("unsafe"), f"before it was durable: {asked}"
        assert asked.key in effects, "a call was made whose intent was never durable"
        assert asked.kind == "quote" or now[asked.key] <= 1


def kill_everywhere(uncut: Uncut, folder: Path, moments: list[int]) -> None:
    for moment in moments:
        case = uncut.start.copy(folder / f"{moment}")
        assert case.play(kill_at=moment).killed, f"moment {moment} ({uncut.points[moment]}) did not come"
        try:
            finish(case, uncut.state)
        except AssertionError as error:
            error.add_note(f"killed at moment {moment}: {uncut.points[moment]}")
            raise


def sample(points: list[str], random: Random, most: int) -> list[int]:
    """Each kind of moment at least once, then others at random."""
    kinds: dict[str, list[int]] = {}
    for number, name in enumerate(points):
        kinds.setdefault(name, []).append(number)
    chosen = [random.choice(numbers) for numbers in kinds.values()]
    rest = [number for number in range(len(points)) if number not in chosen]
    return sorted(chosen + random.sample(rest, min(len(rest), max(0, most - len(chosen)))))


@pytest.mark.slow
def test_a_kill_at_each_kind_of_moment_loses_nothing_and_pays_nothing_twice(
    uncut: Uncut, tmp_path: Path, random: Random
) -> None:
    names = {name.partition(".")[0] for name in uncut.points}
    assert {"commit", "phase", "checkpoint", "heads", "seal"} <= names
    kill_everywhere(uncut, tmp_path, sample(uncut.points, random, 24))


@pytest.mark.soak
def test_a_kill_at_every_moment_loses_nothing_and_pays_nothing_twice(uncut: Uncut, tmp_path: Path) -> None:
    kill_everywhere(uncut, tmp_path, list(range(len(uncut.points))))


def lives_until_the_end(uncut: Uncut, case: Case, plans: list[dict[str, int | float]]) -> None:
    """Kill it again and again on its way; then let it end."""
    case.play(**plans[0])
    for plan in plans[1:]:
        before, paid = case.sound(), case.outside.performed()
        case.play(**plan)
        case.survives(before, uncut.state)
        now = case.outside.performed()
        for key in before.answered:
            assert now[key] == paid[key], f"{before.effects[key].name} was durable, and was asked for again"
    if case.look().status is Status.COMPLETED:
        case.survives(case.look(), uncut.state)
    else:
        finish(case, uncut.state)


def kills_in_a_row(uncut: Uncut, folder: Path, random: Random, rounds: int) -> None:
    for number in range(rounds):
        # The first kill comes late, those after it early: in the midst of taking the run up again.
        first = random.randrange(len(uncut.points) // 3, len(uncut.points))
        plans: list[dict[str, int | float]] = [{"kill_at": first}]
        plans += [{"kill_at": random.randrange(40)} for _ in range(4)]
        try:
            lives_until_the_end(uncut, uncut.start.copy(folder / f"{number}"), plans)
        except AssertionError as error:
            error.add_note(f"kills: {plans}")
            raise


@pytest.mark.slow
def test_kills_during_the_resume_change_nothing(uncut: Uncut, tmp_path: Path, random: Random) -> None:
    kills_in_a_row(uncut, tmp_path, random, 3)


@pytest.mark.soak
def test_many_kills_during_the_resume_change_nothing(uncut: Uncut, tmp_path: Path, random: Random) -> None:
    kills_in_a_row(uncut, tmp_path, random, 60)


def kills_at_calls(uncut: Uncut, folder: Path, random: Random, rounds: int) -> None:
    calls = uncut.start.copy(folder / "count").server.live(uncut.start.copy(folder / "counted").job("count"))
    total = calls.told["value"]
    for number in range(rounds):
        plan: dict[str, int | float] = {"kill_at_call": random.randrange(total)}
        try:
            lives_until_the_end(uncut, uncut.start.copy(folder / f"{number}"), [plan])
        except AssertionError as error:
            error.add_note(f"killed at call {plan} of {total}")
            raise


@pytest.mark.slow
def test_a_kill_at_any_call_of_a_function_changes_nothing(
    uncut: Uncut, tmp_path: Path, random: Random
) -> None:
    kills_at_calls(uncut, tmp_path, random, 5)


@pytest.mark.soak
def test_a_kill_at_200_random_calls_changes_nothing(uncut: Uncut, tmp_path: Path, random: Random) -> None:
    kills_at_calls(uncut, tmp_path, random, 200)


@pytest.mark.soak
def test_a_kill_after_100_random_times_changes_nothing(uncut: Uncut, tmp_path: Path, random: Random) -> None:
    """The machine's own moments, inside the system's calls too. Which they are cannot be reproduced."""
    for number in range(100):
        plans: list[dict[str, int | float]] = [{"kill_after": random.random() * 0.1}]
        lives_until_the_end(uncut, uncut.start.copy(tmp_path / f"{number}"), plans)


def power_cuts(uncut: Uncut, folder: Path, random: Random, rounds: int) -> None:
    counted = uncut.start.copy(folder / "count").play(fault=Fault("count")).told
    total = sum(counted["writes"].values())
    assert counted["writes"]["sync"] > 3
    for number in range(rounds):
        fault = Fault("power", random.randrange(total), seed=random.randrange(1 << 32))
        case = uncut.start.copy(folder / f"{number}")
        assert case.play(fault=fault).killed
        try:
            finish(case, uncut.state)
        except AssertionError as error:
            error.add_note(f"the power went: {fault}")
            raise


@pytest.mark.slow
def test_what_was_committed_survives_a_power_cut(uncut: Uncut, tmp_path: Path, random: Random) -> None:
    power_cuts(uncut, tmp_path, random, 6)


@pytest.mark.soak
def test_what_was_committed_survives_300_power_cuts(uncut: Uncut, tmp_path: Path, random: Random) -> None:
    power_cuts(uncut, tmp_path, random, 300)
