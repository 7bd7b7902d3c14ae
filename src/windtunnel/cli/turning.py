"""One turn in words: the six phases in their order, with what came in, who saw and did what, and why."""

from __future__ import annotations

import asyncio
from typing import Any

from rich.markup import escape

from windtunnel.cli import render, say, talking
from windtunnel.codec import decode_body
from windtunnel.control import Control, Found, history
from windtunnel.errors import UsageError, WindtunnelError
from windtunnel.journal import Effect, Entry
from windtunnel.run.entries import PHASES, read

WIDTH = 300  # characters of one thing that are shown; `--json` has all of it
MANY = 12  # lines of one kind; more are counted
MEANING = {
    "start": "the world begins",
    "fork": "the run is changed from here on",
    "analyze": "what came in, and what each saw",
    "plan": "what each decided",
    "validate": "how it was judged",
    "execute": "what happened",
    "evaluate": "how it is scored",
    "consolidate": "what is remembered",
    "end": "the run ended",
}
_BY_ACTOR = {"decided": "actions", "judged": "verdicts", "scored": "metrics"}


def narrowed(entry: Entry, body: Any, agent: str) -> Any:
    """The part of an entry that concerns one agent; None if there is none."""
    if entry.actor:
        return body if entry.actor.split("/")[0] == agent else None
    if entry.kind == "applied":
        mine = [e for e in body.get("events", []) if _concerns(e, agent)]
        return {**body, "events": mine} if mine else None
    field = _BY_ACTOR.get(entry.kind)
    if field is None:
        return None
    if not isinstance(body.get(field), dict):
        return body if field == "verdicts" else None
    mine_of = {who: value for who, value in body[field].items() if who == agent}
    refused = {who: value for who, value in body.get("refused", {}).items() if who == agent}
    if not mine_of and not refused:
        return None
    return {**body, field: mine_of, **({"refused": refused} if "refused" in body else {})}


def _concerns(event: dict[str, Any], agent: str) -> bool:
    seen = event.get("visible_to")
    return event.get("actor") == agent or seen is None or agent in seen


def show_turn(control: Control, found: Found, turn: int, agent: str, phase: str) -> int:
    entries = history.turn_entries(found, turn)
    effects = {(e.phase, e.actor, e.idx): e for e in history.effects(found, turn)}
    row = found.row
    say.show(
        render.title(f"[bold]{escape(row.scenario or row.world)}[/]", f"turn [bold]{turn}[/] of {row.turn}"),
        "",
    )
    for name in ("start", *PHASES, "fork", "end"):
        if phase and name != phase:
            continue
        mine = [entry for entry in entries if entry.phase == name]
        if mine:
            _phase(name, mine, effects, agent)
        if name == "analyze" and mine:
            _seen(control, found, turn, agent)
        if mine:
            say.line()
    say.show(render.next_steps(_neighbours(found, turn, agent)))
    return 0


def _phase(name: str, entries: list[Entry], effects: dict[Any, Effect], agent: str) -> None:
    first, last = entries[0].seq, entries[-1].seq
    numbers = str(first) if first == last else f"{first} to {last}"
    say.show(f"[bold]{name}[/]  [dim]{MEANING[name]}  (entry {numbers})[/]")
    table = render.facts([])
    for entry in entries:
        body = decode_body(entry.body)
        if agent and entry.kind in (*_BY_ACTOR, "applied", "effect"):
            body = narrowed(entry, body, agent)
            if body is None:
                continue
        for left, right in _told(entry, body, effects, agent):
            table.add_row(f"  {left}", right)
    if table.row_count:
        say.show(table)


def _told(entry: Entry, body: Any, effects: dict[Any, Effect], agent: str) -> list[tuple[str, str]]:
    """An entry as lines of who and what; all of them, where one agent is asked for."""
    teller = _TELLERS.get(entry.kind)
    if entry.kind == "effect":
        lines = _effect(entry, effects, agent)
    elif teller is not None:
        lines = teller(body)
    else:
        read(entry)  # refuses kinds of a newer version by name
        lines = [(entry.kind, render.compact(body, WIDTH))]
    if len(lines) > MANY and not agent:
        lines = [*lines[:MANY], ("…", f"and {len(lines) - MANY} more; --agent NAME or --json shows them")]
    return [(escape(left), right if right.startswith("[") else escape(right)) for left, right in lines]


Lines = list[tuple[str, str]]


def _started(body: Any) -> Lines:
    scenario = body["scenario"]
    kept = {
        key: value for key, value in scenario.items() if key not in ("agents", "parameters", "description")
    }
    return [
        ("world", f"{body['world']} {body['world_version']}"),
        ("scenario", render.compact(kept, WIDTH)),
        ("parameters", render.compact(scenario.get("parameters", {}), WIDTH)),
        *[
            (seat["id"], render.compact({k: v for k, v in seat.items() if k != "id"}))
            for seat in scenario["agents"]
        ],
        ("platform", render.compact(body["platform"])),
    ]


def _mail(body: Any) -> Lines:
    sender = f" from {body['sender']}" if body.get("sender") else ""
    return [(f"mail: {body['kind']}{sender}", render.compact(body.get("body"), WIDTH))]


