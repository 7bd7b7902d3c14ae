"""The report: whole without a script, nothing from outside, and no word of an agent's becomes markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sqlite3
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from tests.export.odd import ENDING, SCRIPT, SPIKE, exported, played
from windtunnel.export import export_run
from windtunnel.export.curves import Chart, Curve, chart_markup, thinned, ticks
from windtunnel.export.markup import change, data, number, shown, text

VOID = {"meta", "input", "img", "br", "link"}


class Page(HTMLParser):
    """What a browser would make of it."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(markup)
        self.close()
        assert self._open == [], "every element is closed"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        for tag in dict.fromkeys(self._open):
            self.inside.setdefault(tag, []).append(data)

    def words(self, tag: str = "body") -> str:
        return "".join(self.inside.get(tag, []))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def markup(tmp_path) -> str:
    return exported(tmp_path, "html", 20).read_text(encoding="utf-8")


def test_no_word_of_an_agent_a_world_or_a_scenario_becomes_markup(markup):
    page = Page(markup)
    assert len(page.named("script")) == 2
    assert page.named("img") == []
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    words = page.words("main")
    assert SCRIPT in words
    assert "</script><img src=x onerror=alert(1)>" in words
    assert SCRIPT in page.words("h1")
    assert SCRIPT in page.words("title")


def test_what_steers_the_display_is_shown_by_its_code(markup):
    assert "\u202e" not in markup
    assert "\\u202e" in markup


def test_the_embedded_data_cannot_end_its_block(markup):
    raw = markup.split('<script type="application/json" id="data">')[1].split("</script>")[0]
    assert "<" not in raw
    assert "\u2028" not in raw
    series = json.loads(raw)
    labels = {label for curves in series.values() for label, _, _ in curves}
    assert {SCRIPT, ENDING} <= labels


def test_its_policy_allows_its_own_script_and_nothing_else(markup):
    script = markup.rsplit("<script>", 1)[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = [
        m["content"] for m in Page(markup).named("meta") if m.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy is not None
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}';" in policy


def test_nothing_is_fetched_from_anywhere(markup):
    page = Page(markup)
    for attributes in (attributes for _, attributes in page.tags):
        assert not {"src", "href", "srcset", "action"} & attributes.keys()
    assert "url(" not in page.words("style")
    assert "@import" not in page.words("style")
    assert re.findall(r"https?://", markup) == []


def test_it_says_everything_without_a_script(markup):
    words = Page(markup).words("main")
    for section in (
        "Standings",
        "Over the turns",
        "Events",
        "Verdicts",
        "Decisions",
        "Effects",
        "Provenance",
    ):
        assert section in words
    assert 'Say(text="' in words
    assert "reject" in words
    assert '{"say":"<script>alert(1)</script>"}' in words
    assert "windtunnel replay odd.sqlite" in words
    assert markup.count('<path class="line') >= 4


def test_it_carries_the_head_and_the_verdict_of_verify(tmp_path):
    store, run_id = played(tmp_path)
    db = sqlite3.connect(store)
    ((head,),) = db.execute("SELECT head_hash FROM run").fetchall()
    whole = export_run(store, run_id, "html", tmp_path / "x.html").read_text(encoding="utf-8")
    assert head.hex() in whole
    assert "✓ intact" in whole
    db.execute("UPDATE entry SET body = replace(body, 'Say', 'say') WHERE kind='decided' AND turn=2")
    db.commit()
    db.close()
    changed = export_run(store, run_id, "html", tmp_path / "x.html").read_text(encoding="utf-8")
    assert "✓ intact" not in changed
    assert "not intact" in changed


@pytest.mark.slow
def test_a_long_run_of_many_agents_stays_a_small_file_and_says_what_it_leaves_out(tmp_path):
    page = exported(tmp_path, "html", 3000, 14)
    assert page.stat().st_size < 2_000_000
    words = Page(page.read_text(encoding="utf-8")).words("main")
    assert "8 of 16 agents are drawn" in words
    assert re.search(r"A sample: [\d,]+ of 3,000 turns", words)
    assert "300 of 600 events are listed" in words


def test_a_run_of_no_turns_and_one_of_one_turn_have_a_report_too(tmp_path):
    for turns in (0, 1):
        (tmp_path / str(turns)).mkdir()
        assert "Provenance" in exported(tmp_path / str(turns), "html", turns).read_text(encoding="utf-8")


def test_thinning_keeps_the_ends_and_every_extreme():
    values = [float(turn % 7) for turn in range(50_000)]
    values[SPIKE], values[31_111] = 1e9, -1e9
    turns, kept = thinned(range(50_000), values, 2000)
    assert len(turns) <= 2000
    assert (turns[0], turns[-1]) == (0, 49_999)
    assert (max(kept), min(kept)) == (1e9, -1e9)
    assert turns == sorted(set(turns))
    assert thinned([1, 2], [3.0, 4.0]) == ([1, 2], [3.0, 4.0])


@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 1), (-3, 17.2), (5, 5), (0, 0), (1e-9, 3e-9), (-1e12, 1e12), (0.0571, 0.0637), (99, 101)],
)
def test_ticks_are_few_even_and_cover_what_is_drawn(low, high):
    found = ticks(low, high)
    assert 2 <= len(found) <= 8
    assert found[0] <= low
    assert found[-1] >= high
    steps = {round((b - a) / (found[1] - found[0]), 6) for a, b in pairwise(found)}
    assert steps == {1.0}


def test_curves_are_drawn_where_their_values_are():
    markup = chart_markup(Chart("c", "Height", [Curve("h", [1, 2, 3], [0.0, 5.0, 10.0])]))
    (path,) = re.findall(r'class="line c0" d="M([^"]+)"', markup)
    points = [tuple(map(float, point.split())) for point in path.split("L")]
    assert points == [(0.0, 1000.0), (500.0, 500.0), (1000.0, 0.0)]
    assert "from 0 in turn 1 to 10 in turn 3" in markup


def test_numbers_read_as_people_say_them():
    said = [number(value) for value in (0, 7, 1234, 1234.5, 0.05712, 2_310_000.0, -45_000_000.0, 3e-7, 1e18)]
    assert said == ["0", "7", "1,234", "1,234.5", "0.05712", "2.31 M", "-45 M", "3.00e-07", "1.000e+18"]
    assert [change(100.0, 150.0), change(100.0, 50.0), change(0.0, 5.0)] == ["+50.0 %", "−50.0 %", "+5"]


def test_text_and_data_are_made_safe():
    assert text("a<b>&\"'") == "a&lt;b&gt;&amp;&quot;&#x27;"
    assert text("x" * 2000).endswith("(2,000 characters)")
    assert text("\x00\u200f") == "\\u0000\\u200f"
    assert json.loads(data({"a": ["</script>", "\u2028"]})) == {"a": ["</script>", "\u2028"]}
    assert shown({"type": "Work", "hours": 8.0, "at": {"dtype": "<f8", "shape": [3, 2], "data": "AA"}}) == (
        "Work(hours=8, at=array of 3 × 2)"
    )
