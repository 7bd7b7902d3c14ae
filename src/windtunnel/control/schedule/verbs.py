"""What a schedule may do without a server: play a run, look after the machine, let old runs go.

Each verb has a `check`, which judges its arguments when a schedule is added, so that a slip is told then and
not at three in the morning; and a `work`, which is done in a process of its own (`apart`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeVar

import msgspec
from msgspec import Meta, Struct, structs

from windtunnel.control import keeping
from windtunnel.control.catalog import Found
from windtunnel.control.doctor import examine
from windtunnel.control.models import try_out
from windtunnel.control.schedule.when import read_seconds
from windtunnel.control.verbs import Control
from windtunnel.control.worlds import Worlds
from windtunnel.discovery import find_scenario, load_here
from windtunnel.errors import LeaseHeld, NotFound, RunError, UsageError
from windtunnel.journal import Status
from windtunnel.run.player import Player
from windtunnel.scenario import load_scenario, models_of, override_scenario, with_model
from windtunnel.words import counted, explain, suggest
from windtunnel.world import Scenario, World

T = TypeVar("T", bound=Struct)
GOOD = (Status.COMPLETED, Status.WAITING, Status.PAUSED)  # waiting for people, or for money, is no error
OPEN = (Status.QUEUED, Status.PAUSED, Status.CRASHED, Status.FAILED)  # what another attempt goes on with


class Attempt:
    """What a work knows of its firing: what an attempt before noted, how to note, and whether to stop."""

    def __init__(
        self, noted: dict[str, Any] | None = None, note: Callable[[dict[str, Any]], None] = lambda _: None
    ) -> None:
        self.noted, self.note = noted or {}, note
        self._players: dict[str, Player] = {}
        self._stopped = False

    def watch(self, player: Player) -> None:
        """An observer of players: it learns whom to stop."""
        self._players[player.run_id] = player
        if self._stopped:
            player.stop = player.stop or "pause"

    def stop(self) -> None:
        """Pause what plays at the end of its turn. From any thread."""
        self._stopped = True
        for player in list(self._players.values()):
            player.stop = player.stop or "pause"


class Work(Protocol):
    """One verb over one workspace."""

    def check(self, arguments: dict[str, Any]) -> dict[str, Any]: ...
    async def work(self, arguments: dict[str, Any], attempt: Attempt) -> dict[str, Any]: ...


class RunArguments(Struct, frozen=True, forbid_unknown_fields=True):
    """As `windtunnel run` takes them; `set` holds KEY=VALUE."""

    scenario: Annotated[str, Meta(min_length=1, max_length=1000)]
    seed: Annotated[int, Meta(ge=0)] | None = None
    turns: Annotated[int, Meta(ge=0)] | None = None
    set: tuple[str, ...] = ()
    model: str = ""
    budget: Annotated[float, Meta(ge=0, lt=1e9)] | None = None


class HealthArguments(Struct, frozen=True, forbid_unknown_fields=True):
    """`models` are asked a tiny question each."""

    models: tuple[str, ...] = ("house",)
    seconds: Annotated[float, Meta(gt=0, le=3600)] = 60.0


class PruneArguments(Struct, frozen=True, forbid_unknown_fields=True):
    """As `windtunnel prune` takes them; `older_than` is an age such as 30d."""

    older_than: str = ""
    keep_last: Annotated[int, Meta(ge=0)] | None = None
    status: tuple[str, ...] = ()
    max_bytes: Annotated[int, Meta(ge=0)] | None = None


def works(control: Control) -> dict[str, Work]:
    return {"run": Run(control), "health": Health(control), "prune": Prune(control)}


class Run:
    """Play a scenario to its end. An attempt that is cut off leaves its run paused or crashed, and the next
    one goes on with it: what models answered is not paid for twice."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def check(self, arguments: dict[str, Any]) -> dict[str, Any]:
        wanted = _read(arguments, RunArguments)
        _, scenario, path = self._scenario(wanted)
        if wanted.budget is not None and not models_of(scenario):
            raise UsageError(
                "a budget limits what models cost, and nothing here asks a model",
                where="budget",
                remedy="leave it out, or name a model",
            )
        return _kept(structs.replace(wanted, scenario=path))

    async def work(self, arguments: dict[str, Any], attempt: Attempt) -> dict[str, Any]:
        wanted = _read(arguments, RunArguments)
        found = self._begun(attempt.noted.get("run_id"))
        if found is not None and found.row.status not in OPEN:
            return _outcome(found)
        if found is None:
            world, scenario, _ = self._scenario(wanted)
            found = self._control.create(world, scenario)
            attempt.note({"run_id": found.row.run_id})
        else:
            world = self._control.find_world(found.row.world)
        (done,) = await self._control.play([found], world=world, observer=attempt.watch, budget=wanted.budget)
        if isinstance(done.error, LeaseHeld):  # somebody else goes on with it: it is in good hands
            return _outcome(self._control.find(found.row.run_id))
        if done.error is not None:
            raise done.error
        if done.row.status not in GOOD:
            said = f"run {done.row.run_id} is {done.row.status}: {done.row.reason or 'no reason is known'}"
            raise RunError(said, remedy=f"windtunnel show {done.row.run_id}")
        return _outcome(Found(found.location, done.row))

    def _scenario(self, wanted: RunArguments) -> tuple[World, Scenario, str]:
        """The world, the scenario with its changes, and what names it from anywhere."""
        found = find_scenario(wanted.scenario, self._control.workspace)
        world = load_here(found.source)
        Worlds(self._control.workspace).remember(found.source)
        scenario = load_scenario(found.path, world)
        if wanted.model:
            scenario = with_model(scenario, wanted.model)
        short = {"seed": wanted.seed, "turns": wanted.turns}
        changes = [f"{key}={value}" for key, value in short.items() if value is not None]
        if changes or wanted.set:
            scenario = override_scenario(scenario, [*changes, *wanted.set], world)
        root = self._control.workspace.root
        by_path = any(path.is_file() for path in (Path(wanted.scenario).expanduser(), root / wanted.scenario))
        return world, scenario, found.path if by_path else found.name

    def _begun(self, run_id: str | None) -> Found | None:
        """The run that an attempt before this one made."""
        if run_id is None:
            return None
        try:
            return self._control.find(run_id)
        except NotFound:
            return None


