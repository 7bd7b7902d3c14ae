"""A clock moved by hand, and deployments that answer by a list."""

import asyncio
import heapq
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from windtunnel.config.models import Deployment, Models, Retry, Route
from windtunnel.models import settings
from windtunnel.models.gateway import Gateway
from windtunnel.models.talk import Ask, Message, Reply, Usage
from windtunnel.models.triggers import Failure, Unanswered

HELLO = (Message("user", "hello"),)


class Clock:
    """Time passes only while everybody sleeps: then it jumps to whoever wakes first."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()

    def tick(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        place = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._order), place))
        for _ in range(20):  # whoever can go on without time passing goes on first
            await asyncio.sleep(0)
        while not place.done() and self._sleepers:
            until, _, first = heapq.heappop(self._sleepers)
            self.now = max(self.now, until)
            if not first.done():
                first.set_result(None)
        await place


Outcome = Reply | Failure | BaseException | Callable[[Ask], Any]


class Fake:
    """Answers by the list; the last of it for ever after."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes) or [Reply("ready", usage=Usage(10, 2))]
        self.asked: list[tuple[Ask, str, float]] = []

    async def ask(self, ask: Ask, key: str, limit: float) -> Reply:
        self.asked.append((ask, key, limit))
        outcome = self.outcomes[0] if len(self.outcomes) == 1 else self.outcomes.pop(0)
        if isinstance(outcome, Failure):
            raise Unanswered(outcome)
        if isinstance(outcome, BaseException):
            raise outcome
        if isinstance(outcome, Reply):
            await asyncio.sleep(0)
            return outcome
        found = outcome(ask)
        answered: Reply = await found if asyncio.iscoroutine(found) else found
        return answered

    async def aclose(self) -> None:
        pass


class Notes(list[tuple[str, dict[str, Any]]]):
    def __call__(self, kind: str, **body: Any) -> None:
        self.append((kind, body))

    def outcomes(self) -> list[str]:
        return [body["outcome"] for kind, body in self if kind == "model_attempt"]


class Stage:
    """A gateway over fakes: `first` before `second`, and so on, on the route `all`."""

    def __init__(self, *fakes: Fake, prices: Any = None, local: Sequence[str] = (), **words: Any) -> None:
        names = ["first", "second", "third"][: len(fakes)]
        self.fakes = dict(zip(names, fakes, strict=True))
        self.clock, self.notes = Clock(), Notes()
        routes = {"all": Route(chain=tuple(names)), **words.pop("routes", {})}
        self.settings = Models(
            deployments={
                name: Deployment(
                    f"openai-chat:model-{name}", url="http://127.0.0.1:1/v1", local=name in local
                )
                for name in names
            },
            routes=routes,
            prices=prices or {},
            retry=words.pop("retry", Retry(attempts=3)),
            **words,
        )
        self.gateway = Gateway(self.settings, environ={}, clock=self.clock, note=self.notes, make=self._make)

    def _make(self, deployment: settings.Deployment) -> Fake:
        return self.fakes[deployment.name]

    async def ask(self, model: str = "all", **more: Any) -> Reply:
        given = {name: more.pop(name) for name in ("key", "accounts", "run") if name in more}
        ask = Ask(model, more.pop("messages", HELLO), **more)
        return await self.gateway.ask(ask, **{"key": "k", **given})


def ok(text: str = "ready", **more: Any) -> Reply:
    return Reply(text, usage=Usage(10, 2), **more)
