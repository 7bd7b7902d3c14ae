"""The report of a run as one HTML page: opens offline, says everything without a script.

The page allows itself nothing from outside (its content policy names its own script by hash, and no
connection at all), and all text from worlds, agents and scenarios passes through `markup`.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path

from windtunnel.export import sections
from windtunnel.export.charts import charts_of
from windtunnel.export.curves import Chart
from windtunnel.export.facts import Facts
from windtunnel.export.markup import data, text, visible


def page(facts: Facts) -> str:
    charts = charts_of(facts)
    title = sections.title_of(facts)
    parts = [
        sections.header(facts),
        "<main>",
        sections.results(facts),
        sections.curves(facts, charts),
        sections.of_the_world(facts),
        sections.events(facts),
        sections.verdicts(facts),
        sections.decisions(facts),
        sections.effects(facts),
        sections.feedback(facts),
        sections.provenance(facts),
        sections.replay(facts),
        "</main>",
        sections.footer(facts),
    ]
    script = asset("report.js")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(script)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{text(title)} · Windtunnel</title>\n"
        f"<style>\n{asset('report.css')}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + f'\n<script type="application/json" id="data">{data(_points(charts))}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def _policy(script: str) -> str:
    digest = base64.b64encode(sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'"
    )


def _points(charts: list[Chart]) -> dict[str, list[tuple[str, list[int], list[float]]]]:
    """What the script shows under the pointer: the same points that are drawn."""
    return {
        chart.id: [
            (visible(curve.label), list(curve.turns), [float(f"{value:.6g}") for value in curve.values])
            for curve in chart.curves
        ]
        for chart in charts
    }


@cache
def asset(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%d %B %Y, %H:%M UTC").lstrip("0")
