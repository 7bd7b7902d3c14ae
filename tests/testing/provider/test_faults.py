"""What goes wrong, as the providers' own SDKs meet it."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.testing.provider.clients import ask, every, post, until
from windtunnel.testing.provider import (
    FAULTS,
    Answer,
    Call,
    Provider,
    broken,
    cut,
    drip,
    failing,
    garbage,
    hang,
    huge,
    out_of_quota,
    payment_required,
    rate_limited,
    too_long,
    unauthorized,
    unavailable,
    wrong_tool,
)

pytestmark = pytest.mark.slow  # the clients of all providers take seconds to import
EVERY = pytest.mark.parametrize(("dialect", "stream"), list(every()))
STATUSES = {429: rate_limited, 401: unauthorized, 402: payment_required, 503: unavailable}
CHAT = {"model": "m", "messages": [{"role": "user", "content": "?"}]}


def _status(error: Exception) -> int:
    for found in (getattr(error, "status_code", None), getattr(error, "code", None)):
        if isinstance(found, int):
            return found
    assert isinstance(error, httpx.HTTPStatusError), repr(error)
    return error.response.status_code


@EVERY
def test_a_failure_reaches_the_client_as_its_status(dialect: str, stream: bool) -> None:
    with Provider(lambda request: failing(int(request.last), "no, thank you")) as provider:
        for status in (400, 401, 402, 403, 404, 429, 500, 503, 529):
            with pytest.raises(Exception, match=r".") as caught:
                ask(provider, dialect, str(status), stream=stream)
            assert _status(caught.value) == status
            if dialect != "ollama":
                assert "no, thank you" in str(caught.value)
    assert provider.log.totals.failed == 9


@pytest.mark.parametrize("status", STATUSES)
def test_each_named_failure_has_its_status(status: int) -> None:
    with Provider(STATUSES[status]()) as provider:
        assert post(provider.openai + "/chat/completions", json=CHAT).status_code == status


def test_the_sdk_knows_the_kind_of_error() -> None:
    import anthropic
    import openai

    with Provider(lambda request: failing(int(request.last))) as provider:
        kinds: dict[str, type[Exception]] = {
            "429": openai.RateLimitError,
            "401": openai.AuthenticationError,
            "503": openai.InternalServerError,
        }
        for status, kind in kinds.items():
            with pytest.raises(kind):
                ask(provider, "openai-chat", status)
        with pytest.raises(anthropic.RateLimitError, match="rate_limit_error"):
            ask(provider, "anthropic", "429")


@pytest.mark.parametrize("after", [2, 0.25, "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_retry_after_is_told(after: float | str) -> None:
    with Provider(rate_limited(after)) as provider:
        answer = post(provider.openai + "/chat/completions", json=CHAT)
        assert answer.headers["retry-after"] == str(after)
        assert post(provider.openai + "/chat/completions", json=CHAT).status_code == 429
        provider.play(rate_limited(None))
        assert "retry-after" not in post(provider.openai + "/chat/completions", json=CHAT).headers


def test_the_sdks_own_retry_honours_retry_after_and_comes_back_with_the_same_key() -> None:
    import openai

    with Provider([rate_limited(0.01), "ready"]) as provider:
        with openai.OpenAI(base_url=provider.openai, api_key="any", max_retries=1) as client:
            asked: Any = CHAT["messages"]
            key = {"Idempotency-Key": "turn-3"}
            client.chat.completions.create(model="m", messages=asked, extra_headers=key)
        assert [(e.key, e.attempt, e.status) for e in provider.log] == [
            ("turn-3", 1, 429),
            ("turn-3", 2, 200),
        ]
        assert provider.log.paid_again() == {}


def test_gemini_tells_when_to_come_back_in_its_body_too() -> None:
    with Provider(rate_limited(3)) as provider:
        body = {"contents": [{"parts": [{"text": "?"}]}]}
        error = post(provider.url + "/v1beta/models/m:generateContent", json=body).json()["error"]
    assert error["status"] == "RESOURCE_EXHAUSTED"
    assert error["details"][0]["retryDelay"] == "3s"


@pytest.mark.parametrize(
    ("dialect", "status", "words"),
    [
        ("openai-chat", 429, "insufficient_quota"),
        ("openai-responses", 429, "insufficient_quota"),
        ("anthropic", 400, "credit balance is too low"),
        ("gemini", 429, "exceeded your current quota"),
    ],
)
def test_an_empty_account_is_told_as_each_provider_tells_it(dialect: str, status: int, words: str) -> None:
    with Provider(out_of_quota()) as provider, pytest.raises(Exception, match=r".") as caught:
        ask(provider, dialect)
    assert _status(caught.value) == status
    assert words in f"{caught.value} {getattr(caught.value, 'code', '')}"


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        ("openai-chat", "context_length_exceeded"),
        ("openai-responses", "context_length_exceeded"),
        ("anthropic", "prompt is too long"),
        ("gemini", "exceeds the maximum number of tokens"),
    ],
)
def test_a_prompt_that_does_not_fit_is_told_as_each_provider_tells_it(dialect: str, words: str) -> None:
    with Provider(too_long()) as provider, pytest.raises(Exception, match=r".") as caught:
        ask(provider, dialect)
    assert _status(caught.value) == 400
    assert words in f"{caught.value} {getattr(caught.value, 'code', '')}"


@EVERY
@pytest.mark.parametrize("after", [0.0, 0.5])
def test_a_cut_answer_is_an_error_of_the_connection(dialect: str, stream: bool, after: float) -> None:
    with Provider(cut("x" * 400, after=after)) as provider:
        with pytest.raises(Exception, match=r"(?i)connection|peer|disconnect|incomplete|server"):
            ask(provider, dialect, stream=stream)
        assert provider.log[0].outcome == "cut"
        assert provider.log.totals.output == 0


@EVERY
@pytest.mark.parametrize("after", [0.0, 0.5])
def test_a_hung_answer_runs_into_the_clients_limit(dialect: str, stream: bool, after: float) -> None:
    with Provider(hang("x" * 400, after=after)) as provider:
        with pytest.raises(Exception, match=r"(?i)time"):
            ask(provider, dialect, stream=stream, timeout=0.2)
        until(lambda: provider.log[0].outcome == "gone")
        assert provider.release() == 0  # nothing goes on for a client that left
    assert provider.log.totals.answered == 0


@EVERY
@pytest.mark.parametrize("after", [0.0, 0.5])
def test_a_hung_answer_goes_on_when_released(dialect: str, stream: bool, after: float) -> None:
    text = "ready " * 50
    with Provider(hang(text, after=after)) as provider:
        got: list[str] = []
        thread = threading.Thread(target=lambda: got.append(ask(provider, dialect, stream=stream).text))
        thread.start()
        until(lambda: provider.release() == 1)
        thread.join(20)
    assert got == [text]
    assert provider.log[0].outcome == "answered"


def test_a_hang_of_some_seconds_ends_by_itself() -> None:
    with Provider(hang(seconds=0.05)) as provider:
        assert ask(provider, "openai-chat").text == "ready"
    assert provider.log[0].took >= 0.05


@EVERY
def test_a_slow_drip_arrives_whole(dialect: str, stream: bool) -> None:
    with Provider(drip("word " * 20, pause=0.0005, size=64)) as provider:
        assert ask(provider, dialect, stream=stream).text == "word " * 20
    pieces = provider.log[0].took / 0.0005
    assert pieces > 4


def test_a_client_that_leaves_a_drip_is_seen_to_go() -> None:
    with Provider(drip("word " * 200, pause=0.02, size=1)) as provider:
        with httpx.stream("POST", provider.openai + "/chat/completions", json=CHAT) as answer:
            next(answer.iter_raw())
        until(lambda: provider.log[0].outcome == "gone")


@EVERY
def test_garbage_is_no_answer(dialect: str, stream: bool) -> None:
    with Provider(garbage()) as provider:
        with pytest.raises(Exception, match=r"."):
            ask(provider, dialect, stream=stream)
        assert provider.log[0].status == 200
        assert provider.log[0].fault == "Garbage"


@EVERY
def test_a_huge_answer_is_huge_whatever_the_limit(dialect: str, stream: bool) -> None:
    size = 300_000 if stream else 3_000_000
    with Provider(huge(size)) as provider:
        got = ask(provider, dialect, stream=stream, limit=10)
    assert len(got.text) == size


@EVERY
def test_a_call_to_a_tool_that_nobody_offered(dialect: str, stream: bool) -> None:
    with Provider([wrong_tool(), wrong_tool("format_disk")]) as provider:
        ((name, _),) = ask(provider, dialect, stream=stream, tools=True).calls
        assert name == "transfer_that_is_not_there"
        ((name, _),) = ask(provider, dialect, stream=stream, tools=True).calls
        assert name == "format_disk"


def test_arguments_that_are_no_json_go_out_as_they_are() -> None:
    with Provider(Answer(calls=(Call("transfer", '{"to": "bo'),))) as provider:
        answer = post(provider.openai + "/chat/completions", json=CHAT).json()
        assert answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] == '{"to": "bo'
        with pytest.raises(json.JSONDecodeError):
            ask(provider, "openai-chat", tools=True)


@EVERY
def test_a_stream_that_breaks_half_way_says_so(dialect: str, stream: bool) -> None:
    with Provider(broken("x" * 400, message="overloaded, sorry")) as provider:
        if dialect == "ollama" and stream:
            lines = post(provider.url + "/api/chat", json=CHAT).text.splitlines()
            assert json.loads(lines[-1]) == {"error": "overloaded, sorry"}
            return
        if dialect == "openai-responses" and stream:
            body = {"model": "m", "input": "?", "stream": True}
            last = post(provider.openai + "/responses", json=body).text.strip().split("\n\n")[-1]
            assert last.startswith("event: error\n")
            assert "overloaded, sorry" in last
            return
        with pytest.raises(Exception, match="overloaded, sorry" if dialect != "ollama" else "500"):
            ask(provider, dialect, stream=stream)


@pytest.mark.slow
def test_every_fault_has_a_name_and_leaves_the_server_well() -> None:
    for name, made in FAULTS.items():
        with Provider([made(), "ready"]) as provider:
            with suppress(Exception):
                ask(provider, "openai-chat", stream=True, timeout=0.3)
            assert ask(provider, "openai-chat").text == "ready", name
