"""A plan with everything declared before the first meeting, or the reason why it cannot be held."""

from __future__ import annotations

from functools import lru_cache
from typing import get_args

import msgspec

from windtunnel.errors import UsageError
from windtunnel.tournaments.formats import circle, elimination, gauntlet, tables
from windtunnel.tournaments.formats.plan import ELIMINATIONS, Format, Plan

TIE_BREAKS: dict[Format, tuple[str, ...]] = {
    "round-robin": ("direct", "sonneborn-berger", "wins", "buchholz", "buchholz-cut-1"),
    "swiss": ("buchholz", "buchholz-cut-1", "sonneborn-berger", "wins", "direct"),
    "free-for-all": ("wins",),
    "gauntlet": ("wins",),
    "single-elimination": (),
    "double-elimination": (),
    "ladder": (),
}
"""What each format can rank equals by, the default ones first."""
_BY_DEFAULT = 3
_EQUALS = "With equal points the better seed goes on. An entrant who withdrew loses what is left."


@lru_cache(maxsize=256)
def check(plan: Plan) -> Plan:
    """The plan with its rounds computed, its tie-breaks named and its rules put in words."""
    _check_format(plan)
    _check_entrants(plan)
    _check_options(plan)
    _check_pool(plan)
    ties = plan.tie_breaks or TIE_BREAKS[plan.format][:_BY_DEFAULT]
    _check_tie_breaks(plan, ties)
    declared = msgspec.structs.replace(plan, rounds=_rounds(plan), tie_breaks=ties)
    return msgspec.structs.replace(declared, description=_in_words(declared))


def published_order(plan: Plan) -> tuple[str, ...]:
    """What ranks, in order."""
    if plan.format in ELIMINATIONS:
        return ("reached",)
    if plan.format == "ladder":
        return ("elo",)
    return ("points", *check(plan).tie_breaks)


def _check_format(plan: Plan) -> None:
    if plan.format not in get_args(Format):
        known = ", ".join(get_args(Format))
        raise UsageError(f"no format {plan.format!r}", where="format", remedy=f"choose one of {known}")


def _check_entrants(plan: Plan) -> None:
    field = len(plan.entrants)
    doubled = sorted({entrant for entrant in plan.entrants if plan.entrants.count(entrant) > 1})
    if doubled:
        raise UsageError(
            f"entered twice: {', '.join(doubled)}",
            where="entrants",
            remedy="give each entrant a name of its own",
        )
    if not all(plan.entrants):
        raise UsageError("an entrant without a name", where="entrants", remedy="name each entrant")
    if field < 2:
        raise UsageError(
            f"a tournament needs two entrants, not {field}", where="entrants", remedy="enter at least two"
        )


def _check_options(plan: Plan) -> None:
    field = len(plan.entrants)
    if plan.double and plan.format != "round-robin":
        raise UsageError(
            f"{plan.format} has no second leg", where="double", remedy="leave it out, or play a round-robin"
        )
    if plan.third_place and plan.format != "single-elimination":
        raise UsageError(
            f"{plan.format} has no match for third place",
            where="third_place",
            remedy="leave it out, or play single-elimination",
        )
    if plan.third_place and field < 4:
        raise UsageError(
            f"no match for third place among {field}",
            where="third_place",
            remedy="enter four, or leave it out",
        )
    if plan.format != "free-for-all" and plan.seats != 2:
        raise UsageError(
            f"two meet in {plan.format}, not {plan.seats}",
            where="seats",
            remedy="leave seats out, or play a free-for-all",
        )
    if plan.format == "free-for-all" and not 2 <= plan.seats <= field:
        raise UsageError(
            f"a table of {plan.seats} seats does not fit {field} entrants",
            where="seats",
            remedy=f"choose from 2 to {field} seats",
        )


def _check_pool(plan: Plan) -> None:
    if plan.format != "gauntlet":
        if plan.pool:
            raise UsageError(
                f"{plan.format} has no frozen pool",
                where="pool",
                remedy="format: gauntlet, or leave the pool out",
            )
        return
    strangers = [name for name in plan.pool if name not in plan.entrants]
    if strangers:
        raise UsageError(f"{strangers[0]!r} of the pool is no entrant", where="pool")
    if not plan.pool or not gauntlet.challengers(plan):
        raise UsageError(
            "a gauntlet needs a pool, and somebody who challenges it",
            where="pool",
            remedy="pool: [whom every entrant meets]; entrants: [who challenges them]",
        )


