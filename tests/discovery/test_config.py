"""The workspace and its settings."""

from pathlib import Path

import pytest

from windtunnel.config import Heads, PathWorld, Settings, Workspace, find_workspace, read_settings
from windtunnel.config.runs import Runs
from windtunnel.errors import UsageError


def test_the_workspace_is_the_folder_of_the_nearest_settings(tmp_path):
    inner = tmp_path / "a/b/c"
    inner.mkdir(parents=True)
    (tmp_path / "windtunnel.toml").touch()
    (tmp_path / "a/windtunnel.toml").touch()
    found = find_workspace(inner, {})
    assert found.root == tmp_path / "a"
    assert found.runs == tmp_path / "a/.windtunnel/runs"


def test_without_settings_the_workspace_is_where_one_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_workspace(environ={}).root == Path.cwd()
    assert find_workspace(environ={}).settings == Settings()


def test_the_home_variable_overrides(tmp_path):
    (tmp_path / "windtunnel.toml").touch()
    home = tmp_path / "home"
    home.mkdir()
    assert find_workspace(tmp_path, {"WINDTUNNEL_HOME": str(home)}).root == home
    assert find_workspace(tmp_path, {"WINDTUNNEL_HOME": ""}).root == tmp_path
    with pytest.raises(UsageError, match="WINDTUNNEL_HOME names no folder"):
        find_workspace(tmp_path, {"WINDTUNNEL_HOME": str(tmp_path / "gone")})


def test_settings_are_typed(tmp_path):
    file = tmp_path / "windtunnel.toml"
    file.write_text(
        '[[worlds]]\nname = "x"\npath = "../x"\npython_path = ["lib"]\n'
        '[heads]\nsigning_key = "keys/s.pem"\npublic_key = "keys/p.pem"\n[runs]\nconcurrency = 3\n'
    )
    assert read_settings(file) == Settings(
        (PathWorld("x", "../x", ("lib",)),), Heads("keys/s.pem", "keys/p.pem"), Runs(3)
    )
    assert Workspace(tmp_path).path("keys/s.pem") == (tmp_path / "keys/s.pem").resolve()


@pytest.mark.parametrize(
    ("text", "line", "words", "remedy"),
    [
        ("[run]\nconcurrency = 1\n", ":1", "there is no setting 'run'", "did you mean 'runs'?"),
        (
            "\n[runs]\nconcurency = 1\n",
            ":3",
            "there is no setting 'runs.concurency'",
            "did you mean 'concurrency'?",
        ),
        ("runs.concurency = 1\n", ":1", "'runs.concurency'", "did you mean 'concurrency'?"),
        ("heads = { signing = 'x' }\n", "", "'heads.signing'", "did you mean 'signing_key'?"),
        (
            "[[worlds]]\nname='a'\npath='a'\n[[worlds]]\nname='b'\npaths='b'\n",
            ":6",
            "'worlds.1.paths'",
            "did you mean 'path'?",
        ),
        ("[[worlds]]\nname='a'\n", ":1", "worlds.0", None),
        ("[runs]\nconcurrency = 0\n", ":2", "runs.concurrency: must be at least 1, not 0", None),
        ("[runs]\nconcurrency = 'x'\n", ":2", "runs.concurrency: must be a whole number", None),
        ("[runs]\nconcurrency = \n", ":2:15", "this is not TOML", "mend the line"),
        ("worlds = 3\n", ":1", "worlds: must be a list, not 3", None),
    ],
)
def test_a_wrong_setting_is_named_with_its_line_and_the_nearest(tmp_path, text, line, words, remedy):
    file = tmp_path / "windtunnel.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_settings(file)
    assert caught.value.where == f"{file}{line}"
    assert words in caught.value.message
    assert caught.value.remedy == remedy


def test_settings_that_are_no_text_are_refused(tmp_path):
    file = tmp_path / "windtunnel.toml"
    file.write_bytes(b"a = '\xff'")
    with pytest.raises(UsageError, match="is not UTF-8"):
        read_settings(file)
    file.unlink()
    file.mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        read_settings(file)
