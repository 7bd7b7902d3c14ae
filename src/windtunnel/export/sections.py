"""The sections of a report, each a function from the facts to markup; an empty one leaves itself out."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from windtunnel.export.charts import compared
from windtunnel.export.curves import Chart, chart_markup
from windtunnel.export.facts import Decision, EffectTold, Facts, Happening, Sample
from windtunnel.export.markup import attribute, change, number, shown, spoken, table, text
from windtunnel.journal.address import is_address
from windtunnel.world import WORLD, Section

MAX_STANDINGS = 30
COMMENT = 2000  # characters
MINUS = re.compile(r"(?<!\w)-(?=\d)")
STATUS_TONE = {"completed": "good", "failed": "bad", "crashed": "bad", "cancelled": "warn", "waiting": "warn"}


def title_of(facts: Facts) -> str:
    scenario = facts.scenario
    return scenario.get("title") or scenario.get("name") or f"{facts.row.world}, run {facts.row.run_id}"


# --- the top ---------------------------------------------------------------------------------------------


def header(facts: Facts) -> str:
    row = facts.row
    where = (
        row.scenario
        if row.scenario.startswith(f"{row.world}/")
        else " · ".join(filter(None, (row.world, row.scenario)))
    )
    lead = facts.scenario.get("description", "")
    lead_markup = f'<p class="lead">{text(lead)}</p>' if lead else ""
    reason = facts.ended or row.reason
    status = f"{row.status}: {reason}" if reason else str(row.status)
    badges = [(STATUS_TONE.get(str(row.status), ""), status), *_proof(facts), ("", row.mode)]
    items = "".join(f'<li class="badge {tone}">{text(said, 160)}</li>' for tone, said in badges)
    return (
        f'<header class="top"><p class="eyebrow">Windtunnel report · {text(where)}</p>'
        f"<h1>{text(title_of(facts))}</h1>{lead_markup}"
        f'<ul class="badges">{items}</ul></header>'
    )


def _proof(facts: Facts) -> list[tuple[str, str]]:
    """What `verify` said when the report was made; the journal is the proof, not this page."""
    found = facts.verified
    if found is None:
        return [("warn", "not verified")]
    if not found.intact:
        return [("bad", "not intact: the journal was changed")]
    complete = {True: ("good", "complete"), False: ("bad", "not complete"), None: ("", "complete: unknown")}
    return [("good", "✓ intact"), complete[found.complete]]


def results(facts: Facts) -> str:
    row = facts.row
    left = f"of {row.turns:,}" if row.turn < row.turns else ""
    tiles = [("turns played", f"{row.turn:,}", left)]
    for name in facts.headline:
        values = facts.series[WORLD, name].values
        tiles.append(
            (spoken(name), number(values[-1]), f"from {number(values[0])}" if len(values) > 1 else "")
        )
    agents = len(facts.scenario.get("agents", ()))
    tiles += [("agents", f"{agents:,}", ""), ("seed", str(row.seed), "")]
    cells = "".join(
        f'<div class="tile"><span>{text(name)}</span><strong>{text(said)}</strong>'
        f"<span>{text(more)}</span></div>"
        for name, said, more in tiles
    )
    return f'<section aria-label="Results"><div class="tiles">{cells}</div>{_standings(facts)}</section>'


def _standings(facts: Facts) -> str:
    seats: dict[str, dict[str, Any]] = {seat["id"]: seat for seat in facts.scenario.get("agents", ())}
    name = next(iter(compared(facts)), "")
    ranked = sorted(
        (agent for agent, what in facts.series if what == name and agent != WORLD),
        key=lambda agent: -facts.series[agent, name].values[-1],
    )
    if not ranked:
        return ""
    greatest = max(abs(facts.series[agent, name].values[-1]) for agent in ranked) or 1
    rows = []
    for place, agent in enumerate(ranked[:MAX_STANDINGS], 1):
        values, seat = facts.series[agent, name].values, seats.get(agent, {})
        share = max(values[-1], 0) / greatest * 100
        rows.append([
            f'<span class="num">{place}</span>', f"<strong>{text(agent)}</strong>", text(_plays(seat)),
            _figure(number(values[-1])), _figure(change(values[0], values[-1])),
            f'<span class="bar" style="width:{share:.4g}%"></span>',
        ])  # fmt: skip
    what = name.replace("_", " ")
    more = _left_out(len(rows), len(ranked), "agents", "--to csv")
    listed = table(["#", "agent", "plays", what, "change", ""], rows, "rows")
    return f"<h2>Standings by {text(what)}</h2>{listed}{more}"


def _figure(said: str) -> str:
    return f'<span class="num">{said}</span>'


def _plays(seat: dict[str, Any]) -> str:
    kind = seat.get("kind", "rule")
    how = seat.get("policy") or seat.get("model") or ""
    size = f" × {seat['size']:,}" if seat.get("size", 1) > 1 else ""
    return f"{seat.get('role', '')}{size} · {kind}{f' {how}' if how else ''}".strip(" ·")


# --- curves ----------------------------------------------------------------------------------------------


def curves(facts: Facts, charts: list[Chart]) -> str:
    if not charts:
        return ""
    small = [chart for chart in charts if len(chart.curves) == 1]
    wide = [chart for chart in charts if len(chart.curves) > 1]
    rows = [_row(small, "three" if len(small) % 3 == 0 else "two"), _row(wide, "one")]
    last = facts.row.turn
    slider = (
        f'<label class="slider" hidden><span>Turn</span>'
        f'<input type="range" min="1" max="{last}" value="{last}"><output>turn {last:,}</output></label>'
    )
    return f"<section><h2>Over the turns</h2>{slider}{''.join(rows)}</section>"


def _row(charts: list[Chart], columns: str) -> str:
    drawn = "".join(chart_markup(chart) for chart in charts)
    return f'<div class="charts {columns}">{drawn}</div>' if drawn else ""


# --- what happened ---------------------------------------------------------------------------------------


def of_the_world(facts: Facts) -> str:
    """Sections that the world itself wrote: words and a table, with what lies outside marked."""
    return "".join(_own_section(section) for section in facts.sections)


def _own_section(section: Section) -> str:
    words = "".join(f"<p>{text(said, 2000)}</p>" for said in section.words)
    outside = set(section.outside)
    rows = [
        [
            (f'<span class="badge warn">{cell}</span>' if place == 0 and at in outside else cell)
            for place, cell in enumerate(shown_cell(value) for value in row)
        ]
        for at, row in enumerate(section.rows)
    ]
    inside = table([text(name) for name in section.columns], rows) if rows else ""
    return f"<section><h2>{text(section.title)}</h2>{words}{inside}</section>"


def shown_cell(value: Any) -> str:
    """A cell as it is read; a minus before a figure is one that no browser breaks the line after."""
    said = number(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)
    return text(MINUS.sub("\u2212", said))


def events(facts: Facts) -> str:
    planned = "".join(
        f"<li>turn {event.turn}: <strong>{text(event.kind)}</strong> {_body(event.body, 200)}</li>"
        for event in facts.scheduled[:50]
    )
    planned = f'<p class="note">The scenario itself injects:</p><ul>{planned}</ul>' if planned else ""
    if not facts.events.count and not planned:
        return ""
    rows = [_event_row(event) for event in facts.events.items]
    listed = table(["turn", "event", "agent", "what", "seen by"], rows, "rows") if rows else ""
    return f"<section><h2>Events</h2>{planned}{listed}{_sampled(facts.events, 'events')}</section>"


def _body(body: Any, most: int) -> str:
    return "" if body is None else shown(body, most)


def _event_row(event: Happening) -> list[str]:
    seen = event.visible_to
    seen_by = "everybody" if seen is None else ", ".join(seen) or "operators only"
    kind = f"<strong>{text(event.kind, 120)}</strong>" + (
        ' <span class="pill">from outside</span>' if event.outside else ""
    )
    body = _body(event.body, 300)
    return [
        f'<span class="num">{event.turn:,}</span>',
        kind,
        text(event.agent or ""),
        body,
        text(seen_by, 120),
    ]


def verdicts(facts: Facts) -> str:
    if not facts.verdicts.count:
        return ""
    rows = [
        [
            f'<span class="num">{one.turn:,}</span>',
            text(one.agent),
            shown(one.action, 200),
            _pill(one.verdict),
            _why(one),
        ]
        for one in facts.verdicts.items
    ]
    listed = table(["turn", "agent", "wanted", "verdict", "why"], rows, "rows")
    intro = (
        '<p class="note">Every decision was judged before anything happened. Not simply accepted were:</p>'
    )
    return f"<section><h2>Verdicts</h2>{intro}{listed}{_sampled(facts.verdicts, 'verdicts')}</section>"


def _pill(verdict: str) -> str:
    return f'<span class="pill {attribute(verdict, 20)}">{text(verdict.replace("_", "-"), 40)}</span>'


def _why(one: Decision) -> str:
    instead = f"; done instead: {shown(one.instead, 200)}" if one.instead is not None else ""
    return text(one.reason, 300) + instead


def decisions(facts: Facts) -> str:
    if not facts.decisions:
        return ""
    turns = f'<div class="turns">{"".join(_turn(decided) for decided in facts.decisions)}</div>'
    listed = len(facts.decisions)
    few = ""
    if listed < facts.turns_seen or len(facts.decisions[-1]) < len(facts.decisions[0]):
        few = (
            f'<p class="note">A sample: {listed:,} of {facts.turns_seen:,} turns. All decisions: '
            f"<code>windtunnel export {text(facts.row.run_id)} --to jsonl</code>; one turn: "
            f"<code>windtunnel show {text(facts.row.run_id)} --turn N</code>.</p>"
        )
    return f"<section><h2>Decisions, turn by turn</h2>{few}{turns}</section>"


def _turn(decided: list[Decision]) -> str:
    turn = decided[0].turn
    odd = sum(one.verdict != "accept" for one in decided)
    said = f"{len(decided)} decision{'s' if len(decided) != 1 else ''}" + (
        f", {odd} not simply accepted" if odd else ""
    )
    rows = [[text(one.agent), _choice(one), _pill(one.verdict), _why(one)] for one in decided]
    return (
        f'<details data-turn="{turn}"><summary>Turn {turn:,} <span>· {said}</span></summary>'
        f"{table(['agent', 'decision', 'verdict', 'why'], rows, 'rows')}</details>"
    )


def _choice(one: Decision) -> str:
    choice = "no valid decision" if one.action is None else shown(one.action, 300)
    again = f' <span class="pill">attempt {one.attempt}</span>' if one.attempt > 1 else ""
    label = f' <span class="pill no_op">{text(one.label, 40)}</span>' if one.label != "ok" else ""
    return choice + again + label


def effects(facts: Facts) -> str:
    if not facts.effects.count:
        return ""
    rows = [_effect_row(effect) for effect in facts.effects.items]
    intro = '<p class="note">What came from outside the run, recorded before it was used.</p>'
    listed = table(["turn", "agent", "kind", "asked", "answer"], rows, "rows")
    more = _sampled(facts.effects, "effects", "--to jsonl --effects")
    return f"<section><h2>Effects</h2>{intro}{listed}{more}</section>"


def feedback(facts: Facts) -> str:
    if not facts.feedback.count:
        return ""
    rows = [
        [
            text(given.of or "the run"),
            "—" if given.score is None else f'<span class="num">{number(given.score)}</span>',
            text(given.by),
            text(given.comment, COMMENT),
        ]
        for given in facts.feedback.items
    ]
    listed = table(["about", "score", "by", "comment"], rows, "rows")
    return f"<section><h2>Feedback</h2>{listed}{_sampled(facts.feedback, 'judgements')}</section>"


def _effect_row(effect: EffectTold) -> list[str]:
    answer = '<span class="pill hold">waits</span>' if effect.waiting else shown(effect.result, 300)
    if effect.failed:
        answer = f'<span class="pill reject">failed</span> {answer}'
    return [
        f'<span class="num">{effect.turn:,}</span>',
        text(effect.agent or "world"),
        text(effect.kind),
        shown(effect.request, 300),
        answer,
    ]


def _sampled(sample: Sample, what: str, how: str = "--to jsonl") -> str:
    return _left_out(len(sample.items), sample.count, what, how)


def _left_out(listed: int, count: int, what: str, how: str) -> str:
    if listed >= count:
        return ""
    where = f"<code>windtunnel export {how}</code> has all of them"
    return f'<p class="note">{listed:,} of {count:,} {what} are listed; {where}.</p>'


# --- where it comes from ---------------------------------------------------------------------------------


def provenance(facts: Facts) -> str:
    row, platform = facts.row, facts.started.platform
    proof = facts.verified
    checked = (
        "not checked"
        if proof is None
        else f"{proof.entries:,} entries read; " + "; ".join(said for _, said in _proof(facts))
    )
    if proof is not None and proof.first_problem:
        checked += f"; {shown(proof.first_problem, 300)}"
    pairs = [
        ("run", f'<span class="hash">{text(row.run_id)}</span>'),
        ("head", f'<span class="hash">{row.head_seq:,} · {row.head_hash.hex()}</span>'),
        ("verified", text(checked) if proof is None or not proof.first_problem else checked),
        ("seed", str(row.seed) + (f", branch {row.branch}" if row.branch else "")),
        ("world", text(f"{row.world} {facts.world_version}")),
        ("played on", text(", ".join(f"{key} {value}" for key, value in platform.items()))),
        ("journal format", str(facts.started.format)),
        ("made", _moment(row.created)),
        ("store", f'<span class="hash">{text(_store_name(facts))}</span>'),
    ]
    for parent, child in zip(facts.forks, facts.forks[1:], strict=False):
        said = f"{child.run_id} is a fork of {parent.run_id} after turn {child.parent_turn}"
        pairs.append(("fork", text(said)))
    listed = "".join(f"<dt>{name}</dt><dd>{said}</dd>" for name, said in pairs)
    plain = {key: value for key, value in facts.scenario.items() if key not in ("agents", "description")}
    scenario = f"<pre>{text(_indented(plain), 20_000)}</pre>"
    agents = facts.scenario.get("agents", ())
    seats = [
        [text(a["id"]), text(a.get("role", "")), text(_plays(a)), shown(a.get("settings") or None, 300)]
        for a in agents[:200]
    ]
    more = _left_out(len(seats), len(agents), "agents", "--to jsonl")
    seated = table(["id", "role", "plays", "settings"], seats, "rows")
    return (
        f"<section><h2>Provenance</h2><dl>{listed}</dl>"
        f"<details><summary>Scenario <span>· parameters as played</span></summary>{scenario}</details>"
        f"<details><summary>Agents <span>· {len(agents):,}</span></summary>{seated}{more}</details></section>"
    )


def _indented(plain: dict[str, Any]) -> str:
    return json.dumps(plain, indent=2, ensure_ascii=False)


def _store_name(facts: Facts) -> str:
    return facts.store if is_address(facts.store) else Path(facts.store).name


def replay(facts: Facts) -> str:
    name, row = text(_store_name(facts)), facts.row
    at = max(1, row.turn // 2)
    several = len(facts.forks) > 1
    which = row.run_id if is_address(facts.store) else f"{name}:{row.run_id}" if several else name
    lines = [
        (f"windtunnel verify {which}", "both chains hold, and end at the head above"),
        (
            f"windtunnel replay {which}",
            "play it again from its record: same head, or the first entry that differs",
        ),
        (f"windtunnel fork {which} --at {at}", "what if, from the middle on"),
        (f"windtunnel show {which} --turn {at}", "one turn, phase by phase"),
    ]
    said = "\n".join(f'{command}\n<span class="say">  # {why}</span>' for command, why in lines)
    return (
        f"<section><h2>Prove it yourself</h2><p>This page is a picture of the run. The run itself is one "
        f"file, <code>{name}</code>; with it beside you:</p><pre>{said}</pre></section>"
    )


def footer(facts: Facts) -> str:
    head, run_id = facts.row.head_hash.hex()[:16], text(facts.row.run_id)
    return f"<footer>Made by Windtunnel from the head {head} of run {run_id}. It needs no network.</footer>"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%d %B %Y, %H:%M UTC").lstrip("0")
