"""A provider of models for tests: a real local HTTP server that speaks OpenAI, Anthropic, Gemini and Ollama.

    from windtunnel.testing.provider import Provider, rate_limited

    with Provider([rate_limited(1), "ready"]) as provider:
        ...  # point a client at provider.url
    assert [exchange.status for exchange in provider.log] == [429, 200]

Scripted replies, faults on demand, a log of every request. It never leaves loopback and needs no key.
"""

from windtunnel.testing.provider.apart import ProviderProcess
from windtunnel.testing.provider.chance import LongTail
from windtunnel.testing.provider.faults import (
    FAULTS,
    broken,
    cut,
    drip,
    empty,
    failing,
    filtered,
    garbage,
    hang,
    huge,
    out_of_quota,
    payment_required,
    rate_limited,
    refused,
    storm,
    too_long,
    truncated,
    unauthorized,
    unavailable,
    wrong_tool,
)
from windtunnel.testing.provider.log import Exchange, Log, Totals
from windtunnel.testing.provider.plot import Plot
from windtunnel.testing.provider.scripts import Script, ScriptEnded
from windtunnel.testing.provider.server import Provider
from windtunnel.testing.provider.words import Answer, Call, Request, Usage

__all__ = [
    "FAULTS",
    "Answer",
    "Call",
    "Exchange",
    "Log",
    "LongTail",
    "Plot",
    "Provider",
    "ProviderProcess",
    "Request",
    "Script",
    "ScriptEnded",
    "Totals",
    "Usage",
    "broken",
    "cut",
    "drip",
    "empty",
    "failing",
    "filtered",
    "garbage",
    "hang",
    "huge",
    "out_of_quota",
    "payment_required",
    "rate_limited",
    "refused",
    "storm",
    "too_long",
    "truncated",
    "unauthorized",
    "unavailable",
    "wrong_tool",
]
