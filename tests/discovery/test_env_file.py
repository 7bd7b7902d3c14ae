"""The `.env` beside windtunnel.toml: read below the environment, and never shown."""

from __future__ import annotations

import pytest

from windtunnel.config import find_workspace
from windtunnel.config.environment import read_env
from windtunnel.errors import UsageError

LINES = {
    "A=1": {"A": "1"},
    "A = spaced out  ": {"A": "spaced out"},
    "export A=1": {"A": "1"},
    'A="  kept # too "': {"A": "  kept # too "},
    "A='it''s'": None,
    "A='one'  # why": {"A": "one"},
    "A=one # why": {"A": "one"},
    "A=one#two": {"A": "one#two"},
    "A= # nothing": {"A": ""},
    "A=": {"A": ""},
    "# A=1": {},
    "A=x=y": {"A": "x=y"},
    "A=1\r\nB=2\r\n": {"A": "1", "B": "2"},
    "A=1\nA=2": {"A": "2"},
    "\ufeffA=1": {"A": "1"},
    "A=$B": {"A": "$B"},
    'A="half': None,
    "just words": None,
    "1A=2": None,
    "A-B=2": None,
}


@pytest.mark.parametrize("text", LINES, ids=repr)
def test_lines_are_read_as_they_are_written(tmp_path, text):
    (tmp_path / ".env").write_bytes(text.encode())
    wanted = LINES[text]
    if wanted is None:
        with pytest.raises(UsageError, match="KEY=VALUE"):
            read_env(tmp_path / ".env")
    else:
        assert read_env(tmp_path / ".env") == wanted


def test_a_broken_line_is_named_by_its_number_and_not_shown(tmp_path):
    (tmp_path / ".env").write_text("A=1\n\nsk-very-secret\n")
    with pytest.raises(UsageError) as caught:
        read_env(tmp_path / ".env")
    assert str(caught.value.where).endswith(".env:3")
    assert "secret" not in str(caught.value)


def test_what_is_no_text_or_far_too_long_is_refused(tmp_path):
    (tmp_path / ".env").write_bytes(b"A=\xff")
    with pytest.raises(UsageError, match="UTF-8"):
        read_env(tmp_path / ".env")
    (tmp_path / ".env").write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(UsageError, match="1 MiB"):
        read_env(tmp_path / ".env")


def test_the_environment_stands_above_the_file_even_where_it_is_empty(tmp_path, monkeypatch):
    monkeypatch.delenv("WINDTUNNEL_HOME", raising=False)
    (tmp_path / "windtunnel.toml").touch()
    (tmp_path / ".env").write_text("WT_ONE=file\nWT_TWO=file\nWT_THREE=file\n")
    monkeypatch.setenv("WT_ONE", "set")
    monkeypatch.setenv("WT_TWO", "")
    monkeypatch.delenv("WT_THREE", raising=False)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    found = find_workspace(below).environ
    assert (found["WT_ONE"], found["WT_TWO"], found["WT_THREE"]) == ("set", "", "file")


def test_a_folder_that_is_no_workspace_keeps_its_env_to_itself(tmp_path, monkeypatch):
    monkeypatch.delenv("WINDTUNNEL_HOME", raising=False)
    monkeypatch.delenv("WT_ONE", raising=False)
    (tmp_path / ".env").write_text("WT_ONE=another program's\n")
    assert "WT_ONE" not in find_workspace(tmp_path).environ
