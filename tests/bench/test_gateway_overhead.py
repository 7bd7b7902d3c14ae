"""The bench of the gateway: that what it calls ours is all of it, and what it counts from."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bench import callers, gateway_overhead
from bench.asking import Asking, question
from bench.playing import RUN
from windtunnel.codec import decode_body
from windtunnel.testing.provider import Provider


def figures(**cpu_ms: float) -> dict[str, Any]:
    return {name.replace("_", "-"): {"cpu_ms": at, "rate": 1.0, "busy": 1.0} for name, at in cpu_ms.items()}


def test_what_is_added_counts_from_the_cheaper_raw_client() -> None:
    found = gateway_overhead.added(figures(httpx=5.0, httpx_apart=1.0, litellm=6.0, ours=3.0))
    assert found == {"litellm": 5.0, "ours": 2.0}
    assert gateway_overhead.added(figures(ours=3.0)) == {}


def test_the_headline_is_the_worse_of_the_concurrencies() -> None:
    one = figures(httpx=1.0, litellm=6.0, ours=3.0)  # 5 against 2
    many = figures(httpx=1.0, litellm=7.0, ours=2.0)  # 6 against 1
    said = gateway_overhead.result({1: one, 64: many}, 100)
    assert (said.ours, said.peer, said.ratio) == (2.0, 5.0, 2.5)
    assert said.more["concurrency"] == 1
    assert said.more["ratios"] == {"at 1": 2.5, "at 64": 6.0}


def test_who_adds_nothing_is_not_infinitely_better() -> None:
    said = gateway_overhead.result({1: figures(httpx=1.0, litellm=2.0, ours=0.9)}, 100)
    assert said.ratio == 1.0 / gateway_overhead.SMALLEST


def test_without_the_router_there_is_no_ratio() -> None:
    said = gateway_overhead.result({1: figures(httpx=1.0, ours=3.0)}, 100)
    assert (said.ours, said.peer, said.ratio) == (2.0, None, None)


@pytest.mark.slow
def test_every_question_of_ours_is_recorded_counted_and_noted(tmp_path: Path) -> None:
    async def played(url: str) -> Asking:
        ask = question("trader", callers.SYSTEM, callers.PROMPT)
        async with callers.hub_to(url) as hub:
            run = Asking(tmp_path / "ours.sqlite", hub, ask, agents=3, turns=2)
            assert (await run.play()).turn == 2
            return run

    with Provider(callers.ANSWER) as provider:
        run = asyncio.run(played(provider.openai))
        assert provider.log.totals.answered == 6
        assert provider.log.paid_again() == {}
        assert len({exchange.key for exchange in provider.log}) == 6
    effects = [effect for turn in (1, 2) for effect in run.store.effects(RUN, turn)]
    assert [decode_body(effect.result or b"")["ok"]["text"] for effect in effects] == [callers.ANSWER] * 6
    noted = [one for one in run.store.operations(RUN) if one.kind == "model_attempt"]
    assert len(noted) == 6
    assert run.said() == 6 * len(callers.ANSWER)
    assert run.purse.spent.money == sum(decode_body(one.body)["cost"] for one in noted) > 0
    assert run.purse.reserved == (0, 0)
    run.store.close()


def test_calls_are_as_many_in_flight_as_asked() -> None:
    busy: list[int] = []
    under_way = 0

    async def call() -> str:
        nonlocal under_way
        under_way += 1
        busy.append(under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return callers.ANSWER

    found = asyncio.run(callers.drive(call, 4, 20))
    assert len(busy) == 4 + 20  # the first of each are not measured
    assert max(busy[:4]) == max(busy[4:]) == 4
    assert set(found) == {"cpu_ms", "rate", "busy"}


def test_an_answer_that_was_not_given_ends_the_trial() -> None:
    async def call() -> str:
        return "something else"

    with pytest.raises(AssertionError, match="not what was answered"):
        asyncio.run(callers.drive(call, 1, 1))


def test_a_client_that_ended_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    with (
        gateway_overhead.started("nobody", "http://127.0.0.1:9/v1") as caller,
        pytest.raises(RuntimeError, match="nobody"),
    ):
        caller.trial(1, 1)
    assert "KeyError" in capfd.readouterr().err
