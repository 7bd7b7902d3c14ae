"""`keys`: made, listed, renewed, ended; and the key that signs heads."""

from __future__ import annotations

import pytest

from windtunnel.control.access import Keys
from windtunnel.control.audit import Audit
from windtunnel.journal.database import SqliteDatabase


@pytest.fixture
def database(workspace):
    made = SqliteDatabase(workspace / ".windtunnel" / "catalog.sqlite")
    yield made
    made.close()


def test_a_key_is_made_listed_renewed_and_ended(wt, database):
    made = wt(
        "keys", "create", "ana", "--role", "operator", "--role", "approver", "--expires", "90d", "--json"
    )
    first = made.data
    assert (first["name"], first["roles"], first["state"]) == ("ana", ["approver", "operator"], "valid")
    assert first["expires"] - first["created"] == 90 * 86_400
    second = wt("keys", "rotate", "ana", "--grace", "2h", "--json").data
    assert [(row["key_id"], row["state"]) for row in wt("keys", "list", "--json").rows] == [
        (first["key_id"], "replaced"),
        (second["key_id"], "valid"),
    ]
    keys = Keys(database)
    assert keys.check(first["secret"]) == keys.check(second["secret"]) is not None
    revoked = wt("keys", "revoke", "ana", "--json").data["revoked"]
    assert [row["key_id"] for row in revoked] == [first["key_id"], second["key_id"]]
    assert keys.check(second["secret"]) is None


def test_a_secret_is_shown_once(wt):
    said = wt("keys", "create", "ana", "--role", "viewer")
    (secret,) = [word for word in said.out.split() if word.startswith("wt_") and len(word) > 40]
    for words in (("keys", "list"), ("keys", "list", "--json"), ("keys", "revoke", "ana", "--json")):
        said = wt(*words)
        assert "ana" in said.out
        assert secret.rpartition("_")[2] not in said.out


def test_what_is_done_to_keys_is_in_the_audit_log(wt, database):
    secrets = [wt("keys", "create", "ana", "--role", "viewer", "--json").data["secret"]]
    secrets += [wt("keys", "rotate", "ana", "--json").data["secret"]]
    wt("keys", "revoke", "ana")
    entries = Audit(database).page().items
    assert [(entry.verb, entry.target, entry.via) for entry in entries] == [
        ("keys.create", "ana", "cli"),
        ("keys.rotate", "ana", "cli"),
        ("keys.revoke", "ana", "cli"),
        ("keys.revoke", "ana", "cli"),
    ]
    assert not any(secret.rpartition("_")[2] in repr(entries) for secret in secrets)
    assert entries[0].detail["roles"] == ["viewer"]


def test_a_list_of_no_keys_says_what_that_means(wt):
    assert "open to this machine, and to no other" in wt("keys", "list").out
    assert wt("keys", "list", "--json").out == ""


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (["new", "x"], "keys"),
        (["create"], "keys"),
        (["list", "ana"], "keys"),
        (["create", "ana", "--role", "king"], "role"),
        (["create", "ana"], "role"),
        (["create", "ana", "--role", "viewer", "--expires", "soon"], "--expires"),
        (["rotate", "ana", "--grace", "1"], "--grace"),
        (["rotate", "nobody"], None),
    ],
)
def test_wrong_words_are_refused_with_what_to_type(wt, words, where):
    said = wt("keys", *words, "--json")
    assert said.code == 2
    assert said.error["where"] == where
    assert said.error["remedy"]


def test_a_key_that_signs_heads_is_made_for_its_owner_alone(wt, tmp_path):
    made = wt("keys", "sign", tmp_path / "deep" / "heads.key", "--json").data
    assert (tmp_path / "deep" / "heads.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "deep" / "heads.pub").read_text().strip() == made["public_key"]
    assert "Put this into windtunnel.toml" in wt("keys", "sign", tmp_path / "other.key").out


def test_the_doctor_finds_a_changed_audit_log(wt, database):
    wt("keys", "create", "ana", "--role", "viewer")
    found = {row["name"]: row for row in wt("doctor", "--json").rows}
    assert (found["audit log"]["level"], found["audit log"]["found"][:7]) == ("good", "1 entry")
    database.rows("UPDATE audit SET body=replace(body,'ana','ben')")
    found = {row["name"]: row for row in wt("doctor", "--json").rows}
    assert (found["audit log"]["level"], found["audit log"]["found"]) == ("bad", "entry 1 was changed")
