"""A Chromium for benches, and what it measures itself: bytes on the wire, when something was painted, frames,
heap.

All figures are the browser's own (Resource Timing, `performance.now`, animation frames, the heap after a
collection); moments are on the clock that all processes of a machine share.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
SECONDS = 60.0
WINDOW: Any = {"width": 1280, "height": 800}

# How far a bar of progress has come, with the moment at which that was on the screen: after the frame in
# which it was drawn. And what came over WebSockets: how many messages, and which turn when.
WATCH = """
window.painted = {}; window.arrived = {}; window.messages = 0;
const now = () => performance.timeOrigin + performance.now();
const look = () => {
  const bar = document.querySelector("main [role=progressbar]");
  const turn = bar?.getAttribute("aria-valuenow");
  if (!turn || turn in painted) return;
  painted[turn] = 0;
  requestAnimationFrame(() => {
    const after = new MessageChannel();
    after.port1.onmessage = () => { painted[turn] = now(); };
    after.port2.postMessage(0);
  });
};
new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
window.WebSocket = class extends WebSocket {
  constructor(...given) {
    super(...given);
    this.addEventListener("message", (event) => {
      messages += 1;
      const said = JSON.parse(event.data);
      if (said.kind === "run" && said.channel?.startsWith("run:")) arrived[said.turn] ??= now();
    });
  }
};
"""

SCRIPTS = """() => {
  const all = performance.getEntriesByType("resource").filter((one) => /\\.js(\\?|$)/.test(one.name));
  const sum = (field) => all.reduce((before, one) => before + one[field], 0);
  return {
    files: all.length,
    wire: sum("encodedBodySize"),
    whole: sum("decodedBodySize"),
    moved: sum("transferSize"),
  };
}"""

# Every frame while it runs, and the long ones with how long the page could not answer.
FRAMES = """() => {
  const frames = [], long = [];
  const observer = new PerformanceObserver((list) => {
    long.push(...list.getEntries().map((one) => one.duration));
  });
  observer.observe({ type: "long-animation-frame" });
  let on = true, last = performance.now();
  const frame = () => {
    const at = performance.now();
    frames.push(at - last);
    last = at;
    if (on) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  window.stopFrames = () => { on = false; observer.disconnect(); return { frames, long }; };
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if path is None:
        raise SystemExit("there is no Chromium here: apt install chromium")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-dev-shm-usage", "--enable-precise-memory-info"],
        )
        try:
            yield found
        finally:
            found.close()


@contextmanager
def window(browser: Browser) -> Iterator[Page]:
    """As on the first day: nothing cached."""
    with browser.new_context(viewport=WINDOW) as context:
        context.set_default_timeout(1000 * SECONDS)
        yield context.new_page()


def scripts(page: Page) -> dict[str, float]:
    """The scripts that this load took: files, bytes on the wire and unpacked, and what came from no cache."""
    found: dict[str, float] = page.evaluate(SCRIPTS)
    return found


def first_and_again(browser: Browser, first: str, again: str, ready: str) -> dict[str, float]:
    """Bytes of script for the first page ever, and for a second one after it."""
    with window(browser) as page:
        page.goto(first, wait_until="networkidle")
        page.wait_for_selector(ready)
        once = scripts(page)
        page.goto("about:blank")
        page.goto(again, wait_until="networkidle")
        page.wait_for_selector(ready)
        twice = scripts(page)
    return {
        "first_kb": once["wire"] / 1000,
        "first_unpacked_kb": once["whole"] / 1000,
        "files": once["files"],
        "again_kb": twice["moved"] / 1000,
    }


def heap(page: Page) -> float:
    """Bytes that are still held after everything that can go is gone."""
    session = page.context.new_cdp_session(page)
    for _ in range(2):
        session.send("HeapProfiler.collectGarbage")
    used: float = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return used
