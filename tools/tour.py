"""A walk through the dashboard: which pages there are, runs to look at, and what is looked for on every page.

The pictures (`./dev shots`) and the tests that look at all pages go this way: a page added here is seen by
both. The runs are real, made through the API of a real server; nothing is canned.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).parents[1]
CLIMATE = ROOT / "examples" / "climate-world"
MILLISECONDS = 30_000  # the longest that a page may take to have shown what it has, on a busy machine
WIDE, PHONE = (1280, 800), (360, 740)
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = get_args(Theme)
HELD_RUN_TURNS = 12


class Server(Protocol):
    """As `tests.server.live.Live` has it."""

    url: str

    def get(self, path: str, status: int = 200, **named: Any) -> Any: ...
    def post(self, path: str, body: Any = None, status: int = 200, **named: Any) -> Any: ...
    def start_run(self, **request: Any) -> str: ...
    def ended(self, run_id: str, status: str = "completed") -> dict[str, Any]: ...
    def until(self, holds: Callable[[], Any], what: str, seconds: float = 60.0) -> Any: ...


@dataclass(frozen=True)
class Place:
    """An address of the dashboard. Names in braces are those of `furnish`."""

    name: str
    path: str

    def at(self, furniture: Mapping[str, str]) -> str:
        return self.path.format_map(furniture)


PLACES = (
    Place("runs", "/"),
    Place("runs-filtered", "/?status=completed&world=economy"),
    Place("runs-none", "/?text=nothing-is-called-so"),
    Place("new", "/new"),
    Place("new-scenario", "/new?world=economy&scenario=economy/growth"),
    Place("run", "/runs/{war}"),
    Place("run-live", "/runs/{live}"),
    Place("run-held", "/runs/{held}"),
    Place("turn", "/runs/{war}/turn?turn=12&agent=aldland"),
    Place("turn-of-a-model", "/runs/{minds}/turn?turn=3&agent=aldland"),
    Place("journal", "/runs/{war}/journal"),
    Place("proof", "/runs/{war}/proof"),
    Place("world", "/runs/{war}/world?turn=30"),
    Place("world-of-a-stranger", "/runs/{climate}/world"),
    Place("answer", "/runs/{asked}/answer"),
    Place("compare", "/compare?runs={war},{fork},{control}"),
    Place("compare-none", "/compare"),
    Place("approvals", "/approvals"),
    Place("questions", "/questions"),
    Place("tournaments", "/tournaments"),
    Place("new-tournament", "/tournaments/new"),
    Place("tournament", "/tournaments?id={cup}"),
    Place("tournament-by-elimination", "/tournaments?id={knockout}"),
    Place("tournament-that-is-not", "/tournaments?id=0000000000"),
    Place("match", "/runs/{cup}.1"),
    Place("strategies", "/strategies"),
    Place("strategy", "/strategies?name=thrift"),
    Place("strategy-that-is-not", "/strategies?name=nobody"),
    Place("evolutions", "/evolution"),
    Place("new-evolution", "/evolution/new"),
    Place("evolution", "/evolution?id={better}"),
    Place("evolution-that-is-not", "/evolution?id=0000000000"),
    Place("proposal", "/evolution?proposal={proposal}"),
    Place("proposal-that-is-not", "/evolution?proposal=10000000000"),
    Place("worlds", "/worlds"),
    Place("schedules", "/schedules"),
    Place("models", "/models"),
    Place("system", "/system"),
    Place("login", "/login"),
    Place("run-that-is-not", "/runs/0000000000"),
    Place("nowhere", "/there-is-no-such-page"),
)


def settings() -> str:
    """The `windtunnel.toml` of a workspace to be furnished: with a stranger's world in it."""
    return f"[runs]\nworkers = 2\n\n{worlds()}"


def worlds() -> str:
    return f'[[worlds]]\nname = "climate"\npath = {json.dumps(str(CLIMATE))}\n'


# Under way for as long as anybody looks; whoever serves it ends it.
LIVE: Mapping[str, Any] = {"scenario": "economy/stimulus", "turns": 500_000, "seed": 11}