def _outcome(found: Found) -> dict[str, Any]:
    row = found.row
    return {"run_id": row.run_id, "status": str(row.status), "turns": row.turn}


class Health:
    """Look after the machine: what `doctor` checks, and whether models answer. What is bad is an error."""

    def __init__(self, control: Control) -> None:
        self._workspace = control.workspace

    def check(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return _kept(_read(arguments, HealthArguments))

    async def work(self, arguments: dict[str, Any], attempt: Attempt) -> dict[str, Any]:  # noqa: ARG002
        wanted = _read(arguments, HealthArguments)
        checks = list(examine(self._workspace))
        wrong = [f"{check.name}: {check.found}" for check in checks if check.level == "bad"]
        tested = []
        if wanted.models:
            tested = await try_out(self._workspace, wanted.models, seconds=wanted.seconds)
        wrong += [f"model {one.name}: {one.error['message']}" for one in tested if one.error is not None]
        if wrong:
            raise RunError(f"{len(wrong)} to mend: {'; '.join(wrong)}", remedy="windtunnel doctor")
        return {"checks": len(checks), "models": [one.name for one in tested]}


class Prune:
    """Let old runs go. Without a rule of what is old it is refused: it would let go of all that has ended."""

    def __init__(self, control: Control) -> None:
        self._workspace = control.workspace

    def check(self, arguments: dict[str, Any]) -> dict[str, Any]:
        wanted = _read(arguments, PruneArguments)
        if not _kept(wanted):
            raise UsageError(
                "no rule says which runs go",
                where="arguments",
                remedy="one of: older_than, keep_last, status, max_bytes",
            )
        for word in wanted.status:
            if word not in set(Status):
                raise UsageError(
                    f"{word!r} is no status", where="status", remedy=suggest(word, map(str, Status))
                )
        if wanted.older_than:
            read_seconds(wanted.older_than, "older_than")
        return _kept(wanted)

    async def work(self, arguments: dict[str, Any], attempt: Attempt) -> dict[str, Any]:  # noqa: ARG002
        wanted = _read(arguments, PruneArguments)
        now = time.time()  # ambient: ages of runs
        plan = keeping.plan(
            self._workspace,
            now=now,
            older_than=read_seconds(wanted.older_than, "older_than") if wanted.older_than else None,
            keep_last=wanted.keep_last,
            status=[Status(word) for word in wanted.status] or None,
            max_bytes=wanted.max_bytes,
        )
        swept = keeping.sweep(self._workspace, plan.runs, at=now)
        if swept.refused:
            raise RunError(
                f"{counted(len(swept.refused), 'run')} kept: {'; '.join(set(swept.refused.values()))}"
            )
        return {"runs": len(swept.runs), "bytes": plan.bytes}


# --- arguments ---


def _read(arguments: dict[str, Any], kind: type[T]) -> T:
    try:
        return msgspec.convert(arguments, kind)
    except msgspec.ValidationError as error:
        known = [one.name for one in structs.fields(kind)]
        if unknown := [key for key in arguments if key not in known]:
            raise UsageError(
                f"there is no argument {unknown[0]!r}", where="arguments", remedy=suggest(unknown[0], known)
            ) from None
        key = str(error).rpartition("`$.")[2].rstrip("`").partition("[")[0]
        told = explain(str(error), arguments.get(key))
        raise UsageError(f"{key}: {told}" if key in known else told, where="arguments") from None


def _kept(wanted: Struct) -> dict[str, Any]:
    """What was said, without what nobody said."""
    plain: dict[str, Any] = msgspec.to_builtins(wanted)
    defaults = {one.name: one.default for one in structs.fields(type(wanted)) if not one.required}
    return {
        key: value
        for key, value in plain.items()
        if key not in defaults or getattr(wanted, key) != defaults[key]
    }
