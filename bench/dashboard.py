"""The dashboard in a real Chromium before a real server, beside Inspect's viewer.

The headline is what the first load takes in compressed script. Under `more`: what a second page takes; the
median from a turn's commit to its pixel while five runs go on, with the part that the stream takes
(`message`); the frames while a chart of 100,000 points is moved; the heap, after a collection, early and late
in 50,000 live events. The commit is seen by a reader of the store that looks each millisecond, the pixel by
the page itself: after the frame in which the turn was drawn.

Inspect's viewer has no line to what it shows; `peer_shown_ms` is how long after a log was written its row is
there.
"""

from __future__ import annotations

import json
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from bench.browsing import FRAMES, SECONDS, WATCH, chromium, first_and_again, heap, window
from bench.measure import Result, cheaper, need, scratch

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[1]
LIVE, PACE = 5, 0.4  # runs at once, and seconds between two turns of each
FULL = {"turns": 60, "points": 100_000, "events": 50_000, "repetitions": 5, "moves": 180}
SMOKE = {"turns": 5, "points": 3_000, "events": 600, "repetitions": 1, "moves": 20}


@contextmanager
def serving(folder: Path) -> Iterator[Any]:
    from tests.server.live import live

    if not (ROOT / "dashboard" / "dist" / "index.html").is_file():
        raise SystemExit(
            "the dashboard is not built here: ./dev bench dashboard builds it, as ./dev serve does"
        )
    home = folder / "served"
    home.mkdir()
    paced = json.dumps(str(Path(__file__).parent / "paced"))
    (home / "windtunnel.toml").write_text(
        f'[runs]\nworkers = 2\nconcurrency = {LIVE + 1}\n[[worlds]]\nname = "paced"\npath = {paced}\n'
    )
    with live(home) as server:
        yield server


def started(server: Any, turns: int, seconds: float) -> str:
    agent = {"id": "ann", "policy": "wanders", "settings": {"seconds": seconds}}
    text = json.dumps({"world": "paced", "turns": turns, "agents": [agent]}, indent=1)
    run_id: str = server.start_run(world="paced", text=text)
    return run_id


class Commits:
    """When each turn of a run was first there for a reader of its store, in milliseconds."""

    def __init__(self, store: Path, run_id: str) -> None:
        self.at: dict[int, float] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, args=(store, run_id), daemon=True)

    def _look(self, path: Path, run_id: str) -> None:
        from windtunnel.journal import SqliteStore

        store = SqliteStore(path, read_only=True)
        while not self._end.wait(0.001):
            self.at.setdefault(store.run(run_id).turn, 1000 * time.time())
        store.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(10)


def latency(browser: Browser, server: Any, turns: int) -> dict[str, float]:
    """Milliseconds from a commit to the message in the page and to the pixel, at the median."""
    runs = [started(server, 1_000_000, PACE) for _ in range(LIVE)]
    server.until(
        lambda: all(server.get(f"/api/simulations/{run}")["turn"] for run in runs), "all go on", SECONDS
    )
    with window(browser) as page:
        page.add_init_script(WATCH)
        page.goto(f"{server.url}/runs/{runs[0]}")
        page.wait_for_function("() => Object.values(painted).some((at) => at > 0)")
        store = server.home / ".windtunnel" / "runs" / f"{runs[0]}.sqlite"
        with Commits(store, runs[0]) as commits:
            come = int(server.get(f"/api/simulations/{runs[0]}")["turn"])
            page.wait_for_function("(turn) => painted[turn] > 0", arg=str(come + turns))
        painted, arrived = page.evaluate("() => [painted, arrived]")
    for run in runs:
        server.call("DELETE", f"/api/simulations/{run}")
    seen = [turn for turn in commits.at if turn > come]
    return {
        "pixel_ms": statistics.median(
            painted[str(turn)] - commits.at[turn] for turn in seen if painted.get(str(turn))
        ),
        "message_ms": statistics.median(
            arrived[str(turn)] - commits.at[turn] for turn in seen if str(turn) in arrived
        ),
        "turns_painted": sum(1 for turn in seen if painted.get(str(turn))) / len(seen),
    }


