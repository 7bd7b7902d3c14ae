"""The verbs of people who decide: what waits for votes, and a vote."""

from __future__ import annotations

from typing import Literal

from windtunnel.control.access import Principal, Role
from windtunnel.control.approvals import Approval
from windtunnel.control.index import Filter
from windtunnel.errors import NotFound, VoteRefused
from windtunnel.journal import Status
from windtunnel.server import types
from windtunnel.server.gate import verb
from windtunnel.server.ground import Ground, aside, checked, found_of
from windtunnel.server.steering import Steering

ENDED = tuple(status for status in Status if status.ended)
Standing = Literal["waiting", "approved", "denied", "expired"]


class Deciding:
    def __init__(self, ground: Ground, steering: Steering) -> None:
        self.ground, self.audit, self._steering = ground, ground.audit, steering

    @verb("list_approvals", Role.VIEWER)
    async def approvals(
        self, who: Principal, status: Standing = "waiting", run_id: str | None = None, limit: int = 100
    ) -> types.Approvals:
        """Actions that wait for people, in plain words, the oldest first; what was decided, the newest."""
        found = await aside(self._pending, run_id, status != "waiting")
        mine = [one for one in found if one.status == status]
        mine.sort(key=lambda one: (one.asked, one.id), reverse=status != "waiting")
        return types.Approvals(approvals=[_told(one) for one in mine[:limit]], total=len(mine))

    @verb("get_approval", Role.VIEWER)
    async def approval(self, who: Principal, approval_id: str) -> types.Approval:
        """One of them, as it stands now."""
        return _told(await aside(self.ground.control.approval, *_parted(approval_id)))

    @verb("approve", Role.APPROVER, writes=True)
    async def approve(self, who: Principal, approval_id: str, request: types.VoteRequest) -> types.Approval:
        """Approve an action. A high risk needs two different people; nobody votes on an action of their
        own."""
        return await self._vote(who, approval_id, True, request)

    @verb("reject", Role.APPROVER, writes=True)
    async def reject(self, who: Principal, approval_id: str, request: types.VoteRequest) -> types.Approval:
        """Deny an action. The first denial decides."""
        return await self._vote(who, approval_id, False, request)

    def _pending(self, run_id: str | None, every: bool) -> list[Approval]:
        """Of one run, or of all that may wait for somebody; those that only ever stood in the queue do
        not."""
        control = self.ground.control
        if run_id is not None:
            return control.pending([control.find(checked(run_id))], every=every)
        self.ground.freshen()
        states = [status for status in Status if status not in (Status.QUEUED, *(() if every else ENDED))]
        listed = [one for status in states for one in self.ground.index.each(Filter(status=str(status)))]
        return control.pending([found_of(one) for one in listed if one.pruned is None], every=every)

    async def _vote(
        self, who: Principal, approval_id: str, approve: bool, request: types.VoteRequest
    ) -> types.Approval:
        run_id, effect = _parted(approval_id)
        if approve and not who.named:
            await self._one_will_do(approval_id)
        voted = await aside(
            self.ground.control.vote,
            run_id,
            effect,
            approve,
            sender=who.name,
            note=request.note,
            digest=request.digest,
            via=who.via,
        )
        if voted.resume is not None:
            await self._steering.enqueue([await self.ground.find(voted.resume)])
        return _told(voted.approval)

    async def _one_will_do(self, approval_id: str) -> None:
        """Where two must approve, two names must: whoever is nobody in particular could be either of them."""
        one = await aside(self.ground.control.approval, *_parted(approval_id))
        if one.needed > 1:
            raise VoteRefused(
                f"this vote does not count: {one.needed} people must approve, each by name",
                where=approval_id,
                remedy="say who you are: log in, or name yourself with X-Windtunnel-As",
                refused="unnamed",
            )


def _parted(approval_id: str) -> tuple[str, str]:
    run_id, colon, effect = approval_id.partition(":")
    if not colon:
        raise NotFound(
            f"{approval_id!r} names no approval", where="id", remedy="RUN:EFFECT, as the list shows it"
        )
    return checked(run_id), effect


def _told(one: Approval) -> types.Approval:
    return types.Approval(
        id=one.id,
        run_id=one.run_id,
        effect=one.effect,
        actor=one.actor,
        turn=one.turn,
        status=one.status,
        summary=one.summary,
        action=one.action,
        amount=one.amount,
        unit=one.unit,
        risk=one.risk,
        reason=one.reason,
        mode=one.mode,
        approvers=one.needed,
        decided_by=one.by if one.status != "waiting" else [],
        votes=[
            types.Vote(
                by=vote.sender,
                approve=vote.approve,
                note=vote.note,
                at=types.moment(vote.at),
                refused=vote.why or None,
            )
            for vote in one.votes
        ],
        digest=one.digest,
        world=one.world,
        scenario=one.scenario,
        asked=types.moment(one.asked),
        expires=types.moment(one.expires),
        expires_turn=one.expires_turn,
    )
