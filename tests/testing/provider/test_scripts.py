"""Scripts, storms and latencies: what is answered, and that the same is answered again."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import httpx
import pytest

from tests.testing.provider.clients import post
from windtunnel.errors import UsageError
from windtunnel.testing.provider import Answer, LongTail, Provider, Request, ScriptEnded, rate_limited, storm
from windtunnel.testing.provider.scripts import Script


def said(provider: Provider, text: str = "?", key: str = "") -> tuple[int, str]:
    body = {
        "model": "m",
        "messages": [{"role": "system", "content": "a ledger"}, {"role": "user", "content": text}],
    }
    headers = {"idempotency-key": key} if key else {}
    answer = post(provider.openai + "/chat/completions", json=body, headers=headers)
    told = answer.json()
    if answer.status_code != 200:
        return answer.status_code, told["error"]["message"]
    return 200, told["choices"][0]["message"]["content"]


def test_a_list_is_answered_in_order() -> None:
    with Provider(["one", Answer("two"), rate_limited()]) as provider:
        assert [said(provider)[1] for _ in range(2)] == ["one", "two"]
        assert said(provider)[0] == 429


def test_a_list_that_has_ended_is_told_to_client_and_test() -> None:
    def test() -> None:
        with Provider(["one"]) as provider:
            said(provider)
            told.append(said(provider))

    told: list[tuple[int, str]] = []
    with pytest.raises(ScriptEnded, match="has 1 answers; request 2"):
        test()
    assert told[0][0] == 500
    assert "has 1 answers" in told[0][1]


def test_rules_answer_by_what_was_said_last_then_by_all_that_was_said() -> None:
    rules: Script = {
        "ledger": "from the system",
        r"pay\s+(\w+)": ["first", "second"],
        "why": lambda r: r.last,
    }
    with Provider(rules) as provider:
        assert said(provider, "pay bob")[1] == "first"
        assert said(provider, "pay\nbob")[1] == "second"
        assert said(provider, "why?")[1] == "why?"
        assert said(provider, "hello")[1] == "from the system"


def test_what_no_rule_knows_is_told_to_client_and_test() -> None:
    with pytest.raises(ScriptEnded, match="no rule knows"), Provider({"pay": "paid"}) as provider:
        assert said(provider, "hello")[0] == 500


def test_a_function_that_answers_nothing_answers_an_empty_text() -> None:
    with Provider(lambda _: None) as provider:
        assert said(provider) == (200, "")


def test_a_script_that_raises_fails_the_test_that_wrote_it() -> None:
    def script(request: Request) -> str:
        raise ZeroDivisionError(request.last)

    def test() -> None:
        with Provider(script) as provider:
            told.append(said(provider, "hello"))

    told: list[tuple[int, str]] = []
    with pytest.raises(ZeroDivisionError, match="hello"):
        test()
    assert told[0][0] == 500
    assert "hello" in told[0][1]


def test_the_tests_own_error_is_not_hidden_by_the_scripts() -> None:
    def test() -> None:
        with Provider([]) as provider:
            said(provider)
            raise AssertionError("mine")

    with pytest.raises(AssertionError, match="mine"):
        test()


def test_another_script_may_be_played_half_way() -> None:
    with Provider("one") as provider:
        assert said(provider)[1] == "one"
        provider.play("two")
        assert said(provider)[1] == "two"


SHARES = {"rate_limited": 0.2, "unavailable": 0.1, "garbage": 0.1}


def _storm(keys: list[str], seed: int = 7, at_once: int = 1) -> dict[str, str]:
    with Provider(storm("ready", SHARES, seed=seed)) as provider:
        with ThreadPoolExecutor(at_once) as pool, httpx.Client(timeout=60) as client:
            body = {"model": "m", "messages": [{"role": "user", "content": "?"}]}
            url = provider.openai + "/chat/completions"
            list(pool.map(lambda key: client.post(url, json=body, headers={"idempotency-key": key}), keys))
        return {exchange.key: f"{exchange.fault} {exchange.status}" for exchange in provider.log}


@pytest.mark.slow
def test_a_storm_hits_the_same_calls_in_whatever_order_they_come() -> None:
    keys = [f"call-{number}" for number in range(120)]
    first = _storm(keys)
    assert _storm(keys[::-1], at_once=8) == first
    assert _storm(keys, seed=8) != first


@pytest.mark.slow
def test_a_storm_hits_by_its_shares() -> None:
    found = Counter(_storm([f"call-{number}" for number in range(400)]).values())
    assert found["Failure 429"] == pytest.approx(80, abs=32)
    assert found["Failure 503"] == pytest.approx(40, abs=24)
    assert found["Garbage 200"] == pytest.approx(40, abs=24)
    assert found[" 200"] == pytest.approx(240, abs=40)


def test_an_attempt_is_drawn_anew() -> None:
    with Provider(storm("ready", {"unavailable": 0.5})) as provider:
        statuses = [said(provider, key="same")[0] for _ in range(40)]
    assert set(statuses) == {200, 503}


@pytest.mark.parametrize(
    ("shares", "words"),
    [({"hail": 0.1}, "hail"), ({"cut": 0.7, "hang": 0.4}, "at most 1"), ({"cut": -0.1}, "at least 0")],
)
def test_a_storm_that_cannot_be_is_refused(shares: dict[str, float], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        storm("ready", shares)


def test_latencies_have_their_median_and_a_long_tail_and_come_again() -> None:
    tail = LongTail(median=0.5, seed=3)
    drawn = sorted(tail.of(f"call-{number}") for number in range(4000))
    assert median(drawn) == pytest.approx(0.5, rel=0.05)
    assert drawn[3960] == pytest.approx(2.0, rel=0.25)
    assert drawn[0] > 0
    assert [tail.of(f"call-{number}") for number in (5, 6)] == [
        tail.of(f"call-{number}") for number in (5, 6)
    ]
    assert tail.of("call-5", 2) != tail.of("call-5", 1)
    assert max(LongTail(1, most=1.5).of(str(number)) for number in range(100)) == 1.5


def test_an_answer_comes_after_its_latency() -> None:
    tail = LongTail(median=0.03, seed=3)
    with Provider(latency=tail) as provider:
        for key in ("a", "b", "c"):
            said(provider, key=key)
        provider.play(Answer("ready", delay=0.05))
        said(provider, key="d")
    slept = [tail.of(key) for key in ("a", "b", "c")] + [tail.of("d") + 0.05]
    for exchange, least in zip(provider.log, slept, strict=True):
        assert exchange.took >= least - 0.002  # the loop's clock has a grain


def test_a_provider_that_cannot_start_says_so() -> None:
    with Provider() as first, pytest.raises(UsageError, match=str(first.port)), Provider(port=first.port):
        pass
