"""Swiss rounds: whoever stands alike meets, and nobody meets twice.

The pairing is FIDE's Dutch system (C.04.3) as py4swiss computes it. What FIDE leaves to the arbiter is
settled here:

- Seats stay within two of even. FIDE lets leaders pass that in the last round; that is taken only where
  nobody does.
- Meetings of several games give shares. A pairing knows them to a tenth of a point.
- Where the Dutch rules leave no pairing at all, the rule that nobody takes one seat three times running
  falls first, then the balance of seats; that nobody meets twice or has two byes never does.
- Up to as many rounds as half the field has entrants, all that are declared are held. Beyond, small fields
  are looked through to the last round (`lookahead.py`), and a pairing that would leave none for it is
  passed over for the next best. Where no pairing is left all the same (a large field, many forfeits), the
  tournament is over early.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from windtunnel.chance import Chance
from windtunnel.errors import UsageError
from windtunnel.tournaments.formats import lookahead
from windtunnel.tournaments.formats.past import Meeting, Past
from windtunnel.tournaments.formats.plan import Pairing, Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

BYE_POINTS = 1.0
_WIDEST = 2
"""How far the seats of one entrant may be from even."""


def next_round(plan: Plan, past: Past) -> tuple[Pairing, ...] | None:
    active = past.active()
    if past.rounds >= (plan.rounds or 0) or len(active) < 2:
        return None
    pairs = _pairs(plan, past)
    if pairs is None:
        return None
    return tuple(sorted((Pairing(pair) for pair in pairs), key=lambda pairing: pairing.bye))


def rest(plan: Plan, past: Past) -> int:
    active = len(past.active())
    if (plan.rounds or 0) > active / 2 and next_round(plan, past) is None:
        return 0
    return max(0, (plan.rounds or 0) - past.rounds) * (active // 2)


def scores(plan: Plan, past: Past) -> dict[str, float]:
    """Points so far; a bye is worth a win."""
    return {
        entrant: sum(BYE_POINTS if meeting.bye else meeting.points for meeting in past.meetings[entrant])
        for entrant in plan.entrants
    }


def first_seat_first(plan: Plan) -> bool:
    """Drawn by lot: whether the best seed begins in the first seat."""
    return Chance(plan.seed, "swiss", "first seat").happens(0.5)


def needs() -> Any:
    """The library that pairs, or why it is not there."""
    try:
        import py4swiss.engines  # noqa: PLC0415 - a second to load, and Swiss alone needs it
    except ImportError as error:
        raise UsageError(
            "Swiss pairing needs py4swiss, which is not installed: it is published for Linux and Windows on"
            " x86-64 and for macOS on arm64",
            where="format",
            remedy="play round-robin or double-elimination on this machine, or play on one of those",
        ) from error
    return py4swiss.engines


def _pairs(plan: Plan, past: Past) -> list[tuple[str, ...]] | None:
    pairs = _by_rule(plan, past)
    return _with_an_end_in_sight(plan, past, pairs) or pairs


def _by_rule(plan: Plan, past: Past) -> list[tuple[str, ...]] | None:
    strict = _dutch(plan, past, last=past.rounds + 1 == plan.rounds)
    if strict is not None and _seats_within(past, strict):
        return strict
    return (
        _dutch(plan, past, last=False)
        or _matched(plan, past, lambda one, other: abs(past.balance(one) + past.balance(other)) < 2 * _WIDEST)
        or strict
        or _matched(plan, past, lambda *_: True)
    )


# ------------------------------------------------------------ the Dutch system


def _dutch(plan: Plan, past: Past, *, last: bool) -> list[tuple[str, ...]] | None:
    """The round's pairs in the order of seats, or None if these rules allow no pairing."""
    engines = needs()
    from py4swiss.engines.common import PairingError  # noqa: PLC0415 - late, as above

    try:
        found = engines.DutchEngine.generate_pairings(_report(plan, past, last=last))
    except PairingError:
        return None
    names = ("", *plan.entrants)
    return [tuple(names[number] for number in (pair.white, pair.black) if number) for pair in found]


