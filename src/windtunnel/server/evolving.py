"""The verbs over evolutions and what they propose. An evolution is a run: it is paused, resumed and cancelled
as runs are; its desk begins it and tells how it stands, a worker of its own plays it. What it proposes is
decided by people, by the code that decides at a terminal too."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from windtunnel.control.access import Principal, Role
from windtunnel.control.index import Filter, Listed
from windtunnel.control.proposals import Proposals
from windtunnel.control.proposing import Proposal
from windtunnel.errors import NotFound, UsageError, VoteRefused
from windtunnel.server import types
from windtunnel.server.desked import Desked, in_dollars
from windtunnel.server.gate import verb
from windtunnel.server.ground import Ground, aside, no_world, of_run
from windtunnel.server.idempotency import Once
from windtunnel.server.steering import Steering

EVOLUTION = "evolution"  # the world that such a run names
WORKER, DESK = "windtunnel.evolution.worker", "windtunnel.evolution.desk"
DRAWN = 64  # evolutions that are remembered as they were last asked for
PROMOTED = "; promoted"  # how the reason ends of one whose winner passed the gate


class Evolving(Desked):
    world, path = EVOLUTION, "/api/evolution"
    listed = "list_evolutions (GET /api/evolution)"

    def __init__(self, ground: Ground, steering: Steering, once: Once) -> None:
        super().__init__(ground, steering, once)
        self.proposals = Proposals(ground.workspace, no_world, ground.database)
        self.late: dict[str, str] = {}  # by run: why what passed its gate is not proposed
        self._settled: set[str] = set()  # runs that need no proposing any more
        self._drawn: OrderedDict[str, tuple[str, dict[str, Any]]] = OrderedDict()

    @verb("list_evolutions", Role.VIEWER)
    async def list(self, who: Principal, after: str | None = None, limit: int = 50) -> types.EvolutionPage:
        """Evolutions, newest first, each with what it proposed."""
        page, about = await self.page(after, limit)
        shown = [one for one in page.items if one.run_id in about]
        made = [await aside(self.proposals.of_run, one.run_id) for one in shown]
        found = [_info(one, about[one.run_id], proposal) for one, proposal in zip(shown, made, strict=True)]
        return types.EvolutionPage(evolutions=found, next=page.next, total=page.total or 0)

    @verb("start_evolution", Role.OPERATOR, writes=True)
    async def start(self, who: Principal, request: types.EvolutionRequest, key: str = "") -> types.Started:
        """Start an evolution. It is checked and queued at once, and played in the background."""
        return await self.begun(who, request, key)

    @verb("estimate_evolution", Role.VIEWER)
    async def estimate(self, who: Principal, request: types.EvolutionRequest) -> types.Forecast:
        """What an evolution comes to: matches, what its models may cost, seconds. Nothing is paid."""
        return await self.foretold(request)

    @verb("get_evolution", Role.VIEWER)
    async def get(self, who: Principal, run_id: str, generation: int | None = None) -> types.Evolution:
        """How an evolution stands: its generations, the candidates of one, what the gate said."""
        return (await self.drawn(run_id, generation))[1]

    async def drawn(self, run_id: str, generation: int | None = None) -> tuple[str, types.Evolution]:
        """With a stamp that is another when anything of it is."""
        found = await self.found(run_id)
        name = found.row.run_id
        known = self._drawn.get(name) if generation is None else None
        asked = {**of_run(found), "seen": known[0] if known else "", "generation": generation}
        told = await self.ground.desks.call(EVOLUTION, "story", asked, seconds=300)
        stamp, story = told["stamp"], told["story"] or (known or ("", {}))[1]
        if generation is None:
            self._drawn[name] = stamp, story
            self._drawn.move_to_end(name)
            while len(self._drawn) > DRAWN:
                self._drawn.popitem(last=False)
        proposal = await aside(self.proposals.of_run, name)
        late = self.late.get(name) if proposal is None else None
        stands = "" if proposal is None else f"{proposal.status} {len(proposal.votes)}"
        return f"{stamp} {stands} {late or ''}", _evolution(story, proposal, late)

    @verb("list_evolution_matches", Role.VIEWER)
    async def matches(
        self, who: Principal, run_id: str, after: int = 0, limit: int = 200
    ) -> types.EvolutionMatchPage:
        """The matches of an evolution that came to an outcome, each with the run that it is."""
        found = await self.found(run_id)
        asked = {**of_run(found), "after": after, "limit": limit}
        told = await self.ground.desks.call(EVOLUTION, "matches", asked, seconds=120)
        return types.EvolutionMatchPage.model_validate(in_dollars(told))

    # --- proposals ---

    @verb("list_proposals", Role.VIEWER)
    async def proposed(
        self, who: Principal, status: str = "", strategy: str = "", after: str = "", limit: int = 50
    ) -> types.ProposalPage:
        """What evolutions found and people decide, the newest first."""
        most = limit + 1
        found = await aside(
            self.proposals.list, status=status, strategy=strategy, after=_cursor(after), limit=most
        )
        page = found[:limit]
        return types.ProposalPage(
            proposals=[types.ProposalInfo(**_proposal(one)) for one in page],
            next=str(page[-1].id) if len(found) > limit else None,
            total=await aside(self.proposals.count, status=status, strategy=strategy),
        )

    @verb("get_proposal", Role.VIEWER)
    async def proposal(self, who: Principal, proposal: str) -> types.Proposal:
        """One of them: its evidence, what differs, and who said what."""
        return await self._told(await aside(self.proposals.find, proposal))

    @verb("approve_proposal", Role.APPROVER, writes=True)
    async def approve(self, who: Principal, proposal: str, request: types.DecisionRequest) -> types.Proposal:
        """Approve a proposal. The last yes that is needed puts its candidate in force."""
        by = _by_name(who, proposal)
        found = await aside(self.proposals.find, proposal)
        asked = {"proposal": found.id, "by": by, "note": request.note}
        # Its candidate is held against its world before it counts as a version: that needs the world's code.
        await self.ground.desks.call(found.wanted.candidate.world, "approve_proposal", asked)
        return await self._told(await aside(self.proposals.find, found.id))

    @verb("reject_proposal", Role.APPROVER, writes=True)
    async def reject(self, who: Principal, proposal: str, request: types.DecisionRequest) -> types.Proposal:
        """Reject a proposal. One no is the end of it."""
        by = _by_name(who, proposal)
        return await self._told(await aside(self.proposals.reject, proposal, by=by, note=request.note))

    @verb("rollback_proposal", Role.APPROVER, writes=True)
    async def rollback(self, who: Principal, proposal: str, request: types.DecisionRequest) -> types.Proposal:
        """Put back in force what was before a proposal was applied."""
        by = _by_name(who, proposal)
        return await self._told(await aside(self.proposals.rollback, proposal, by=by, note=request.note))

    async def _told(self, one: Proposal) -> types.Proposal:
        try:
            in_force = (await aside(self.proposals.registry.find, one.strategy)).label
        except NotFound:
            in_force = None
        wanted = one.wanted
        known = {
            name: wanted.evidence[name]
            for name in types.ProposalEvidence.model_fields
            if name in wanted.evidence
        }
        return types.Proposal(
            **_proposal(one), description=wanted.description, world=wanted.candidate.world,
            role=wanted.candidate.role, operator=wanted.operator,
            evidence=types.ProposalEvidence.model_validate(known),
            changes=[
                types.StrategyChange(field=change.field, before=change.before, after=change.after)
                for change in wanted.diff.changes
            ],
            instructions=wanted.diff.instructions,
            votes=[
                types.ProposalVote.model_validate(
                    {"by": vote.who, "word": vote.word, "note": vote.note, "at": types.moment(vote.at)}
                )
                for vote in one.votes
            ],
            in_force=in_force,
        )  # fmt: skip

    # --- by itself ---

    async def propose(self) -> None:
        """Propose what passed the gate of an evolution that is over, whoever played it and whatever ended
        meanwhile; again, where it could not be yet. And let those expire whose time is up."""
        await aside(self.proposals.expire)
        ended = Filter(world=EVOLUTION, status="completed")
        for one in await aside(lambda: [*self.ground.index.each(ended)]):
            if one.run_id in self._settled or one.pruned is not None:
                continue
            if (one.reason or "").endswith(PROMOTED) and not await self._propose(one):
                continue
            self._settled.add(one.run_id)

    async def _propose(self, one: Listed) -> bool:
        """Whether nothing is left to be done."""
        if await aside(self.proposals.of_run, one.run_id) is not None:
            return True
        asked = {"run": one.run_id, "location": one.location}
        told = await self.ground.desks.call(EVOLUTION, "propose", asked)
        late = told["late"]
        if late is None:
            self.late.pop(one.run_id, None)
        else:
            self.late[one.run_id] = "; ".join(part for part in (late["message"], late["remedy"]) if part)
        return not told["again"]


def _cursor(after: str) -> int:
    if after and not (after.isascii() and after.isdigit() and len(after) < 16):
        raise UsageError("this is no cursor", where="after", remedy="give back `next` as it came")
    return int(after or 0)


def _by_name(who: Principal, proposal: str) -> str:
    if not who.named:
        raise VoteRefused(
            "this does not count: what is put in force is decided by people, each by name",
            where=f"proposal {proposal}",
            remedy="say who you are: log in, or name yourself with X-Windtunnel-As",
            refused="unnamed",
        )
    return who.name


def _info(one: Listed, about: dict[str, Any], proposal: Proposal | None) -> types.EvolutionInfo:
    return types.EvolutionInfo(
        run_id=one.run_id, title=about["title"], status=types.Status(one.status), strategy=about["strategy"],
        world=about["world"], generations=min(one.turn, about["generations"]),
        of_generations=about["generations"], population=about["population"], proposal=_brief(proposal),
        created=_moment(one.created), updated=_moment(one.updated), reason=one.reason,
    )  # fmt: skip


def _brief(one: Proposal | None) -> types.EvolutionProposal | None:
    return None if one is None else types.EvolutionProposal(id=one.id, status=one.status)


def _evolution(story: dict[str, Any], proposal: Proposal | None, late: str | None) -> types.Evolution:
    generations = [{**one, "cost": one["cost"] / 1e6} for one in story["generations"]]
    return types.Evolution.model_validate(
        {
            **story, "cost": story["cost"] / 1e6, "generations": generations, "proposal": _brief(proposal),
            "not_proposed": late,
        }
    )  # fmt: skip


def _proposal(one: Proposal) -> dict[str, Any]:
    wanted = one.wanted
    return {
        "id": one.id, "run_id": wanted.run_id, "strategy": one.strategy, "type": wanted.type,
        "title": wanted.title, "confidence": wanted.confidence, "risk": wanted.risk, "status": one.status,
        "approvals": len(one.approvals), "approvers": one.needed, "base": one.base, "version": one.version,
        "made": _moment(one.made), "changed": _moment(one.changed), "expires": types.moment(one.expires),
    }  # fmt: skip


def _moment(seconds: float) -> Any:
    return types.moment(seconds)
