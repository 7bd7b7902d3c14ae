"""Between our words and those of pydantic-ai: the one place where both are known.

Imported only when a provider's model is used: pydantic-ai is heavy, and a run on rules never needs it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.usage import RequestUsage

from windtunnel.codec import decode_body, encode_body
from windtunnel.errors import CodecError
from windtunnel.models.talk import Ask, Label, Message, Reply, Tool, ToolCall, Usage
from windtunnel.words import characters

ANSWER = "final_answer"  # the tool through which a typed answer comes, where there is no better way
PROMPT = (
    "Answer with one JSON object and nothing after it. It must fit this JSON schema:\n{schema}\n"
    "Write the object itself, not the schema."
)
DEEPEST = 64  # arguments of a call, one in another
LONGEST_NAME = 200  # characters of a name or an id that a provider gives
MOST_USED = 10**9  # tokens of one call: who claims more does not count
Mode = Literal["native", "tool", "prompt"]
PLAIN = ModelRequestParameters()
REMEMBERED = 2048  # tools and schemas
_MADE: dict[tuple[int, int, Mode], tuple[tuple[Any, Any], ModelRequestParameters]] = {}


# --- out ---


def messages(ask: Ask, mode: Mode) -> list[ModelMessage]:
    """The conversation: what stands between two answers is one request."""
    told: list[ModelMessage] = []
    parts: list[ModelRequestPart] = []
    names = {call.id: call.name for message in ask.messages for call in message.calls}
    for message in ask.messages:
        if message.role == "assistant":
            _flush(told, parts)
            answered: list[ModelResponsePart] = [TextPart(message.text)] if message.text else []
            answered += [ToolCallPart(call.name, call.arguments, call.id) for call in message.calls]
            told.append(ModelResponse(parts=answered))
        elif message.role == "system":
            parts.append(SystemPromptPart(message.text))
        elif message.role == "tool":
            name = message.name or names.get(message.answers, "")
            parts.append(ToolReturnPart(name, message.text, message.answers))
        else:
            parts.append(UserPromptPart(f"{message.name}: {message.text}" if message.name else message.text))
    if ask.schema is not None and mode == "prompt":
        parts.append(SystemPromptPart(PROMPT.format(schema=msgspec.json.encode(ask.schema).decode())))
    _flush(told, parts)
    return told


def _flush(told: list[ModelMessage], parts: list[ModelRequestPart]) -> None:
    if parts:
        told.append(ModelRequest(parts=parts.copy()))
        parts.clear()


def parameters(ask: Ask, mode: Mode) -> ModelRequestParameters:
    """The same object for the same tools and schema, as one agent asks with in every turn: what is made of
    them for a provider is then remembered too."""
    if not ask.tools and (ask.schema is None or mode == "prompt"):
        return PLAIN
    given = (ask.tools, ask.schema)
    place = (id(ask.tools), id(ask.schema), mode)  # ambient: finds what is remembered, decides nothing
    known = _MADE.get(place)
    if known is not None and known[0][0] is given[0] and known[0][1] is given[1]:
        return known[1]
    if len(_MADE) >= REMEMBERED:
        _MADE.clear()
    made = _parameters(ask, mode)
    _MADE[place] = (given, made)  # what stands in it lives, so no other can have its id
    return made


def _parameters(ask: Ask, mode: Mode) -> ModelRequestParameters:
    tools = [
        ToolDefinition(name=tool.name, description=tool.description, parameters_json_schema=tool.schema)
        for tool in ask.tools
    ]
    if ask.schema is None or mode == "prompt":
        return ModelRequestParameters(function_tools=tools)
    if mode == "native":
        wanted = OutputObjectDefinition(json_schema=ask.schema, name=ANSWER)
        return ModelRequestParameters(function_tools=tools, output_mode="native", output_object=wanted)
    answer = ToolDefinition(
        name=ANSWER, description="Give the answer.", parameters_json_schema=ask.schema, kind="output"
    )
    return ModelRequestParameters(
        function_tools=tools, output_mode="tool", output_tools=[answer], allow_text_output=False
    )


def manners(ask: Ask, timeout: float, key: str) -> ModelSettings:
    found = ModelSettings(
        max_tokens=ask.max_tokens,
        timeout=timeout,
        extra_headers={"Idempotency-Key": key, "X-Request-Id": key},
    )
    if ask.temperature is not None:
        found["temperature"] = ask.temperature
    if ask.seed is not None:
        found["seed"] = ask.seed
    return found


# --- back ---


def reply(response: ModelResponse, model: str) -> Reply:
    text, calls = "", []
    for part in response.parts:
        if isinstance(part, TextPart):
            text += part.content
        elif isinstance(part, ToolCallPart):
            if part.tool_name == ANSWER:
                text = part.args if isinstance(part.args, str) else json.dumps(part.args or {})
            else:
                calls.append(ToolCall(_name(part.tool_call_id), _name(part.tool_name), _arguments(part.args)))
    return Reply(
        text=characters(text),
        calls=tuple(calls),
        label=_label(response, empty=not text.strip() and not calls),
        model=_name(response.model_name or model),
        usage=_usage(response.usage),
    )


def _name(text: str) -> str:
    return characters(str(text)[:LONGEST_NAME])


def _usage(used: RequestUsage) -> Usage:
    """What was used, where that can be true; else nothing, which is counted as the most it can have been."""
    counts = (used.input_tokens, used.output_tokens, used.cache_read_tokens)
    return Usage(*counts) if all(0 <= one <= MOST_USED for one in counts) else Usage()


def _label(response: ModelResponse, *, empty: bool) -> Label:
    if response.finish_reason == "content_filter" or (response.provider_details or {}).get("refusal"):
        return "refused"
    if response.finish_reason == "length":
        return "truncated"
    return "empty" if empty else "ok"


def _arguments(args: Any) -> Any:
    """As the model wrote them: what is no JSON, or none that can be recorded, stays text, for whoever judges
    the call."""
    if not args:
        return {}
    try:
        found = decode_body(encode_body(msgspec.json.decode(args) if isinstance(args, str) else args))
        if _shallow(found):
            return found
    except (msgspec.DecodeError, CodecError, RecursionError):
        pass
    try:
        return characters(args if isinstance(args, str) else json.dumps(args))
    except (ValueError, RecursionError):
        return "(nested too deep)"


def _shallow(value: Any, left: int = DEEPEST) -> bool:
    """Whether it can be said again: what nests deeper no SDK would write."""
    if not isinstance(value, (dict, list)):
        return True
    return left > 0 and all(
        _shallow(one, left - 1) for one in (value.values() if isinstance(value, dict) else value)
    )


# --- the other way round, for code that uses a route as a model ---


def asked(
    model: str, told: Sequence[ModelMessage], settings: ModelSettings, wanted: ModelRequestParameters
) -> Ask:
    """Our Ask for what pydantic-ai would send."""
    spoken: list[Message] = []
    for message in told:
        if isinstance(message, ModelResponse):
            spoken.append(_answered(message))
            continue
        if message.instructions:
            spoken.append(Message("system", message.instructions))
        spoken.extend(_said(message.parts))
    schema = wanted.output_object.json_schema if wanted.output_object is not None else None
    tools = [*wanted.function_tools, *wanted.output_tools]
    return Ask(
        model,
        tuple(spoken),
        tools=tuple(Tool(tool.name, tool.description or "", tool.parameters_json_schema) for tool in tools),
        schema=schema,
        max_tokens=settings.get("max_tokens", 1024),
        temperature=settings.get("temperature"),
        seed=settings.get("seed"),
    )


def _answered(message: ModelResponse) -> Message:
    text = "".join(part.content for part in message.parts if isinstance(part, TextPart))
    calls = [part for part in message.parts if isinstance(part, ToolCallPart)]
    made = tuple(ToolCall(call.tool_call_id, call.tool_name, call.args_as_dict()) for call in calls)
    return Message("assistant", text, calls=made)


def _said(parts: Iterable[ModelRequestPart]) -> Iterable[Message]:
    for part in parts:
        if isinstance(part, SystemPromptPart):
            yield Message("system", part.content)
        elif isinstance(part, UserPromptPart):
            said = part.content
            yield Message(
                "user", said if isinstance(said, str) else "\n".join(s for s in said if isinstance(s, str))
            )
        elif isinstance(part, ToolReturnPart):
            yield Message("tool", part.model_response_str(), part.tool_name, answers=part.tool_call_id)
        else:  # asked again: a retry, which pydantic-ai words itself
            yield Message("user", str(getattr(part, "content", "") or part))


def responded(answer: Reply) -> ModelResponse:
    """pydantic-ai's response for our reply."""
    parts: list[ModelResponsePart] = [TextPart(answer.text)] if answer.text else []
    parts += [ToolCallPart(call.name, call.arguments, call.id) for call in answer.calls]
    ends: dict[str, Any] = {"truncated": "length", "refused": "content_filter"}
    return ModelResponse(
        parts=parts,
        model_name=answer.model,
        provider_name="windtunnel",
        finish_reason=ends.get(answer.label, "tool_call" if answer.calls else "stop"),
        usage=RequestUsage(
            input_tokens=answer.usage.input,
            output_tokens=answer.usage.output,
            cache_read_tokens=answer.usage.cached,
        ),
    )
