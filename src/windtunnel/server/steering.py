"""The verbs that steer a run: mail for whoever plays it, a ticket for the queue, or an end."""

from __future__ import annotations

import logging
import time

import msgspec

from windtunnel.control import Found, keeping
from windtunnel.control.access import Principal, Role
from windtunnel.control.feedback import give
from windtunnel.control.ids import tournament_of
from windtunnel.control.limits import Limits
from windtunnel.control.queue import Ticket
from windtunnel.control.stranded import stranded
from windtunnel.errors import UsageError, WrongState
from windtunnel.journal import Status
from windtunnel.server import types
from windtunnel.server.gate import verb
from windtunnel.server.ground import Ground, aside, found_of, of_run, where
from windtunnel.server.looking import Looking

log = logging.getLogger("windtunnel.server")


class Steering:
    def __init__(self, ground: Ground, looking: Looking) -> None:
        self.ground, self.audit, self.looking = ground, ground.audit, looking

    @verb("pause_simulation", Role.OPERATOR, writes=True)
    async def pause(self, who: Principal, run_id: str) -> types.Run:
        """Stop a run at the end of its turn; resume goes on from there."""
        found = await aside(self.ground.control.pause, run_id, sender=who.name)
        return await self._moved(found)

    @verb("cancel_simulation", Role.OPERATOR, writes=True)
    async def cancel(self, who: Principal, run_id: str) -> types.Run:
        """End a run for good. What it played stays; a fork may go on from any of its turns."""
        found = await aside(self.ground.control.cancel, run_id, sender=who.name)
        return await self._moved(found)

    @verb("purge_simulation", Role.ADMIN, writes=True)
    async def purge(self, who: Principal, run_id: str) -> types.Run:
        """Remove an ended run. Its row and its head stay as a tombstone; forks of it are made whole first."""
        found = await self.ground.find(run_id)
        if not found.row.status.ended:
            raise WrongState(
                f"run {found.row.run_id} is {found.row.status}; only what has ended is removed",
                remedy=f"DELETE /api/simulations/{found.row.run_id} cancels it first",
            )
        swept = await aside(keeping.sweep, self.ground.workspace, [found], at=time.time())
        if why := swept.refused.get(found.row.run_id):
            raise WrongState(why, where=found.row.run_id)
        return await self._moved(await self.ground.find(found.row.run_id))

    async def _moved(self, found: Found) -> types.Run:
        if not tournament_of(found.row.run_id):  # matches are listed by their tournament
            await aside(self.ground.index.note, where(found), found.row)
        if found.row.status.ended:
            await aside(self.ground.queue.drop, found.row.run_id)
        return await self.looking.row(found)

    @verb("resume_simulation", Role.OPERATOR, writes=True)
    async def resume(self, who: Principal, run_id: str, request: types.ResumeRequest) -> types.Run:
        """Go on with a run that was paused, waited, crashed, or failed and was mended."""
        found = await self.ground.find(run_id)
        if tournament := tournament_of(found.row.run_id):
            raise WrongState(
                f"run {found.row.run_id} is a match: what it belongs to goes on with it",
                remedy=f"POST /api/simulations/{tournament}/resume",
            )
        if not found.row.status.playable:
            raise WrongState(
                f"run {found.row.run_id} is {found.row.status}",
                remedy=f"POST /api/simulations/{found.row.run_id}/fork goes on from any of its turns",
            )
        if found.row.status is not Status.RUNNING:
            await self.enqueue([found], until=request.until, budget=request.budget, limits=request.limits)
        return await self.looking.row(found)

    async def enqueue(
        self,
        runs: list[Found],
        *,
        until: int | None = None,
        budget: float | None = None,
        limits: types.Limits | None = None,
    ) -> None:
        wanted = msgspec.convert(limits.model_dump(), Limits) if limits is not None else None
        tickets = [
            Ticket(
                one.row.run_id,
                where(one),
                one.row.world,
                stop_after=until,
                budget=budget,
                limits=wanted,
                seen=one.row.op_seq,
            )
            for one in runs
        ]
        await aside(self.ground.queue.put, tickets)

    async def wake(self, found: Found) -> None:
        """A run that waits is taken up, to see whether what came is what it waited for."""
        if found.row.status is Status.WAITING:
            await self.enqueue([found])

    async def expire(self) -> None:
        """Runs of which a waiting vote has expired are taken up, so that it is told to them."""
        due = await aside(self.ground.index.due, self.ground.database.now())
        await self.enqueue([found_of(one) for one in due if one.status is Status.WAITING])

    async def rescue(self) -> None:
        """Runs that should be played and stand in no queue are put there."""
        ground = self.ground
        tickets = await aside(lambda: list(stranded(ground.workspace, ground.index, ground.queue)))
        if tickets:
            log.warning("stranded runs are queued again: %s", " ".join(one.run_id for one in tickets[:20]))
            await aside(ground.queue.put, tickets)

    # --- mail ---

    @verb("send_event", Role.OPERATOR, writes=True)
    async def event(self, who: Principal, run_id: str, request: types.EventRequest) -> types.Run:
        """Send an event into a run: it reaches the world in the next turn."""
        found = await aside(self.ground.control.inject, run_id, request.kind, request.body, sender=who.name)
        await self.wake(found)
        return await self.looking.row(found)

    @verb("answer_question", Role.OPERATOR, writes=True)
    async def answer(self, who: Principal, run_id: str, request: types.AnswerRequest) -> types.Run:
        """Answer what a run asks a person. An answer that does not fit is refused and costs nothing."""
        found = await self.ground.find(run_id)
        await self.ground.desks.call(
            found.row.world,
            "answer",
            {**of_run(found), "effect": request.effect, "result": request.result, "sender": who.name},
        )
        await self.wake(found)
        return await self.looking.row(found)

    @verb("list_questions", Role.VIEWER)
    async def questions(self, who: Principal, run_id: str) -> types.Questions:
        """What a run asks of people, each with the schema of an answer."""
        found = await self.ground.find(run_id)
        asked = await self.ground.desks.call(found.row.world, "questions", of_run(found))
        return types.Questions(
            questions=[
                types.Question(
                    run_id=one["run_id"],
                    effect=one["effect"],
                    kind=one["kind"],
                    actor=one["actor"],
                    role=one["role"],
                    turn=one["turn"],
                    asked=types.moment(one["asked"]),
                    request=one["request"],
                    no_op=one["no_op"],
                    answer_schema=one["schema"],
                )
                for one in asked
            ]
        )

    @verb("give_feedback", Role.OPERATOR, writes=True)
    async def feedback(self, who: Principal, run_id: str, request: types.FeedbackRequest) -> types.Run:
        """Say how good a run was, or one entry of it."""
        if request.score is None and not request.comment:
            raise UsageError(
                "neither a score nor a comment", where="feedback", remedy="give one of them, or both"
            )
        found = await self.ground.find(run_id)
        await aside(
            give,
            self.ground.control,
            found,
            score=request.score,
            comment=request.comment,
            entry=request.entry,
            sender=who.name,
        )
        return await self.looking.row(found)
