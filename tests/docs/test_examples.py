"""Every example in the documents is run, and what it prints is compared.

A `console` block is a shell session: `$ ` lines are run in order, in one workspace per document, and the
lines below each must be found in its output. `...` stands for whatever differs from run to run. A `python`
block is run as a script in the same workspace. `<!-- not run: why -->` before a block leaves it out.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent.parent
BLOCK = re.compile(
    r"(?P<skip><!-- not run: [^>]+ -->\n)?```(?P<kind>console|python|yaml)\n(?P<text>.*?)```", re.DOTALL
)
TAKES_TOO_LONG = ("./dev test", "./dev lint", "./dev bench", "./dev soak")


class Command(NamedTuple):
    line: str
    expected: list[str]


def documents() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(text: str) -> list[tuple[str, str]]:
    return [(m["kind"], m["text"]) for m in BLOCK.finditer(text) if not m["skip"] and m["kind"] != "yaml"]


def commands(text: str) -> list[Command]:
    found: list[Command] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:], []))
        elif found:
            found[-1].expected.append(line)
    return found


def environment(workspace: Path) -> dict[str, str]:
    """`./dev` and `windtunnel` are this checkout's, in this environment; nothing else is changed."""
    tools = workspace / ".tools"
    tools.mkdir()
    for name in ("windtunnel", "dev"):
        script = tools / name
        script.write_text(f'#!/bin/sh\nexec {sys.executable} -m windtunnel "$@"\n')
        script.chmod(0o755)
    (workspace / "dev").symlink_to(tools / "dev")
    (workspace / "tools").symlink_to(ROOT / "tools")
    kept = {key: os.environ[key] for key in ("HOME", "LANG", "TMPDIR") if key in os.environ}
    path = f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**kept, "PATH": path, "COLUMNS": "80", "WINDTUNNEL_OFFLINE": "1", "PYTHONIOENCODING": "utf-8"}


def matches(expected: list[str], output: str) -> bool:
    """Whether the expected lines come in the output, in this order; `...` is any text."""
    wanted = [line.rstrip() for line in expected if line.strip() and line.strip() != "..."]
    found = iter([line.rstrip() for line in output.splitlines()])
    for line in wanted:
        pattern = re.compile(".*".join(re.escape(part) for part in line.split("...")))
        if not any(pattern.fullmatch(candidate) for candidate in found):
            return False
    return True


def run(command: str, workspace: Path, env: dict[str, str]) -> str:
    if command.startswith("sqlite3 "):
        command = f"{sys.executable} -m apsw {command.removeprefix('sqlite3 ')}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=workspace,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.name)
def test_the_examples_do_what_the_document_says(document: Path, tmp_path: Path) -> None:
    env = environment(tmp_path)
    for kind, text in blocks(document.read_text()):
        if kind == "python":
            (tmp_path / "example.py").write_text(text)
            script = [sys.executable, "example.py"]
            done = subprocess.run(
                script, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False
            )
            assert done.returncode == 0, f"{document.name}:\n{text}\n{done.stderr}"
            continue
        for command in commands(text):
            if command.line.startswith(TAKES_TOO_LONG):
                continue
            output = run(command.line, tmp_path, env)
            assert matches(command.expected, output), f"{document.name}: $ {command.line}\n{output}"


def test_a_wrong_example_would_be_noticed() -> None:
    assert matches(["a ... c", "d"], "a b c\nx\nd\n")
    assert not matches(["a ... c", "d"], "d\na b c\n")
    assert not matches(["a b"], "a bc\n")
    assert commands("$ one\nout\n$ two\n") == [Command("one", ["out"]), Command("two", [])]


def test_every_link_between_documents_leads_somewhere() -> None:
    for document in [*documents(), *ROOT.glob("*.md"), *(ROOT / "docs" / "decisions").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", document.read_text()):
            assert (document.parent / target).exists(), (
                f"{document.name} points to {target}, which is not there"
            )