def furnish(server: Server, live: Mapping[str, Any] = LIVE) -> dict[str, str]:
    """Runs of every kind that a page shows: ended, under way, forked, held, asking. Their ids, by name."""
    start = server.start_run
    ids = {
        "war": start(scenario="economy/trade_war", seed=7, turns=60, tags=["borders"]),
        "growth": start(scenario="economy/growth", seed=7, turns=60, tags=["borders", "baseline"]),
        "minds": start(scenario="economy/llm_growth", model="house", turns=8, seed=7),
        "climate": start(scenario="climate/paris", turns=30),
        "held": start(
            scenario="economy/trade_war", seed=3, turns=HELD_RUN_TURNS, set={"approvals": "conservative"}
        ),
        "asked": start(scenario="economy/growth", seed=5, turns=6, agents={"aldland": "human"}),
    }
    server.post(
        "/api/schedules",
        {
            "name": "nightly",
            "when": "daily at 03:00",
            "first_now": False,
            "arguments": {"scenario": "economy/growth"},
        },
        201,
    )
    ids |= compete(server)
    for name in ("war", "growth", "minds", "climate", "cup", "knockout", "better"):
        server.ended(ids[name])
    made = f"/api/evolution/{ids['better']}"
    server.until(lambda: server.get(made)["proposal"], "what passed its gate is proposed")
    ids["proposal"] = str(server.get(made)["proposal"]["id"])
    forked = server.post(
        f"/api/simulations/{ids['war']}/fork",
        {"at": "20", "agents": {"aldland": "balanced"}, "branches": 2},
        202,
    )
    ids["fork"], ids["control"] = forked["runs"][0], forked["controls"][0]
    for run_id in (*forked["runs"], *forked["controls"]):
        server.ended(run_id)
    server.ended(ids["asked"], "waiting")
    server.until(lambda: server.get("/api/approvals")["approvals"], "an action waits for a vote")
    ids["live"] = start(**live, tags=["long"])
    server.until(
        lambda: server.get(f"/api/simulations/{ids['live']}")["turn"] > 0, "the long run is under way"
    )
    return ids


# A rule that asks for too much, and an evolution that finds out: it is proposed to ask for less.
SPENDER: Mapping[str, Any] = {
    "strategy": "spender", "world": "economy", "role": "government", "policy": "keynesian",
    "parameters": {"tax": 0.32, "response": 0.7},
    "schema": {
        "tax": {"type": "number", "minimum": 0.1, "maximum": 0.4},
        "response": {"type": "number", "minimum": 0, "maximum": 3},
    },
}  # fmt: skip
BETTER: Mapping[str, Any] = {
    "evolution": "Less tax, as much work", "start": "spender", "scenario": "economy/quick",
    "seats": ["aldland"], "seeds": 2, "scoring": {"metrics": [{"metric": "welfare", "of": "mean"}]},
    "held_out": {"seeds": 9}, "population": 4, "generations": 2, "elites": 1, "mutation": {"step": 0.3},
}  # fmt: skip


def compete(server: Server) -> dict[str, str]:
    """A strategy of two versions, tournaments that it enters, and an evolution of another; their ids."""
    for policy, why in (("balanced", ""), ("austerity", "less debt")):
        content = {"strategy": "thrift", "world": "economy", "role": "government", "policy": policy}
        server.post("/api/strategies", {"strategy": content, "why": why}, 201)
    server.post("/api/strategies/thrift/tag", {"version": "1.0.0", "tag": "champion"})
    terms = {"scenario": "economy/quick", "turns": 4, "seeds": 1}
    cup = {"tournament": "Thrift or spend?", "entrants": ["thrift", "keynesian", "steady"], **terms}
    knockout = {
        "tournament": "Four to one", "entrants": ["thrift@champion", "keynesian", "steady", "austerity"],
        "format": "single-elimination", "rotate": False, **terms,
    }  # fmt: skip
    told = {"cup": cup, "knockout": knockout}
    ids = {name: server.post("/api/tournaments", asked, 202)["run_id"] for name, asked in told.items()}
    server.post("/api/strategies", {"strategy": SPENDER}, 201)
    return {**ids, "better": server.post("/api/evolution", BETTER, 202)["run_id"]}


# What has been asked has been answered: no row is a placeholder, and nothing waits, dimmed, for newer.
SETTLED = """() => document.querySelector("main h1, main [role=alert], main p")
  && !document.querySelector("main .animate-pulse, main [aria-busy=true]")
  && document.fonts.status === "loaded" """
WIDER = """() => {
  const wide = document.documentElement.scrollWidth, seen = document.documentElement.clientWidth;
  if (wide <= seen) return [];
  const over = [...document.body.querySelectorAll("*")].filter((one) => {
    const box = one.getBoundingClientRect();
    return box.width > 0 && box.right > seen + 1 && !one.closest(".overflow-x-auto, .overflow-auto");
  });
  const parts = over.slice(0, 3).map((one) => one.outerHTML.slice(0, 120));
  return [`${wide} px wide where ${seen} are seen`, ...parts];
}"""


def visit(page: Page, url: str) -> None:
    """Go there and wait until the page has shown what it has."""
    page.goto(url, wait_until="domcontentloaded", timeout=MILLISECONDS)
    settle(page)


def settle(page: Page) -> None:
    page.wait_for_function(SETTLED, timeout=MILLISECONDS)
    # Two frames more: what came last has been drawn.
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def wider_than_the_window(page: Page) -> list[str]:
    """Empty, or how wide the page is and what sticks out of it."""
    found: list[str] = page.evaluate(WIDER)
    return found


def untitled(page: Page) -> list[str]:
    """A window's title and one first heading tell where one is; what is missing of it."""
    title, heads = page.title(), page.locator("h1").count()
    return [
        *(["its title does not say what it shows"] if title in ("", "Windtunnel") else []),
        *([f"it has {heads} first headings, not one"] if heads != 1 else []),
    ]
