"""`[serve]` and `[oauth.NAME]` of windtunnel.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from windtunnel.config import read_settings
from windtunnel.errors import UsageError

GOOD = """
[serve]
host = "0.0.0.0"
port = 9000
hosts = ["lab.example.com", "*.lab.example", "[::1]"]
origins = ["http://localhost:5173", "https://dash.example.com"]
proxy = ["10.0.0.0/8"]
root_path = "/windtunnel"
max_body = 1_048_576
rate = 0.5
session_hours = 1

[oauth.github]
client_id = "a"
client_secret_env = "GITHUB_SECRET"

[oauth.github.allow]
ana = ["operator"]
"org:acme" = ["viewer"]
"""


def test_what_a_server_is_told_is_read(tmp_path: Path) -> None:
    file = tmp_path / "windtunnel.toml"
    file.write_text(GOOD)
    settings = read_settings(file)
    assert (settings.serve.port, settings.serve.rate, settings.serve.root_path) == (9000, 0.5, "/windtunnel")
    assert settings.oauth["github"].allow == {"ana": ("operator",), "org:acme": ("viewer",)}


def test_a_server_that_is_told_nothing_stays_on_this_machine(tmp_path: Path) -> None:
    settings = read_settings(tmp_path / "windtunnel.toml")
    assert (settings.serve.host, settings.serve.origins) == ("127.0.0.1", ())
    assert settings.serve.max_body == 10 << 20
    assert settings.oauth == {}


@pytest.mark.parametrize(
    ("text", "line", "named"),
    [
        ('[serve]\norigins = ["*"]', 2, "serve.origins"),
        ('[serve]\norigins = ["https://a.example/path"]', 2, "serve.origins"),
        ('[serve]\norigins = ["null"]', 2, "serve.origins"),
        ('[serve]\nhosts = ["*"]', 2, "serve.hosts"),
        ('[serve]\nhosts = ["https://a.example"]', 2, "serve.hosts"),
        ("[serve]\nport = 70000", 2, "serve.port"),
        ("[serve]\nrate = 0", 2, "serve.rate"),
        ("[serve]\nmax_body = 0", 2, "serve.max_body"),
        ('[serve]\nroot_path = "a/../b"', 2, "serve.root_path"),
        ('[serve]\nroot_path = "/a/"', 2, "serve.root_path"),
        ("[serve]\nmax_bodi = 5000", 2, "max_bodi"),
        ('[oauth.github]\nclient_id = "a"\nclient_secret = "s3cret"', 3, "client_secret"),
        (
            '[oauth.github]\nclient_id = "a"\nclient_secret_env = "not a variable"\nallow = {}',
            3,
            "client_secret_env",
        ),
    ],
)
def test_what_a_server_must_not_be_told_is_named_with_its_line(
    tmp_path: Path, text: str, line: int, named: str
) -> None:
    file = tmp_path / "windtunnel.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_settings(file)
    assert named in caught.value.message
    assert str(caught.value.where).startswith(str(file))
    assert "s3cret" not in str(caught.value)
    if named not in ("serve.origins", "serve.hosts"):  # of a list the item is named, and has no line
        assert caught.value.where == f"{file}:{line}"
