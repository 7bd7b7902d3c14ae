"""Every example in the documents is run, and what it prints is compared.

A `console` block is a shell session: `$ ` lines are run in order, in one workspace per document, and the
lines below each must be found in its output. `...` stands for whatever differs from run to run. A `python`
block is run as a script in the same workspace, and a `yaml` block that begins with `# NAME.yaml` is written
there. `<!-- not run: why -->` before a block leaves it out. Before one whose figures are those of one kind of
processor (NumPy's differ), `<!-- figures vary -->` lets any number stand for a number, and any curve for a
curve.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.docs.ready import ready

ROOT = Path(__file__).parent.parent.parent
BLOCK = re.compile(
    r"(?P<skip><!-- not run: [^>]+ -->\n)?(?P<loose><!-- figures vary -->\n)?"
    r"```(?P<kind>console|python|yaml)\n(?P<text>.*?)```",
    re.DOTALL,
)
NAMED = re.compile(r"# ([\w-]+\.yaml)\n")
FIGURE = re.compile(r"[▁▂▃▄▅▆▇█]+|[+-]?\d[\d,.]*(?:e[+-]?\d+)?[%MB]?")
COMMAND = f'#!/bin/sh\nexec {sys.executable} -m windtunnel "$@"\n'
TAKES_TOO_LONG = ("./dev test", "./dev lint", "./dev bench", "./dev soak")
# Hundreds of turns each, of what the README, the other documents and the tests of the command line show too.
LONG = ("--branches 5", "killed.sqlite", "whole.sqlite", "growth.csv", "branches=3", "duel austerity")


class Command(NamedTuple):
    line: str
    expected: list[str]


def documents() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


class Block(NamedTuple):
    kind: str
    text: str
    loose: bool


def blocks(text: str) -> list[Block]:
    found = [m for m in BLOCK.finditer(text) if not m["skip"]]
    return [Block(m["kind"], m["text"], bool(m["loose"])) for m in found]


def commands(text: str) -> list[Command]:
    found: list[Command] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:], []))
        elif found:
            found[-1].expected.append(line)
    return found


def surroundings() -> dict[str, str]:
    kept = {key: os.environ[key] for key in ("HOME", "LANG", "TMPDIR") if key in os.environ}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**kept, "PATH": path, "COLUMNS": "80", "WINDTUNNEL_OFFLINE": "1", "PYTHONIOENCODING": "utf-8"}


def environment(workspace: Path, command: str = COMMAND) -> dict[str, str]:
    """`./dev` and `windtunnel` are this checkout's, in this environment; nothing else is changed."""
    tools = workspace / ".tools"
    tools.mkdir()
    for name, text in {"windtunnel": command, "dev": COMMAND}.items():
        script = tools / name
        script.write_text(text)
        script.chmod(0o755)
    (workspace / "dev").symlink_to(tools / "dev")
    (workspace / "tools").symlink_to(ROOT / "tools")
    environ = surroundings()
    return {**environ, "PATH": f"{tools}:{environ['PATH']}"}


@pytest.fixture(scope="session")
def ready_command() -> Iterator[str]:
    """What `windtunnel` is in the documents: a process forked from one that has imported what it needs. The
    README, where it is `./dev`, is followed with processes of their own, as its readers do."""
    with ready(surroundings()) as command:
        yield command


def shaped(line: str) -> str:
    """The line with its figures and curves made one of each."""
    shape = FIGURE.sub(lambda found: "▄" if found[0][0] in "▁▂▃▄▅▆▇█" else "0", line)
    return re.sub(r"\s+", " ", shape)


def matches(expected: list[str], output: str, *, loose: bool = False) -> bool:
    """Whether the expected lines come in the output, in this order; `...` is any text."""
    as_is = shaped if loose else str
    wanted = [as_is(line.rstrip()) for line in expected if line.strip() and line.strip() != "..."]
    found = iter([as_is(line.rstrip()) for line in output.splitlines()])
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


def follow(document: Path, workspace: Path, command: str, *, without: tuple[str, ...] = ()) -> None:
    """Do what the document says, but for commands and scripts that hold one of these."""
    env = environment(workspace, command)
    for kind, text, loose in blocks(document.read_text()):
        if kind == "yaml":
            if (name := NAMED.match(text)) is not None:
                (workspace / name[1]).write_text(text)
            continue
        if kind == "python":
            if any(word in text for word in without):
                continue
            (workspace / "example.py").write_text(text)
            script = [sys.executable, "example.py"]
            done = subprocess.run(
                script, cwd=workspace, env=env, capture_output=True, text=True, timeout=120, check=False
            )
            assert done.returncode == 0, f"{document.name}:\n{text}\n{done.stderr}"
            continue
        for line, expected in commands(text):
            if any(word in line for word in (*TAKES_TOO_LONG, *without)):
                continue
            output = run(line, workspace, env)
            assert matches(expected, output, loose=loose), f"{document.name}: $ {line}\n{output}"


@pytest.mark.slow
@pytest.mark.parametrize("document", documents(), ids=lambda path: path.name)
def test_the_examples_do_what_the_document_says(document: Path, tmp_path: Path, ready_command: str) -> None:
    follow(document, tmp_path, ready_command, without=() if document.name == "README.md" else LONG)


def with_long_examples() -> list[Path]:
    return [path for path in documents()[1:] if any(word in path.read_text() for word in LONG)]


@pytest.mark.soak
@pytest.mark.parametrize("document", with_long_examples(), ids=lambda path: path.name)
def test_the_long_examples_do_what_the_document_says(
    document: Path, tmp_path: Path, ready_command: str
) -> None:
    follow(document, tmp_path, ready_command)


def test_what_is_left_out_for_its_length_is_left_out_of_these_documents_alone() -> None:
    assert [path.name for path in with_long_examples()] == ["start.md", "tournaments.md"]


def test_a_wrong_example_would_be_noticed() -> None:
    assert matches(["a ... c", "d"], "a b c\nx\nd\n")
    assert not matches(["a ... c", "d"], "d\na b c\n")
    assert not matches(["a b"], "a bc\n")
    assert matches(["gdp  1,234  ▁▂█  +5.0%"], "gdp 99.5 ▃▃▁▁ -12%", loose=True)
    assert not matches(["gdp  1,234  ▁▂█  +5.0%"], "gdp 99.5 ▃▃▁▁ none", loose=True)
    assert not matches(["gdp 1"], "gdp 2")
    assert commands("$ one\nout\n$ two\n") == [Command("one", ["out"]), Command("two", [])]


def test_every_link_between_documents_leads_somewhere() -> None:
    for document in [*documents(), *ROOT.glob("*.md"), *(ROOT / "docs" / "decisions").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", document.read_text()):
            assert (document.parent / target).exists(), (
                f"{document.name} points to {target}, which is not there"
            )
