"""pydantic-ai's own model classes against the provider: what the gateway stands on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pydantic_ai import ModelHTTPError, direct
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.tools import ToolDefinition

from tests.testing.provider.clients import SCHEMA
from windtunnel.testing.provider import Answer, Call, Provider, Request, rate_limited, refused

pytestmark = pytest.mark.slow  # the clients of all providers take seconds to import
TOOLS = ModelRequestParameters(
    function_tools=[ToolDefinition(name="transfer", description="Pay.", parameters_json_schema=SCHEMA)]
)
NATIVE = ModelRequestParameters(
    output_mode="native", output_object=OutputObjectDefinition(json_schema=SCHEMA, name="answer")
)


def _openai(provider: Provider, client: Any, kind: str) -> Model[Any]:
    from openai import AsyncOpenAI
    from pydantic_ai.models import ollama, openai
    from pydantic_ai.providers.ollama import OllamaProvider
    from pydantic_ai.providers.openai import OpenAIProvider

    sdk = AsyncOpenAI(base_url=provider.openai, api_key="any", max_retries=0, http_client=client)
    if kind == "ollama":
        return ollama.OllamaModel("llama3", provider=OllamaProvider(openai_client=sdk))
    made = openai.OpenAIResponsesModel if kind == "openai-responses" else openai.OpenAIChatModel
    return made("gpt-5", provider=OpenAIProvider(openai_client=sdk))


def _anthropic(provider: Provider, client: Any, _kind: str) -> Model[Any]:
    from anthropic import AsyncAnthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    sdk = AsyncAnthropic(base_url=provider.url, api_key="any", max_retries=0, http_client=client)
    return AnthropicModel("claude-sonnet-5", provider=AnthropicProvider(anthropic_client=sdk))


def _google(provider: Provider, client: Any, _kind: str) -> Model[Any]:
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    made = GoogleProvider(api_key="any", base_url=provider.url, http_client=client)
    return GoogleModel("gemini-2.5-flash", provider=made)


MODELS: dict[str, Callable[[Provider, Any, str], Model[Any]]] = {
    "openai-chat": _openai,
    "openai-responses": _openai,
    "ollama": _openai,
    "anthropic": _anthropic,
    "gemini": _google,
}
EVERY = pytest.mark.parametrize("kind", MODELS)


def _ask(
    provider: Provider,
    kind: str,
    messages: list[ModelMessage],
    *,
    wanted: ModelRequestParameters | None = None,
    stream: bool = False,
) -> Any:
    """One call on a loop and a client of its own, both closed again."""
    import httpx2

    async def main() -> Any:
        async with httpx2.AsyncClient(timeout=20) as client:
            model = MODELS[kind](provider, client, kind)
            settings: Any = {"max_tokens": 200}
            if not stream:
                return await direct.model_request(
                    model, messages, model_settings=settings, model_request_parameters=wanted
                )
            async with direct.model_request_stream(
                model, messages, model_settings=settings, model_request_parameters=wanted
            ) as events:
                async for _ in events:
                    pass
                return events.get()

    return asyncio.run(main())


def _said(*texts: str) -> list[ModelMessage]:
    return [ModelRequest(parts=[SystemPromptPart("Be brief."), *map(UserPromptPart, texts)])]


@EVERY
@pytest.mark.parametrize("stream", [False, True])
def test_a_text_and_a_call_reach_pydantic_ai(kind: str, stream: bool) -> None:
    with Provider(Answer("at once", calls=(Call("transfer", {"to": "bob"}),))) as provider:
        found = _ask(provider, kind, _said("Pay."), wanted=TOOLS, stream=stream)
    assert [part.content for part in found.parts if isinstance(part, TextPart)] == ["at once"]
    (call,) = (part for part in found.parts if isinstance(part, ToolCallPart))
    assert (call.tool_name, call.args_as_dict()) == ("transfer", {"to": "bob"})
    assert found.usage.input_tokens == provider.log[0].usage.input > 0
    assert found.usage.output_tokens == provider.log[0].usage.output > 0


@EVERY
def test_the_output_of_a_tool_comes_back_paired(kind: str) -> None:
    heard: list[Request] = []

    def script(request: Request) -> Answer | str:
        heard.append(request)
        return "done" if len(heard) > 1 else Answer(calls=(Call("transfer", {"to": "bob"}),))

    with Provider(script) as provider:
        messages = _said("Pay.")
        called = _ask(provider, kind, messages, wanted=TOOLS)
        (call,) = (part for part in called.parts if isinstance(part, ToolCallPart))
        output = ToolReturnPart("transfer", "paid", call.tool_call_id)
        again = [*messages, called, ModelRequest(parts=[output])]
        assert _ask(provider, kind, again, wanted=TOOLS).text == "done"
        with pytest.raises(ModelHTTPError, match="call"):
            _ask(provider, kind, [*messages, called, *_said("Well?")], wanted=TOOLS)
    assert [said.role for said in heard[1].messages if said.role != "system"] == ["user", "assistant", "tool"]
    assert "paid" in heard[1].last
    assert heard[1].system == "Be brief."


@EVERY
def test_a_schema_that_is_wanted_natively_is_heard(kind: str) -> None:
    heard: list[Request] = []

    def script(request: Request) -> str:
        heard.append(request)
        return '{"to": "bob"}'

    with Provider(script) as provider:
        assert _ask(provider, kind, _said("Who?"), wanted=NATIVE).text == '{"to": "bob"}'
    assert heard[0].heard.schema is not None
    assert set(heard[0].heard.schema["properties"]) == {"to"}


@EVERY
@pytest.mark.parametrize("stream", [False, True])
def test_a_failure_is_pydantic_ais_own_error(kind: str, stream: bool) -> None:
    with Provider(rate_limited(1)) as provider, pytest.raises(ModelHTTPError) as caught:
        _ask(provider, kind, _said("?"), stream=stream)
    assert caught.value.status_code == 429


@pytest.mark.parametrize("kind", sorted(MODELS.keys()))
def test_a_refusal_is_seen_as_one(kind: str) -> None:
    with Provider(refused("I will not.")) as provider:
        found = _ask(provider, kind, _said("?"))
    told = found.provider_details or {}
    assert found.finish_reason == "content_filter" or "refusal" in str(told), found