def _decided(body: Any) -> Lines:
    attempt = f" (attempt {body['attempt']})" if body.get("attempt", 1) > 1 else ""
    lines = [(f"{who}{attempt}", render.compact(action, WIDTH)) for who, action in body["actions"].items()]
    refused = body.get("refused", {})
    return lines + [(f"{who}{attempt}", f"{no['label']}: {no['why']}") for who, no in refused.items()]


def _judged(body: Any) -> Lines:
    verdicts = body["verdicts"]
    if verdicts == "accept":
        return [("everyone", "accepted")]
    lines = []
    for who, verdict in verdicts.items():
        if verdict == "accept":
            lines.append((who, "accepted"))
            continue
        reason = f": {verdict['reason']}" if verdict.get("reason") else ""
        instead = f", instead {render.compact(verdict['action'])}" if verdict.get("action") else ""
        votes = f", votes {render.compact(verdict['votes'])}" if verdict.get("votes") else ""
        lines.append((who, f"{verdict['kind']}{reason}{instead}{votes}"))
    return lines + [
        (item["actor"], f"held action {item['effect']}: {item['outcome']}")
        for item in body.get("deferred", [])
    ]


def _applied(body: Any) -> Lines:
    if not body["events"]:
        return [("events", "none")]
    lines = []
    for event in body["events"]:
        whose = f"{event['actor']}: " if event.get("actor") else ""
        seen = event.get("visible_to")
        only = "" if seen is None else f"  (only {', '.join(seen)})" if seen else "  (operators only)"
        lines.append((f"{whose}{event['kind']}", f"{render.compact(event.get('body'), WIDTH)}{only}"))
    return lines


def _scored(body: Any) -> Lines:
    told = {
        who: ", ".join(f"{n} {render.number(_mean(v))}" for n, v in m.items())
        for who, m in body["metrics"].items()
    }
    done, total, unit = body["progress"]
    of = f" of {render.number(total)}" if total is not None else ""
    return [*told.items(), ("progress", f"{unit} {render.number(done)}{of}")]


def _mean(value: Any) -> Any:
    return value.get("mean") if isinstance(value, dict) else value


def _consolidated(body: Any) -> Lines:
    return [(f"{name} hash", f"{digest[:16]}…") for name, digest in body.items() if digest]


def _forked(body: Any) -> Lines:
    lines = [("changes", render.told_change(body["changes"]) if body["changes"] else "none: a control")]
    lines += [("before", body["before"])] if body.get("before") else []
    lines += [
        (f"event {event['kind']}", render.compact(event.get("body"))) for event in body.get("events", [])
    ]
    return [*lines, ("branch of luck", str(body["branch"]))]


def _ended(body: Any) -> Lines:
    return [("because", body["reason"])]


def _effect(entry: Entry, effects: dict[Any, Effect], agent: str) -> Lines:
    used = read(entry)
    effect = effects.get((entry.phase, entry.actor, used.index))
    name = f"{entry.actor or 'world'} asked {used.kind}"
    if effect is None:
        return [(name, "its row is missing; windtunnel verify")]
    request = decode_body(effect.request)
    answer = decode_body(effect.result) if effect.result is not None else {}
    if used.kind == "model" and "messages" in request:
        lines = talking.model_call(entry.actor, request, answer.get("ok"), whole=bool(agent))
        if "ok" in answer:
            return lines
    else:
        lines = [(name, render.compact(request, WIDTH))]
    if effect.result is None:
        return [*lines, ("", "not answered yet")]
    said = answer.get("ok") if "ok" in answer else f"failed: {answer.get('failed', {}).get('message')}"
    return [*lines, ("", f"answer: {render.compact(said, WIDTH)}")]


_TELLERS = {
    "started": _started,
    "mail": _mail,
    "observed": lambda _: [],  # told by `_seen`, computed again
    "decided": _decided,
    "judged": _judged,
    "applied": _applied,
    "scored": _scored,
    "consolidated": _consolidated,
    "forked": _forked,
    "ended": _ended,
}


def _seen(control: Control, found: Found, turn: int, agent: str) -> None:
    """Observations are not stored, only hashed: they are computed again, and held against the hash."""
    table = render.facts([])
    try:
        seen = asyncio.run(history.observations(control, found, turn))
    except UsageError as problem:
        table.add_row("  saw", f"[dim]not shown: {escape(problem.message)}[/]")
    except WindtunnelError as problem:
        table.add_row("  saw", f"[yellow]{escape(problem.message)}[/]")
    else:
        shown = {who: what for who, what in seen.items() if not agent or who == agent}
        for who, what in list(shown.items())[:MANY]:
            table.add_row(f"  {escape(who)} saw", escape(render.compact(what, WIDTH)))
        if len(shown) > MANY:
            table.add_row("  …", f"[dim]and {len(shown) - MANY} more; --agent NAME shows one[/]")
    if table.row_count:
        say.show(table)


def _neighbours(found: Found, turn: int, agent: str) -> list[tuple[str, str]]:
    run, last = found.name, found.row.turn
    only = f" --agent {agent}" if agent else ""
    around = [(turn - 1, "the turn before"), (turn + 1, "the turn after")]
    told = [(about, f"windtunnel show {run} --turn {n}{only}") for n, about in around if 0 <= n <= last]
    place = f"{turn}.plan.{agent}" if agent else str(turn - 1)
    if turn > 0:
        change = f"--agent {agent}=POLICY" if agent else "--set KEY=VALUE"
        told.append(("another course", f"windtunnel fork {run} --at {place} {change}"))
    return told
