"""Give feedback: to a run or to one thing in it, while it is played and long after."""

from __future__ import annotations

import re

from windtunnel.codec import encode_body
from windtunnel.control.catalog import Found, opened
from windtunnel.control.verbs import Control
from windtunnel.errors import CodecError, NotFound, UsageError, WrongState
from windtunnel.journal.lineage import Lineage
from windtunnel.models.tracing import tracer_for
from windtunnel.run.entries import EffectUsed, read
from windtunnel.run.feedback import KIND, Feedback, Given

_ENTRY = re.compile(r"(?P<run>.+?):(?P<entry>\d+|\d+\.[a-z]+\..+\.\d+)")
_EFFECT = re.compile(r"(\d{1,18})\.[a-z]+\..+\.\d+")


def find_subject(control: Control, name: str) -> tuple[Found, str]:
    """RUN or RUN:ENTRY, as a person types it: the run, and the entry if one is meant."""
    said = _ENTRY.fullmatch(name)
    if said is None:
        return control.find(name), ""
    if said["run"].endswith(".sqlite") and said["entry"].isdigit():
        try:  # a run of this store comes first: its name may be all digits
            return control.find(name), ""
        except NotFound:
            pass
    return control.find(said["run"]), said["entry"]


def _trace(control: Control, run_id: str, said: Feedback) -> None:
    """Told to the back end of traces too, where the environment asks for one."""
    tracer = tracer_for(control.workspace.environ)
    about = said.effect or (f"entry {said.entry}" if said.entry is not None else run_id)
    with tracer.span(
        "feedback",
        about,
        windtunnel_run_id=run_id,
        gen_ai_evaluation_name="feedback",
        gen_ai_evaluation_score_value=said.score,
        gen_ai_evaluation_explanation=said.comment or None,
    ):
        pass
    tracer.close()


def give(
    control: Control,
    found: Found,
    *,
    score: float | None = None,
    comment: str = "",
    entry: int | str | None = None,
    sender: str = "operator",
) -> Given:
    """Post feedback of the run, of an entry by its number, or of an effect by its name."""
    run_id = found.row.run_id
    if found.row.pruned is not None:
        raise WrongState(f"run {run_id} was pruned: nothing is left to speak of", where=found.location)
    try:
        with opened(found, read_only=True) as store:
            turn, number, effect = _subject(Lineage(store, run_id), entry)
        said = Feedback(None if score is None else float(score), comment, turn, number, effect)
        body = encode_body(said)
        sender.encode()  # a name that is no text is refused as well
    except CodecError as error:
        raise UsageError(f"this cannot be kept: {error.message}", where="feedback") from None
    except ValueError as error:
        raise UsageError(
            str(error), where="feedback", remedy="a score (any finite number), a comment, or both"
        ) from None
    at = control.clock.wall()
    with opened(found, control.workspace) as store:
        mail = store.post(run_id, KIND, body, sender, at)
    _trace(control, run_id, said)
    return Given(run_id, mail, sender, at, said.score, said.comment, turn, number, effect)


def _subject(lineage: Lineage, entry: int | str | None) -> tuple[int | None, int | None, str]:
    """Turn, number and effect that are meant: what is not there cannot be judged."""
    if entry is None or entry == "":
        return None, None, ""
    name = str(entry)
    if (effect := _EFFECT.fullmatch(name)) is not None:
        turn = int(effect[1])
        if any(one.name == name for one in lineage.effects(turn)):
            return turn, None, name
    elif name.isdecimal() and len(name) <= 18:
        number = int(name)
        found = next(lineage.entries(number - 1, number), None)
        if found is not None:
            if found.kind != "effect":
                return found.turn, number, ""
            used: EffectUsed = read(found)
            return found.turn, number, f"{found.turn}.{found.phase}.{found.actor or 'world'}.{used.index}"
    raise NotFound(
        f"run {lineage.row.run_id} has no entry {name}",
        where="feedback",
        remedy=f"a number up to {lineage.row.head_seq}, or the name of an effect such as 3.plan.alice.0",
    )
