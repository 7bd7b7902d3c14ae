"""Every dialect as its provider's own SDK reads it, whole and streamed."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.testing.provider.clients import CLIENTS, SCHEMA, ask, every, post
from windtunnel.testing.provider import (
    Answer,
    Call,
    Provider,
    Request,
    Usage,
    empty,
    filtered,
    refused,
    truncated,
)

pytestmark = pytest.mark.slow  # the clients of all providers take seconds to import
EVERY = pytest.mark.parametrize(("dialect", "stream"), list(every()))
TEXT = "The quick brown fox jumps over the lazy dog: “naïve” — 9 €.\nAnd back."


@EVERY
def test_a_text_arrives_as_the_script_has_it(dialect: str, stream: bool) -> None:
    with Provider(TEXT) as provider:
        got = ask(provider, dialect, stream=stream)
    assert (got.text, got.calls) == (TEXT, [])
    assert got.end.lower() in {"stop", "end_turn"}


@EVERY
def test_calls_of_tools_arrive_with_their_arguments(dialect: str, stream: bool) -> None:
    calls = (Call("transfer", {"to": "bob", "amounts": [1, 2.5]}), Call("transfer", {"to": "“eve”"}))
    with Provider(Answer("at once", calls=calls)) as provider:
        got = ask(provider, dialect, stream=stream, tools=True)
    assert got.text == "at once"
    assert got.calls == [(call.name, call.arguments) for call in calls]
    ends = {"openai-chat": "tool_calls", "anthropic": "tool_use", "gemini": "STOP"}
    assert got.end == ends.get(dialect, "stop")


@EVERY
def test_usage_is_told_and_added_up(dialect: str, stream: bool) -> None:
    with Provider(Answer("x" * 40)) as provider:
        got = ask(provider, dialect, "y" * 80, stream=stream)
        assert got.tokens == (20, 10)
        provider.play(Answer("ready", usage=Usage(7, 5)))
        assert ask(provider, dialect, stream=stream).tokens == (7, 5)
    assert (provider.log.totals.input, provider.log.totals.output) == (27, 15)


@EVERY
def test_no_answer_is_longer_than_was_allowed(dialect: str, stream: bool) -> None:
    with Provider("z" * 400) as provider:
        got = ask(provider, dialect, stream=stream, limit=20)
    assert got.text == "z" * 80
    assert got.tokens[1] == 20
    assert got.end.lower() in {"length", "max_tokens", "max_output_tokens"}


ENDS = {
    "openai-chat": ("length", "refusal", "content_filter"),
    "openai-responses": ("max_output_tokens", "refusal", "content_filter"),
    "anthropic": ("max_tokens", "refusal", "refusal"),
    "gemini": ("MAX_TOKENS", "SAFETY", "SAFETY"),
    "ollama": ("length", "stop", "stop"),
}


@EVERY
def test_each_way_to_end_is_told_in_the_dialects_own_word(dialect: str, stream: bool) -> None:
    with Provider([truncated('{"a": '), refused("no"), filtered()]) as provider:
        got = [ask(provider, dialect, stream=stream).end for _ in range(3)]
    assert tuple(got) == ENDS[dialect]


@EVERY
def test_an_empty_answer_is_well_formed(dialect: str, stream: bool) -> None:
    with Provider(empty()) as provider:
        got = ask(provider, dialect, stream=stream)
    assert (got.text, got.calls, got.tokens[1]) == ("", [], 0)


@pytest.mark.parametrize("dialect", CLIENTS)
def test_a_request_is_heard_alike_in_every_dialect(dialect: str) -> None:
    heard: list[Request] = []

    def script(request: Request) -> str:
        heard.append(request)
        return "ready"

    with Provider(script) as provider:
        ask(provider, dialect, "how much?", tools=True, limit=77)
    (request,) = heard
    assert request.dialect == dialect
    assert [(said.role, said.text) for said in request.messages] == [("user", "how much?")]
    assert [(tool.name, tool.schema) for tool in request.tools] == [("transfer", SCHEMA)]
    assert request.heard.max_tokens == 77
    assert request.model in {"gpt", "claude", "gemini", "llama"}
    assert request.last == request.prompt == "how much?"


# One conversation in each dialect: system, user, a call, its output. Then the same without the output.
ARGUMENTS = '{"to":"bob"}'
FUNCTION = {"name": "transfer", "arguments": ARGUMENTS}
TALKS: dict[str, tuple[str, dict[str, Any], str]] = {
    "openai-chat": (
        "/v1/chat/completions",
        {
            "model": "m",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "Pay."}]},
                {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": FUNCTION}]},
                {"role": "tool", "tool_call_id": "c1", "content": "paid"},
                {"role": "user", "content": "And?"},
            ],
        },
        "messages",
    ),
    "openai-responses": (
        "/v1/responses",
        {
            "model": "m",
            "input": [
                {"role": "developer", "content": "Be brief."},
                {"role": "user", "content": [{"type": "input_text", "text": "Pay."}]},
                {"type": "function_call", "call_id": "c1", "name": "transfer", "arguments": ARGUMENTS},
                {"type": "function_call_output", "call_id": "c1", "output": "paid"},
                {"role": "user", "content": "And?"},
            ],
        },
        "input",
    ),
    "anthropic": (
        "/v1/messages",
        {
            "model": "m",
            "max_tokens": 9,
            "system": "Be brief.",
            "messages": [
                {"role": "user", "content": "Pay."},
                {
                    "role": "assistant",
                    "content": [{"type": "tool_use", "id": "c1", "name": "transfer", "input": {"to": "bob"}}],
                },
                {
                    "role": "user",
                    "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "paid"}],
                },
                {"role": "user", "content": [{"type": "text", "text": "And?"}]},
            ],
        },
        "messages",
    ),
    "gemini": (
        "/v1beta/models/m:generateContent",
        {
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [
                {"role": "user", "parts": [{"text": "Pay."}]},
                {"role": "model", "parts": [{"functionCall": {"name": "transfer", "args": {"to": "bob"}}}]},
                {
                    "role": "user",
                    "parts": [{"functionResponse": {"name": "transfer", "response": {"output": "paid"}}}],
                },
                {"role": "user", "parts": [{"text": "And?"}]},
            ],
        },
        "contents",
    ),
}
HEADERS = {"anthropic-version": "2023-06-01"}


@pytest.mark.parametrize("dialect", TALKS)
def test_a_conversation_with_a_tool_is_heard_alike_in_every_dialect(dialect: str) -> None:
    path, body, _ = TALKS[dialect]
    heard: list[Request] = []
    with Provider(heard.append) as provider:
        assert post(provider.url + path, json=body, headers=HEADERS).status_code == 200
    system, user, call, output, last = heard[0].messages
    assert [(said.role, said.text) for said in (system, user, last)] == [
        ("system", "Be brief."),
        ("user", "Pay."),
        ("user", "And?"),
    ]
    assert [(made.name, made.arguments) for made in call.calls] == [("transfer", {"to": "bob"})]
    assert (output.role, output.answers) == ("tool", call.calls[0].id)
    assert "paid" in output.text


def _without(body: dict[str, Any], field: str, index: int) -> dict[str, Any]:
    return body | {field: [item for place, item in enumerate(body[field]) if place != index]}


@pytest.mark.parametrize("dialect", TALKS)
@pytest.mark.parametrize("missing", ["call", "output"])
def test_a_call_without_its_output_is_refused_as_the_provider_would(dialect: str, missing: str) -> None:
    path, body, field = TALKS[dialect]
    at = (2 if dialect.startswith("openai") else 1) + (missing == "output")
    with Provider() as provider:
        answer = post(provider.url + path, json=_without(body, field, at), headers=HEADERS)
    assert answer.status_code == 400
    assert "call" in answer.json()["error"]["message"]
    (exchange,) = provider.log
    assert (exchange.outcome, exchange.fault) == ("failed", "refused")


def test_an_output_twice_is_refused() -> None:
    path, body, _ = TALKS["openai-chat"]
    twice = body | {"messages": [*body["messages"][:4], body["messages"][3]]}
    with Provider() as provider:
        assert post(provider.url + path, json=twice).status_code == 400


def test_something_said_between_a_call_and_its_output_is_refused_but_by_responses() -> None:
    for dialect, status in (("openai-chat", 400), ("anthropic", 400), ("openai-responses", 200)):
        path, body, field = TALKS[dialect]
        said = body[field]
        call = 2 if dialect.startswith("openai") else 1
        between = [*said[: call + 1], {"role": "user", "content": "Wait."}, *said[call + 1 :]]
        with Provider() as provider:
            answer = post(provider.url + path, json=body | {field: between}, headers=HEADERS)
        assert answer.status_code == status, dialect


def _gemini(calls: list[dict[str, Any]], outputs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "contents": [
            {"role": "user", "parts": [{"text": "Pay both."}]},
            {"role": "model", "parts": [{"functionCall": call} for call in calls]},
            {"role": "user", "parts": [{"functionResponse": output} for output in outputs]},
        ]
    }


def test_geminis_outputs_pair_by_order_or_by_id() -> None:
    heard: list[Request] = []
    pays: list[dict[str, Any]] = [{"name": "pay", "args": {"to": to}} for to in ("ann", "bob")]
    paid: list[dict[str, Any]] = [{"name": "pay", "response": {"paid": to}} for to in ("ann", "bob")]
    named = [call | {"id": call["args"]["to"]} for call in pays]
    back = [output | {"id": output["response"]["paid"]} for output in paid[::-1]]
    with Provider(heard.append) as provider:
        url = provider.url + TALKS["gemini"][0]
        assert post(url, json=_gemini(pays, paid)).status_code == 200
        assert post(url, json=_gemini(named, back)).status_code == 200
        assert post(url, json=_gemini(pays, [output | {"id": "any"} for output in paid])).status_code == 200
        assert post(url, json=_gemini(pays, paid[:1])).status_code == 400
        assert post(url, json=_gemini(named, [back[0] | {"id": "eve"}, back[1]])).status_code == 400
    for request in heard:
        _, called, *outputs = request.messages
        by_id = {call.id: call.arguments["to"] for call in called.calls}
        assert len(by_id) == 2
        assert [by_id[output.answers] in output.text for output in outputs] == [True, True]


def test_ollama_streams_unless_told_not_to() -> None:
    said = {"model": "m", "messages": [{"role": "user", "content": "?"}]}
    with Provider(Answer("ab", pieces=1)) as provider:
        assert len(post(provider.url + "/api/chat", json=said).text.splitlines()) == 3
        assert len(post(provider.url + "/api/chat", json=said | {"stream": False}).text.splitlines()) == 1


def test_a_lenient_provider_takes_a_call_without_its_output() -> None:
    path, body, _ = TALKS["openai-chat"]
    with Provider(strict=False) as provider:
        answer = post(provider.url + path, json=_without(body, "messages", 3))
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"model": "m"}),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "?"}]}),
        ("/v1/chat/completions", {"model": "m", "messages": [{"role": "boss", "content": "?"}]}),
        ("/v1/chat/completions", {"model": "m", "messages": 3}),
        ("/v1/responses", {"model": "m", "input": []}),
        ("/v1/messages", {"model": "m", "messages": [{"role": "user", "content": "?"}]}),
        ("/v1/messages", {"model": "m", "max_tokens": 9, "messages": [{"role": "system", "content": "?"}]}),
        ("/v1beta/models/m:generateContent", {"contents": []}),
        ("/api/chat", {"model": "m"}),
        ("/api/chat", [1]),
    ],
)
def test_a_body_that_the_provider_would_not_take_is_refused(path: str, body: Any) -> None:
    with Provider() as provider:
        answer = post(provider.url + path, json=body, headers=HEADERS)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_chat_stream_ends_with_done_and_counts_only_when_asked() -> None:
    path, body, _ = TALKS["openai-chat"]
    with Provider() as provider:
        plain = post(provider.url + path, json=body | {"stream": True}).text
        wanted = {"stream": True, "stream_options": {"include_usage": True}}
        counted = post(provider.url + path, json=body | wanted).text
    assert plain.endswith("\n\ndata: [DONE]\n\n")
    assert '"usage"' not in plain
    assert counted.count('"usage"') == 1
    assert plain.count("data: ") == counted.count("data: ") - 1


def test_anthropic_wants_its_version_told() -> None:
    path, body, _ = TALKS["anthropic"]
    with Provider() as provider:
        answer = post(provider.url + path, json=body)
    assert answer.status_code == 400
    assert "anthropic-version" in answer.json()["error"]["message"]


def test_no_usage_is_beyond_what_was_allowed_even_for_calls() -> None:
    with Provider(Answer(calls=(Call("transfer", {"to": "b" * 400}),))) as provider:
        assert ask(provider, "openai-chat", tools=True, limit=20).tokens[1] == 20
        assert ask(provider, "openai-chat", tools=True, limit=500).tokens[1] > 100


def test_gemini_streams_an_array_when_events_are_not_asked_for() -> None:
    path, body, _ = TALKS["gemini"]
    with Provider(Answer("ab", pieces=1)) as provider:
        url = provider.url + path.replace("generateContent", "streamGenerateContent")
        pieces = post(url, json=body).json()
    said = [piece["candidates"][0]["content"]["parts"][0]["text"] for piece in pieces]
    assert said == ["a", "b", ""]


def test_tokens_are_counted_on_request() -> None:
    with Provider() as provider:
        asked = {"model": "m", "messages": [{"role": "user", "content": "x" * 40}]}
        url = provider.url + "/v1/messages/count_tokens"
        assert post(url, json=asked, headers=HEADERS).json() == {"input_tokens": 10}
        contents = {"contents": [{"parts": [{"text": "x" * 40}]}]}
        url = provider.url + "/v1beta/models/m:countTokens"
        assert post(url, json=contents).json() == {"totalTokens": 10}


def test_the_models_are_listed_as_each_provider_lists_them() -> None:
    with Provider(models=("a", "b")) as provider:
        assert [m["id"] for m in httpx.get(provider.openai + "/models").json()["data"]] == ["a", "b"]
        assert [m["name"] for m in httpx.get(provider.url + "/api/tags").json()["models"]] == ["a", "b"]
        found = httpx.get(provider.url + "/v1beta/models").json()["models"]
        assert [m["name"] for m in found] == ["models/a", "models/b"]
    assert provider.log.totals.asked == 0
