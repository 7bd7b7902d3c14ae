"""What a child of the fork server does: begin a run, or play it with people who answer, until killed."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import msgspec

from tests.faults import bank, disk, points, worlds
from tests.faults.clocks import JumpyClock, StepClock
from tests.faults.outside import Outside
from windtunnel.codec import decode_body
from windtunnel.errors import WindtunnelError
from windtunnel.journal import Effect, RunRow, SqliteStore, Status, sqlite
from windtunnel.journal.texts import whole
from windtunnel.models.hub import Hub
from windtunnel.run.begin import begin
from windtunnel.run.clock import Clock
from windtunnel.run.player import Player
from windtunnel.run.session import play_run
from windtunnel.world import Scenario, World

RUN = "run"
SITTINGS = 200


class Job(msgspec.Struct, omit_defaults=True):
    """One life of a process. Plain values only, since it travels through a pipe."""

    do: str
    folder: str
    world: str = "rules"
    turns: int = 0
    note: bool = False
    kill_at: int | None = None
    kill_at_call: int | None = None
    kill_after: float | None = None  # seconds, by the server: a moment of the machine's own
    fault: disk.Fault | None = None
    clock_seed: int | None = None
    wall_clock: bool = False
    pace: float = 0.0  # seconds that each turn takes
    letters: int = 0  # for a storm: how many, and from whom
    sender: str = ""
    steer: str = ""  # pause or cancel, posted in the middle of a turn by the other side
    file_limit: int = 0  # bytes a file may have
    busy_seconds: float = 0.0
    stop_after: int | None = None
    url: str = ""  # of the provider that answers this run's models

    @property
    def store(self) -> Path:
        return Path(self.folder) / "store.sqlite"

    @property
    def told(self) -> str:
        return str(aside(Path(self.folder)) / f"{self.do}{self.sender}.json")

    @property
    def pid(self) -> str:
        return str(aside(Path(self.folder)) / f"{self.do}{self.sender}.pid")


def aside(folder: Path) -> Path:
    """Where a test keeps its own files of a run: not on the disk that it breaks."""
    return folder.with_name(folder.name + ".aside")


def cast(job: Job) -> tuple[World, Scenario, dict[str, Any]]:
    if job.world == "asking":
        outside = Outside(aside(Path(job.folder)) / "outside.log", job.store, job.steer)
        world = worlds.asking_world(outside)
        return world, worlds.asking_scenario(job.turns or 8), worlds.asking_players(outside)
    if job.world == "bank":
        talking = bank.scenario(1, 1, turns=job.turns or 3, concurrency=1)
        return bank.bank(), talking, {}
    if job.world == "plain":
        return worlds.plain_world(), worlds.plain_scenario(job.turns or 1000), {}
    if job.world == "people":
        return worlds.people_world(), worlds.people_scenario(job.turns or 8), {}
    return worlds.rules_world(), worlds.rules_scenario(job.turns or 60), {}


def hub_of(job: Job) -> Hub | None:
    """Where its models are asked: with money, so that every call is accounted for."""
    if not job.url:
        return None
    return Hub(bank.models(job.url, money=bank.MONEY), environ={bank.KEY: bank.SECRET})


def clock_of(job: Job) -> Clock:
    if job.wall_clock:
        return Clock()
    return StepClock() if job.clock_seed is None else JumpyClock(job.clock_seed)


def run(job: Job) -> Any:
    """What the server calls in the child. The value is told to the test."""
    vfs = disk.install(job.fault) if job.fault is not None else None
    if job.file_limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (job.file_limit, job.file_limit))
    if job.busy_seconds:
        vars(sqlite)["BUSY_SECONDS"] = job.busy_seconds  # read there at each opening
    if job.do == "begin":
        return _begin(job, vfs)
    if job.do in ACTS:
        return ACTS[job.do](job)
    seen = points.note_all() if job.note else None
    points.pace(job.pace)
    points.install()
    points.witness(aside(Path(job.folder)) / "witness.log")
    if job.kill_at is not None:
        points.kill_at(job.kill_at)
    if job.do == "count":
        return {"value": points.count_calls(lambda: _play(job, vfs))}
    if job.kill_at_call is not None:
        points.kill_at_call(job.kill_at_call)
    told = _play(job, vfs)
    return {**told, "points": seen, "writes": disk.calls()}


def _begin(job: Job, vfs: str | None) -> Any:
    world, scenario, players = cast(job)
    store = SqliteStore(job.store, create=True, vfs=vfs)
    begin(store, world, scenario, RUN, players=players, clock=clock_of(job))
    store.close()
    return {}


def _play(job: Job, vfs: str | None) -> dict[str, Any]:
    store = None
    try:
        store = SqliteStore(job.store, vfs=vfs)
        row = drive(job, store)
    except WindtunnelError as error:
        return {"error": type(error).__name__, "text": str(error), "exit_code": error.exit_code}
    finally:
        if store is not None:
            store.close()
    return {"status": str(row.status), "turn": row.turn, "head": row.head_hash.hex()}


def drive(job: Job, store: SqliteStore) -> RunRow:
    """Play to the end; whenever the run waits, its people do what is asked of them, and write a letter."""
    world, _, players = cast(job)
    hub = hub_of(job)
    if store.run(RUN).status.ended:
        return store.run(RUN)
    sealed = aside(Path(job.folder)) / "sealed.log"
    points.note_turns(sealed)
    for _ in range(SITTINGS):
        row = asyncio.run(
            play_run(
                store,
                world,
                RUN,
                players=players,
                clock=clock_of(job),
                stop_after=job.stop_after,
                hub=hub,
            )
        )
        if row.status is not Status.WAITING:
            return row
        if job.world == "people":
            write_letter(store, row.turn)  # before the answers, so that it always reaches the turn that waits
        for effect in store.waiting(RUN):
            serve(store, whole(store, effect))
    raise AssertionError("the run waits for ever")


def serve(store: SqliteStore, effect: Effect) -> None:
    if effect.kind == "approval":
        # As many as it takes and no more: a vote too many would be mail that only one of two runs gets.
        approve = effect.turn % 2 == 0
        needed = decode_body(effect.request)["hold"].get("approvers", 1) if approve else 1
        for voter in ("eve", "frank")[:needed]:
            post(store, "vote", {"effect": effect.name, "approve": approve}, voter)
    elif effect.kind == "ask":
        post(store, "answer", {"effect": effect.name, "result": {"type": "Move", "by": effect.turn}}, "grace")
    else:  # one in doubt, which a person looks up on the other side
        request = decode_body(effect.request)
        result = len(json.dumps(request)) * 7 + effect.turn
        post(store, "answer", {"effect": effect.name, "result": result}, "heidi")


def write_letter(store: SqliteStore, turn: int) -> None:
    """One event for each turn that waited."""
    post(store, "event", {"kind": "letter", "body": {"number": turn}}, f"letter-{turn}")


def post(store: SqliteStore, kind: str, body: Any, sender: str) -> None:
    """Write once, however often the writer is killed at it: people look at what they sent already."""
    text = json.dumps(body)
    known = "SELECT 1 FROM inbox WHERE sender=? AND body=?"  # a test's own look behind the store
    if store._db.execute(known, [sender, text]).fetchone() is not None:
        return
    points.passed("people.before-post")
    store.post(RUN, kind, text.encode(), sender, 0.0)
    points.passed("people.after-post")


def storm(job: Job) -> Any:
    """Write many letters, each in a commit of its own."""
    store = SqliteStore(job.store)
    for number in range(job.letters):
        body = json.dumps({"kind": "letter", "body": {"from": job.sender, "number": number}})
        store.post(RUN, "event", body.encode(), job.sender, 0.0)
    store.close()
    return {}


def lock(job: Job) -> Any:
    """Keep the store locked for as long as a turn of this job takes."""
    db = apsw.Connection(str(job.store))
    db.set_busy_timeout(10_000)
    db.execute("BEGIN IMMEDIATE")
    (aside(Path(job.folder)) / "locked").touch()
    time.sleep(job.pace)
    db.execute("ROLLBACK")
    db.close()
    return {}


def create(job: Job) -> Any:
    """Make the store, as others may at the same time."""
    store = SqliteStore(job.store, create=True)
    store.runs()
    store.close()
    return {}


def measure(job: Job) -> Any:
    """Play with the machine's clock, and look at the memory ten times on the way."""
    world, scenario, _ = cast(job)
    kilobytes: list[int] = []
    blocks: list[int] = []

    async def look(player: Player) -> None:
        if player.tape.turn * 10 == scenario.turns * (len(kilobytes) + 1):
            player.tape.flush()  # what waits for its commit is no leak, and differs from look to look
            gc.collect()
            kilobytes.append(resident())
            blocks.append(sys.getallocatedblocks())

    store = SqliteStore(job.store)
    row = asyncio.run(play_run(store, world, RUN, between=look))
    store.close()
    return {"kilobytes": kilobytes, "blocks": blocks, "turn": row.turn}


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


ACTS: dict[str, Callable[[Job], Any]] = {"storm": storm, "lock": lock, "create": create, "measure": measure}


def in_child(job: Job, work: Callable[[Job], Any]) -> None:
    """The whole life of a child: work, tell, end. It never returns to the server's loop."""
    code = 1
    try:
        Path(job.pid).write_text(f"{os.getpid()}\n")
        told = work(job)
        Path(job.told).write_text(json.dumps(told))
        code = 0
    except BaseException as error:  # noqa: BLE001 - told to the test, which fails with it
        import traceback

        Path(job.told).write_text(json.dumps({"traceback": "".join(traceback.format_exception(error))}))
    finally:
        os._exit(code)
