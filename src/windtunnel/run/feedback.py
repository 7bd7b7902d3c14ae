"""What people say of a run, or of one thing in it: a score, a comment. It is mail that nobody takes in.

So it changes no history, may come when the run has long ended, and is not what the run is a function of. It
says what it speaks of: the whole run, an entry by its number, an effect by its name. A fork is told what was
said of the past that it shares.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from msgspec import Struct, ValidationError

from windtunnel.codec import decode_body
from windtunnel.errors import CodecError
from windtunnel.journal import Mail
from windtunnel.journal.lineage import Lineage, Part

KIND = "feedback"
MAX_COMMENT = 10_000  # characters


class Feedback(Struct, omit_defaults=True, frozen=True):
    """The body of the mail. Without `turn` it speaks of the whole run."""

    score: float | None = None
    comment: str = ""
    turn: int | None = None
    entry: int | None = None
    effect: str = ""

    def __post_init__(self) -> None:
        if self.score is None and not self.comment.strip():
            raise ValueError("it has neither a score nor a comment")
        if self.score is not None and not math.isfinite(self.score):
            raise ValueError("a score is a finite number")
        if len(self.comment) > MAX_COMMENT:
            raise ValueError(
                f"a comment of {len(self.comment):,} characters; at most {MAX_COMMENT:,} are kept"
            )


class Given(Struct, frozen=True):
    """Feedback as it was given: where, by whom, when."""

    run_id: str
    mail: int
    by: str
    at: float
    score: float | None
    comment: str
    turn: int | None
    entry: int | None
    effect: str

    @property
    def of(self) -> str:
        """What it speaks of, as a person types it; empty for the whole run."""
        return self.effect or ("" if self.entry is None else str(self.entry))


def feedback_of(lineage: Lineage) -> list[Given]:
    """All that was said of a run, in order of its coming; of its parents, what concerns the shared past."""
    found: list[Given] = []
    for part in lineage.parts:
        own = part.row.run_id == lineage.row.run_id
        found += [given for given in _given(lineage, part) if own or _is_shared(given, part)]
    return found


def _given(lineage: Lineage, part: Part) -> Iterator[Given]:
    for mail in lineage.store.letters(part.row.run_id):
        if mail.kind == KIND and (said := _read(mail)) is not None:
            yield Given(
                part.row.run_id, mail.id, mail.sender, mail.at,
                said.score, said.comment, said.turn, said.entry, said.effect,
            )  # fmt: skip


def _read(mail: Mail) -> Feedback | None:
    """None for what is none: anybody may write into an inbox, and looking at a run must not fail for it."""
    try:
        said: Feedback = decode_body(mail.body, Feedback)
    except (ValidationError, CodecError, ValueError):
        return None
    return said


def _is_shared(given: Given, part: Part) -> bool:
    if given.turn is None or given.turn > part.last_turn:
        return False
    return given.entry is None or given.entry <= part.last_seq