def _report(plan: Plan, past: Past, *, last: bool) -> Any:
    """The tournament as the library wants it: in the terms of FIDE's report file."""
    from py4swiss.trf import ParsedTrf  # noqa: PLC0415 - late, as above
    from py4swiss.trf.codes import PlayerCode  # noqa: PLC0415
    from py4swiss.trf.sections import PlayerSection, XSection  # noqa: PLC0415
    from py4swiss.trf.sections.x_section import XSectionConfiguration  # noqa: PLC0415

    number = {entrant: place + 1 for place, entrant in enumerate(plan.entrants)}
    active = set(past.active())
    total = scores(plan, past)
    extra = XSection(
        # Leaders are treated apart in what is announced as the last round.
        number_of_rounds=past.rounds + (1 if last else 2),
        zeroed_ids={number[entrant] for entrant in plan.entrants if entrant not in active},
        configuration=XSectionConfiguration(first_round_color=first_seat_first(plan)),
        accelerations={number[entrant]: _shares(past, entrant) for entrant in plan.entrants},
    )
    players = [
        PlayerSection(
            code=PlayerCode.PLAYER,
            starting_number=number[entrant],
            points_times_ten=round(10 * total[entrant]),
            rank=number[entrant],
            results=_results(past, entrant, number),
        )
        for entrant in plan.entrants
    ]
    return ParsedTrf(player_sections=players, x_section=extra)


def _results(past: Past, entrant: str, number: dict[str, int]) -> list[Any]:
    from py4swiss.trf.results import ColorToken, ResultToken, RoundResult  # noqa: PLC0415 - late, as above

    absent = RoundResult(id=0, color=ColorToken.BYE_OR_NOT_PAIRED, result=ResultToken.ZERO_POINT_BYE)
    results = [absent] * past.rounds
    for meeting in past.meetings[entrant]:
        if meeting.bye:
            bye = ResultToken.PAIRING_ALLOCATED_BYE
            results[meeting.round] = RoundResult(id=0, color=ColorToken.BYE_OR_NOT_PAIRED, result=bye)
            continue
        results[meeting.round] = RoundResult(
            id=number[meeting.others[0]],
            color=ColorToken.WHITE if meeting.seat == 0 else ColorToken.BLACK,
            result=ResultToken(_token(meeting)),
        )
    return results


def _token(meeting: Meeting) -> str:
    if meeting.forfeited:
        return "+" if meeting.outcome == 1.0 else "-"
    return {1.0: "1", 0.5: "=", 0.0: "0"}[meeting.outcome]


_TENTHS = {"1": 10, "+": 10, "=": 5, "0": 0, "-": 0}


def _shares(past: Past, entrant: str) -> list[int]:
    """Before each round and the next: tenths of a point beyond what whole wins and draws would have given."""
    by_round = {meeting.round: meeting for meeting in past.meetings[entrant]}
    beyond, real, plain = [0], 0.0, 0
    for number in range(past.rounds):
        meeting = by_round.get(number)
        if meeting is not None:
            real += BYE_POINTS if meeting.bye else meeting.points
            plain += 10 if meeting.bye else _TENTHS[_token(meeting)]
        beyond.append(round(10 * real) - plain)
    return beyond


# ------------------------------------------------------------ where the Dutch rules end


def _seats_within(past: Past, pairs: Iterable[tuple[str, ...]]) -> bool:
    return all(
        past.balance(pair[0]) < _WIDEST and past.balance(pair[1]) > -_WIDEST
        for pair in pairs
        if len(pair) == 2
    )


