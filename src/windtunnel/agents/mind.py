"""What an agent that asks a model keeps in mind: its last turns, a summary of those before, lessons.

All of it is the agent's own memory in the run: checkpointed, hashed, the same on resume and replay. Nothing
here grows without end: turns are counted, and texts are cut at the tokens that the settings allow.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field, structs

from windtunnel.agents.answers import UNUSABLE
from windtunnel.agents.render import short
from windtunnel.agents.settings import LlmSettings
from windtunnel.errors import EffectFailed
from windtunnel.models.talk import Ask, Message
from windtunnel.world import Context, Outcome

CHARACTERS = 4  # of a token, about
WORTH = "wealth"
LESSON_TOKENS = 60

SUMMARISE = """\
Below are notes of your own. Rewrite the summary so that it holds what will still matter: what you did, what
came of it, what you found out about others. At most {words} words. Answer with the summary alone.

# Summary so far

{summary}

# Turns since

{turns}
"""
REFLECT = """\
Below are notes of your own. What have you learned that should change how you act? One sentence that you do
not have among your lessons yet. Answer with that sentence alone.

{memory}
"""


class Mind(Struct):
    recent: list[str] = field(default_factory=list)
    fading: list[str] = field(default_factory=list)  # no longer recent, and not in the summary yet
    summary: str = ""
    lessons: list[str] = field(default_factory=list)
    worth: float | None = None


def remembered(mind: Mind) -> str:
    """What the model is shown of it."""
    parts = []
    if mind.summary:
        parts.append(f"Before: {mind.summary}")
    if mind.lessons:
        parts.append("Lessons:\n" + "\n".join(f"- {one}" for one in mind.lessons))
    if mind.fading or mind.recent:
        parts.append("Your last turns:\n" + "\n".join(f"- {one}" for one in [*mind.fading, *mind.recent]))
    return "\n\n".join(parts)


async def remember(
    mind: Mind, outcome: Outcome, why: str, settings: LlmSettings, model: str, context: Context
) -> None:
    """Take in how a turn went; now and then have the model sum up, or say what it learned."""
    kept = settings.memory
    mind.recent.append(_line(mind, outcome, why))
    while len(mind.recent) > kept.recent:
        mind.fading.append(mind.recent.pop(0))
    if not kept.summary:
        mind.fading.clear()
    elif mind.fading and len(mind.fading) >= max(kept.recent, 1):
        await _summarise(mind, settings, model, context)
    if kept.reflect and outcome.turn % kept.reflect == 0:
        await _reflect(mind, settings, model, context)


def _line(mind: Mind, outcome: Outcome, why: str) -> str:
    line = f"turn {outcome.turn}: {short(outcome.action)}"
    if why:
        line += f" because {short(why)}"
    if outcome.verdict not in ("accept", "amend"):
        line += f"; {outcome.verdict}: {short(outcome.reason)}"
    worth = outcome.metrics.get(WORTH)
    if isinstance(worth, (int, float)):
        change = f" ({worth - mind.worth:+.4g})" if mind.worth is not None else ""
        line += f"; {WORTH} {worth:.6g}{change}"
        mind.worth = float(worth)
    return line


async def _summarise(mind: Mind, settings: LlmSettings, model: str, context: Context) -> None:
    most = settings.memory.summary
    turns = "\n".join(mind.fading)
    prompt = SUMMARISE.format(words=most * 3 // 4, summary=mind.summary or "(none)", turns=turns)
    house = f"{mind.summary}\n{turns}"[-most * CHARACTERS :].strip()
    said = await _said(prompt, most, settings, model, context, house)
    mind.summary = said[: most * CHARACTERS] or mind.summary
    mind.fading.clear()


async def _reflect(mind: Mind, settings: LlmSettings, model: str, context: Context) -> None:
    prompt = REFLECT.format(memory=remembered(mind))
    house = f"{mind.recent[-1]}" if mind.recent else "Nothing yet."
    said = await _said(prompt, LESSON_TOKENS, settings, model, context, house)
    if lesson := short(" ".join(said.split()), LESSON_TOKENS * CHARACTERS):
        mind.lessons = [*mind.lessons, lesson][-settings.memory.lessons :]


async def _said(
    prompt: str, most: int, settings: LlmSettings, model: str, context: Context, house: Any
) -> str:
    """What the model answers in words; nothing if it has no answer: what is known stays known."""
    task = structs.replace(settings.task, type=settings.task.type or "memory")
    ask = Ask(model, (Message("user", prompt),), max_tokens=max(most, 64), task=task)
    try:
        reply = await context.ask(ask, house=house, vital=False)
    except EffectFailed:
        return ""
    return "" if reply.label in UNUSABLE and reply.label != "truncated" else str(reply.text).strip()
