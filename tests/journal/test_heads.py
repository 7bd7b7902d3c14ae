"""The heads beside a store: torn, muddled, grown, forged."""

from __future__ import annotations

import threading

import pytest

from tests.journal import flights
from windtunnel.errors import StorageError, UsageError
from windtunnel.journal import GENESIS, SqliteStore
from windtunnel.journal import heads as room
from windtunnel.journal.heads import Head, append_heads, compact_heads, read_heads
from windtunnel.journal.signing import Signer, make_key, signature_holds
from windtunnel.journal.verify import verify


def head(seq: int, signature: str = "") -> Head:
    return Head(seq, bytes([seq % 256]) * 32, seq, bytes([seq % 256]) * 32, signature)


def test_the_furthest_line_of_each_run_counts(tmp_path):
    path = tmp_path / "x.heads"
    append_heads(path, [("a", head(1)), ("b", head(9)), ("a", head(3)), ("a", head(2))])
    assert read_heads(path) == {"a": head(3), "b": head(9)}


def test_a_chain_with_nothing_in_it_is_written_too(tmp_path):
    path = tmp_path / "x.heads"
    append_heads(path, [("a", Head(0, b"h" * 32, -1, b""))])
    assert read_heads(path) == {"a": Head(0, b"h" * 32, -1, GENESIS)}


def test_a_torn_line_is_passed_over_and_swallows_nothing(tmp_path):
    path = tmp_path / "x.heads"
    append_heads(path, [("a", head(1))])
    for cut in range(1, 135):
        whole = f"{head(2).line('a')}\n".encode()[:cut]
        with path.open("ab") as file:
            file.write(whole)
        assert read_heads(path)["a"] == head(1)
        append_heads(path, [("b", head(cut))])
        assert read_heads(path) == {"a": head(1), "b": head(cut)}


@pytest.mark.parametrize(
    "garbage",
    [b"\x00" * 200, b"\xff\xfe\n a b c d e\n", b"a +9 " + b"00" * 32 + b" 1_0 " + b"00" * 32 + b"\n"],
)
def test_garbage_is_passed_over(tmp_path, garbage):
    path = tmp_path / "x.heads"
    append_heads(path, [("a", head(1))])
    with path.open("ab") as file:
        file.write(garbage)
    append_heads(path, [("b", head(2))])
    assert read_heads(path) == {"a": head(1), "b": head(2)}


def test_compacting_loses_no_line_that_is_written_meanwhile(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "COMPACT_BYTES", 1)
    path = tmp_path / "x.heads"

    def write(name: str) -> None:
        for number in range(300):
            append_heads(path, [(name, head(number))])

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        compact_heads(path)
    compact_heads(path)
    assert read_heads(path) == dict.fromkeys("abc", head(299))
    assert len(path.read_text().splitlines()) == 3


def test_a_head_that_cannot_be_written_is_a_clear_error(tmp_path):
    (tmp_path / "x.heads").mkdir()
    with pytest.raises(StorageError, match="cannot be written"):
        append_heads(tmp_path / "x.heads", [("a", head(1))])


@pytest.fixture
def signed(tmp_path):
    public = make_key(tmp_path / "key")
    store = SqliteStore(tmp_path / "x.sqlite", create=True, signer=Signer(tmp_path / "key"))
    flights.fly(store, stops=())
    yield store, public
    store.close()


def test_signed_heads_prove_a_run_to_who_has_the_public_key(signed):
    store, public = signed
    assert verify(store, "r1", public_key=public).complete is True


def test_a_head_without_a_signature_does_not_count_for_who_asks_for_one(signed):
    store, public = signed
    text = "\n".join(" ".join(line.split(" ")[:5]) for line in store.heads.read_text().splitlines())
    store.heads.write_text(text + "\n")
    verdict = verify(store, "r1", public_key=public)
    assert (verdict.intact, verdict.complete) == (True, False)
    assert "not signed" in verdict.problems[-1]["message"]
    assert verify(store, "r1").complete is True


def test_a_forged_signature_does_not_hold(signed, tmp_path):
    store, public = signed
    other = make_key(tmp_path / "other")
    assert verify(store, "r1", public_key=other).complete is False
    last = read_heads(store.heads)["r1"]
    append_heads(store.heads, [("r1", last._replace(signature="5a" * 64))])
    verdict = verify(store, "r1", public_key=public)
    assert verdict.complete is False
    assert "does not hold" in verdict.problems[-1]["message"]


def test_without_any_head_a_signed_one_is_missed(signed):
    store, public = signed
    store.heads.unlink()
    assert verify(store, "r1", public_key=public).complete is False
    assert verify(store, "r1").complete is None


def test_a_key_is_private_and_never_overwritten(tmp_path):
    public = make_key(tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0
    assert (tmp_path / "key.pub").read_text().strip() == public
    for name in ("key", "key.pub", "new.pub"):
        with pytest.raises(UsageError):
            make_key(tmp_path / name)
    assert signature_holds(public, "line", Signer(tmp_path / "key").sign("line"))
    assert not signature_holds(public, "lime", Signer(tmp_path / "key").sign("line"))


def test_what_is_no_key_is_said_to_be_none(tmp_path):
    (tmp_path / "key").write_text("hello")
    with pytest.raises(UsageError, match="cannot be read"):
        Signer(tmp_path / "key")
    with pytest.raises(UsageError, match="no public key"):
        signature_holds("hello", "line", "00")
