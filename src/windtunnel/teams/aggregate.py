"""How the answers of a concurrent team become one. Answers come in the members' order, and ties go to the
earlier member: nothing depends on who was quicker."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from msgspec import Struct

from windtunnel.codec import encode_body
from windtunnel.errors import AgentError
from windtunnel.models.talk import Message
from windtunnel.teams.asking import ask_text, ask_typed
from windtunnel.teams.conversation import TASK, as_text
from windtunnel.teams.prompts import AnswerPrompts, check_all, fill
from windtunnel.teams.runtime import Asking
from windtunnel.teams.stage import Ending, Spoken, Stage
from windtunnel.teams.team import MANAGER

Answers = Sequence[tuple[str, Spoken]]


class Aggregator(Protocol):
    async def bring_together(self, stage: Stage, answers: Answers, needed: int) -> Ending: ...


class All:
    """All answers, by member."""

    async def bring_together(self, stage: Stage, answers: Answers, needed: int) -> Ending:
        value = {name: spoken.value for name, spoken in answers}
        return _completed(value, f"{len(answers)} members answered")


class Vote:
    """The answer that most members gave. Texts are the same if they differ in case and space only."""

    async def bring_together(self, stage: Stage, answers: Answers, needed: int) -> Ending:
        ballots: dict[bytes, list[Spoken]] = {}
        for _, spoken in answers:
            value = spoken.value
            same = " ".join(value.casefold().split()) if isinstance(value, str) else value
            ballots.setdefault(encode_body(same), []).append(spoken)
        most = max(len(ballot) for ballot in ballots.values())
        winner = next(ballot for ballot in ballots.values() if len(ballot) == most)[0]
        tied = sum(len(ballot) == most for ballot in ballots.values()) > 1
        reason = f"{most} of {len(answers)} answers" + (", the earliest of a tie" if tied else "")
        return _completed(winner.value, reason, winner.text)


class Mean:
    """The mean of answers that are numbers, or texts that are a number and nothing else."""

    async def bring_together(self, stage: Stage, answers: Answers, needed: int) -> Ending:
        numbers = []
        for name, spoken in answers:
            number = _number(spoken.value)
            if number is None:
                stage.problem(stage.at(name), AgentError(f"{name} did not answer with a number"))
            else:
                numbers.append(number)
        if len(numbers) < needed:
            return Ending(None, "failed", f"{len(numbers)} answers are numbers, {needed} had to be")
        return _completed(sum(numbers) / len(numbers), f"the mean of {len(numbers)} answers")


class Best:
    """The answer that a function scores highest."""

    def __init__(self, score: Callable[[Any], float]) -> None:
        self.score = score

    async def bring_together(self, stage: Stage, answers: Answers, needed: int) -> Ending:
        scored = [(self.score(spoken.value), name, spoken) for name, spoken in answers]
        highest = max(score for score, _, _ in scored)
        score, name, spoken = next(one for one in scored if one[0] == highest)
        return _completed(spoken.value, f"the answer of {name} scored highest: {score:g}", spoken.text)


class Function:
    """What a function makes of the answers: it is given them by member."""

    def __init__(self, function: Callable[[dict[str, Any]], Any]) -> None:
        self.function = function

    async def bring_together(self, stage: Stage, answers: Answers, needed: int) -> Ending:
        value = self.function({name: spoken.value for name, spoken in answers})
        if inspect.isawaitable(value):
            value = await value
        return _completed(value, f"made of {len(answers)} answers")


class Choice(Struct, frozen=True):
    """The answer of a model that judges."""

    best: str
    reason: str


class Model:
    """A model brings the answers together, or with `judge` picks one of them."""

    def __init__(
        self, asking: Asking | None = None, *, judge: bool = False, prompts: AnswerPrompts | None = None
    ) -> None:
        self.asking, self.judge, self.prompts = asking or Asking(), judge, prompts or AnswerPrompts()
        check_all(self.prompts, "prompts")

    async def bring_together(self, stage: Stage, answers: Answers, needed: int) -> Ending:
        by_name = dict(answers)
        values = {
            "task": "\n\n".join(line.message.text for line in stage.lines if line.member == TASK),
            "answers": "\n\n".join(f"{name}:\n{spoken.text}" for name, spoken in answers),
            "names": ", ".join(by_name),
        }
        if not self.judge:
            asked = [Message("user", fill(self.prompts.merge, **values))]
            text = await ask_text(stage, asked, self.asking, house=answers[0][1].text)
            stage.add(MANAGER, Message("assistant", text, name=MANAGER))
            return _completed(text, f"brought together from {len(answers)} answers", text)

        def check(choice: Choice) -> str | None:
            return None if choice.best in by_name else f"best must be one of {values['names']}"

        asked = [Message("user", fill(self.prompts.judge, **values))]
        house = Choice(answers[0][0], "it came first")
        choice = await ask_typed(stage, asked, Choice, self.asking, check=check, house=house)
        stage.add(MANAGER, Message("assistant", as_text({"best": choice.best, "reason": choice.reason})))
        spoken = by_name[choice.best]
        return _completed(spoken.value, f"{choice.best} is best: {choice.reason}", spoken.text)


def _completed(value: Any, reason: str, text: str = "") -> Ending:
    return Ending(value, "completed", reason, text or as_text(value))


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value)
    try:
        number = float(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return number if number is not None and abs(number) < float("inf") else None
