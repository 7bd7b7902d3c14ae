"""A conversation as each member sees it.

What a member said itself stands in it as it was: its own calls with their results right behind them. What
others said, called and got stands in it as text under their name. So no member is ever shown a call without
its result, however control came to it, and nobody else's words are taken for its own or for its instructions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from windtunnel.codec import encode_body
from windtunnel.models.talk import Message
from windtunnel.teams.result import Line

TASK = "task"  # who speaks where the team was given its task
GO_ON = "Go on."


def as_text(value: Any) -> str:
    """A value as a model is shown it."""
    return value if isinstance(value, str) else encode_body(value).decode()


def task_lines(task: Any) -> list[Line]:
    """What a team is to do, as the first lines of its conversation: text, messages, or any plain value."""
    if isinstance(task, Message):
        return [Line(TASK, task)]
    if isinstance(task, (list, tuple)) and task and all(isinstance(one, Message) for one in task):
        return [Line(one.name or TASK, one) for one in task]
    return [Line(TASK, Message("user", as_text(task)))]


def seen_by(member: str, lines: Iterable[Line]) -> list[Message]:
    """The conversation as this member is shown it, ending with something to answer."""
    seen: list[Message] = []
    for line in lines:
        if line.member in {member, TASK}:
            seen.append(line.message)
        else:
            seen.extend(_told(line))
    if not seen or seen[-1].role not in {"user", "tool"}:
        seen.append(Message("user", GO_ON))
    return seen


def retold(lines: Iterable[Line]) -> list[Line]:
    """What an outer conversation has come to, as the task of a team within: nobody in it is a member."""
    told: list[Line] = []
    for line in lines:
        messages = [line.message] if line.member == TASK else _told(line)
        told += [Line(TASK, message) for message in messages]
    return told


def _told(line: Line) -> list[Message]:
    """Another's message, as a report."""
    message = line.message
    if message.role == "tool":
        return [_report(line.member, f"The tool {message.name} answered {line.member}:\n{message.text}")]
    told = [_report(line.member, f"{line.member} says:\n{message.text}")] if message.text else []
    told += [
        _report(line.member, f"{line.member} calls the tool {call.name} with {as_text(call.arguments)}")
        for call in message.calls
    ]
    return told


def _report(member: str, text: str) -> Message:
    return Message("user", text, name=member)


def answers_only(lines: Sequence[Line]) -> list[Line]:
    """The tasks and what members said, without their calls of tools."""
    return [
        line
        for line in lines
        if line.message.role == "user" or (line.message.role == "assistant" and not line.message.calls)
    ]


def ill_formed(messages: Sequence[Message]) -> str | None:
    """What a provider would refuse: a call that is not answered once and right behind it."""
    open_calls: dict[str, str] = {}
    known: set[str] = set()
    for message in messages:
        if message.role == "tool":
            if message.answers not in open_calls:
                return f"a result of {message.name} answers {message.answers!r}, which is no open call"
            del open_calls[message.answers]
            continue
        if open_calls:
            return f"no result follows the call of {', '.join(open_calls.values())}"
        for call in message.calls:
            if not call.id or call.id in known:
                return f"the call of {call.name} has no id of its own: {call.id!r}"
            known.add(call.id)
            open_calls[call.id] = call.name
    return f"no result follows the call of {', '.join(open_calls.values())}" if open_calls else None
