"""The verbs that start runs and prove them. What needs a world's code is asked of a helper process of that
world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from windtunnel.control import Found
from windtunnel.control.access import Principal, Role
from windtunnel.control.desk_verbs import inside
from windtunnel.control.places import address_of
from windtunnel.errors import NotFound, StorageError, UsageError, WrongState
from windtunnel.journal import Status
from windtunnel.scenario import peek
from windtunnel.server import types
from windtunnel.server.desked import priced
from windtunnel.server.gate import verb
from windtunnel.server.ground import Ground, aside, of_run, where
from windtunnel.server.idempotency import Once
from windtunnel.server.steering import Steering

LONG = 600.0  # seconds that a proof may take in one request


class Playing:
    def __init__(self, ground: Ground, steering: Steering, once: Once) -> None:
        self.ground, self.audit, self.steering, self.once = ground, ground.audit, steering, once

    @verb("start_simulation", Role.OPERATOR, writes=True)
    async def start(self, who: Principal, request: types.StartRequest, key: str = "") -> types.Started:
        """Start a run. It is queued at once and played by a worker; its id comes back."""
        run_id = await aside(self.once.run_id, who, key, request.model_dump_json())
        try:
            found = await self._again(run_id, request) if key else await self._create(run_id, request)
        except NotFound:
            found = await self._create(run_id, request)
        row = found.row
        return types.Started(
            run_id=run_id, status=types.Status(row.status), world=row.world, scenario=row.scenario,
            turn=row.turn, max_turns=row.turns, url=f"/api/simulations/{run_id}",
        )  # fmt: skip

    async def _again(self, run_id: str, request: types.StartRequest) -> Found:
        """The run that was made for this key before. Whoever made it may have died before it was queued."""
        found = await self.ground.find(run_id)
        if found.row.status is Status.QUEUED:
            await self.steering.enqueue([found], budget=request.budget, limits=request.limits)
        return found

    async def _create(self, run_id: str, request: types.StartRequest) -> Found:
        world, asked = await aside(self.asked, request)
        try:
            await self.ground.desks.call(world, "create", {**asked, "run_id": run_id, **_terms(request)})
        except WrongState:  # the same request came twice at once, and the other one was faster
            return await self.ground.find(run_id)
        found = await self.ground.find(run_id)
        await self.steering.enqueue([found], budget=request.budget, limits=request.limits)
        await aside(self.ground.index.note, where(found), found.row)
        return found

    def asked(self, request: types.StartRequest) -> tuple[str, dict[str, Any]]:
        """The world whose desk is asked, and what for. Nothing of a world is imported for it."""
        name = request.text if request.text is not None else request.scenario
        assert name is not None
        plain: dict[str, Any] = {
            "scenario": name if request.text is None or "\n" in name else f"{name}\n",
            "set": request.set, "agents": request.agents, "tags": request.tags, "model": request.model or "",
            "seed": request.seed, "turns": request.turns,
        }  # fmt: skip
        world = request.world
        if world is None:
            path = inside(self.ground.workspace, name)
            world = peek(path)["world"] if path is not None else name.partition("/")[0]
            if path is None and "/" not in name:
                raise UsageError(
                    f"{name!r} is no scenario: it is WORLD/NAME, or the path of a file in the workspace",
                    where="scenario",
                    remedy="list_scenarios (GET /api/scenarios) tells what there is",
                )
        return world, plain

    @verb("fork_simulation", Role.OPERATOR, writes=True)
    async def fork(
        self, who: Principal, run_id: str, request: types.ForkRequest, key: str = ""
    ) -> types.Forked:
        """What if: another course from a turn on. Several branches come with as many unchanged controls."""
        found = await self.ground.find(run_id)
        asked = f"fork {found.row.run_id} {request.model_dump_json()}"
        first = await aside(self.once.run_id, who, key, asked)
        plain = {**request.model_dump(), "model": request.model or "", "run_id": first}
        told = await self.ground.desks.call(found.row.world, "fork", {**of_run(found), **plain}, seconds=120)
        runs, controls = ([one["run_id"] for one in told[name]] for name in ("runs", "controls"))
        made = [await self.ground.at(address_of(found.location, name)) for name in (*runs, *controls)]
        for one in made:
            await aside(self.ground.index.note, where(one), one.row)
        if request.play:
            fresh = [one for one in made if one.row.status is Status.QUEUED]
            await self.steering.enqueue(fresh, budget=request.budget)
        return types.Forked(parent=found.row.run_id, at=told["at"], runs=runs, controls=controls)

    @verb("estimate", Role.VIEWER)
    async def estimate(self, who: Principal, request: types.StartRequest) -> types.Estimate:
        """What a run would ask of its models, and what that may cost. Nothing is paid: it is rehearsed."""
        world, asked = await aside(self.asked, request)
        told = await self.ground.desks.call(world, "estimate", asked, seconds=120)
        return types.Estimate.model_validate({**told, "models": priced(told["models"])})

    # --- proof ---

    @verb("replay_simulation", Role.VIEWER)
    async def replay(self, who: Principal, run_id: str) -> types.Replayed:
        """Play a run again from its record, and hold it against the record."""
        found = await self.ground.find(run_id)
        told = await self.ground.desks.call(found.row.world, "replay", of_run(found), seconds=LONG)
        return types.Replayed.model_validate(told)

    @verb("verify_simulation", Role.VIEWER)
    async def verify(self, who: Principal, run_id: str) -> types.Verified:
        """Check that nothing in a run was changed or cut off."""
        found = await self.ground.find(run_id)
        (told,) = await self.ground.errands.run("verify", "--", found.address, seconds=LONG)
        return types.Verified.model_validate(told)

    # --- files ---

    @verb("export_simulation", Role.VIEWER)
    async def export(self, who: Principal, run_id: str, to: str, folder: Path) -> Path:
        """A run as csv, parquet, jsonl, chat, or one html page, written into `folder`."""
        found = await self.ground.find(run_id)
        path = folder / f"{found.row.run_id}.{'jsonl' if to == 'chat' else to}"
        words = ("--to", to, "-o", str(path), "--", found.address)
        await self.ground.errands.run("export", *words, seconds=LONG)
        return path

    @verb("import_simulations", Role.OPERATOR, writes=True)
    async def bring_in(self, who: Principal, file: Path) -> types.Imported:
        """Bring the runs of a store into this workspace."""
        try:
            (told,) = await self.ground.errands.run("import", "--", str(file), seconds=LONG)
        except StorageError as error:  # not our storage: what was sent is no store
            raise UsageError(error.message, where="body", remedy="send the file of a run") from None
        await aside(self.ground.index.refresh)
        return types.Imported.model_validate(told)


def _terms(request: types.StartRequest) -> dict[str, Any]:
    """What a run is held to, kept with it."""
    limits = request.limits.model_dump() if request.limits is not None else None
    return {"budget": request.budget, "limits": limits}
