"""Answers that go wrong, by name; and the storm that deals them out by shares.

Provider([rate_limited(2), cut(), "ready"])
Provider(storm("ready", {"rate_limited": 0.1, "hang": 0.02}, seed=7))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from windtunnel.errors import UsageError
from windtunnel.testing.provider.chance import draw
from windtunnel.testing.provider.scripts import Script, Scripted, as_script
from windtunnel.testing.provider.words import (
    Answer,
    Broken,
    Cut,
    Drip,
    Failure,
    Garbage,
    Hang,
    Huge,
    Request,
    TooLong,
    Unpaid,
    WrongTool,
)


def failing(
    status: int, message: str = "", *, retry_after: float | str | None = None, code: str = ""
) -> Answer:
    return Answer(fault=Failure(status, message, retry_after, code))


def rate_limited(retry_after: float | str | None = 1) -> Answer:
    return failing(429, "Rate limit reached.", retry_after=retry_after)


def unauthorized() -> Answer:
    return failing(401, "Incorrect API key provided.")


def payment_required() -> Answer:
    return failing(402, "Insufficient balance.")


def out_of_quota() -> Answer:
    """The empty account, as each provider says it: not always by 402."""
    return Answer(fault=Unpaid())


def unavailable(retry_after: float | str | None = None) -> Answer:
    return failing(503, "The server is overloaded or not ready yet.", retry_after=retry_after)


def too_long() -> Answer:
    return Answer(fault=TooLong())


def hang(text: str = "ready", *, after: float = 0.0, seconds: float | None = None) -> Answer:
    return Answer(text, fault=Hang(after, seconds))


def drip(text: str = "ready", *, pause: float = 0.05, size: int = 16) -> Answer:
    return Answer(text, fault=Drip(pause, size))


def cut(text: str = "ready", *, after: float = 0.5) -> Answer:
    return Answer(text, fault=Cut(after))


def broken(text: str = "ready", message: str = "overloaded") -> Answer:
    return Answer(text, fault=Broken(message))


def garbage(text: str = Garbage().text) -> Answer:
    return Answer("ready", fault=Garbage(text))


def huge(size: int = Huge().size) -> Answer:
    return Answer(fault=Huge(size))


def refused(text: str = "I cannot help with that.") -> Answer:
    return Answer(refusal=text)


def filtered() -> Answer:
    """Stopped by the provider's own filter: nothing is said at all."""
    return Answer(end="filtered")


def wrong_tool(name: str = "") -> Answer:
    return Answer(fault=WrongTool(name))


def truncated(text: str = '{"action": "wa') -> Answer:
    return Answer(text, end="length")


def empty() -> Answer:
    return Answer()


FAULTS: Mapping[str, Callable[[], Answer]] = {
    made.__name__: made
    for made in (
        rate_limited,
        unauthorized,
        payment_required,
        out_of_quota,
        unavailable,
        too_long,
        hang,
        drip,
        cut,
        broken,
        garbage,
        huge,
        refused,
        filtered,
        wrong_tool,
        truncated,
        empty,
    )
}


def storm(script: Script, shares: Mapping[str, float], *, seed: int = 1) -> Scripted:
    """The script, with faults instead of answers by their shares: drawn by request and attempt."""
    if unknown := set(shares) - set(FAULTS):
        raise UsageError(f"no fault is named {min(unknown)}", remedy=f"one of: {', '.join(sorted(FAULTS))}")
    if min(shares.values(), default=0) < 0 or sum(shares.values()) > 1 + 1e-9:
        raise UsageError("the shares of a storm are at least 0 and together at most 1")
    calm = as_script(script)

    def answer(request: Request) -> Answer | str | None:
        at = draw(seed, "storm", request.key, request.attempt)
        for name, share in shares.items():
            if at < share:
                return FAULTS[name]()
            at -= share
        return calm(request)

    return answer
