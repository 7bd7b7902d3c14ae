"""Errors told in the words that were typed: `--agent ann=cautios`, not the overrides it is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from windtunnel.errors import ScenarioError


@contextmanager
def agents_blamed(given: Sequence[str]) -> Iterator[None]:
    """Whatever one of `--agent ID=POLICY` causes is told of that option."""
    try:
        yield
    except ScenarioError as error:
        for text in given:
            agent, _, who = text.partition("=")
            made = [f"--set agents.{agent}.kind=", f"--set agents.{agent}.policy={who}"]
            if any(str(error.where).startswith(start) for start in made):
                error.where = f"--agent {text}"
        raise
