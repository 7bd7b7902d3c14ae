"""Proposals put into a workspace beside a server, as another process would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.tour import SPENDER
from windtunnel.config import Workspace
from windtunnel.control.proposals import Proposals
from windtunnel.control.proposing import Wanted
from windtunnel.control.worlds import Worlds
from windtunnel.strategies.reading import inline_strategy
from windtunnel.strategies.versions import compared

EVIDENCE = {
    "candidate": "c1", "gain": 1.0, "low": 0.4, "chance": 0.001, "corrected": 0.007, "alpha": 0.05,
    "tried": 7, "lucks": 3, "gains": [0.9, 1.0, 1.1], "scenarios": ["economy/quick"], "opponents": [],
    "matches": [], "seal": "ab" * 32,
}  # fmt: skip


@contextmanager
def kept(home: Path) -> Iterator[Proposals]:
    workspace = Workspace(home)
    with Proposals(workspace, Worlds(workspace)) as proposals:
        yield proposals


def proposed(
    home: Path,
    name: str,
    run_id: str = "",
    *,
    content: dict[str, Any] | None = None,
    changed: dict[str, Any] | None = None,
    **more: Any,
) -> int:
    """The number of a proposal for a strategy, which is registered with it: `content`, as its file says it,
    with `changed` of it."""
    plain = content or {**SPENDER, "strategy": name}
    start = inline_strategy(dict(plain))
    candidate = inline_strategy({**plain, **(changed or {"parameters": {"tax": 0.2, "response": 0.7}})})
    with kept(home) as proposals:
        base = proposals.registry.add(start)
        terms = {
            "type": "parameter", "title": f"{name}: less tax", "description": "it works more",
            "confidence": 0.99, "risk": "low", "evidence": EVIDENCE, **more,
        }  # fmt: skip
        wanted = Wanted(
            run_id=run_id or f"{name}run", diff=compared(start, candidate), start=start,
            candidate=candidate, base=base.label, **terms,
        )  # fmt: skip
        return proposals.propose(wanted).id
