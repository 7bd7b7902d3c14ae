"""What teams say to models. Every text here can be replaced; `$name` stands for what is put in its place.

A template that names something it is not given is refused when the team is made, not in the middle of a run.
What is put in is never read as a template again, so that no member's words can pull in anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from windtunnel.errors import ScenarioError
from windtunnel.words import suggest

_NAME = re.compile(r"\$(\w+)")


def fill(template: str, **values: str) -> str:
    """The template with its names replaced, in one pass."""
    return _NAME.sub(lambda found: values[found[1]], template)


def check(template: str, names: Iterable[str], where: str) -> None:
    """Refuse a template that names what it is not given."""
    known = list(names)
    for name in _NAME.findall(template):
        if name not in known:
            raise ScenarioError(
                f"the prompt names ${name}, which it is not given", where=where, remedy=suggest(name, known)
            )


def check_all(prompts: Struct, where: str) -> None:
    """Each of a set of prompts may name what its default may: `names` of its class says which."""
    names: dict[str, tuple[str, ...]] = type(prompts).names()  # type: ignore[attr-defined]
    for item in msgspec.structs.fields(prompts):
        check(getattr(prompts, item.name), names[item.name], f"{where}.{item.name}")


class MagenticPrompts(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the manager of a magentic team is asked."""

    facts: str = (
        "A team is to work on this task:\n\n$task\n\nBefore it begins, list: 1. facts that the task states; "
        "2. facts to look up, and where; 3. facts to derive; 4. educated guesses. Do not make a plan yet."
    )
    plan: str = (
        "The team:\n$team\n\nWrite a short plan in bullet points for the task: who does what, in which "
        "order. Nobody has to take part who is not needed."
    )
    ledger: str = (
        "We work on this task:\n\n$task\n\nThe team:\n$team\n\nWhat is known:\n$facts\n\nThe plan:\n$plan"
    )
    progress: str = (
        "The task is:\n\n$task\n\nThe team:\n$team\n\nJudge the conversation above. Is the request fully "
        "satisfied? Does the team go in a loop, asking or answering the same again? Is it making progress? "
        "Who should speak next (one of: $names)? With which instruction or question? Give a reason for each."
    )
    new_facts: str = (
        "The team makes no progress. The task is:\n\n$task\n\nWhat was known:\n$facts\n\nWrite the list "
        "again with what was learned since; add at least one new educated guess, and say why."
    )
    new_plan: str = (
        "The team:\n$team\n\nSay in two sentences what went wrong, then write a new plan in bullet points "
        "that does not repeat the mistake."
    )
    final: str = (
        "The work on this task has ended:\n\n$task\n\nGive the final answer to whoever asked, from the "
        "conversation above. If the task is not done, say what is known and what is missing."
    )

    @staticmethod
    def names() -> dict[str, tuple[str, ...]]:
        known = ("task", "team", "names")
        return {
            "facts": known,
            "plan": (*known, "facts"),
            "ledger": (*known, "facts", "plan"),
            "progress": (*known, "facts", "plan"),
            "new_facts": (*known, "facts", "plan"),
            "new_plan": (*known, "facts", "plan"),
            "final": (*known, "facts", "plan"),
        }


class ChatPrompts(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a model that manages a group chat is asked."""

    instructions: str = "You moderate a conversation about this task:\n\n$task\n\nThose who take part:\n$team"
    terminate: str = (
        "Should the conversation end now, because the task is done or nothing new comes? Say why."
    )
    select: str = "Who should speak next (one of: $names)? Say why."
    filter: str = "The conversation has ended. Give its result: the answer to the task, and nothing else."
    ask_user: str = ""  # empty: no person is asked

    @staticmethod
    def names() -> dict[str, tuple[str, ...]]:
        known = ("task", "team", "names")
        return dict.fromkeys(("instructions", "terminate", "select", "filter", "ask_user"), known)


class AnswerPrompts(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a model is asked that brings the answers of a concurrent team together."""

    merge: str = "The task was:\n\n$task\n\nThe answers:\n\n$answers\n\nBring them together in one answer."
    judge: str = (
        "The task was:\n\n$task\n\nThe answers:\n\n$answers\n\nWhich is the best (one of: $names)? Say why."
    )

    @staticmethod
    def names() -> dict[str, tuple[str, ...]]:
        known = ("task", "answers", "names")
        return {"merge": known, "judge": known}
