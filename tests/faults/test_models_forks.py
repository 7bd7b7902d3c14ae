"""What agents who ask models remember, and pay, across pauses and forks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.faults import ledgers
from tests.faults.bank import KEY, SECRET, Say, bank, civil, models, scenario
from windtunnel.journal import Status
from windtunnel.models.hub import Hub
from windtunnel.run.fork import Change
from windtunnel.testing.lab import Lab
from windtunnel.testing.provider import Provider
from windtunnel.world import Scenario, World

pytestmark = pytest.mark.slow


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(civil) as provider:
        yield provider


def ruled_bank() -> World:
    world = bank()
    rules = {"quiet": lambda _seen, _context: Say("nothing to say")}
    return replace(world, roles={name: replace(role, policies=rules) for name, role in world.roles.items()})


def laboratory(provider: Provider, folder: Path, money: float = 1.0) -> tuple[Lab, Hub]:
    hub = Hub(models(provider.openai, money=money), environ={KEY: SECRET})
    return Lab(ruled_bank(), folder=folder, hub=hub), hub


def test_many_minds_come_back_from_a_checkpoint_in_their_order(provider: Provider, tmp_path: Path) -> None:
    lab, _ = laboratory(provider, tmp_path)
    with lab:
        lab.begin(scenario(4, 5, turns=3), "whole")
        lab.begin(scenario(4, 5, turns=3))
        assert lab.go("whole").status is Status.COMPLETED
        for turn in (1, 2):
            lab.go(stop_after=turn)
        assert lab.go().status is Status.COMPLETED
        assert lab.bodies("consolidated") == lab.bodies("consolidated", run_id="whole")
        assert lab.replay().identical
        assert lab.at(3).tape.turn == 3


def seated(*, llm: set[str]) -> Change:
    def edit(scenario: Scenario) -> Scenario:
        agents = [one if one.id in llm else replace(one, kind="rule", settings={}) for one in scenario.agents]
        return replace(scenario, agents=tuple(agents))

    return Change(edit=edit)


@pytest.mark.parametrize("llm", [{"t1"}, set()], ids=["one", "none"])
def test_a_fork_that_seats_rules_ends_the_same_whether_or_not_it_is_paused(
    llm: set[str], provider: Provider, tmp_path: Path
) -> None:
    lab, _ = laboratory(provider, tmp_path)
    with lab:
        lab.play(scenario(2, 2, turns=4))
        for name in ("whole", "paused"):
            lab.fork("2", name, change=seated(llm=llm))
        lab.go("whole")
        lab.go("paused", stop_after=3)
        assert lab.go("paused").status is Status.COMPLETED
        ends = [lab.bodies("consolidated", run_id=name) for name in ("whole", "paused")]
        assert ends[0] == ends[1]
        assert lab.replay("paused").identical


def test_a_fork_has_an_account_of_its_own(provider: Provider, tmp_path: Path) -> None:
    lab, hub = laboratory(provider, tmp_path)
    with lab:
        lab.play(scenario(1, 1, turns=4))
        spent = ledgers.account(lab, hub).spent.money
        heard = len(provider.log)
        lab.fork("2")
        lab.go("fork", stop_after=3)
        lab.go("fork", budget=0.5)
        own = ledgers.account(lab, hub, "fork")
        billed = sum(ledgers.bill(one) for one in list(provider.log)[heard:])
        assert own.spent.money == billed > 0, "what the parent paid is not the fork's to pay"
        assert own.ceiling.money == 500_000
        assert ledgers.account(lab, hub).spent.money == spent == sum(map(ledgers.bill, provider.log)) - billed
