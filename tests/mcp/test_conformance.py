"""The MCP conformance suite, which none here wrote, against our mount."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mcp.conftest import application, served
from tests.mcp.everything import add_everything
from tests.mcp.fakes import Fake
from windtunnel.control.access import Principal, Role

HERE = Path(__file__).parent / "node"
SUITE = Path("node_modules/@modelcontextprotocol/conformance/dist/index.js")
# What a server may leave out, and ours does: each call is served alone, so that nothing is asked of a client
# meanwhile (sampling, elicitation), and a resource is read when it is wanted (subscriptions).
LEFT_OUT = {
    "tools-call-sampling", "tools-call-elicitation", "elicitation-sep1034-defaults",
    "elicitation-sep1330-enums",
    "resources-subscribe", "resources-unsubscribe",
}  # fmt: skip
BARE = {
    "server-initialize", "ping", "logging-set-level", "completion-complete", "tools-list", "resources-list",
    "prompts-list", "dns-rebinding-protection",
}  # fmt: skip


def _node(command: list[str], folder: Path, seconds: float) -> subprocess.CompletedProcess[str]:
    tools = Path(sys.executable).parent
    environ = {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', '')}",
        "NO_COLOR": "1",
        "NODE_USE_SYSTEM_CA": "1",  # Node's own list may not know who signed the registry
    }
    return subprocess.run(
        [str(tools / command[0]), *command[1:]], cwd=folder, env=environ, capture_output=True, text=True,
        timeout=seconds, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The suite in its locked version. Without a way to a registry there is nothing to run."""
    folder = tmp_path_factory.mktemp("conformance")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    fetched = _node(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder, 240)
    if fetched.returncode and re.search(
        r"E(NOTFOUND|AI_AGAIN|CONNREFUSED|TIMEDOUT|CONNRESET)", fetched.stderr
    ):
        pytest.skip("no package registry can be reached")
    assert fetched.returncode == 0, fetched.stderr
    return folder


def _results(folder: Path, url: str) -> dict[str, tuple[int, int]]:
    """Passed and failed checks of each scenario."""
    ran = _node(["node", str(SUITE), "server", "--url", url], folder, 200)
    found = re.findall(r"^[✓✗] ([\w-]+): (\d+) passed, (\d+) failed", ran.stdout, re.MULTILINE)
    assert len(found) >= 30, ran.stdout[-2000:] + ran.stderr[-2000:]
    return {name: (int(passed), int(failed)) for name, passed, failed in found}


def _anyone(_scope: object) -> Principal:
    return Principal("local", frozenset(Role), "rest")


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore:The logging capability is deprecated")
def test_the_conformance_suite_finds_nothing_in_what_we_offer(suite):
    app = application(Fake(), _anyone, more=add_everything)
    with served(app) as url:
        results = _results(suite, url)
    failed = {name for name, (_, bad) in results.items() if bad}
    assert failed <= LEFT_OUT
    assert {name for name, (good, _) in results.items() if good} >= BARE | {
        "tools-call-with-progress", "tools-call-with-logging", "tools-call-error", "resources-templates-read",
        "prompts-get-with-args",
    }  # fmt: skip
    assert len(results) - len(failed) >= 24


@pytest.mark.soak
def test_the_server_as_it_is_passes_all_that_needs_no_tools_of_the_suites_own(suite):
    with served(application(Fake(), _anyone)) as url:
        results = _results(suite, url)
    assert not [name for name in BARE if results[name][1] or not results[name][0]]