def _with_an_end_in_sight(
    plan: Plan, past: Past, pairs: list[tuple[str, ...]] | None
) -> list[tuple[str, ...]] | None:
    """Other pairs, of near scores, where those found (or none) would end the tournament too early."""
    active = list(past.active())
    size = len(active) + len(active) % 2
    left = (plan.rounds or 0) - past.rounds - 1
    graph = _open(past, active)
    played = size - 1 - min(mask.bit_count() for mask in graph)
    if size > lookahead.LARGEST or (pairs is not None and size - 2 - played >= size / 2):
        return None
    place = {entrant: i for i, entrant in enumerate(active)}
    if pairs is not None:
        found = tuple((place[pair[0]], place[pair[1]] if len(pair) == 2 else size - 1) for pair in pairs)
        if lookahead.holds(lookahead.without(graph, found), left):
            return None
    points = [scores(plan, past)[entrant] for entrant in active] + [0.0]
    balance = [past.balance(entrant) for entrant in active] + [0]

    def strain(matching: lookahead.Matching) -> tuple[int, float]:
        leaning = sum(abs(balance[i] + balance[j]) >= 2 * _WIDEST for i, j in matching)
        return leaning, sum((points[i] - points[j]) ** 2 for i, j in matching)

    for matching in sorted(lookahead.matchings(graph), key=strain):
        if lookahead.holds(lookahead.without(graph, matching), left):
            return [
                (active[i],) if j == len(active) else past.seated(active[i], active[j]) for i, j in matching
            ]
    return None


def _open(past: Past, active: list[str]) -> lookahead.Graph:
    """Who may still meet whom; in an odd field the last stands for the bye."""
    place = {entrant: i for i, entrant in enumerate(active)}
    size = len(active) + len(active) % 2
    graph = [((1 << size) - 1) & ~(1 << i) for i in range(size)]
    for i, entrant in enumerate(active):
        closed = [place[m.others[0]] for m in past.contested(entrant) if m.others[0] in place]
        if size > len(active) and _had_a_bye(past, entrant):
            closed.append(size - 1)
        for j in closed:
            graph[i] &= ~(1 << j)
            graph[j] &= ~(1 << i)
    return tuple(graph)


def _matched(plan: Plan, past: Past, fits: Callable[[str, str], bool]) -> list[tuple[str, ...]] | None:
    """Pairs of near scores among those who have not met, if everyone can be paired so."""
    needs()
    from py4swiss.dynamicuint import DynamicUint  # noqa: PLC0415 - late, as above
    from py4swiss.matching_computer import ComputerDutchOptimality  # noqa: PLC0415

    active = list(past.active())
    points = scores(plan, past)
    met = {entrant: {m.others[0] for m in past.contested(entrant)} for entrant in active}
    size = len(active) + len(active) % 2
    # A step of score weighs less than a pair, so that as many as can be are paired before scores count.
    most = 4 * past.rounds + 2
    matching = ComputerDutchOptimality(size, DynamicUint(size * most))
    for _ in range(size):
        matching.add_vertex()
    for i, one in enumerate(active):
        for j, other in enumerate(active[i + 1 :], i + 1):
            if other not in met[one] and fits(one, other):
                apart = round(2 * abs(points[one] - points[other]))
                matching.set_edge_weight(i, j, DynamicUint(size * most - min(apart, most - 1)))
        if size > len(active) and not _had_a_bye(past, one):
            low = min(round(2 * points[one]), most - 1)
            matching.set_edge_weight(i, size - 1, DynamicUint(size * most - low))
    matching.compute_matching()
    partner = matching.get_matching()
    if any(i == j for i, j in enumerate(partner)):
        return None
    pairs = [(i, j) for i, j in enumerate(partner) if i < j]
    return [(active[i],) if j == len(active) else past.seated(active[i], active[j]) for i, j in pairs]


def _had_a_bye(past: Past, entrant: str) -> bool:
    """A win without a meeting counts as one."""
    return any(m.bye or (m.forfeited and m.outcome == 1.0) for m in past.meetings[entrant])
