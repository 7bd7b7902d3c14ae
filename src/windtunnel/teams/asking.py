"""Questions of whoever leads a team to a model, asked again with the reason until the answer can be used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec import Struct, structs

from windtunnel.models.talk import Message, Reply
from windtunnel.teams.runtime import Asking, MemberFailed
from windtunnel.teams.speech import Answer, Bad
from windtunnel.teams.stage import Stage, Turn
from windtunnel.teams.team import MANAGER

S = TypeVar("S", bound=Struct)
T = TypeVar("T")


async def ask_text(
    stage: Stage, messages: Sequence[Message], how: Asking, *, who: str = MANAGER, house: str = ""
) -> str:
    """One answer in words. `house` is what the model called house says."""

    def read(reply: Reply) -> str:
        if not reply.text.strip():
            raise Bad("it is empty")
        return reply.text.strip()

    return await _ask(stage, messages, structs.replace(how, house=house or None), who, read)


async def ask_typed(
    stage: Stage,
    messages: Sequence[Message],
    wanted: type[S],
    how: Asking,
    *,
    who: str = MANAGER,
    check: Callable[[S], str | None] | None = None,
    house: S | None = None,
) -> S:
    """One answer of a type. `check` says what is wrong with one that fits the type; `house` is what the model
    called house answers."""
    kind = Answer.of(wanted)
    assert kind is not None

    def read(reply: Reply) -> S:
        found: S = kind.read(reply.text)
        if check is not None and (wrong := check(found)) is not None:
            raise Bad(wrong)
        return found

    return await _ask(stage, messages, structs.replace(how, schema=kind.schema, house=house), who, read)


async def _ask(
    stage: Stage, messages: Sequence[Message], how: Asking, who: str, read: Callable[[Reply], T]
) -> T:
    turn = Turn(stage, who, (), stage.calls)
    aside: list[Message] = []
    why = ""
    try:
        for _ in range(stage.limits.attempts):
            reply = await turn.ask([*messages, *aside], how)
            try:
                if reply.label == "refused":
                    raise MemberFailed(f"{who} refused to answer", where=turn.path)
                found = read(reply)
                turn.status, turn.reason = "ok", ""
                return found
            except Bad as problem:
                turn.reason = why = str(problem)
                said = [Message("assistant", reply.text)] if reply.text else []
                aside = [*said, Message("user", f"Your answer cannot be used: {why}. Answer again.")]
        raise MemberFailed(
            f"{who} gave no usable answer in {stage.limits.attempts} attempts: {why}", where=turn.path
        )
    finally:
        stage.close(turn)
