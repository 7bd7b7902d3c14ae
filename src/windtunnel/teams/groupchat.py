"""A conversation of all, led by a manager: each sees everything, and the manager says who speaks next.

A person is asked when the manager says so; what they say is part of the conversation, and the chat goes on
where it was. A speaker whom nobody knows is an error, not a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import structs

from windtunnel.models.talk import Message
from windtunnel.teams.conversation import as_text
from windtunnel.teams.managers import Chat, Manager, RoundRobin
from windtunnel.teams.members import Member
from windtunnel.teams.stage import Ending, Stage
from windtunnel.teams.team import MANAGER, Team

SHOWN = 30  # lines that a person is shown


class GroupChat(Team):
    pattern = "group_chat"

    def __init__(self, members: Sequence[Member], *, manager: Manager | None = None, **shared: Any) -> None:
        super().__init__(members, **shared)
        self.manager: Manager = manager or RoundRobin()

    async def play(self, stage: Stage) -> Ending:
        chat = Chat(self, stage)
        while True:  # bounded: by the limit of rounds
            wanted = await self.manager.should_request_user_input(chat)
            if wanted.value:
                await self._ask_person(stage, wanted.reason)
            over = await self.manager.should_terminate(chat)
            if over.value:
                return await self._ending(chat, over.reason)
            if stage.rounds >= stage.limits.rounds:
                ending = await self._ending(chat, f"{stage.limits.rounds} rounds have passed")
                return structs.replace(ending, status="limited")
            chosen = await self.manager.select_next_agent(chat)
            member = self.find(chosen.value)
            stage.next_round()
            await stage.turn(member)

    async def _ask_person(self, stage: Stage, reason: str) -> None:
        told = [{"from": line.member, "text": line.message.text} for line in stage.lines if line.message.text]
        question = {"reason": reason, "conversation": told[-SHOWN:]}
        answer = await stage.runtime.human(stage.at(MANAGER), question)
        if answer is not None and answer != "":
            stage.add(MANAGER, Message("user", as_text(answer), name="person"))

    async def _ending(self, chat: Chat, reason: str) -> Ending:
        result = await self.manager.filter_results(chat)
        text = as_text(result.value) if result.value is not None else ""
        return Ending(result.value, "completed", reason, text)
