"""A budget holds to the micro-dollar: among many calls at once, after kills and resumes, across runs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.faults import ledgers
from tests.faults.bank import KEY, SECRET, bank, civil, models, scenario
from windtunnel.config.models import Retry
from windtunnel.journal import Status
from windtunnel.models.budget import Amount
from windtunnel.models.hub import Hub
from windtunnel.models.settings import OFFLINE
from windtunnel.run import calls
from windtunnel.run.begin import begin
from windtunnel.run.session import play_run
from windtunnel.testing.lab import Lab
from windtunnel.testing.provider import Answer, Provider, Request, Usage, hang, unavailable

pytestmark = pytest.mark.slow
CENT = 10_000
WORST = re.compile(r"could take \$([\d.]+)")


def hub_of(provider: Provider, **more: Any) -> Hub:
    return Hub(models(provider.openai, concurrency=100, **more), environ={KEY: SECRET})


def worst_of_first_turn(folder: Path) -> int:
    """What one call of turn 1 could take: read from the refusal of a run that has no money."""
    with Provider(civil) as provider, Lab(bank(), folder=folder, hub=hub_of(provider, money=0.0)) as lab:
        row = lab.play(scenario(0, 100, turns=1, concurrency=100))
        assert row.status is Status.PAUSED
        assert len(provider.log) == 0, "a call went out that the budget did not hold"
        found = WORST.search(row.reason or "")
        assert found
        return round(float(found[1]) * 1_000_000)


def test_of_100_calls_for_the_last_cent_one_wins_and_the_run_asks_for_more(tmp_path: Path) -> None:
    """A call of the first turn may take about half a cent: two do not fit into what is given here."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    worst = worst_of_first_turn(tmp_path / "a") + 2  # some prompts carry a longer name
    waits = Retry(attempts=1)

    def expensive(request: Request) -> Answer | str:
        answered = civil(request)
        usage = Usage(worst - 64, 60)  # so near to what was reserved that no second one fits after it
        return Answer(answered, usage=usage)

    with Provider(expensive) as provider:
        hub = hub_of(provider, money=worst / 1_000_000, retry=waits)
        with Lab(bank(), folder=tmp_path / "b", hub=hub) as lab:
            row = lab.play(scenario(0, 100, turns=1, concurrency=100))
            assert row.status is Status.PAUSED
            assert "budget" in (row.reason or "")
            assert "--budget" in (row.reason or "")
            assert len(provider.log) == 1
            assert len(ledgers.durable(lab)) == 1
            account = ledgers.account(lab, hub)
            assert account.spent.money == sum(map(ledgers.bill, provider.log)) <= worst
            assert account.doubtful == Amount(), "nobody asked for what the budget refused"
            assert lab.go().status is Status.PAUSED, "the same money is as little the second time"
            assert len(provider.log) == 1
            assert ledgers.account(lab, hub).doubtful == Amount()
            assert lab.go(budget=1.0).status is Status.COMPLETED
            assert len(provider.log) == 100
            assert provider.log.paid_again() == {}
            assert lab.operations("effect_in_doubt") == []
            account = ledgers.account(lab, hub)
            assert (account.spent.money, account.doubtful.money) == (sum(map(ledgers.bill, provider.log)), 0)
            assert lab.replay().identical