def memory(browser: Browser, server: Any, events: int) -> dict[str, float]:
    """The heap of the page of a run, early and late in so many live messages."""
    run = started(server, 10 * events, 0.001)
    try:
        with window(browser) as page:
            page.add_init_script(WATCH)
            page.goto(f"{server.url}/runs/{run}")
            held = [_heap_after(page, share * events // 5) for share in (1, 2, 3, 4, 5)]
    finally:
        server.call("DELETE", f"/api/simulations/{run}")
    return {
        "early_mb": held[0] / 1e6,
        "late_mb": held[-1] / 1e6,
        "most_mb": max(held) / 1e6,
        "growth": held[-1] / held[0],
    }


def _heap_after(page: Page, messages: int) -> float:
    page.wait_for_function("(many) => messages >= many", arg=messages, timeout=600_000)
    page.evaluate("() => { painted = {}; arrived = {}; }")  # what the bench itself wrote down
    return heap(page)


def chart(browser: Browser, server: Any, points: int, moves: int) -> dict[str, float]:
    """Frames while a long curve is zoomed into and moved to and fro by wheel and pointer."""
    run = started(server, points, 0.0)
    server.until(lambda: server.get(f"/api/simulations/{run}")["status"] == "completed", "it is played", 900)
    with window(browser) as page:
        page.goto(f"{server.url}/runs/{run}", wait_until="networkidle")
        plot = page.locator(".u-over").first
        plot.wait_for()
        box = plot.bounding_box()
        assert box is not None
        left, top = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(left, top)
        for _ in range(6):
            page.mouse.wheel(0, -240)
        page.wait_for_load_state("networkidle")
        page.evaluate(FRAMES)
        page.keyboard.down("Shift")
        page.mouse.down()
        for at in range(moves):
            page.mouse.move(left + 200 * (1 if at // 30 % 2 else -1) * (at % 30) / 30, top)
        page.mouse.up()
        page.keyboard.up("Shift")
        found = page.evaluate("() => stopFrames()")
    frames = found["frames"]
    return {
        "longest_frame_ms": max(frames),
        "median_frame_ms": statistics.median(frames),
        "frames": len(frames),
        "long_frames": len(found["long"]),
        "seconds_dropped": sum(1 for one in frames if one >= 1000),
    }


def loads(browser: Browser, server: Any, repetitions: int) -> dict[str, float]:
    found = [
        first_and_again(browser, server.url, f"{server.url}/worlds", "main h1") for _ in range(repetitions)
    ]
    return {name: statistics.median(one[name] for one in found) for name in found[0]}


def peer(browser: Browser, folder: Path, repetitions: int) -> dict[str, float]:
    from bench.viewer import measured

    found = measured(browser, folder, repetitions)
    return {name: statistics.median(figures) for name, figures in found.items()}


def run(*, smoke: bool = False) -> Result:
    sizes = SMOKE if smoke else FULL
    need("playwright", "httpx", "fastapi_offline", smoke=False)
    beside = need("inspect_ai", smoke=smoke)
    with scratch() as folder, chromium() as browser:
        with serving(folder) as server:
            ours = loads(browser, server, sizes["repetitions"])
            moments = latency(browser, server, sizes["turns"])
            held = memory(browser, server, sizes["events"])
            moved = chart(browser, server, sizes["points"], sizes["moves"])
        theirs = peer(browser, folder, sizes["repetitions"]) if beside else {}
    more = {
        "first_unpacked_kb": {"ours": ours["first_unpacked_kb"], "peer": theirs.get("first_unpacked_kb")},
        "second_page_kb": {"ours": ours["again_kb"], "peer": theirs.get("again_kb")},
        "commit_to_pixel": moments,
        "peer_shown_ms": theirs.get("shown_ms"),
        f"heap_in_{sizes['events']}_events": held,
        f"chart_of_{sizes['points']}": moved,
        "live_runs": LIVE,
    }
    return Result(
        "dashboard", ours["first_kb"], theirs.get("first_kb"), "inspect view",
        cheaper(ours["first_kb"], theirs.get("first_kb")), "KB", sizes["repetitions"], more,
        target="250 KB of script; pixel_ms under 300; growth near 1; no second dropped",
        what="the first load's compressed scripts in Chromium, and how the page keeps up",
    )  # fmt: skip
