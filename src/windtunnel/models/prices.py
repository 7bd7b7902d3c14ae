"""What a call costs, in whole micro-dollars, always rounded up.

The table of windtunnel.toml first, by deployment's name, full name or model; then genai-prices. A local model
costs nothing. A price that nobody knows is None, never a guess: under a money budget such a model is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any, NamedTuple, Protocol

import msgspec

from windtunnel.config.models import Price as Written
from windtunnel.models.settings import Deployment
from windtunnel.models.talk import Ask, Usage

MILLION = 1_000_000
MESSAGE_TOKENS = 16  # what a provider may put around a message
TOOLS_TOKENS = 1024  # and before the tools, in words of its own


class Rate(Protocol):
    def cost(self, usage: Usage) -> int: ...


class Flat(NamedTuple):
    """Micro-dollars for a million tokens."""

    input: Decimal
    output: Decimal
    cached: Decimal

    def cost(self, usage: Usage) -> int:
        cached = min(usage.cached, usage.input)
        micro = (usage.input - cached) * self.input + cached * self.cached + usage.output * self.output
        return int((micro / MILLION).to_integral_value(ROUND_CEILING))


class Tiered(NamedTuple):
    """A price that changes with the length of the prompt: genai-prices knows how."""

    price: Any

    def cost(self, usage: Usage) -> int:
        from genai_prices import Usage as Theirs  # noqa: PLC0415 - loaded only where a provider's model is used

        cached = min(usage.cached, usage.input)
        found = self.price.calc_price(
            Theirs(input_tokens=usage.input, output_tokens=usage.output, cache_read_tokens=cached)
        )
        return int((found["total_price"] * MILLION).to_integral_value(ROUND_CEILING))


FREE = Flat(Decimal(0), Decimal(0), Decimal(0))


class Prices:
    def __init__(self, written: Mapping[str, Written]) -> None:
        self._written = written
        self._known: dict[str, Rate | None] = {}

    def rate(self, deployment: Deployment) -> Rate | None:
        """Its rate; None where no price is known."""
        if deployment.name not in self._known:
            self._known[deployment.name] = self._find(deployment)
        return self._known[deployment.name]

    def _find(self, deployment: Deployment) -> Rate | None:
        for name in (deployment.name, deployment.full_name, deployment.model):
            if (price := self._written.get(name)) is not None:
                cached = price.input if price.cached is None else price.cached
                return Flat(*(_micro(one) for one in (price.input, price.output, cached)))
        return FREE if deployment.local else _published(deployment)


def _micro(dollars: float) -> Decimal:
    return Decimal(str(dollars)) * MILLION


def money(dollars: float) -> int:
    """Dollars as people write them, in micro-dollars."""
    return int(_micro(dollars).to_integral_value(ROUND_CEILING))


def _published(deployment: Deployment) -> Rate | None:
    try:
        from genai_prices import Usage as Theirs, calc_price  # noqa: PLC0415, I001 - heavy: only where a provider's model is used
    except ImportError:
        return None
    provider = {"openai-chat": "openai"}.get(deployment.provider, deployment.provider)
    try:
        found = calc_price(Theirs(input_tokens=1, output_tokens=1), deployment.model, provider_id=provider)
    except LookupError:
        return None
    price = found.model_price
    rates = [getattr(price, name, None) for name in ("input_mtok", "output_mtok", "cache_read_mtok")]
    if rates[0] is None or rates[1] is None:
        return None
    plain = [rates[0] if rate is None else rate for rate in rates]
    if all(isinstance(rate, (Decimal, int)) for rate in plain):
        return Flat(*(Decimal(rate) * MILLION for rate in plain))
    return Tiered(price)


def most_tokens(ask: Ask) -> Usage:
    """The most tokens a call can use: a token is at least one byte, and no more are answered than allowed."""

    size = sum(len(message.text.encode("utf-8", "replace")) + len(message.name) for message in ask.messages)
    size += sum(len(msgspec.json.encode(message.calls)) for message in ask.messages if message.calls)
    size += MESSAGE_TOKENS * (len(ask.messages) + 1)
    if ask.tools:
        size += len(msgspec.json.encode(ask.tools)) + TOOLS_TOKENS
    if ask.schema is not None:
        size += 2 * len(msgspec.json.encode(ask.schema)) + TOOLS_TOKENS
    return Usage(input=size, output=ask.max_tokens)
