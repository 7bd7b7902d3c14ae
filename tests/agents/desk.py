"""A run whose agents ask a scripted provider, as small as a test wants it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from tests.run.toy import make, scene
from windtunnel.config.models import Budgets, Deployment, Limit, Models, Price, Retry
from windtunnel.models.hub import Hub
from windtunnel.testing.lab import Lab
from windtunnel.testing.provider import Provider
from windtunnel.world import AgentSpec, Scenario

MODEL = "openai-chat:scripted"
OFFLINE = {"WINDTUNNEL_OFFLINE": "1"}


def says(action: str = "Give", why: str = "so be it", **fields: Any) -> str:
    """A reply as a model would write it."""
    return msgspec.json.encode({"why": why, "action": {"type": action, **fields}}).decode()


def thinker(name: str = "a", **llm: Any) -> AgentSpec:
    return AgentSpec(
        name, kind="llm", model=llm.pop("model", "scripted"), settings={"llm": llm} if llm else {}
    )


def hub(provider: Provider, *, money: float | None = None, **manners: Any) -> Hub:
    deployment = Deployment(MODEL, url=provider.openai, **manners)
    settings = Models(
        {"scripted": deployment},
        prices={MODEL: Price(1.0, 1.0)},  # a dollar for a million tokens: a micro-dollar each
        budgets=Budgets(run=Limit(money)),
        retry=Retry(first_wait=0.001, longest_wait=0.01),
    )
    return Hub(settings, environ=OFFLINE)


@contextmanager
def desk(
    script: Any, folder: Path | None = None, *, world: Any = None, **more: Any
) -> Iterator[tuple[Lab, Provider]]:
    with Provider(script) as provider, Lab(world or make(), folder=folder, hub=hub(provider, **more)) as lab:
        yield lab, provider


def play(lab: Lab, *agents: AgentSpec, turns: int = 2, **more: Any) -> Scenario:
    given = scene(*agents, turns=turns, **more)
    lab.play(given)
    return given
