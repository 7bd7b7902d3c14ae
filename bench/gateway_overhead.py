"""What the gateway adds to a call of a model, beside LiteLLM's router: processor time above raw httpx.

All ask one server on loopback, in a process of its own, which answers at once: what is left is the client's
own work. `ours` is the whole path of a run (asking.py): every question and every reply durable in SQLite
(FULL) before it is used, money and tokens reserved and settled, breaker, lane and a note of each attempt on.
LiteLLM's router records nothing. It plays in an environment of its own, since it wants an older openai.

What is added is counted from the cheaper of two raw clients: one pool for all calls, or a client for each
call in flight. A larger floor would flatter us. The headline is the worse of the two concurrencies.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.callers import ANSWER
from bench.measure import Elsewhere, Figures, PeerMissing, Result, cheaper, medians, need
from windtunnel.testing.provider import Plot, ProviderProcess

ROOT = Path(__file__).parent.parent
LITELLM = ROOT / ".venv-litellm" / "bin" / "python"
PEERS = {"httpx": "httpx", "httpx-apart": "httpx", "openai": "openai", "pydantic-ai": "pydantic_ai"}
FLOOR = ("httpx", "httpx-apart")
KEPT = 100  # exchanges in the server's log
SMALLEST = 0.001  # milliseconds: who adds less than can be told here is not infinitely better


def started(name: str, url: str) -> Elsewhere:
    return Elsewhere(LITELLM if name == "litellm" else Path(sys.executable), "bench.callers", name, url)


def contenders(*, smoke: bool) -> list[str]:
    """Who plays, in order. Ours needs what its extra `openai` brings."""
    names = [name for name, module in PEERS.items() if need(module, smoke=smoke)]
    if LITELLM.exists():
        names.append("litellm")
    elif not smoke:
        raise PeerMissing("litellm is not here; ./dev bench gateway-overhead makes an environment for it")
    return [*names, "gateway", "ours"]


def measured(names: list[str], sizes: Mapping[int, int], repetitions: int) -> dict[int, dict[str, Figures]]:
    """By concurrency and contender. All are warm before the first is measured, and then play by turns."""
    found: dict[int, dict[str, Figures]] = {}
    with ExitStack() as stack:
        server = stack.enter_context(ProviderProcess(Plot(text=ANSWER, keep=KEPT)))
        callers = {name: stack.enter_context(started(name, server.openai)) for name in names}
        for concurrency, calls in sizes.items():
            seen: dict[str, list[Figures]] = {name: [] for name in names}
            for repetition in range(repetitions + 1):
                for name, caller in callers.items():
                    figures = caller.trial(concurrency, calls)
                    if repetition:  # the first warms up
                        seen[name].append(figures)
            found[concurrency] = {name: medians(figures) for name, figures in seen.items()}
    return found


def added(found: Mapping[str, Figures]) -> dict[str, float]:
    """Milliseconds of processor time a call above the raw client's. Nothing, where there is no raw client."""
    raw = [found[name]["cpu_ms"] for name in FLOOR if name in found]
    if not raw:
        return {}
    return {name: one["cpu_ms"] - min(raw) for name, one in found.items() if name not in FLOOR}


def result(found: Mapping[int, Mapping[str, Figures]], calls: int) -> Result:
    """The headline is where ours does worst beside the router."""
    extra = {at: added(figures) for at, figures in found.items()}
    ratios = {
        at: cheaper(max(one["ours"], SMALLEST), one["litellm"])
        for at, one in extra.items()
        if "litellm" in one
    }
    at = min(ratios, key=lambda at: ratios[at] or 0.0, default=max(found))
    more = {"concurrency": at, "ratios": _at(ratios), "added_ms": _at(extra)}
    for figure in ("cpu_ms", "rate", "busy"):
        more[figure] = _at(
            {at: {name: one[figure] for name, one in row.items()} for at, row in found.items()}
        )
    return Result(
        "gateway-overhead",
        extra[at].get("ours", found[at]["ours"]["cpu_ms"]),
        extra[at].get("litellm"),
        "LiteLLM's Router",
        ratios.get(at),
        "ms CPU a call",
        calls,
        more,
        target="ours adds at most half of what the router adds (ratio 2), journal, budget and breaker on",
        what="CPU of a model call above raw httpx, against a server that answers at once",
    )


def _at(by_concurrency: Mapping[int, Any]) -> dict[str, Any]:
    return {f"at {concurrency}": value for concurrency, value in by_concurrency.items()}


def run(*, smoke: bool = False) -> Result:
    sizes, repetitions = ({1: 4, 8: 16}, 1) if smoke else ({1: 200, 64: 960}, 5)
    return result(measured(contenders(smoke=smoke), sizes, repetitions), sum(sizes.values()))
