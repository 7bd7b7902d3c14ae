"""New instructions, by a model that reads what a candidate did in the matches that went worst.

What it is shown comes from the journals of those matches, and is data: texts in it give no orders. What it
answers is nothing but other instructions; the matches say whether they are better. The model `house` adds a
line about what it was shown, so that all of this can be tried with no key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from msgspec import Struct, field

from windtunnel.agents.forms import object_in, on_a_line
from windtunnel.agents.question import DATA, Asking, answered
from windtunnel.chance import Chance
from windtunnel.codec import decode_body
from windtunnel.errors import Undecided, WindtunnelError
from windtunnel.evolution.model import Plan
from windtunnel.journal import Store
from windtunnel.journal.lineage import Lineage
from windtunnel.journal.texts import whole
from windtunnel.models.talk import Reply, Task
from windtunnel.run.entries import DecidedEntry, Judged, read
from windtunnel.world import Context

LONGEST = 16_000  # characters of instructions
KEPT, WIDTH = 8, 400  # of each kind in a trace, and of one text
LEARNED, LINES = "What went wrong before:", 8
SCHEMA = {
    "type": "object",
    "properties": {"why": {"type": "string"}, "instructions": {"type": "string"}},
    "required": ["why", "instructions"],
    "additionalProperties": False,
}
TOLD = """\
You improve the instructions of an agent that plays the role `{role}` in a simulated world. You are shown its
instructions, and what it did in the matches that went worst for it. Write instructions by which it would do
better: keep what works, be concrete, and do not mention these matches; it will play others.

{data}
# How to answer

Think first if you like. End your answer with one JSON object and write nothing after it:
{{"why": "what you changed and why, in a sentence", "instructions": "the whole of the new instructions"}}
"""
SHOWN = """\
# Its instructions

{instructions}

# Its worst matches

{traces}
"""


class Trace(Struct, frozen=True, omit_defaults=True):
    """What a match's journal says of one seat: its last decisions, what was refused and why, what it said,
    and how its metrics went from first to last."""

    decisions: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    metrics: dict[str, tuple[float, float]] = field(default_factory=dict)


def trace_of(store: Store, run_id: str, seat: str) -> Trace:
    lineage = Lineage(store, run_id)
    decisions: list[str] = []
    refused: dict[str, None] = {}
    for entry in lineage.entries():
        if entry.kind == "decided":
            decided: DecidedEntry = read(entry)
            if seat in decided.actions:
                decisions.append(on_a_line(f"turn {entry.turn}: {decided.actions[seat]}", WIDTH))
            if seat in decided.refused:
                refused[on_a_line(decided.refused[seat].why, WIDTH)] = None
        elif entry.kind == "judged":
            judged: Judged = read(entry)
            mine = judged.verdicts.get(seat) if isinstance(judged.verdicts, dict) else None
            if isinstance(mine, dict) and mine.get("reason"):
                refused[on_a_line(mine["reason"], WIDTH)] = None
    said = []
    for effect in store.effects(run_id, kind="model")[-KEPT:]:
        if effect.actor.split("/")[0] == seat and effect.result is not None:
            told = decode_body(whole(store, effect).result or b"{}")
            said.append(on_a_line(str((told.get("ok") or {}).get("text", "")), WIDTH))
    metrics: dict[str, tuple[float, float]] = {}
    for _, _, name, value in lineage.metrics(agents=[seat]):
        metrics[name] = (metrics.get(name, (float(value), 0.0))[0], float(value))
    return Trace(decisions[-KEPT:], list(refused)[:KEPT], said, metrics)


async def rewritten(
    context: Context, plan: Plan, instructions: str, traces: Sequence[Trace], luck: Chance
) -> tuple[str, str]:
    """Other instructions, and why. Undecided where no answer can be used. `luck` is the model `house`'s."""

    def taken(reply: Reply) -> tuple[str, str]:
        found = object_in(reply)
        text = found.get("instructions")
        if not isinstance(text, str) or not text.strip():
            raise Undecided("unparsable", "`instructions` must be a text")
        if len(text) > LONGEST:
            raise Undecided("illegal", f"`instructions` must have {LONGEST:,} characters at most")
        if text.strip() == instructions.strip():
            raise Undecided("illegal", "these are the instructions that there are already")
        return text.strip(), on_a_line(str(found.get("why", "")), WIDTH)

    model = plan.reflection.model or plan.start.strategy.model or "house"
    written, why = await answered(
        context,
        Asking("house" if model == "rule" else model, max_tokens=4096, task=Task("reflection")),
        TOLD.format(role=plan.start.strategy.role, data=DATA),
        SHOWN.format(instructions=instructions or "(none)", traces="\n\n".join(map(_in_words, traces))),
        schema=SCHEMA,
        read=taken,
        house=at_home(instructions, traces, luck),
    )
    return written, why


def _in_words(trace: Trace) -> str:
    lines = [f"- {name}: from {first:.6g} to {last:.6g}" for name, (first, last) in trace.metrics.items()]
    for title, texts in (("refused", trace.refused), ("decided", trace.decisions), ("said", trace.said)):
        lines += [f"- {title}: {text}" for text in texts]
    return "\n".join(["## A match", *lines])


def at_home(instructions: str, traces: Sequence[Trace], luck: Chance) -> dict[str, str]:
    """What `house` answers: the instructions with one more line, of what was refused or how it went."""
    head, _, tail = instructions.partition(LEARNED)
    known = [line for line in tail.splitlines() if line.strip()]
    fresh = [line for line in _lessons(traces) if line not in known]
    told = luck.choice(fresh) if fresh else "- Think again before each turn."
    lines = [*(line for line in known if line != told), told][-LINES:]
    text = "\n".join([head.rstrip(), "", LEARNED, *lines]).strip()
    return {"why": told.removeprefix("- "), "instructions": text}


def _lessons(traces: Sequence[Trace]) -> list[str]:
    refused = Counter(text for trace in traces for text in trace.refused)
    lines = [f"- Do not do what is refused: {text}" for text, _ in refused.most_common()]
    for trace in traces:
        fell = sorted((last - first, name) for name, (first, last) in trace.metrics.items() if last < first)
        lines += [f"- Watch {name}: it fell by {-by:.4g}." for by, name in fell]
        lines += [f"- Weigh other ways before you decide again as in {text}" for text in trace.decisions[-1:]]
    return lines


def read_traces(store: Store, evolution: str, request: dict[str, Any]) -> list[Trace]:
    """The effect `trace`: matches that cannot be read any more are left out."""
    found = []
    for number, seat in request["matches"]:
        try:
            found.append(trace_of(store, f"{evolution}.{number}", seat))
        except WindtunnelError:
            continue
    return found
