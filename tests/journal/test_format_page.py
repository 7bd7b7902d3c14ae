# ruff: noqa: E501 - a table of edits reads best with one a line
"""docs/journal.md is true: its code runs, it names every table, column and kind, and a verifier written from it works."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.journal.flights import BRIEF, TOOLS, edit, rows
from windtunnel.journal.verify import PLACES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "journal.md").read_text()
TOOL = ROOT / "tools" / "verify_journal.py"


def tool(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(TOOL), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_pages_code_makes_the_very_hashes_of_a_journal(flown):
    names: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert blocks
    for block in blocks:
        exec(block, names)
    entry_hash, operation_hash = names["entry_hash"], names["operation_hash"]
    columns = "prev, seq, turn, phase, kind, actor, CAST(body AS BLOB), hash"
    for *given, hash in rows(flown, f"SELECT {columns} FROM entry"):
        assert entry_hash(*given) == hash  # type: ignore[operator]
    for *given, hash in rows(flown, "SELECT prev, seq, at, kind, CAST(body AS BLOB), hash FROM operation"):
        assert operation_hash(*given) == hash  # type: ignore[operator]


def test_the_page_names_every_kind_table_and_column(flown):
    for kind in PLACES:
        assert f"`{kind}`" in PAGE
    words = set(re.findall(r"\w+", PAGE))
    for (table,) in rows(
        flown, "SELECT name FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite%'"
    ):
        if table == "meta":
            continue
        assert f"| `{table}` |" in PAGE
        missing = {
            column for (column,) in rows(flown, f"SELECT name FROM pragma_table_info('{table}')")
        } - words
        assert not missing, table


def test_the_standalone_verifier_passes_a_sound_store(flown):
    done = tool(flown)
    assert (done.returncode, done.stdout) == (0, "f1: intact and complete\nr1: intact and complete\n"), (
        done.stderr
    )
    flown.with_suffix(".heads").unlink()
    assert tool(flown, "f1").stdout == "f1: intact; no head is kept outside\n"


TAMPERED = {
    "body": "UPDATE entry SET body=body||' ' WHERE run_id='r1' AND seq=9",
    "turn": "UPDATE entry SET turn=turn+0.5 WHERE run_id='r1' AND seq=9",
    "actor": "UPDATE entry SET actor='zoe' WHERE run_id='r1' AND seq=9",
    "prev": "UPDATE entry SET prev=zeroblob(32) WHERE run_id='r1' AND seq=9",
    "words moved": "UPDATE entry SET kind='effect a', actor='' WHERE run_id='r1' AND kind='effect' AND turn=2",
    "gone": "DELETE FROM entry WHERE run_id='r1' AND seq=9",
    "cut": "DELETE FROM entry WHERE run_id='r1' AND kind='ended'",
    "time": "UPDATE operation SET at=at+1 WHERE run_id='r1' AND seq=0",
    "text": "UPDATE text SET body=body||' ' WHERE body LIKE 'Say what%'",
    "row": "UPDATE run SET head_hash=zeroblob(32) WHERE run_id='r1'",
}


@pytest.mark.parametrize("what", TAMPERED)
def test_the_standalone_verifier_finds(flown, what):
    edit(flown, TAMPERED[what])
    done = tool(flown, "r1")
    assert done.returncode == 1, done.stdout
    assert ("intact" not in done.stdout) is (what != "text"), "a text is no run's own"
    assert ("text " in done.stdout) is (what == "text")


def test_the_pages_query_finds_the_texts_of_effects(flown):
    (query,) = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    assert {body for (body,) in rows(flown, query)} == {BRIEF, msgspec.json.encode(TOOLS).decode()}


def test_the_standalone_verifier_finds_a_cut_tail_with_a_mended_row(flown):
    edit(flown, "DELETE FROM entry WHERE run_id='r1' AND seq>40")
    edit(
        flown,
        "UPDATE run SET head_seq=40, head_hash=(SELECT hash FROM entry WHERE run_id='r1' AND seq=40) WHERE run_id='r1'",
    )
    done = tool(flown)
    assert done.returncode == 1
    assert "cut, or written anew" in done.stdout


def test_the_standalone_verifier_needs_no_index_or_view_of_ours(flown):
    with sqlite3.connect(flown) as db:
        for kind, name in db.execute(
            "SELECT type, name FROM sqlite_schema WHERE type IN ('index','view')"
        ).fetchall():
            if not name.startswith("sqlite_"):
                db.execute(f"DROP {kind} {name}")
    db.close()
    assert tool(flown).returncode == 0


def test_what_is_no_store_is_said_to_be_none(tmp_path):
    (tmp_path / "x.sqlite").write_text("hello" * 1000)
    assert tool(tmp_path / "x.sqlite").returncode == 2
    assert tool(tmp_path / "none.sqlite").returncode == 2
    assert tool().returncode == 2


def test_the_tool_is_short_and_imports_nothing_but_the_standard_library():
    text = TOOL.read_text()
    assert len(text.splitlines()) <= 105
    assert set(re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE)) <= set(sys.stdlib_module_names)
    assert shutil.which("python3") is None or "windtunnel." not in text
