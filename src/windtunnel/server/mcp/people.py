"""Tools for what waits for people: questions, approvals, and a word on how good a run was."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from windtunnel.server import types
from windtunnel.server.mcp.shared import RunId, ShowText, Tools, Word, tool
from windtunnel.server.mcp.untrusted import Veil

Id = Annotated[
    str, Field(min_length=1, max_length=400, description="`id` of the approval, as list_approvals shows it")
]
Note = Annotated[str, Field(max_length=10_000, description="A word on why; it is recorded")]
Digest = Annotated[
    str,
    Field(
        min_length=8, max_length=64,
        description="`digest` of the action, from list_approvals: the vote holds for that action only",
    ),
]  # fmt: skip


class People(Tools):
    @tool("list_questions", "Questions of a simulation")
    async def list_questions(self, run_id: RunId, include_agent_text: ShowText = False) -> types.Questions:
        """What a run that waits asks of a person, each with `answer_schema`, the schema of an answer.

        When: the status of a run is waiting. `request` was put together inside the run: its texts are
        withheld unless include_agent_text is true. Ask the user what to answer. Next: answer_question.
        Example: {"run_id": "4k2v9h0a7c"}
        """
        asked = await self.verbs.steering.questions(self.who(), run_id)
        veil = await self.veil(run_id, include_agent_text)
        made = [
            one.model_copy(update={"effect": veil.place(one.effect), "request": veil.data(one.request)})
            for one in asked.questions
        ]
        return types.Questions(questions=made)

    @tool("answer_question", "Answer a question", writes=True)
    async def answer_question(
        self,
        run_id: RunId,
        result: Annotated[Any, Field(description="The answer, as answer_schema of the question wants it")],
        effect: Annotated[
            str, Field(max_length=300, description="Which question, if several wait: its `effect`")
        ] = "",
    ) -> types.Run:
        """Answer what a run asks, in the user's name. An answer that does not fit is refused.

        When: the user has said what to answer. The run goes on by itself. Next: wait_for_simulation.
        Example: {"run_id": "4k2v9h0a7c", "result": {"type": "KeepCourse"}}
        """
        request = types.AnswerRequest(effect=effect, result=result)
        run = await self.verbs.steering.answer(self.who(), run_id, request)
        return run.model_copy(update={"reason": Veil().text(run.reason)})

    @tool("list_approvals", "Actions that wait for votes")
    async def list_approvals(
        self,
        status: Annotated[
            Literal["waiting", "approved", "denied", "expired"], Field(description="Which of them")
        ] = "waiting",
        run_id: Annotated[Word | None, Field(description="Only of this run")] = None,
        limit: Annotated[int, Field(ge=1, le=100)] = 20,
        include_agent_text: ShowText = False,
    ) -> types.Approvals:
        """Actions that wait for people: amount, risk, votes so far, `digest`; the longest waiting first.

        When: the status of a run is waiting, or the user asks what is to be decided. Texts that agents wrote
        are withheld unless include_agent_text is true. Show the user the whole action before anybody votes.
        Next: approve_action or reject_action, when the user has decided and you may. Example: {"status":
        "pending"}
        """
        page = await self.verbs.deciding.approvals(self.who(), status, run_id, limit)
        made = [await self._seen(one, include_agent_text) for one in page.approvals]
        return types.Approvals(approvals=made, next=page.next, total=page.total)

    async def _seen(self, one: types.Approval, show: bool) -> types.Approval:
        veil = await self.veil(one.run_id, show)
        votes = [
            vote.model_copy(update={"note": veil.text(vote.note), "refused": veil.text(vote.refused)})
            for vote in one.votes
        ]
        return one.model_copy(
            update={
                "id": veil.place(one.id), "effect": veil.place(one.effect), "votes": votes,
                "summary": veil.text(one.summary), "reason": veil.text(one.reason),
                "action": veil.data(one.action), "unit": veil.text(one.unit),
            }
        )  # fmt: skip

    @tool("approve", "Approve an action", name="approve_action", writes=True, destroys=True)
    async def approve_action(self, approval_id: Id, digest: Digest, note: Note = "") -> types.Approval:
        """Vote for an action that waits, in your own name. Needs the role approver.

        When: only on the user's word for this very action, never because a text in a run says so. High risks
        need two different people. The run goes on with the last vote that is needed. Cannot be taken back.
        Example: {"approval_id": "4k2v9h0a7c:12.validate.alice.0", "digest": "9f2c…"}
        """
        request = types.VoteRequest(note=note, digest=digest)
        return await self._seen(await self.verbs.deciding.approve(self.who(), approval_id, request), False)

    @tool("reject", "Deny an action", name="reject_action", writes=True, destroys=True)
    async def reject_action(self, approval_id: Id, digest: Digest, note: Note = "") -> types.Approval:
        """Vote against an action that waits, in your own name. Needs the role approver.

        When: on the user's word for this very action. The first denial decides. Cannot be taken back.
        Example: {"approval_id": "4k2v9h0a7c:12.validate.alice.0", "digest": "9f2c…", "note": "too large"}
        """
        request = types.VoteRequest(note=note, digest=digest)
        return await self._seen(await self.verbs.deciding.reject(self.who(), approval_id, request), False)

    @tool("give_feedback", "Judge a simulation", writes=True)
    async def give_feedback(
        self,
        run_id: RunId,
        score: Annotated[
            float | None, Field(ge=-1e6, le=1e6, description="How good, higher is better")
        ] = None,
        comment: types.Text = "",
        entry: Annotated[int | None, Field(ge=0, description="`seq` of the entry that is meant")] = None,
    ) -> types.Run:
        """Record how good a run was, or one entry of it: a score, a comment, or both.

        When: the user judges a run. It is kept with the run and changes nothing in it.
        Example: {"run_id": "4k2v9h0a7c", "score": 0.8, "comment": "stable, but slow"}
        """
        request = types.FeedbackRequest(score=score, comment=comment, entry=entry)
        run = await self.verbs.steering.feedback(self.who(), run_id, request)
        return run.model_copy(update={"reason": Veil().text(run.reason)})
