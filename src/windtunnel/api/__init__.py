"""The Python interface: what `import windtunnel as wt` offers, loaded when first used.

A door like the command line: it calls `control` and decides nothing of its own.
"""

from __future__ import annotations

from windtunnel.api.forks import Forks
from windtunnel.api.handle import Run
from windtunnel.api.verbs import open_run, run, runs, scenarios, worlds

__all__ = ["Forks", "Run", "open_run", "run", "runs", "scenarios", "worlds"]
