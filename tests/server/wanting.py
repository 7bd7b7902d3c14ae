"""Proposals put into a workspace beside a server, as another process would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from windtunnel.config import Workspace
from windtunnel.control.proposals import Proposals
from windtunnel.control.proposing import Wanted
from windtunnel.control.worlds import Worlds
from windtunnel.strategies.model import with_parameters
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


def proposed(home: Path, name: str, run_id: str = "", **more: Any) -> int:
    """The number of a proposal for a strategy of the economy, which is registered with it."""
    start = inline_strategy(
        {
            "strategy": name, "world": "economy", "role": "government", "policy": "keynesian",
            "parameters": {"tax": 0.32, "response": 0.7},
            "schema": {
                "tax": {"type": "number", "minimum": 0.1, "maximum": 0.4},
                "response": {"type": "number", "minimum": 0, "maximum": 3},
            },
        }
    )  # fmt: skip
    candidate = with_parameters(start, {"tax": 0.2})
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
