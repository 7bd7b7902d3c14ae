"""Forks that were made together: K changed branches, K unchanged controls, and what their pairs say."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

from windtunnel.control.compare import Interval, paired
from windtunnel.errors import NotFound, UsageError
from windtunnel.frames import Number
from windtunnel.words import counted
from windtunnel.world import WORLD

if TYPE_CHECKING:
    from windtunnel.api.handle import Run
    from windtunnel.api.playing import Playing


class Forks:
    """`runs` are changed, `controls` are not; the i-th of each had the same luck."""

    def __init__(self, parent: Run, runs: list[Run], controls: list[Run], playing: Playing | None) -> None:
        self.parent, self.runs, self.controls = parent, runs, controls
        self._playing = playing

    def wait(self) -> Forks:
        if self._playing is not None:
            self._playing.wait()
        return self

    def __await__(self) -> Generator[Any, None, Forks]:
        if self._playing is not None:
            yield from self._playing.__await__()
        return self

    def __len__(self) -> int:
        return len(self.runs)

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    def difference(self, metric: str, agent: str = WORLD, *, turn: int | None = None) -> Interval:
        """What the change did to a metric: the mean difference over the pairs, with its 95% interval.

        The value is the last one of each run, or that after `turn`. A single branch is held against its
        parent."""
        against = self.controls or [self.parent]
        if len(against) != len(self.runs):
            raise UsageError(f"{len(self.runs)} branches cannot be paired with {len(against)} controls")
        return paired([
            _value(one, metric, agent, turn) - _value(other, metric, agent, turn)
            for one, other in zip(self.runs, against, strict=True)
        ])  # fmt: skip

    def __repr__(self) -> str:
        forks, controls = counted(len(self.runs), "fork"), counted(len(self.controls), "control")
        return f"<{forks} of {self.parent.run_id}, {controls}>"


def _value(run: Run, metric: str, agent: str, turn: int | None) -> Number:
    series = run.metrics.series(metric, agent)
    if turn is None:
        return series.values[-1]
    try:
        return series.values[series.turns.index(turn)]
    except ValueError:
        raise NotFound(f"run {run.run_id} has no {metric!r} in turn {turn}", where="turn") from None
