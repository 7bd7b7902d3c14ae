"""The lean client beside the SDK's own: the same goes out, and the same comes back."""

import asyncio
import json
from typing import Any

import pytest

from tests.models.server import Answer, Request, openai_chat, serving
from tests.sampling import sampled
from windtunnel.models import dialect
from windtunnel.models.talk import Ask, Message, Tool, ToolCall
from windtunnel.testing.provider import Provider

SCHEMA = {"type": "object", "properties": {"go": {"type": "boolean"}}, "required": ["go"]}
TOOL = Tool("price", "the price of a good", {"type": "object", "properties": {"good": {"type": "string"}}})
TALK = (
    Message("system", "be brief"),
    Message("user", "go?", name="Ann"),
    Message("assistant", calls=(ToolCall("call_9", "price", {"good": "ünï"}),)),
    Message("tool", "4.5", answers="call_9"),
)
PLAIN = Ask("", TALK[:2])
FULL = Ask("", TALK, tools=(TOOL,), schema=SCHEMA, temperature=0.5, seed=7)


def model_of(client_type: Any, url: str) -> Any:
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    client = client_type(api_key="any", base_url=url, max_retries=0)
    return OpenAIChatModel("qwen", provider=OpenAIProvider(openai_client=client))


async def asked(client_type: Any, url: str, ask: Ask, **more: Any) -> Any:
    """What comes of one request: the response, or the error."""
    model = model_of(client_type, url)
    manners: Any = {**dialect.manners(ask, 20.0, "key-1"), **more}
    try:
        found = await model.request(
            dialect.messages(ask, "native"), manners, dialect.parameters(ask, "native")
        )
    except Warning:
        raise
    except Exception as error:  # noqa: BLE001 - compared
        return type(error), str(error)
    finally:
        await model.client.close()
    return dialect.reply(found, "qwen"), found.provider_details, found.provider_response_id


def both(script: Any, ask: Ask, **more: Any) -> tuple[list[Request], list[Any]]:
    from openai import AsyncOpenAI  # here and below: it takes seconds to import

    from windtunnel.models.lean import LeanOpenAI

    with serving(script) as server:
        url = server.url + "/v1"
        told = [asyncio.run(asked(kind, url, ask, **more)) for kind in (LeanOpenAI, AsyncOpenAI)]
        return server.log, told


@pytest.mark.slow
@pytest.mark.parametrize("ask", [PLAIN, FULL])
def test_the_same_request_goes_out_as_from_the_sdk(ask):
    (lean, whole), (one, two) = both(
        lambda _: Answer(), ask, extra_body={"top_k": 5}, stop_sequences=["end"], logit_bias={"7": -1}
    )
    assert lean.body == whole.body
    assert lean.body["top_k"] == 5
    assert lean.body["stop"] == ["end"]
    assert ("tools" in lean.body) == bool(ask.tools)
    assert lean.path == whole.path
    assert lean.headers == whole.headers
    assert lean.headers["idempotency-key"] == "key-1"
    assert one == two


def changed(**changes: Any) -> bytes:
    """A reply with other fields than OpenAI's; those that are None are left out."""
    found = openai_chat(Request("", {}, {"model": "m"}), Answer("yes", call=("price", {"good": "tea"})))
    choice = found["choices"][0]
    for name, value in changes.items():
        place = choice if name in choice else choice["message"] if name in choice["message"] else found
        place[name] = value
        if value is None:
            del place[name]
    return json.dumps(found).encode()


BODIES = {
    "whole": changed(),
    "no time": changed(created=None),
    "time as text": changed(created="17"),
    "no reason": changed(finish_reason=None),
    "an unknown reason": changed(finish_reason="tired"),
    "content in parts": changed(content=[{"type": "text", "text": "in parts"}]),
    "an unknown tier": changed(service_tier="gold"),
    "reasoning": changed(reasoning_content="because"),
    "no choices": changed(choices=[]),
    "no message": changed(message=None),
    "a refusal": changed(refusal="no"),
    "usage of its own": changed(
        usage={"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7, "x": 1}
    ),
    "no object": b"[1, 2]",
    "no json": b"<html>",
    "null": b"null",
}


@pytest.mark.parametrize("name", sampled(BODIES, 3))
def test_whatever_comes_back_is_read_as_the_sdk_reads_it(name):
    _, (lean, whole) = both(lambda _: Answer(raw=BODIES[name]), FULL)
    assert lean == whole
    if name == "whole":
        assert lean[0].text == "yes"
        assert lean[0].calls[0].arguments == {"good": "tea"}


def test_an_error_of_the_provider_is_the_same_error():
    refused = Answer(status=429, raw=b'{"error": {"message": "slow down"}}', headers=(("retry-after", "3"),))
    _, (lean, whole) = both(lambda _: refused, PLAIN)
    assert lean == whole
    assert "slow down" in lean[1]


def test_a_whole_reply_is_not_built_field_by_field(monkeypatch):
    def built(*_: Any, **__: Any) -> None:
        raise AssertionError("the slow way")

    monkeypatch.setattr("openai.types.chat.ChatCompletion.construct", built)
    monkeypatch.setattr("openai.resources.chat.completions.completions.async_maybe_transform", built)
    from windtunnel.models.lean import LeanOpenAI

    with serving(lambda _: Answer("quick")) as server:
        (reply, *_) = asyncio.run(asked(LeanOpenAI, server.url + "/v1", FULL))
    assert reply.text == "quick"


def test_the_clients_own_timeout_holds_where_none_is_given():
    from openai import APITimeoutError

    from windtunnel.models.lean import LeanOpenAI

    async def one(url: str) -> None:
        async with LeanOpenAI(api_key="any", base_url=url, max_retries=0, timeout=0.05) as client:
            await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "go?"}])

    with serving(lambda _: Answer(hang=True)) as server, pytest.raises(APITimeoutError):
        asyncio.run(one(server.url + "/v1"))


def test_a_stream_goes_the_way_of_the_sdk():
    from windtunnel.models.lean import LeanOpenAI

    async def one(url: str) -> str:
        async with LeanOpenAI(api_key="any", base_url=url, max_retries=0) as client:
            said = ""
            async for piece in await client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": "go?"}], stream=True
            ):
                said += piece.choices[0].delta.content or "" if piece.choices else ""
            return said

    with Provider("piece by piece") as provider:
        assert asyncio.run(one(provider.openai)) == "piece by piece"
