"""The log: a witness that forgets nothing that matters, and keeps no secret."""

from __future__ import annotations

import threading

import httpx
import pytest

from tests.testing.provider.clients import post as http_post
from tests.testing.provider.clients import until
from windtunnel.testing.provider import Exchange, Log, Provider, cut, hang, rate_limited

CHAT = {"model": "m", "messages": [{"role": "user", "content": "?"}]}


def post(provider: Provider, *, key: str = "", headers: dict[str, str] | None = None) -> httpx.Response:
    sent = dict(headers or {}) | ({"Idempotency-Key": key} if key else {})
    return http_post(provider.openai + "/chat/completions", json=CHAT, headers=sent)


def test_every_request_is_there_with_its_body_key_and_outcome() -> None:
    with Provider(["ready", rate_limited(1)]) as provider:
        post(provider, key="turn-1")
        post(provider)
    first, second = provider.log
    assert (first.number, first.key, first.keyed, first.outcome) == (1, "turn-1", True, "answered")
    assert (first.dialect, first.path, first.model) == ("openai-chat", "/v1/chat/completions", "m")
    assert first.body == CHAT
    assert (second.number, second.keyed, second.outcome, second.status) == (2, False, "failed", 429)
    assert (second.fault, second.usage.output) == ("Failure", 0)
    assert second.at >= first.at + first.took


def test_attempts_of_a_key_are_counted_and_of_a_body_without_one() -> None:
    with Provider() as provider:
        for key in ("a", "b", "a", "", "a", ""):
            post(provider, key=key)
    assert [exchange.attempt for exchange in provider.log] == [1, 1, 2, 1, 3, 2]
    assert [exchange.attempt for exchange in provider.log.of("a")] == [1, 2, 3]


def test_what_was_paid_again_is_what_was_answered_whole_more_than_once() -> None:
    with Provider([rate_limited(1), "ready", "ready", cut(), "ready", "ready", "ready"]) as provider:
        for key in ("a", "a", "b", "c", "c", "b", "b"):
            try:
                post(provider, key=key)
            except httpx.RemoteProtocolError:
                assert key == "c"
        for _ in range(2):
            provider.play("ready")
            post(provider)  # without a key nobody can tell whether it is the same call
    assert provider.log.paid_again() == {"b": 3}
    assert provider.log.paid_again(["a", "c"]) == {}
    assert provider.log.paid_again(["a", "b"]) == {"b": 3}


@pytest.mark.parametrize("header", ["Authorization", "x-api-key", "x-goog-api-key", "api-key", "Cookie"])
def test_no_secret_is_kept(header: str) -> None:
    with Provider() as provider:
        secret = "sk-very-secret"
        post(provider, headers={header: f"Bearer {secret}"})
        http_post(provider.url + "/v1beta/models/m:generateContent?key=" + secret, json={})
    assert b"secret" not in provider.log.as_json()
    assert provider.log[0].headers[header.lower()] == "(hidden)"


@pytest.mark.parametrize(
    "headers", [{"Authorization": "Bearer right"}, {"x-api-key": "right"}, {"x-goog-api-key": "right"}]
)
def test_only_the_right_key_is_taken(headers: dict[str, str]) -> None:
    with Provider(key="right") as provider:
        assert post(provider, headers=headers).status_code == 200
        wrong = {name: value + "er" for name, value in headers.items()}
        assert post(provider, headers=wrong).status_code == 401
        assert post(provider).status_code == 401
        contents = {"contents": [{"parts": [{"text": "?"}]}]}
        url = provider.url + "/v1beta/models/m:generateContent?key="
        assert http_post(url + "right", json=contents).status_code == 200
        assert http_post(url + "wrong", json=contents).status_code == 401


def test_beyond_the_most_at_once_there_are_429() -> None:
    with Provider(hang(), most_at_once=3) as provider:
        statuses: list[int] = []
        threads = [
            threading.Thread(target=lambda: statuses.append(post(provider).status_code)) for _ in range(5)
        ]
        for thread in threads:
            thread.start()
        until(lambda: provider.log.totals.failed == 2 and provider.log.totals.asked == 5)
        assert provider.release() == 3
        for thread in threads:
            thread.join(20)
    assert sorted(statuses) == [200, 200, 200, 429, 429]
    totals = provider.log.totals
    assert (totals.asked, totals.answered, totals.failed, totals.busy) == (5, 3, 2, 0)
    assert totals.most_at_once == 4  # three that hang, and one that is being refused


def test_the_log_keeps_the_last_and_counts_all() -> None:
    with Provider(keep=3) as provider:
        for number in range(5):
            post(provider, key=str(number))
    assert [exchange.key for exchange in provider.log] == ["2", "3", "4"]
    assert provider.log.totals.asked == provider.log.totals.answered == 5
    assert provider.log.totals.output == 5 * 2


def test_what_became_of_a_request_first_stands() -> None:
    log = Log(keep=9)
    exchange = Exchange(number=1, key="a", attempt=1, dialect="gemini", path="/", at=1.0)
    log.begin(exchange)
    log.end(exchange, "cut", 2.5)
    log.end(exchange, "gone", 9.0)
    assert (exchange.outcome, exchange.took) == ("cut", 1.5)
    assert (log.totals.cut, log.totals.gone, log.totals.busy) == (1, 0, 0)
