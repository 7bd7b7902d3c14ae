"""The standings as one html file that opens offline, with no script: the table with its intervals drawn, what
the
scores were made of, who met whom, and what to know before believing it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from windtunnel.export.atomic import writing
from windtunnel.export.markup import attribute, number, table, text, visible
from windtunnel.export.report import asset
from windtunnel.tournaments.selfplay import OwnPast
from windtunnel.tournaments.standings import Standing, Standings
from windtunnel.words import counted

WIDTH = 220  # pixels of the axis of ratings
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def write_report(told: Standings, path: Path) -> None:
    with writing(path) as file:
        file.write(page(told).encode())


def page(told: Standings) -> str:
    parts = [
        f"<header><h1>{text(told.title)}</h1><p>{text(_summary(told))}</p></header><main>",
        _section("Standings", _standings(told)),
        _section("Against its own past", "".join(map(_own_past, told.selfplay))),
        _section("What to know before believing it", _notes(told)),
        _section("What the scores are made of", _scores(told)),
        _section("Who met whom", _meetings(told)),
        "</main>",
    ]
    title = f"{text(visible(told.title))} · Windtunnel"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{title}</title>\n<style>\n{asset('report.css')}</style>\n</head>\n"
        f"<body>\n{''.join(parts)}\n</body>\n</html>\n"
    )


def _section(title: str, inside: str) -> str:
    return f"<section><h2>{text(title)}</h2>{inside}</section>" if inside else ""


def _summary(told: Standings) -> str:
    of = f" of {told.of_rounds}" if told.of_rounds else ""
    cost = f", ${told.cost / 1e6:.4f}" if told.cost else ""
    return (
        f"{told.format}, {told.status}: {told.rounds}{of} rounds, {told.matches:,} matches{cost};"
        f" {told.world} {told.version}; run {told.run_id}. {told.rules}"
    )


def _standings(told: Standings) -> str:
    bounds = [value for line in told.lines for value in (line.low, line.high) if value is not None]
    axis = (min(bounds), max(bounds)) if bounds else (0.0, 0.0)
    rows = [
        [
            "pool" if line.pool else str(line.rank), _named(line),
            number(line.points), f"{line.wins} – {line.draws} – {line.losses}", _rounded(line.rating),
            _interval(line, axis), _ranks(line), _rounded(line.elo), _flaws(line),
        ]
        for line in told.lines
    ]  # fmt: skip
    heads = ["Place", "Entrant", "Points", "Won – drawn – lost", "Rating", "95% interval", "Rank", "Elo", ""]
    return table(heads, rows)


def _named(line: Standing) -> str:
    return f"<strong>{text(line.entrant)}</strong><br><small>{text(line.strategy)} {line.hash[:10]}</small>"


def _interval(line: Standing, axis: tuple[float, float]) -> str:
    if line.low is None or line.high is None or line.rating is None or axis[0] == axis[1]:
        return "—"

    def at(value: float) -> float:
        return 4 + (value - axis[0]) / (axis[1] - axis[0]) * (WIDTH - 8)

    said = attribute(f"{line.low:+.0f} to {line.high:+.0f}")
    return (
        f'<svg role="img" aria-label="{said}" width="{WIDTH}" height="16"><title>{said}</title>'
        f'<line x1="{at(line.low):.1f}" x2="{at(line.high):.1f}" y1="8" y2="8" stroke="currentColor"'
        ' stroke-width="2"/>'
        f'<circle cx="{at(line.rating):.1f}" cy="8" r="4" fill="currentColor"/></svg>'
    )


def _ranks(line: Standing) -> str:
    if line.best is None:
        return "—"
    return str(line.best) if line.best == line.worst else f"{line.best} to {line.worst}"


def _flaws(line: Standing) -> str:
    told = [
        f"{count} {word}"
        for count, word in ((line.forfeits, "forfeited"), (line.void, "void"), (line.refused, "refused"))
        if count
    ]
    return text(", ".join(told))


def _rounded(value: float | None) -> str:
    return "—" if value is None else f"{value:,.0f}"


def _own_past(past: OwnPast) -> str:
    rows = [
        [
            text(one.version), str(one.pairs), f"{one.share:.0%}", f"{one.low:.0%} to {one.high:.0%}",
            text(f"forgotten: {', '.join(one.by)} can" if one.forgotten else one.verdict),
        ]
        for one in past.past
    ]  # fmt: skip
    words = f"{1 - past.alpha:.0%} intervals for all {counted(past.looked, 'pair')} of versions together."
    heads = [f"{past.newest} against", "Pairs", "Points", "Interval", ""]
    return f"<p>{text(past.sentence)}. {words}</p>" + table(heads, rows)


def _notes(told: Standings) -> str:
    notes = list(told.notes)
    if told.seat is not None:
        points, low, high = told.seat
        notes.append(f"the first seat is worth {points:+.0f} Elo points ({low:+.0f} to {high:+.0f})")
    return "<ul>" + "".join(f"<li>{text(note)}</li>" for note in notes) + "</ul>"


def _scores(told: Standings) -> str:
    names = ("score", "roi", "sharpe", "composite", "literal", "skill")
    shown = [name for name in names if any(getattr(line, name) is not None for line in told.lines)]
    rows = [[text(line.entrant), *(_figure(getattr(line, name)) for name in shown)] for line in told.lines]
    words = (
        "<p>Score wins matches. ROI and Sharpe are raw means; composite is 0.6 and 0.4 of their z-scores"
        " over the field; literal is 0.6 and 0.4 of the raw terms, units mixed, and ranks nobody.</p>"
    )
    return words + table(["Entrant", *(name.capitalize() for name in shown)], rows) if shown else ""


def _figure(value: Any) -> str:
    return "—" if value is None else number(value)


def _meetings(told: Standings) -> str:
    if "rows" in told.drawing:
        return _crosstable(told)
    return "".join(_bracket_round(one) for one in told.drawing["rounds"])


def _crosstable(told: Standings) -> str:
    """Everyone's points against everyone, in the order of the standings."""
    rows = {row["entrant"]: row["against"] for row in told.drawing["rows"]}
    names = [line.entrant for line in told.lines]
    body = [[text(mine), *(_against(rows[mine], mine, other) for other in names)] for mine in names]
    return table(["", *(text(name) for name in names)], body)


def _against(against: dict[str, Any], mine: str, other: str) -> str:
    if mine == other:
        return "·"
    sums = against.get(other)
    if sums is None:
        return ""
    return f"{sums['points']:g}" + (f" of {sums['meetings']:g}" if sums["meetings"] > 1 else "")


def _bracket_round(column: dict[str, Any]) -> str:
    rows = [[text(match["label"]), *(_side(side) for side in match["sides"])] for match in column["matches"]]
    return f"<h3>{text(column['label'])}</h3>" + table(["", "", ""], rows)


def _side(side: dict[str, Any]) -> str:
    if side["entrant"] is None:
        return "—"
    points = "" if side["points"] is None else f" {side['points']:g}"
    name = text(side["entrant"])
    return (f"<strong>{name}</strong>" if side["through"] else name) + points