def _check_tie_breaks(plan: Plan, ties: tuple[str, ...]) -> None:
    known = TIE_BREAKS[plan.format]
    unknown = [name for name in ties if name not in known]
    if unknown or len(set(ties)) != len(ties):
        wrong = f"no tie-break {unknown[0]!r} in {plan.format}" if unknown else "a tie-break named twice"
        some = (
            f"choose from {', '.join(known)}" if known else f"leave them out: {plan.format} ranks by itself"
        )
        raise UsageError(wrong, where="tie_breaks", remedy=some)


def _rounds(plan: Plan) -> int | None:
    if plan.rounds is not None and plan.rounds < 1:
        raise UsageError(
            f"{plan.rounds} rounds", where="rounds", remedy="declare at least one round, or leave it out"
        )
    field = len(plan.entrants)
    if plan.format == "ladder":
        return plan.rounds
    if plan.format == "free-for-all":
        return plan.rounds or tables.enough_rounds(field, plan.seats)
    if plan.format == "swiss":
        return _swiss_rounds(plan)
    if plan.format == "round-robin":
        rounds = len(circle.schedule(field, plan.double))
    elif plan.format == "gauntlet":
        rounds = gauntlet.rounds(plan)
    else:
        rounds = elimination.most_rounds(plan)
    if plan.rounds not in {None, rounds}:
        raise UsageError(
            f"{plan.format} of {field} takes {rounds} rounds, not {plan.rounds}",
            where="rounds",
            remedy="leave rounds out; to choose their number, play swiss",
        )
    return rounds


def _swiss_rounds(plan: Plan) -> int:
    field = len(plan.entrants)
    most = field - 1 + field % 2
    if plan.rounds is None:
        return max(1, (field - 1).bit_length())
    if plan.rounds > most:
        raise UsageError(
            f"{plan.rounds} Swiss rounds, but {field} entrants have met one another after {most}",
            where="rounds",
            remedy=f"declare at most {most}; about {max(1, (field - 1).bit_length())} tell a winner",
        )
    return plan.rounds


# ------------------------------------------------------------ in words


def _in_words(plan: Plan) -> str:
    field, rounds = len(plan.entrants), plan.rounds
    third = " The losers of the semifinals meet for third place." if plan.third_place else ""
    ties = f"Equals are ranked by {', '.join(plan.tie_breaks)}." if plan.tie_breaks else ""
    words = {
        "round-robin": f"Everyone meets everyone{' twice' if plan.double else ''}: {rounds} rounds. A bye is"
        " worth nothing. Meetings with an entrant who withdraws before half of them do not count; after"
        f" half, those left are won by the others. {ties}",
        "swiss": f"{_count(rounds, 'Swiss round')} (FIDE Dutch): nobody meets twice, seats stay within two of"
        f" even. In an odd field one has a bye, worth a win, and nobody has two. {ties} For Buchholz and"
        " Sonneborn-Berger a round without a meeting counts as one against an opponent with one's points.",
        "single-elimination": f"Who loses is out: {_count(rounds, 'round')}. The best seeds have the byes"
        f" and meet last.{third} {_EQUALS}",
        "double-elimination": f"Who loses twice is out: at most {_count(rounds, 'round')}. If who comes"
        f" through the losers' bracket wins the grand final, it is played again. {_EQUALS}",
        "free-for-all": f"{_count(rounds, 'round')} at tables of {plan.seats}. Who has sat out least sits out"
        f" next, for no points; seats rotate. {ties}",
        "gauntlet": f"{_count(field - len(plan.pool), 'challenger')} and a frozen pool of {len(plan.pool)}:"
        f" each challenger meets each of the pool, and nobody else meets: {_count(rounds, 'round')}."
        f" Places are for challengers; the pool stands below them. {ties}",
        "ladder": f"Neighbours meet{f', {rounds} rounds' if rounds else ', with no last round'}. Places go by"
        " an Elo rating of the ladder's own meetings.",
    }
    return f"{field} entrants. {words[plan.format].strip()}"


def _count(number: int | None, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
