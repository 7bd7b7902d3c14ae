"""`answer`: a person says what a run asks. An answer that is given is posted; without one, at a terminal, the
question is shown and asked field by field, and the run goes on until the next one."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer
from rich.markup import escape

from windtunnel.agents.render import render as as_text
from windtunnel.cli import door, prompting, render, say
from windtunnel.cli.forking import read_json
from windtunnel.cli.options import By, Run
from windtunnel.cli.running import play, told
from windtunnel.cli.steering import posted
from windtunnel.cli.stopping import Stopper
from windtunnel.cli.taking import me
from windtunnel.control import Control, Found
from windtunnel.control.questions import Question, open_questions, questions
from windtunnel.errors import NotFound, UsageError
from windtunnel.journal import Status
from windtunnel.world import World

SHOWN = 24_000  # characters of what an agent observes
ANSWERS = 10_000  # at one sitting


def answer(
    run: Run,
    words: Annotated[
        list[str], typer.Argument(metavar="[EFFECT] [JSON]", help="Which, if several wait; the answer.")
    ] = [],  # noqa: B006 - typer copies it
    by: By = "",
) -> int:
    """Answer what a run asks: as an agent, as a member of a team, or about a call that a crash cut off.

    At a terminal and without an answer, the question is shown and asked field by field; the run then goes
    on to the next question. --json without an answer prints what waits, with the schema of an answer.

    \b
    Examples:
      windtunnel answer 4k2
      windtunnel answer 4k2 '{"type": "Raise", "by": 0.1}'
      windtunnel answer 4k2 12.plan.alice.0 '{"type": "Rest"}'
      windtunnel answer 4k2 --json
    """
    if len(words) > 2:
        raise UsageError(
            f"{len(words)} words after the run",
            where="answer",
            remedy="windtunnel answer RUN [EFFECT] [JSON]",
        )
    if words:
        _read(words[-1])
    control = door.the_control()
    effect, given = _parted(control, run, words)
    if given is not None:
        question = _the_one(questions(control, run, effect))
        sent = question.check(_read(given))
        found = control.answer(run, question.asked.effect, sent, sender=by or me())
        return posted(found, f"answer posted to {found.row.run_id}")
    if say.door.json:
        for one in questions(control, run, effect):
            say.data(one.plain())
        return 0
    if not prompting.on_terminal():
        waiting = questions(control, run, effect)
        raise UsageError(
            f"{len(waiting)} waiting, and no terminal to ask at",
            where=waiting[0].asked.effect,
            remedy=f"windtunnel answer {run} {waiting[0].asked.effect} JSON; --json shows the question",
        )
    return _sit(control, run, effect, by or me())


def _parted(control: Control, run: str, words: list[str]) -> tuple[str, str | None]:
    """Which question is meant, and the answer, if there is one: a single word may be either."""
    if len(words) == 2:
        return words[0], words[1]
    if not words:
        return "", None
    waits = {one.effect for one in control.waiting(run)}
    return (words[0], None) if words[0] in waits else ("", words[0])


def _the_one(found: list[Question]) -> Question:
    if len(found) > 1:
        names = ", ".join(one.asked.effect for one in found)
        raise NotFound("several things wait for an answer", remedy=f"name one: {names}")
    return found[0]


def _read(text: str) -> Any:
    """JSON, or plain words; what begins as JSON and is none is a slip."""
    return read_json(text, "JSON") if text[:1] in {"{", "[", '"'} else prompting.json_or_words(text)


# --- at the terminal ---


def _sit(control: Control, run: str, effect: str, by: str) -> int:
    """Question after question, as long as the run asks and the person likes."""
    found = control.find(run)
    name = found.address
    world: World | None = None
    for _ in range(ANSWERS):
        waiting = questions(control, name, effect, world=world)
        effect = ""
        for question in waiting:
            _show(question)
            control.answer(name, question.asked.effect, _composed(question), sender=by)
        found = control.find(name)
        if found.row.status is Status.RUNNING:
            say.line("posted; it is being played elsewhere and goes on there")
            return 0
        more = open_questions(control, found)  # one was named, and others are asked too
        if more or not prompting.yes("go on now?", default=True):
            say.show(render.next_steps([("go on", f"windtunnel resume {found.name}")]))
            return 0
        world = world or control.find_world(found.row.world)
        stopper = Stopper()
        (done,) = play(control, [found], world, stopper)
        after = Found(found.location, done.row)
        if (
            done.error is not None
            or done.row.status is not Status.WAITING
            or not open_questions(control, after)
        ):
            return told(found, done, world, stopper)
        found = after
    return door.EXIT[found.row.status]


def _show(question: Question) -> None:
    asked = question.asked
    who = f"[bold]{escape(asked.actor)}[/]" + (f" ({escape(question.role)})" if question.role else "")
    say.line()
    say.show(
        render.title(
            f"[dim]turn[/] {asked.turn}", who, f"[dim]{render.age(door.seconds_since(asked.asked))}[/]"
        )
    )
    request = asked.request if isinstance(asked.request, dict) else {"question": asked.request}
    if question.way == "action":
        _lines(as_text(request["observation"], SHOWN))
        if request.get("rejected"):
            say.line(f"\nYour last answer was not taken: {prompting.clean(str(request['rejected']))}")
    elif question.way == "doubt":
        _lines(as_text(request, SHOWN))
        say.line("\nThe run was cut off while this was under way: nobody knows whether it was done.")
    else:
        hidden = ("answer", "decide") if question.way == "approve" else ("decide",)
        for line in request.get("conversation", ()):
            say.line(prompting.clean(f"{line.get('from')}: {line.get('text')}"))
        rest = {
            key: value for key, value in request.items() if key not in ("conversation", "member", *hidden)
        }
        if rest:
            _lines(as_text(rest, SHOWN))
    say.line()


def _lines(text: str) -> None:
    for line in text.splitlines():
        say.line(prompting.clean(line))


def _composed(question: Question) -> Any:
    """An answer, once the person says that it is meant."""
    ways = {"action": _action, "approve": _approval, "look": _look, "text": _words}
    compose = ways.get(question.way, _anything)
    for _ in range(prompting.TRIES):
        made = compose(question)
        if question.way != "action" or prompting.yes(f"{render.compact(made)}?", default=True):
            return made
    raise typer.Abort


def _action(question: Question) -> Any:
    if not question.actions:
        say.line("the world of this run is not at hand: its fields are not known here")
        return question.check(prompting.json_or_words(prompting.words("answer in JSON: ")))
    kinds = {kind.__name__: kind for kind in question.actions}
    like = question.no_op
    if len(kinds) == 1:
        ((chosen, kind),) = kinds.items()
        say.line(f"{chosen}  {prompting.clean(_about(kind))}".rstrip())
        return msgspec.to_builtins(prompting.action(kind, like))
    prompting.listed({name: _about(kind) for name, kind in kinds.items()})
    nothing = msgspec.to_builtins(like) if like is not None else None
    shown = f" [{render.compact(nothing)}]" if nothing else ""
    chosen = prompting.choose(f"what do you do?{shown} ", list(kinds), "" if nothing else None)
    return msgspec.to_builtins(prompting.action(kinds[chosen], like)) if chosen else nothing


def _about(kind: Any) -> str:
    return " ".join((kind.__doc__ or "").split()).partition(". ")[0]


def _approval(_question: Question) -> Any:
    if prompting.yes("may it be called?"):
        return {"approve": True}
    why = prompting.words("why not, in a word that it is told (Enter: none): ", needed=False)
    return {"approve": False, "reason": why} if why else {"approve": False}


def _look(question: Question) -> Any:
    ways: dict[str, str] = question.asked.request["decide"]
    prompting.listed(ways)
    chosen = prompting.choose("what becomes of it? ", list(ways))
    return chosen if chosen == "pass" else {chosen: prompting.words("your words: ")}


def _words(_question: Question) -> Any:
    return prompting.words("you say (a line that ends in \\ goes on): ")


def _anything(question: Question) -> Any:
    asked = "what came of it" if question.way == "doubt" else "your answer"
    return prompting.json_or_words(prompting.words(f"{asked}, in JSON or in words: "))
