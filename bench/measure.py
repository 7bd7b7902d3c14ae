"""How things are measured here: each contender in a process of its own, by turns, and the medians compared.

Ours, peer, ours, peer: a machine that is busy for a while is busy for both. Nothing is asserted about time.
"""

from __future__ import annotations

import json
import multiprocessing
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

LAST_WORDS = 30.0  # seconds for a contender to end

Figures = dict[str, float]
Trial = Callable[..., Figures]  # a function of a module, so that another process can find it


class PeerMissing(Exception):
    """A peer is not installed: without it there is no ratio, and none is made up."""


@dataclass
class Result:
    """One line of output. `ratio` says how many times better ours is than the peer; above 1 is ahead."""

    name: str
    ours: float
    peer: float | None
    peer_name: str
    ratio: float | None
    unit: str
    n: int
    more: dict[str, Any] = field(default_factory=dict)
    target: str = ""
    what: str = ""

    def as_dict(self) -> dict[str, Any]:
        first = ("name", "ours", "peer", "peer_name", "ratio", "unit", "n")
        plain = {name: getattr(self, name) for name in first}
        return {key: rounded(value) for key, value in {**plain, **self.more}.items()}


def rounded(value: Any) -> Any:
    """Four digits are more than a shared machine can tell."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return value


def faster(ours: float, peer: float | None) -> float | None:
    """How many times better ours is where more is better (a rate)."""
    return ours / peer if peer else None


def cheaper(ours: float, peer: float | None) -> float | None:
    """How many times better ours is where less is better (seconds, bytes)."""
    return peer / ours if peer is not None and ours else None


def have(*modules: str) -> bool:
    try:
        return all(find_spec(module) is not None for module in modules)
    except ModuleNotFoundError:  # of the package around it
        return False


def need(*modules: str, smoke: bool) -> bool:
    """Whether the peer is here. Where it is not, a smoke run goes on without it and a real one stops."""
    missing = [module for module in modules if not have(module)]
    if missing and not smoke:
        names = ", ".join(missing)
        raise PeerMissing(f"{names} is not installed here; ./dev bench makes an environment that has it")
    return not missing


@contextmanager
def scratch() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="windtunnel-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def by_turns(trials: Mapping[str, tuple[Trial, tuple[Any, ...]]], repetitions: int) -> dict[str, Figures]:
    """Run each trial once to warm up, then again and again by turns; the median of each of its figures."""
    seen: dict[str, list[Figures]] = {name: [] for name in trials}
    with ExitStack() as stack:
        homes = {name: stack.enter_context(home()) for name in trials}
        for name, (trial, given) in trials.items():
            homes[name].submit(trial, *given).result()
        for _ in range(repetitions):
            for name, (trial, given) in trials.items():
                seen[name].append(homes[name].submit(trial, *given).result())
    return {name: medians(figures) for name, figures in seen.items()}


def home() -> ProcessPoolExecutor:
    """A process of its own for one contender, started afresh: no library of another is in it."""
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


def alone(trial: Callable[..., Any], *given: Any) -> Any:
    """One call in a process of its own."""
    with home() as pool:
        return pool.submit(trial, *given).result()


def medians(figures: list[Figures]) -> Figures:
    return {name: statistics.median(one[name] for one in figures) for name in figures[0]}


class Elsewhere:
    """A contender in a process that lasts for several trials, perhaps in an environment of its own: a module
    that reads a line of numbers for each trial, and prints its figures."""

    def __init__(self, python: Path, module: str, *given: str) -> None:
        self.name = given[0]
        self._process = subprocess.Popen(
            [str(python), "-m", module, *given],
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def trial(self, *numbers: int) -> Figures:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(" ".join(map(str, numbers)) + "\n")
        process.stdin.flush()
        while line := process.stdout.readline():
            if line.startswith("{"):  # some libraries print as they start
                found: Figures = json.loads(line)
                return found
        raise RuntimeError(f"{self.name} ended: see what it said on stderr")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._process.communicate(timeout=LAST_WORDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()


class Stopwatch:
    """Seconds of the wall and of the processor, between entering and leaving."""

    def __enter__(self) -> Self:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        self.seconds = self.cpu = 0.0
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._wall
        self.cpu = time.process_time() - self._cpu


def size_of(store: Path) -> int:
    """Bytes on disk of a store, with what lies beside it (the WAL, the heads)."""
    return sum(file.stat().st_size for file in store.parent.glob(f"{store.stem}.*"))
