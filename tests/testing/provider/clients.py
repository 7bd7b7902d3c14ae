"""Each provider's own SDK (for Ollama's own way: plain httpx) behind one function: one test asks them all."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx

from windtunnel.testing.provider import Provider

SCHEMA = {"type": "object", "properties": {"to": {"type": "string"}}, "required": ["to"]}
Calls = list[tuple[str, Any]]
USAGE: Any = {"include_usage": True}


class Got(NamedTuple):
    text: str
    calls: Calls
    end: str
    tokens: tuple[int, int]


def openai_chat(
    provider: Provider, prompt: str, *, stream: bool, tools: bool, limit: int, timeout: float = 20
) -> Got:
    import openai

    functions = [{"type": "function", "function": {"name": "transfer", "parameters": SCHEMA}}]
    with openai.OpenAI(base_url=provider.openai, api_key="any", max_retries=0, timeout=timeout) as client:
        asked: dict[str, Any] = {"model": "gpt", "messages": [{"role": "user", "content": prompt}]}
        asked |= {"max_tokens": limit} | ({"tools": functions} if tools else {})
        if stream:
            return _chat_chunks(client.chat.completions.create(**asked, stream=True, stream_options=USAGE))
        found = client.chat.completions.create(**asked)
        made, (choice,) = found.usage, found.choices
        calls = [(c.function.name, json.loads(c.function.arguments)) for c in choice.message.tool_calls or ()]
        text = choice.message.content or choice.message.refusal or ""
        end = "refusal" if choice.message.refusal else choice.finish_reason
        return Got(text, calls, end, (made.prompt_tokens, made.completion_tokens))


def _chat_chunks(chunks: Any) -> Got:
    """Put together as the dialect's documentation says."""
    text, end, refused = "", "", False
    tokens = (-1, -1)
    made: dict[int, list[str]] = {}
    for chunk in chunks:
        if chunk.usage is not None:
            tokens = (chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
        for choice in chunk.choices:
            text += choice.delta.content or choice.delta.refusal or ""
            refused = refused or bool(choice.delta.refusal)
            end = choice.finish_reason or end
            for call in choice.delta.tool_calls or ():
                made.setdefault(call.index, [call.function.name, ""])[1] += call.function.arguments
    calls: Calls = [(name, json.loads(arguments)) for name, arguments in made.values()]
    return Got(text, calls, "refusal" if refused else end, tokens)


def openai_responses(
    provider: Provider, prompt: str, *, stream: bool, tools: bool, limit: int, timeout: float = 20
) -> Got:
    import openai

    functions = [{"type": "function", "name": "transfer", "parameters": SCHEMA, "strict": False}]
    with openai.OpenAI(base_url=provider.openai, api_key="any", max_retries=0, timeout=timeout) as client:
        asked: dict[str, Any] = {"model": "gpt", "input": prompt, "max_output_tokens": limit}
        asked |= {"tools": functions} if tools else {}
        if not stream:
            found = client.responses.create(**asked)
        else:
            found = None
            for event in client.responses.create(**asked, stream=True):
                if event.type in {"response.completed", "response.incomplete"}:
                    found = event.response
        assert found is not None
        calls = [(i.name, json.loads(i.arguments)) for i in found.output if i.type == "function_call"]
        said = [part for item in found.output if item.type == "message" for part in item.content]
        refusals = [part.refusal for part in said if part.type == "refusal"]
        end = found.incomplete_details.reason if found.incomplete_details else "stop"
        if refusals:
            return Got(refusals[0], calls, "refusal", (found.usage.input_tokens, found.usage.output_tokens))
        return Got(found.output_text, calls, end, (found.usage.input_tokens, found.usage.output_tokens))


def anthropic(
    provider: Provider, prompt: str, *, stream: bool, tools: bool, limit: int, timeout: float = 20
) -> Got:
    from anthropic import Anthropic

    offered: Any = [{"name": "transfer", "input_schema": SCHEMA}]
    with Anthropic(base_url=provider.url, api_key="any", max_retries=0, timeout=timeout) as client:
        asked: dict[str, Any] = {"messages": [{"role": "user", "content": prompt}], "max_tokens": limit}
        asked |= {"model": "claude"} | ({"tools": offered} if tools else {})
        if not stream:
            found = client.messages.create(**asked)
        else:
            with client.messages.stream(**asked) as events:
                found = events.get_final_message()
        calls = [(block.name, block.input) for block in found.content if block.type == "tool_use"]
        text = "".join(block.text for block in found.content if block.type == "text")
        return Got(text, calls, found.stop_reason, (found.usage.input_tokens, found.usage.output_tokens))


def gemini(
    provider: Provider, prompt: str, *, stream: bool, tools: bool, limit: int, timeout: float = 20
) -> Got:
    from google import genai

    client = genai.Client(
        api_key="any", http_options={"base_url": provider.url, "timeout": int(timeout * 1000)}
    )
    config: Any = {"max_output_tokens": limit}
    if tools:
        config["tools"] = [
            {"function_declarations": [{"name": "transfer", "parameters_json_schema": SCHEMA}]}
        ]
        config["automatic_function_calling"] = {"disable": True}
    try:
        if stream:
            chunks = list(
                client.models.generate_content_stream(model="gemini", contents=prompt, config=config)
            )
        else:
            chunks = [client.models.generate_content(model="gemini", contents=prompt, config=config)]
        candidates = [c for chunk in chunks for c in chunk.candidates or ()]
        parts = [part for c in candidates if c.content for part in c.content.parts or ()]
        blocked = chunks[-1].prompt_feedback
        end = str(blocked.block_reason.value) if blocked and blocked.block_reason else ""
        if candidates and candidates[-1].finish_reason:
            end = str(candidates[-1].finish_reason.value)
        used = chunks[-1].usage_metadata
        assert used is not None
        return Got(
            "".join(part.text or "" for part in parts),
            [(str(p.function_call.name), p.function_call.args) for p in parts if p.function_call],
            end,
            (used.prompt_token_count or 0, used.candidates_token_count or 0),
        )
    finally:
        client.close()


def ollama(
    provider: Provider, prompt: str, *, stream: bool, tools: bool, limit: int, timeout: float = 20
) -> Got:
    asked: dict[str, Any] = {"model": "llama", "messages": [{"role": "user", "content": prompt}]}
    asked |= {"stream": stream, "options": {"num_predict": limit}}
    if tools:
        asked["tools"] = [{"type": "function", "function": {"name": "transfer", "parameters": SCHEMA}}]
    answer = post(provider.url + "/api/chat", json=asked, timeout=timeout).raise_for_status()
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
    assert stream or len(lines) == 1
    calls = [
        (call["function"]["name"], call["function"]["arguments"])
        for line in lines
        for call in line["message"].get("tool_calls", ())
    ]
    text = "".join(line["message"]["content"] for line in lines)
    last = lines[-1]
    return Got(text, calls, last["done_reason"], (last["prompt_eval_count"], last["eval_count"]))


CLIENTS: dict[str, Callable[..., Got]] = {
    "openai-chat": openai_chat,
    "openai-responses": openai_responses,
    "anthropic": anthropic,
    "gemini": gemini,
    "ollama": ollama,
}


def post(url: str, **asked: Any) -> httpx.Response:
    """Without the certificates that httpx would read for each call."""
    with httpx.Client(verify=False, timeout=20) as client:
        return client.post(url, **asked)


def until(there: Callable[[], object]) -> None:
    """Bounded by a count of waits, so that a slow machine has time enough."""
    wait = threading.Event()
    for _ in range(2000):
        if there():
            return
        wait.wait(0.01)
    raise AssertionError("it never came")


def every() -> Iterator[tuple[str, bool]]:
    """Each dialect, whole and streamed."""
    return ((name, stream) for name in CLIENTS for stream in (False, True))


def ask(
    provider: Provider,
    dialect: str,
    prompt: str = "how much?",
    *,
    stream: bool = False,
    tools: bool = False,
    limit: int = 500,
    timeout: float = 20,
) -> Got:
    return CLIENTS[dialect](provider, prompt, stream=stream, tools=tools, limit=limit, timeout=timeout)
