"""Which database a workspace means, and that no error shows its password."""

from pathlib import Path

import pytest

from windtunnel.config import Workspace
from windtunnel.control.database import open_database
from windtunnel.errors import StorageError, UsageError, WindtunnelError
from windtunnel.journal.address import scrub, shown


def workspace(folder: Path, settings: str) -> Workspace:
    (folder / "windtunnel.toml").write_text(settings)
    return Workspace(folder)


def test_by_default_it_is_a_file_of_the_workspace(tmp_path: Path) -> None:
    database = open_database(workspace(tmp_path, ""))
    database.close()
    assert (tmp_path / ".windtunnel" / "catalog.sqlite").exists()


def test_what_is_written_by_one_workspace_is_read_by_another(tmp_path: Path, postgres_url: str) -> None:
    names: list[tuple[str, ...]] = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        made = open_database(workspace(tmp_path / name, f'[store]\nurl = "{postgres_url}"\n'))
        made.lay("birds", ["CREATE TABLE bird(name TEXT)"])
        made.rows("INSERT INTO bird VALUES(?)", [name])
        names = made.rows("SELECT name FROM bird ORDER BY name")
        assert made.location == postgres_url.replace(":pass-word", "")
        made.close()
    assert names == [("a",), ("b",)]
    assert not (tmp_path / "b" / ".windtunnel").exists()


def test_the_address_may_stand_in_the_environment_alone(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = workspace(tmp_path, '[store]\nurl_env = "WT_TEST_STORE"\n')
    with pytest.raises(UsageError, match="WT_TEST_STORE is not set"):
        open_database(here)
    (tmp_path / ".env").write_text(f"WT_TEST_STORE={postgres_url}\n")
    open_database(here).close()
    monkeypatch.setenv("WT_TEST_STORE", "mysql://root:pass-word@x/y")
    with pytest.raises(UsageError, match="no address of a PostgreSQL") as caught:
        open_database(here)
    assert "pass-word" not in str(caught.value)


def test_two_addresses_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="twice"):
        open_database(workspace(tmp_path, '[store]\nurl = "postgresql://h/d"\nurl_env = "X"\n'))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda url: url.replace("pass-word", "secret%21x"), "authentication failed"),
        (
            lambda url: url.rpartition("/")[0] + "/nowhere?password=secret%21x",
            "password authentication failed",
        ),
        (lambda url: "postgresql://u:secret%21x@127.0.0.1:1/d", "does not answer"),
        (lambda url: "postgresql://u:secret%21x@127.0.0.1:notaport/d", "does not answer"),
        (lambda url: f"{url.replace('pass-word', 'secret%21x')}?nonsense=secret!x", "does not answer"),
    ],
)
def test_no_error_shows_the_password(tmp_path: Path, postgres_url: str, change, says: str) -> None:
    with pytest.raises(StorageError, match=says) as caught:
        open_database(workspace(tmp_path, f'[store]\nurl = "{change(postgres_url)}"\n'))
    told = repr(WindtunnelError.as_dict(caught.value)) + str(caught.value)
    assert "secret" not in told
    assert "pass-word" not in told


def test_what_is_secret_in_an_address_is_left_out() -> None:
    url = "postgres://ann:p%40ss@db:5432/runs?sslmode=require&password=other&application_name=x"
    assert shown(url) == "postgresql://ann@db:5432/runs?sslmode=require"
    assert scrub(f"{url} p%40ss p@ss other", url) == f"{shown(url)} *** *** ***"
    assert shown("postgresql:///runs?host=/run/pg") == "postgresql:///runs?host=/run/pg"
