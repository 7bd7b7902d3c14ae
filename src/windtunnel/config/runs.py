"""`[runs]`: how many runs are played at once, by how many processes, and when one of them is given up.

The limits here hold for runs that name none of their own."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]


class Runs(Struct, frozen=True):
    concurrency: Count | None = None  # runs at once, over all workers
    workers: Count | None = None  # processes that play them; the machine's cores, unless it is said
    isolate: bool = False  # every run in a process of its own
    seconds: Seconds | None = None  # of play
    memory_mb: Count | None = None  # of the process that plays a run, which is then its own
    hung_seconds: Seconds = 10.0  # a worker that gives no sign of life for so long is killed
    stuck_seconds: Seconds = 300.0  # and one of which a single turn has kept hold for so long
    grace_seconds: Seconds = 10.0  # for a turn to end once the run is cancelled, or past its seconds
    idle_seconds: Seconds = 60.0  # a worker with nothing to do ends after so long
