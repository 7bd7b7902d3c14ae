"""Scripts: what to answer to a request. A text, an answer, a list (in order of arrival), rules by regular
expression, or a function of the request.

A script that raises, or a list that has ended, is the test's own mistake: the client gets a 500 that says so,
and leaving the `with` raises it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from windtunnel.errors import UsageError
from windtunnel.testing.provider.words import Answer, Request

Line: TypeAlias = Answer | str
Scripted: TypeAlias = Callable[[Request], Line | None]
Script: TypeAlias = Line | Sequence[Line] | Mapping[str, "Script"] | Scripted


class ScriptEnded(UsageError):
    """More was asked than the script has lines, or something that none of its rules knows."""

    code = "script_ended"


def as_script(script: Script) -> Scripted:
    if isinstance(script, Answer | str):
        return lambda _: script
    if isinstance(script, Mapping):
        return _rules(script)
    if isinstance(script, Sequence):
        return _lines(script)
    return script


def _lines(lines: Sequence[Line]) -> Scripted:
    left = iter(lines)

    def answer(request: Request) -> Line:
        for line in left:
            return line
        raise ScriptEnded(
            f"the script has {len(lines)} answers; request {request.number} is one too many",
            remedy="add an answer, or find out who asks again",
        )

    return answer


def _rules(rules: Mapping[str, Script]) -> Scripted:
    """The first expression found in what was said last; then the first found in all that was said."""
    compiled = [(re.compile(pattern, re.DOTALL), as_script(then)) for pattern, then in rules.items()]

    def answer(request: Request) -> Line | None:
        for text in (request.last, request.prompt):
            for pattern, then in compiled:
                if pattern.search(text):
                    return then(request)
        raise ScriptEnded(
            f"no rule knows request {request.number} ({request.model}): {request.last[:200]!r}",
            remedy='add one; "" matches everything',
        )

    return answer
