"""The verbs that only look. Nothing of a run is changed, and no world is loaded here: a state is computed
again
by a helper process."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import msgspec

from windtunnel.codec import decode_body
from windtunnel.control import Found, history, opened
from windtunnel.control.access import Principal, Role
from windtunnel.control.compare import Comparison, compare
from windtunnel.control.forked import Changed, changes_among
from windtunnel.control.history import Finals
from windtunnel.control.index import Filter, Listed
from windtunnel.errors import NotFound, UsageError, WindtunnelError
from windtunnel.journal import Entry, RunRow
from windtunnel.journal.lineage import Lineage
from windtunnel.server import turns, types
from windtunnel.server.gate import verb
from windtunnel.server.ground import Ground, aside, of_run
from windtunnel.world import WORLD

MOST = 1000  # of anything, on one page
POINTS = 2000  # of a curve
GROUPS = 200  # of runs; nobody reads more of them
CURVES = 60  # of which the largest move is looked for at once
SCANNED = 20_000  # entries that one search looks through; its page says where the next goes on


class Wanted(NamedTuple):
    """Which entries are asked for; all of them, if nothing is said."""

    turn: int | None = None
    kind: str | None = None
    actor: str | None = None
    text: str | None = None
    phase: str | None = None

    def fits(self, entry: Entry) -> bool:
        return (
            self.turn in (None, entry.turn)
            and self.kind in (None, entry.kind)
            and self.actor in (None, entry.actor)
            and self.phase in (None, entry.phase)
            and (not self.text or self.text.casefold() in entry.body.decode("utf-8", "replace").casefold())
        )


ALL = Wanted()


class Looking:
    def __init__(self, ground: Ground) -> None:
        self.ground, self.audit = ground, ground.audit

    # --- runs ---

    @verb("list_simulations", Role.VIEWER)
    async def list(
        self, who: Principal, wanted: Filter, after: str | None = None, limit: int = 50
    ) -> types.RunPage:
        """Runs, newest first."""
        await aside(self.ground.freshen)
        page = await aside(self.ground.index.page, wanted, after=after, limit=min(limit, MOST), total=True)
        return types.RunPage(runs=[listed(one) for one in page.items], next=page.next, total=page.total)

    @verb("list_groups", Role.VIEWER)
    async def groups(self, who: Principal, wanted: Filter, by: Literal["world", "tag"]) -> types.Groups:
        """How many runs each world or tag has."""
        await aside(self.ground.freshen)
        found = await aside(self.ground.index.grouped, wanted, by, limit=GROUPS)
        return types.Groups(groups=[types.Group(name=name, runs=runs) for name, runs in found.items()])

    @verb("get_simulation_status", Role.VIEWER)
    async def get(
        self, who: Principal, run_id: str, turn: int | None = None, state: bool = False
    ) -> types.RunDetail:
        """A run now, or as it stood after a turn."""
        found = await self.ground.find(run_id)
        as_of = _turn_of(found, turn)
        scores = await aside(history.finals, found, as_of)
        about = await aside(history.overview, found) if found.row.pruned is None else None
        detail = types.RunDetail(
            **(await self.row(found)).model_dump(),
            as_of=as_of,
            metrics=scores,
            headline=await self.ground.headline(found.row.world),
            leader=_leader(scores),
            head=found.row.head_hash.hex(),
            waiting=[one.name for one in about.waiting] if about else [],
            children=[row.run_id for row in about.children] if about else [],
        )
        if state:
            detail.state = await self.state(who, found.row.run_id, as_of)
        return detail

    async def row(self, found: Found) -> types.Run:
        try:
            spent = (await aside(self.ground.index.find, found.row.run_id)).spend / 1e6
        except NotFound:  # the index is read anew before each list, and need not know it yet
            spent = 0.0
        return told(found.row, spent)

    @verb("get_simulation_results", Role.VIEWER)
    async def results(self, who: Principal, run_id: str, turn: int | None = None) -> types.Results:
        """What came of a run so far: metrics, standings by wealth, and what its models cost."""
        found = await self.ground.find(run_id)
        as_of = _turn_of(found, turn)
        scores = await aside(history.finals, found, as_of)
        first = await aside(history.finals, found, min(1, as_of))
        about, used = await aside(history.overview, found), await aside(history.models_used, found)
        return types.Results(
            run_id=found.row.run_id,
            status=types.Status(found.row.status),
            turn=as_of,
            max_turns=found.row.turns,
            reason=found.row.reason,
            metrics=scores,
            headline=await self.ground.headline(found.row.world),
            standings=_standings(scores, first),
            models=[
                types.ModelUse(
                    model=u.model, replies=u.replies, input=u.input, output=u.output, cost=u.cost / 1e6
                )
                for u in used
            ],
            spent=sum(u.cost for u in used) / 1e6,
            seconds=about.seconds,
            head=found.row.head_hash.hex(),
        )

    @verb("get_state", Role.VIEWER)
    async def state(self, who: Principal, run_id: str, turn: int | None = None) -> types.State:
        """The state after a turn, computed again from the nearest checkpoint."""
        found = await self.ground.find(run_id)
        as_of = _turn_of(found, turn)
        told = await self.ground.desks.call(
            found.row.world, "state", {**of_run(found), "turn": as_of}, seconds=120
        )
        scenario = await aside(_scenario_of, found)
        scores = await aside(history.finals, found, as_of)
        seats = {seat["id"]: seat for seat in scenario.get("agents", ())}
        agents = {
            name: types.AgentState(
                role=seats.get(name, {}).get("role", ""),
                kind=seats.get(name, {}).get("kind") or "rule",
                metrics=scores.get(name, {}),
            )
            for name in dict.fromkeys([*seats, *(one for one in scores if one != WORLD)])
        }
        return types.State(turn=as_of, agents=agents, global_state=told.get("state"))

    @verb("get_panels", Role.VIEWER)
    async def panels(
        self, who: Principal, run_id: str, turn: int | None = None, panel: str | None = None
    ) -> types.PanelPage:
        """The page that its world lays out, after a turn: each panel with its data."""
        found = await self.ground.find(run_id)
        asked = {**of_run(found), "turn": _turn_of(found, turn), "panel": panel or ""}
        told = await self.ground.desks.call(found.row.world, "panels", asked, seconds=120)
        return types.PanelPage.model_validate(told)

    @verb("get_turn", Role.VIEWER)
    async def turn(
        self, who: Principal, run_id: str, turn: int, agent: str | None = None, texts: bool = False
    ) -> turns.TurnDetail:
        """One turn: who saw what, decided what, and what came of it. Prompts and replies only with
        `texts`."""
        found = await self.ground.find(run_id)
        _turn_of(found, turn)
        detail = await aside(turns.told, found, turn, agent, texts)
        try:
            seen = await self.ground.desks.call(
                found.row.world, "observe", {**of_run(found), "turn": turn}, seconds=120
            )
            detail.observations = {
                name: what for name, what in seen["observations"].items() if agent in (None, name)
            }
        except (
            WindtunnelError
        ) as problem:  # the world is gone, or changed: what is recorded is told all the same
            detail.unseen = problem.message
        return detail

    # --- records ---

    @verb("get_entries", Role.VIEWER)
    async def entries(
        self,
        who: Principal,
        run_id: str,
        after: int = -1,
        limit: int = 200,
        wanted: Wanted = ALL,
    ) -> types.EntryPage:
        """History as it was written, entry by entry."""
        found = await self.ground.find(run_id)
        return await aside(_entries, found, after, min(limit, MOST), wanted)

    @verb("get_operations", Role.VIEWER)
    async def operations(
        self, who: Principal, run_id: str, after: int = -1, limit: int = 200
    ) -> types.OperationPage:
        """What was done with a run, beside its history: who played it, paused it, voted, and how often it was
        asked again."""
        found = await self.ground.find(run_id)
        every = [one for one in await aside(history.operations, found) if one["seq"] > after]
        page = [
            types.Operation(seq=one["seq"], at=types.moment(one["at"]), kind=one["kind"], body=one["body"])
            for one in every[:limit]
        ]
        return types.OperationPage(
            operations=page, next=str(page[-1].seq) if page and len(every) > len(page) else None
        )

    @verb("get_leaps", Role.VIEWER)
    async def leaps(
        self, who: Principal, run_id: str, agent: str | None = None, name: str | None = None
    ) -> types.Leaps:
        """The turn in which each curve moved most: where to look first."""
        found = await self.ground.find(run_id)
        scores = await aside(history.finals, found)
        if agent is None and name is None:
            keys = history.telling(scores, await self.ground.headline(found.row.world))[:CURVES]
        else:
            keys = [
                (one, what)
                for one, table in scores.items()
                for what in table
                if agent in (None, one) and name in (None, what)
            ][:CURVES]
        moved = await aside(history.leaps, found, keys)
        return types.Leaps(
            run_id=found.row.run_id,
            leaps=[types.Leap(**msgspec.structs.asdict(one)) for one in moved],
        )

    @verb("get_metrics", Role.VIEWER)
    async def metrics(
        self,
        who: Principal,
        run_id: str,
        turn: int | None = None,
        agent: str | None = None,
        name: str | None = None,
        points: int = 200,
        since: int | None = None,
        until: int | None = None,
    ) -> types.Curves:
        """Curves of metrics; long runs are sampled to `points`, or what lies from turn `since` to `until` is.
        With `turn`, that turn alone."""
        found = await self.ground.find(run_id)
        if turn is not None:
            at = _turn_of(found, turn)
            scores = await aside(history.finals, found, at)
            made = [
                types.Curve(agent=who_, name=what, turns=[at], values=[value])
                for who_, table in scores.items()
                for what, value in table.items()
            ]
        else:
            drawn = await aside(
                history.curves, found, points=max(2, min(points, POINTS)),
                agents=() if agent is None else (agent,), names=() if name is None else (name,),
                between=(since or 1, found.row.turn if until is None else until),
            )  # fmt: skip
            made = [
                types.Curve(agent=c.agent, name=c.name, turns=c.turns, values=c.values)
                for c in drawn.values()
            ]
        made = [c for c in made if agent in (None, c.agent) and name in (None, c.name)]
        return types.Curves(run_id=found.row.run_id, turn=found.row.turn, curves=made)

    @verb("get_checkpoints", Role.VIEWER)
    async def checkpoints(self, who: Principal, run_id: str) -> types.Checkpoints:
        """Where a run can be taken up without playing it from the beginning."""
        found = await self.ground.find(run_id)
        return await aside(_checkpoints, found)

    @verb("get_config", Role.VIEWER)
    async def config(self, who: Principal, run_id: str) -> dict[str, Any]:
        """The scenario that a run plays, as its first entry has it (a fork: as it was changed)."""
        found = await self.ground.find(run_id)
        return await aside(_scenario_of, found)

    @verb("compare", Role.VIEWER)
    async def compare(self, who: Principal, request: types.CompareRequest) -> types.Compared:
        """Runs side by side, and where their histories part."""
        found = [await self.ground.find(name) for name in request.runs]
        done: Comparison = await aside(compare, found, turn=request.turn)
        changed = await aside(changes_among, found, request.turn)
        return types.Compared(
            runs=[await self.row(one) for one in found],
            turn=request.turn,
            rows=[types.ComparedRow(**msgspec.structs.asdict(row)) for row in done.rows],
            partings=[types.Parting(**msgspec.structs.asdict(one)) for one in done.partings],
            changed=[_changed(one) for one in changed],
        )


def listed(one: Listed) -> types.Run:
    return told(one, one.spend / 1e6)


def told(one: RunRow, spent: float) -> types.Run:
    return types.Run(
        run_id=one.run_id,
        status=types.Status(one.status),
        world=one.world,
        scenario=one.scenario,
        turn=one.turn,
        max_turns=one.turns,
        seed=one.seed,
        mode=one.mode,
        reason=one.reason,
        tags=msgspec.json.decode(one.tags, type=list[str]),
        parent=one.parent,
        parent_turn=one.parent_turn,
        branch=one.branch,
        created=types.moment(one.created),
        updated=types.moment(one.updated),
        spent=spent,
    )


def _changed(one: Changed) -> types.Changed:
    plain = msgspec.structs.asdict(one)
    effects = [
        types.Effect(
            agent=said.agent, name=said.name, branch=said.branch, reference=said.reference,
            **msgspec.structs.asdict(said.difference), clear=said.difference.clear,
        )
        for said in plain.pop("verdicts")
    ]  # fmt: skip
    return types.Changed(**plain, effects=effects)


def _scenario_of(found: Found) -> dict[str, Any]:
    about = history.overview(found)
    plain: dict[str, Any] = (about.forks[-1] if about.forks else about.started).scenario
    return plain


def _turn_of(found: Found, turn: int | None) -> int:
    if turn is None:
        return found.row.turn
    if turn < 0:
        raise UsageError(
            f"there is no turn {turn}", where="turn", remedy="turns are counted from 1; 0 is the start"
        )
    if turn > found.row.turn:
        raise NotFound(
            f"run {found.row.run_id} has played {found.row.turn} turns, not {turn}",
            where="turn",
            remedy=f"turn={found.row.turn} is its last",
        )
    return turn


def _leader(scores: Finals) -> str | None:
    return next((one.agent for one in _standings(scores, {})), None)


def _standings(scores: Finals, first: Finals) -> list[types.Standing]:
    """Agents by what they would be worth if it stopped now."""
    made = []
    for agent, table in scores.items():
        if agent == WORLD or (wealth := table.get(history.WEALTH)) is None:
            continue
        before = first.get(agent, {}).get(history.WEALTH)
        change = (wealth - before) / abs(before) if before else None
        made.append(types.Standing(agent=agent, wealth=wealth, change=change))
    return sorted(made, key=lambda one: (-one.wealth, one.agent))


def _entries(found: Found, after: int, limit: int, wanted: Wanted) -> types.EntryPage:
    page: list[types.Entry] = []
    turn = wanted.turn
    with opened(found, read_only=True) as store:
        lineage = Lineage(store, found.row.run_id)
        first = after if turn is None else max(after, lineage.near_end(turn - 1))
        for looked, entry in enumerate(lineage.entries(first)):
            if turn is not None and entry.turn > turn:
                break
            if len(page) == limit or looked == SCANNED:
                return types.EntryPage(entries=page, next=str(entry.seq - 1))
            if not wanted.fits(entry):
                continue
            page.append(
                types.Entry(
                    seq=entry.seq,
                    turn=entry.turn,
                    phase=entry.phase,
                    kind=entry.kind,
                    actor=entry.actor,
                    body=decode_body(entry.body),
                    hash=entry.hash.hex(),
                )
            )
    return types.EntryPage(entries=page, next=None)


def _checkpoints(found: Found) -> types.Checkpoints:
    with opened(found, read_only=True) as store:
        kept = [
            types.Checkpoint(turn=one.turn, seq=one.seq, bytes=len(one.state))
            for part in Lineage(store, found.row.run_id).parts
            for one in store.checkpoints(part.row.run_id)
            if one.seq <= part.last_seq
        ]
    return types.Checkpoints(run_id=found.row.run_id, checkpoints=kept)
