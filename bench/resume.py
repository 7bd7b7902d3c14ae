"""Resume: taking up a long run costs what taking up a short one costs, also after a kill -9.

Ours is a run that was stopped after many turns, the peer is ours after 100. Each opening takes up a fresh
copy of the store as the stop left it: open the file, find the checkpoint, recompute what came since, play one
turn, close. `clean` was paused; `killed` was hit by SIGKILL in the middle of a turn.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
from pathlib import Path
from typing import Any

from bench import loop
from bench.measure import Figures, Result, Stopwatch, by_turns, cheaper, scratch
from bench.playing import RUN, fresh, play, start
from windtunnel.journal import SqliteStore, Status

SHORT = 100


def make(path: str, turns: int, killed: bool) -> None:
    """A run of `turns` turns and more to come: paused after the last, or killed in the middle of the next."""
    world = loop.world(loop.Dying(turns + 1)) if killed else loop.world()
    store = start(Path(path), world, loop.scenario(turns * 2 + 10))
    row = play(store, world, stop_after=turns)
    if killed:
        play(store, world)
    assert row.status is Status.PAUSED
    store.close()


def make_apart(path: Path, turns: int, killed: bool) -> Path:
    maker = multiprocessing.get_context("spawn").Process(target=make, args=(str(path), turns, killed))
    maker.start()
    maker.join()
    assert maker.exitcode == (-9 if killed else 0), maker.exitcode
    return path


def opening(source: str, copy: str) -> Figures:
    mine = fresh(Path(copy))
    for file in Path(source).parent.glob(f"{Path(source).stem}.*"):
        copied = mine.parent / file.name.replace(Path(source).stem, mine.stem, 1)
        shutil.copyfile(file, copied)
        with copied.open("rb+") as handle:  # or our first commit would wait for the copy to reach the disk
            os.fsync(handle.fileno())
    with Stopwatch() as watch:
        store = SqliteStore(mine)
        before = store.run(RUN).turn
        row = play(store, loop.world(), stop_after=before + 1)
        store.close()
    assert row.turn == before + 1, row
    return {"seconds": watch.seconds, "cpu": watch.cpu}


def run(*, smoke: bool = False) -> Result:
    long, short, repetitions = (60, 10, 1) if smoke else (100_000, SHORT, 15)
    with scratch() as folder:
        trials: dict[str, Any] = {}
        for turns in (long, short):
            for way in ("clean", "killed"):
                name = f"{way}_{turns}"
                source = make_apart(folder / f"{name}.sqlite", turns, way == "killed")
                trials[name] = (opening, (str(source), str(folder / f"copy_{name}.sqlite")))
        found = by_turns(trials, repetitions)
    clean, peer = (found[f"clean_{turns}"]["seconds"] for turns in (long, short))
    killed, killed_peer = (found[f"killed_{turns}"]["seconds"] for turns in (long, short))
    more = {
        "times_longer": clean / peer,
        "killed": killed * 1000,
        "killed_peer": killed_peer * 1000,
        "killed_ratio": cheaper(killed, killed_peer),
        "killed_times_longer": killed / killed_peer,
    }
    return Result(
        "resume", clean * 1000, peer * 1000, f"ours after {short:,} turns", cheaper(clean, peer),
        "ms", long, more,
        target="at most twice the time (ratio 0.5 or more), clean and killed",
        what=f"opening a run of {long:,} turns and playing one more",
    )  # fmt: skip
