"""The contenders of `gateway-overhead`, each in a process of its own: `python -m bench.callers NAME URL`.

A line of stdin is a trial (`CONCURRENCY CALLS`), a line of stdout its figures in JSON. One event loop and one
client live as long as the process, as in a program that calls models. Every contender sends the same messages
and takes the text of the answer; who answers otherwise ends the trial.

It runs in two environments, ours and LiteLLM's, so nothing but the standard library is imported up here.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from bench.measure import Figures, Stopwatch

SYSTEM = "You are a trader in a small market. Answer with one action."
PROMPT = "Turn 17. Wealth 100.25. Neighbours: 4 sellers, 3 buyers. " * 8
MESSAGES: Any = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": PROMPT}]
ANSWER = "I trade two apples for one pear. " * 6
MODEL, KEY = "gpt-4o-mini", "any"
MOST_TOKENS = 1024
PRICE = {"input": 0.15, "output": 0.60}  # dollars for a million tokens: any, so that money is counted

Call = Callable[[], Awaitable[str]]
Drive = Callable[[int, int], Awaitable[Figures]]


async def drive(call: Call, concurrency: int, calls: int) -> Figures:
    """So many calls, so many of them in flight at any time."""
    left = iter(range(calls))

    async def worker() -> None:
        for _ in left:
            if await call() != ANSWER:
                raise AssertionError("that is not what was answered")

    await asyncio.gather(*(call() for _ in range(concurrency)))  # lines are open before the clock runs
    with Stopwatch() as watch:
        await asyncio.gather(*(worker() for _ in range(concurrency)))
    return figures(watch, calls)


def figures(watch: Stopwatch, calls: int) -> Figures:
    """`busy`: the share of the time in which this process computed. Near 1, nothing else was waited for."""
    return {
        "cpu_ms": watch.cpu / calls * 1000,
        "rate": calls / watch.seconds,
        "busy": watch.cpu / watch.seconds,
    }


def _httpx(url: str) -> Any:
    import httpx

    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    return httpx.AsyncClient(base_url=url, timeout=60, limits=limits)


async def _posted(client: Any) -> str:
    body = {"model": MODEL, "messages": MESSAGES, "max_tokens": MOST_TOKENS}
    reply = (await client.post("/chat/completions", json=body)).json()
    return str(reply["choices"][0]["message"]["content"])


@asynccontextmanager
async def httpx(url: str) -> AsyncIterator[Drive]:
    async with _httpx(url) as client:
        yield lambda concurrency, calls: drive(lambda: _posted(client), concurrency, calls)


@asynccontextmanager
async def httpx_apart(url: str) -> AsyncIterator[Drive]:
    """A client for each call in flight: the pool above looks at all its lines for every request."""
    async with AsyncExitStack() as stack:
        free: list[Any] = []

        async def call() -> str:
            client = free.pop() if free else await stack.enter_async_context(_httpx(url))
            try:
                return await _posted(client)
            finally:
                free.append(client)

        yield lambda concurrency, calls: drive(call, concurrency, calls)


@asynccontextmanager
async def openai(url: str) -> AsyncIterator[Drive]:
    from openai import AsyncOpenAI

    async with AsyncOpenAI(base_url=url, api_key=KEY, max_retries=0) as client:

        async def call() -> str:
            reply: Any = await client.chat.completions.create(
                model=MODEL, messages=MESSAGES, max_tokens=MOST_TOKENS
            )
            return str(reply.choices[0].message.content)

        yield lambda concurrency, calls: drive(call, concurrency, calls)


@asynccontextmanager
async def pydantic_ai(url: str) -> AsyncIterator[Drive]:
    from pydantic_ai.direct import model_request
    from pydantic_ai.messages import ModelRequest, TextPart
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider
    from pydantic_ai.settings import ModelSettings

    model = OpenAIChatModel(MODEL, provider=OpenAIProvider(base_url=url, api_key=KEY))
    manners = ModelSettings(max_tokens=MOST_TOKENS)

    async def call() -> str:
        asked = ModelRequest.user_text_prompt(PROMPT, instructions=SYSTEM)
        part = (await model_request(model, [asked], model_settings=manners)).parts[0]
        assert isinstance(part, TextPart)
        return part.content

    yield lambda concurrency, calls: drive(call, concurrency, calls)


@asynccontextmanager
async def litellm(url: str) -> AsyncIterator[Drive]:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # otherwise it fetches its prices first
    from litellm import Router  # type: ignore[import-not-found, unused-ignore]

    given = {"model": f"openai/{MODEL}", "api_base": url, "api_key": KEY}
    router = Router(model_list=[{"model_name": "trader", "litellm_params": given}])

    async def call() -> str:
        reply = await router.acompletion(model="trader", messages=MESSAGES, max_tokens=MOST_TOKENS)
        return str(reply.choices[0].message.content)

    yield lambda concurrency, calls: drive(call, concurrency, calls)


@asynccontextmanager
async def hub_to(url: str) -> AsyncIterator[Any]:
    """Ours, with a price and a ceiling, so that money and tokens are counted; breaker and lane as ever."""
    from windtunnel.config import models as words
    from windtunnel.models.hub import Hub

    deployment = words.Deployment(model=f"openai-chat:{MODEL}", url=url, concurrency=64)
    settings = words.Models(
        deployments={"trader": deployment},
        prices={"trader": words.Price(**PRICE)},
        budgets=words.Budgets(run=words.Limit(money=1000.0, tokens=1_000_000_000)),
    )
    hub = Hub(settings, environ={})
    try:
        yield hub
    finally:
        await hub.aclose()


@asynccontextmanager
async def gateway(url: str) -> AsyncIterator[Drive]:
    """Ours without a run around it: nothing is recorded."""
    from bench.asking import question

    ask = question("trader", SYSTEM, PROMPT)
    async with hub_to(url) as hub:
        door = hub.gateway
        purse, number = door.purse("bench"), iter(range(1 << 30))

        async def call() -> str:
            reply = await door.ask(ask, key=f"call-{next(number)}", accounts=(purse,))
            text: str = reply.text
            return text

        yield lambda concurrency, calls: drive(call, concurrency, calls)


@asynccontextmanager
async def ours(url: str) -> AsyncIterator[Drive]:
    """Ours as it is used: in a run, each agent asking once a turn, every reply durable before it is used."""
    from bench.asking import Asking, question

    ask = question("trader", SYSTEM, PROMPT)
    with tempfile.TemporaryDirectory(prefix="windtunnel-bench-") as folder:
        async with hub_to(url) as hub:
            door = hub.gateway

            async def trial(concurrency: int, calls: int) -> Figures:
                purse = door.purse("warm-up")
                warm = [door.ask(ask, key=f"w{one}", accounts=(purse,)) for one in range(concurrency)]
                await asyncio.gather(*warm)
                turns = calls // concurrency
                run = Asking(Path(folder) / "ours.sqlite", hub, ask, concurrency, turns)
                with Stopwatch() as watch:
                    row = await run.play()
                assert (row.turn, run.said()) == (turns, turns * len(ANSWER) * concurrency)
                assert run.spent() > 0
                run.store.close()
                return figures(watch, turns * concurrency)

            yield trial


CONTENDERS: dict[str, Callable[[str], AbstractAsyncContextManager[Drive]]] = {
    "httpx": httpx,
    "httpx-apart": httpx_apart,
    "openai": openai,
    "pydantic-ai": pydantic_ai,
    "litellm": litellm,
    "gateway": gateway,
    "ours": ours,
}


async def serve(name: str, url: str) -> None:
    async with CONTENDERS[name](url) as trial:
        while line := sys.stdin.readline():  # nothing else is to go on meanwhile
            concurrency, calls = map(int, line.split())
            print(json.dumps(await trial(concurrency, calls)), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
