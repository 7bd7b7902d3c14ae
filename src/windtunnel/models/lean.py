"""OpenAI's own client, but for what a plain chat completion does not need and costs most.

The SDK walks every request along its declared types and builds every reply field by field, both in Python.
pydantic-ai's model, which is what asks here, hands in a body of plain values and checks the reply itself. So
the body goes out as it is, and the reply is read by pydantic's own reader. What that reader does not take is
left to the SDK's way; so are streams. The same bytes go out, and the same reply comes in.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from openai import AsyncOpenAI, NotGiven, Omit, RequestOptions, not_given
from openai.resources.chat import AsyncChat, AsyncCompletions
from openai.types.chat import ChatCompletion
from pydantic import ValidationError

AROUND = {"extra_headers": "headers", "extra_query": "params", "extra_body": "extra_json"}


class LeanOpenAI(AsyncOpenAI):
    @cached_property
    def chat(self) -> AsyncChat:
        return _Chat(self)


class _Chat(AsyncChat):
    @cached_property
    def completions(self) -> AsyncCompletions:
        return _Completions(self._client)


class _Completions(AsyncCompletions):
    async def create(self, **asked: Any) -> Any:
        if asked.get("stream"):
            return await super().create(**asked)
        options: RequestOptions = {}
        for name, theirs in AROUND.items():
            if (given := asked.pop(name, None)) is not None:
                options[theirs] = given  # type: ignore[literal-required]
        if not isinstance(timeout := asked.pop("timeout", not_given), NotGiven):
            options["timeout"] = timeout
        body = {name: value for name, value in asked.items() if not isinstance(value, (Omit, NotGiven))}
        return await self._client.post("/chat/completions", body=body, cast_to=_Completion, options=options)


class _Completion(ChatCompletion):
    @classmethod
    def build(cls, *, response: Any, data: object) -> Any:  # noqa: ARG003 - the SDK calls it so
        """The SDK asks a type that has a `build` to make itself of a reply's JSON."""
        try:
            return ChatCompletion.model_validate(data)
        except ValidationError:
            return ChatCompletion.construct(**data) if isinstance(data, dict) else data