def test_an_account_is_the_same_after_many_resumes_with_and_without_balances(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Failures that may be billed stay reserved, once each; a balance now and then changes nothing."""
    monkeypatch.setattr(calls, "OFTEN", 3)

    def moody(request: Request) -> Answer | str:
        if request.attempt == 1 and request.number % 3 == 0:
            return hang(seconds=None)
        return unavailable() if request.attempt < 3 and request.number % 4 == 0 else civil(request)

    with Provider(moody) as provider:
        hub = hub_of(provider, money=1.0, timeout=0.5)
        with Lab(bank(), folder=tmp_path, hub=hub) as lab:
            lab.begin(scenario(2, 2, turns=6))
            for turn in range(1, 6):
                lab.go(stop_after=turn)
                account = ledgers.account(lab, hub)
                assert (account.spent.money, account.doubtful.money) == ledgers.told(lab)
            assert lab.go().status is Status.COMPLETED
            ledgers.agree(lab, provider.log)
            account = ledgers.account(lab, hub)
            assert (account.spent.money, account.doubtful.money) == ledgers.told(lab)
            assert account.doubtful.money > 0
            assert len(lab.operations("model_balance")) > 6, "no balance was written on the way"


def cut_short(lab: Lab, hub: Hub, when: Callable[[], bool]) -> None:
    """Play, and cancel the play from outside as a program does that hosts it."""

    async def host() -> None:
        play = asyncio.ensure_future(play_run(lab.store, lab.world, "run", hub=hub))
        for _ in range(3000):
            if when() or play.done():
                break
            await asyncio.sleep(0.01)
        play.cancel()
        await asyncio.gather(play, return_exceptions=True)
        await hub.aclose()

    asyncio.run(host())


def test_a_call_that_its_host_cut_off_is_reserved_once(tmp_path: Path) -> None:
    with Provider(lambda request: hang() if request.attempt < 3 else civil(request)) as provider:
        hub = hub_of(provider, money=1.0)
        with Lab(bank(), folder=tmp_path, hub=hub) as lab:
            lab.begin(scenario(0, 1, turns=1))
            cut_short(lab, hub, lambda: len(provider.log) == 1)
            worst = ledgers.account(lab, hub).doubtful
            assert worst.money > 0
            cut_short(lab, hub, lambda: len(provider.log) == 2)
            assert ledgers.account(lab, hub).doubtful == Amount(2 * worst.money, 2 * worst.tokens)
            assert lab.go().status is Status.COMPLETED
            assert len(provider.log) == 3
            assert len(lab.operations("effect_in_doubt")) == len(lab.operations("model_doubt")) == 2
            account = ledgers.account(lab, hub)
            assert account.doubtful.money == 2 * worst.money
            assert account.spent.money == ledgers.bill(provider.log[2])


def test_two_runs_under_one_budget_of_their_workspace_never_exceed_it(tmp_path: Path) -> None:
    """Two processes' worth: each has a gateway of its own, and only the workspace's file in common."""
    limit = 6 * CENT
    with Provider(civil, latency=0.01) as provider:
        words = models(provider.openai, workspace=limit / 1_000_000, concurrency=20)
        hubs = [Hub(words, environ={KEY: SECRET}, home=tmp_path / "home") for _ in range(2)]
        with Lab(bank(), folder=tmp_path) as lab:
            for name in ("one", "two"):
                begin(lab.store, lab.world, scenario(4, 6, turns=20, seed=7), name)

            async def both() -> list[Any]:
                work: list[Coroutine[Any, Any, Any]] = [
                    play_run(lab.store, lab.world, name, hub=hub)
                    for name, hub in zip(("one", "two"), hubs, strict=True)
                ]
                rows = await asyncio.gather(*work)
                for hub in hubs:
                    await hub.aclose()
                return rows

            rows = asyncio.run(both())
            assert {row.status for row in rows} == {Status.PAUSED}, "both are to find it spent"
            assert all("workspace" in (row.reason or "") for row in rows), rows
            billed = sum(map(ledgers.bill, provider.log))
            assert limit * 0.5 < billed <= limit
            spent, reserved = hubs[0].gateway.ledger().totals("workspace")
            assert (spent.money, reserved.money) == (billed, 0)
            accounts = [ledgers.account(lab, hubs[0], name) for name in ("one", "two")]
            assert sum(account.spent.money for account in accounts) == billed
            hubs[0].gateway.ledger().close()


def test_a_budget_is_needed_by_no_replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Provider(civil) as provider:
        hub = hub_of(provider, money=1.0)
        lab = Lab(bank(), folder=tmp_path, hub=hub)
        assert lab.play(scenario(1, 1, turns=2)).status is Status.COMPLETED
    monkeypatch.setenv(OFFLINE, "1")
    with lab:
        assert lab.replay().identical
