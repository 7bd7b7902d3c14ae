"""The verbs of every door: start, resume, fork, replay, pause, cancel, vote, answer, inject.

The command line, Python and later REST and MCP call these and nothing below them. Each takes a workspace
and names; none prints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from windtunnel.codec import decode_body, encode_body
from windtunnel.config import Workspace
from windtunnel.control.approvals import Approval, Voted, approvals_of, the_one, vote
from windtunnel.control.catalog import Found, all_runs, find_run, home_of, open_store, opened
from windtunnel.control.executor import CONCURRENCY, Done, Executor, Job, LocalExecutor, hub_of
from windtunnel.control.ids import new_run_id, run_ids_from
from windtunnel.control.notify import flush, notice
from windtunnel.control.places import founded
from windtunnel.errors import LeaseHeld, ModelSetup, NotFound, UsageError, WrongState
from windtunnel.journal import Effect, Owner, RunRow, Status, Store
from windtunnel.journal.texts import whole
from windtunnel.journal.verify import Verified, verify
from windtunnel.run.begin import Said, begin
from windtunnel.run.clock import Clock
from windtunnel.run.fork import Change, fork, read_point
from windtunnel.run.mail import mail_error
from windtunnel.run.player import Observer, Player
from windtunnel.run.replay import Replayed, peek, replay
from windtunnel.run.session import move_run, take_over
from windtunnel.run.voting import action_digest
from windtunnel.scenario import models_of
from windtunnel.world import Scenario, World

WITHOUT_KEY = "--model house plays it with no key"
MOST_MONEY = 1e9  # dollars: more is a mistake
Players = Mapping[str, Any]
FindWorld = Callable[[str], World]


class Control:
    """The verbs over one workspace. `find_world` tells which World a recorded name means."""

    def __init__(
        self,
        workspace: Workspace,
        find_world: FindWorld,
        *,
        executor: Executor | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.workspace, self.find_world = workspace, find_world
        self.clock = clock or Clock()
        self.executor = executor or LocalExecutor(
            workspace, concurrency=workspace.settings.runs.concurrency or CONCURRENCY, clock=clock
        )

    # --- playing ---

    def create(
        self,
        world: World,
        scenario: Scenario,
        *,
        path: Path | None = None,
        players: Players | None = None,
        said: Said = (),
        run_id: str = "",
    ) -> Found:
        """A run that is queued: its store (a new one, or `path`) and its first entry. `said`: what its
        operations begin with. `run_id`: a name that `new_run_id` made before."""
        self._check_models(scenario)
        run_id = run_id or new_run_id()
        where = str(path) if path else home_of(self.workspace, run_id)
        with founded(where, self.workspace) as store:
            row = begin(
                store, world, scenario, run_id, players=dict(players or {}), clock=self.clock, said=said
            )
        return Found(where, row)

    def _check_models(self, scenario: Scenario) -> None:
        """What a model or a server of tools lacks is said before anything is written or paid."""
        if models := models_of(scenario):
            hub = hub_of(self.workspace)
            try:
                hub.check(models)
            except ModelSetup as error:
                error.remedy = f"{error.remedy}; {WITHOUT_KEY}" if error.remedy else WITHOUT_KEY
                raise
            if scenario.mcp:
                hub.servers.check(scenario.mcp)

    async def play(
        self,
        runs: list[Found],
        *,
        world: World | None = None,
        players: Players | None = None,
        observer: Observer | None = None,
        stop_after: int | None = None,
        budget: float | None = None,
    ) -> list[Done]:
        """Play runs. `budget`: the most, in dollars, that each may spend on models, until another is set."""
        if budget is not None and not 0 <= budget < MOST_MONEY:
            raise UsageError(f"a budget of {budget} dollars", where="budget", remedy="0 or more")
        named = set() if world is not None else {found.row.world for found in runs}
        worlds = {name: self.find_world(name) for name in sorted(named)}  # looked for once, not for every run
        jobs = [
            Job(
                location=found.location,
                run_id=found.row.run_id,
                world=world or worlds[found.row.world],
                players=players or {},
                stop_after=stop_after,
                budget=budget,
                seen=found.row.op_seq,
            )
            for found in runs
        ]
        done = await self.executor.play(jobs, observer)
        notice(self.workspace, runs, self._looked_into, self.clock)
        await flush(self.workspace, self.clock)
        return done

    def _looked_into(self, found: Found) -> AbstractContextManager[Store]:
        return opened(found, self.workspace, read_only=True)

    def take_over(self, name: str, *, sender: str = "operator") -> Owner | None:
        """Take a run away from a process on a machine that is gone; who held it, if somebody did."""
        found = self.find(name)
        with opened(found, self.workspace) as store:
            return take_over(store, found.row.run_id, sender, self.clock)

    def find(self, name: str) -> Found:
        return find_run(self.workspace, name)

    # --- forks ---

    def fork(
        self,
        name: str,
        at: str,
        *,
        change: Change | None = None,
        branches: int = 1,
        world: World | None = None,
        players: Players | None = None,
        said: Said = (),
        run_id: str = "",
    ) -> tuple[Found, list[Found], list[Found]]:
        """The parent, the changed branches, and as many unchanged controls when there are several. `run_id`:
        a name that `new_run_id` made before, of the first; the others follow from it. Those of them that are
        there already are taken as they are."""
        if not 1 <= branches <= 1000:
            raise UsageError(f"{branches} branches", where="--branches", remedy="between 1 and 1000")
        parent, point = self.find(name), read_point(at)
        world = world or self.find_world(parent.row.world)
        change = change and self._checked(change)
        store = open_store(parent.location, self.workspace)

        def make(name: str, change: Change | None, branch: int) -> Found:
            try:
                made = fork(
                    store, world, parent.row.run_id, point, name, change=change, branch=branch,
                    players=dict(players or {}), clock=self.clock, said=said,
                )  # fmt: skip
            except WrongState:
                before = _made_before(store, parent.row.run_id, name) if run_id else None
                if before is None:
                    raise
                made = before
            return Found(parent.location, made)

        names = run_ids_from(run_id or new_run_id(), branches if branches == 1 else 2 * branches)
        try:
            if branches == 1:
                return parent, [make(names[0], change, 0)], []
            # Branch 0 is the parent's own luck; each pair of branch and control shares a luck of its own.
            rows = store.children(parent.row.run_id)
            again = next((row.branch for row in rows if row.run_id == names[0]), None)
            base = again or 1 + max((row.branch for row in rows), default=0)
            numbers = range(base, base + branches)
            changed = [make(name, change, n) for name, n in zip(names[:branches], numbers, strict=True)]
            controls = [make(name, None, n) for name, n in zip(names[branches:], numbers, strict=True)]
            return parent, changed, controls
        finally:
            store.close()

    def _checked(self, change: Change) -> Change:
        """The change, with its models checked once the changed scenario is known."""
        edit = change.edit
        if edit is None:
            return change

        def checked(scenario: Scenario) -> Scenario:
            changed = edit(scenario)
            self._check_models(changed)
            return changed

        return structs.replace(change, edit=checked)

    # --- proof ---

    async def replay(
        self,
        name: str,
        *,
        world: World | None = None,
        players: Players | None = None,
        observer: Observer | None = None,
    ) -> Replayed:
        found = self.find(name)
        with opened(found, self.workspace, read_only=True) as store:
            world = world or self.find_world(found.row.world)
            return await replay(store, world, found.row.run_id, players=players, observer=observer)

    def verify(self, name: str) -> Verified:
        found = self.find(name)
        with opened(found, self.workspace, read_only=True) as store:
            return verify(store, found.row.run_id, public_key=self.workspace.public_key)

    # --- mail ---

    def post(self, name: str, kind: str, body: Any = None, *, sender: str = "operator") -> Found:
        """Put mail into a run's inbox; who plays it takes it in."""
        if problem := mail_error(kind, body if body is not None else {}):
            raise UsageError(problem.message)
        found = self.find(name)
        if found.row.status.ended:
            raise WrongState(f"run {found.row.run_id} is {found.row.status}; it reads no mail any more")
        with opened(found, self.workspace) as store:
            store.post(
                found.row.run_id,
                kind,
                encode_body(body if body is not None else {}),
                sender,
                self.clock.wall(),
            )
        return found

    def pause(self, name: str, *, sender: str = "operator") -> Found:
        return self._steer(name, "pause", Status.PAUSED, sender)

    def cancel(self, name: str, *, sender: str = "operator") -> Found:
        return self._steer(name, "cancel", Status.CANCELLED, sender)

    def _steer(self, name: str, wish: str, status: Status, sender: str) -> Found:
        """A run that is played gets mail; one that nobody plays is moved here and now, unless somebody takes
        it up in this moment."""
        found = self.find(name)
        if found.row.status is Status.RUNNING:
            return self.post(name, wish, sender=sender)
        found.row.status.move(status)
        try:
            with opened(found, self.workspace) as store:
                row = move_run(store, found.row.run_id, status, sender, self.clock)
        except LeaseHeld:
            return self.post(name, wish, sender=sender)
        notice(self.workspace, [found], self._looked_into, self.clock)
        return Found(found.location, row)

    def waiting(self, name: str) -> list[Asked]:
        """What of a run waits for people: votes and answers."""
        found = self.find(name)
        with opened(found, self.workspace, read_only=True) as store:
            return [_asked(found, effect, whole(store, effect)) for effect in store.waiting(found.row.run_id)]

    def pending(self, runs: Iterable[Found] | None = None, *, every: bool = False) -> list[Approval]:
        """The held actions of these runs (of all that have not ended) which wait for votes; or `every` one
        that they ever had."""
        if runs is None:
            alive = all_runs(self.workspace)
            runs = (f for f in alive if f.row.pruned is None and (every or not f.row.status.ended))
        told: list[Approval] = []
        for found in runs:
            with opened(found, self.workspace, read_only=True) as store:
                told += approvals_of(store, found, self.clock.wall(), every=every)
        return told

    def approval(self, name: str, effect: str = "") -> Approval:
        """One held action, decided or not."""
        found = self.find(name)
        with opened(found, self.workspace, read_only=True) as store:
            return the_one(store, found, effect, self.clock.wall())

    def vote(
        self,
        name: str,
        effect: str,
        approve: bool,
        *,
        sender: str,
        note: str = "",
        digest: str = "",
        via: str = "",
    ) -> Voted:
        """Vote on an action that is held, and learn how it stands; `VoteRefused` if the vote cannot count."""
        found = self.find(name)
        with opened(found, self.workspace) as store:
            voted = vote(
                store, found, effect, approve, sender=sender, now=self.clock.wall(), note=note, digest=digest,
                via=via,
            )  # fmt: skip
        notice(self.workspace, [found], self._looked_into, self.clock)
        return voted

    def answer(self, name: str, effect: str, result: Any, *, sender: str = "operator") -> Found:
        asked = self._waiting_one(name, effect)
        return self.post(name, "answer", {"effect": asked.effect, "result": result}, sender=sender)

    def inject(self, name: str, kind: str, body: Any = None, *, sender: str = "operator") -> Found:
        """An event from outside: it reaches the world in the next turn."""
        return self.post(name, "event", {"kind": kind, "body": body}, sender=sender)

    def _waiting_one(self, name: str, effect: str) -> Asked:
        asked = [a for a in self.waiting(name) if a.kind != "approval"]
        if not effect and len(asked) == 1:
            return asked[0]
        for one in asked:
            if one.effect == effect:
                return one
        if not asked:
            raise NotFound(f"nothing in {name} waits for an answer", remedy=f"windtunnel show {name}")
        called = (
            f"nothing called {effect!r} waits for an answer"
            if effect
            else "several things wait for an answer"
        )
        raise NotFound(called, remedy=f"name one: {', '.join(a.effect for a in asked)}")

    # --- looking ---

    async def at(
        self,
        name: str,
        turn: int | None = None,
        *,
        world: World | None = None,
        players: Players | None = None,
    ) -> Player:
        """The run as it stood after a turn, recomputed from the nearest checkpoint; nothing is written."""
        found = self.find(name)
        with opened(found, self.workspace, read_only=True) as store:
            world = world or self.find_world(found.row.world)
            return await peek(store, world, found.row.run_id, turn, players=players)


def _made_before(store: Store, parent_id: str, name: str) -> RunRow | None:
    """A fork of that name, if it is one of that parent."""
    try:
        row = store.run(name)
    except NotFound:
        return None
    return row if row.parent == parent_id else None


class Asked(Struct):
    """Something that waits for a person."""

    run_id: str
    effect: str
    kind: str
    actor: str
    turn: int
    digest: str
    asked: float
    request: Any


def _asked(found: Found, effect: Effect, told: Effect) -> Asked:
    """The digest is of what is stored, as whoever counts the votes makes it."""
    return Asked(
        found.row.run_id, effect.name, effect.kind, effect.actor, effect.turn, action_digest(effect.request),
        effect.asked, decode_body(told.request),
    )  # fmt: skip
