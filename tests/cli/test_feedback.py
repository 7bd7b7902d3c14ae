"""`feedback`: kept with the run, while it is played and after; it changes nothing in the run's history."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import command
from tests.export.calls import Asker, amount, flight
from tests.run.toy import make, scene
from windtunnel.journal import SqliteStore
from windtunnel.journal.verify import verify
from windtunnel.run.mail import mail_error
from windtunnel.testing.lab import Lab


def test_a_run_that_has_ended_takes_feedback_and_shows_it(wt, played):
    run = played["run_id"]
    given = wt("feedback", run, "--score", "-0.5", "--comment", "too [bold] & early", "--by", "kim", "--json")
    assert given.code == 0
    assert (given.data["run_id"], given.data["score"], given.data["entry"]) == (run, -0.5, None)
    (one,) = wt("show", run, "--json").data["feedback"]
    assert (one["score"], one["comment"], one["by"]) == (-0.5, "too [bold] & early", "kim")
    told = wt("show", run).out
    assert "too [bold] & early" in told
    assert "the run" in told
    assert wt("show", run, "--json").data["head"] == played["head"]
    assert wt("verify", run, "--json").data["intact"]
    assert wt("replay", run, "--json").data["identical"]


def test_an_entry_is_meant_by_its_number_wherever_its_store_lies(wt, played, tmp_path):
    run = played["run_id"]
    assert wt("feedback", f"{run}:9", "--score", 1, "--json").data["turn"] == 2
    copy = tmp_path / "1.sqlite"
    wt("backup", run, copy)
    assert wt("feedback", f"{copy}:{run}:9", "--score", 2, "--json").data["entry"] == 9
    assert wt("feedback", f"{copy}:10", "--score", 3, "--json").data["entry"] == 10
    assert [one["score"] for one in wt("show", copy, "--json").data["feedback"]] == [1, 2, 3]
    assert "entry 9 of" in wt("feedback", f"{run}:9", "--comment", "hm").out
    listed = wt("show", run).out
    assert "hm" in listed


def test_a_number_behind_a_store_is_a_run_of_it_before_it_is_an_entry(wt, tmp_path):
    with Lab(make(), folder=tmp_path) as lab:
        lab.play(scene(), run_id="12")
    assert wt("feedback", f"{lab.path}:12", "--score", 1, "--json").data["entry"] is None
    assert wt("feedback", f"{lab.path}:3", "--score", 1, "--json").data["entry"] == 3
    assert wt("feedback", f"{lab.path}:12:3", "--score", 1, "--json").data["entry"] == 3


def test_an_effect_is_meant_by_its_name_or_by_its_entry(wt, tmp_path):
    with flight(tmp_path, amount, players={"a": Asker(team=True)}) as lab:
        entries = {(e.turn, e.actor): e.seq for e in lab.history(kind="effect")}
    by_name = wt("feedback", f"{lab.path}:2.plan.a/bull.0", "--score", 1, "--json").data
    assert (by_name["effect"], by_name["turn"]) == ("2.plan.a/bull.0", 2)
    by_entry = wt("feedback", f"{lab.path}:{entries[3, 'a']}", "--score", 1, "--json").data
    assert (by_entry["effect"], by_entry["turn"]) == ("3.plan.a.0", 3)
    said = wt("export", lab.path, "--to", "chat", "--min-score", 1, "-o", "out.jsonl", "--json").data
    assert (said["lines"], said["left_out"]["below"]) == (2, 7)
    told = wt("export", lab.path, "--to", "chat", "--min-score", 1).out
    assert "2 calls written to run.chat.jsonl" in told
    assert "left out: 7 below the score" in told
    assert wt("export", lab.path, "--to", "csv", "--min-score", 1, "--json").error["where"] == "--min-score"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (":999", ["--score", "1"]),
        (":2.plan.ana.0", ["--score", "1"]),
        (":99999999999999999999", ["--score", "1"]),
        ("", []),
        ("", ["--comment", "   "]),
        ("", ["--score", "nan"]),
        ("", ["--score", "inf"]),
        ("", ["--score", "high"]),
        ("", ["--comment", "x" * 10_001]),
        ("", ["--comment", "\udcff"]),
        ("", ["--score", "1", "--by", "\udcff"]),
    ],
    ids=lambda value: str(value)[:30].encode("ascii", "replace").decode(),
)
def test_what_means_nothing_is_refused_and_not_kept(wt, played, entry, words):
    run = played["run_id"]
    said = wt("feedback", run + entry, *words, "--json")
    assert said.code == 2
    assert said.error["remedy"]
    assert wt("show", run, "--json").data["feedback"] == []


def test_mail_of_that_kind_is_checked_before_it_is_posted():
    assert mail_error("feedback", {"score": 1}) is None
    for body in ({}, {"score": float("inf")}, {"score": float("nan")}, {"score": True}, {"comment": 3}):
        assert mail_error("feedback", body) is not None, body


def test_the_longest_comment_is_kept_whole(wt, played):
    text = "é" * 10_000
    wt("feedback", played["run_id"], "--comment", text)
    (one,) = wt("show", played["run_id"], "--json").data["feedback"]
    assert one["comment"] == text


def test_a_pruned_run_takes_none(wt, played):
    wt("prune", "--keep-last", 0, "--yes")
    said = wt("feedback", played["run_id"], "--score", 1, "--json")
    assert (said.code, said.error["code"]) == (2, "wrong_state")


def test_feedback_on_a_run_that_goes_on_is_neither_taken_in_nor_refused(wt, lake):
    whole = wt("run", lake, "--turns", 6, "--json").data
    run = wt("run", lake, "--turns", 6, "--until", 3, "--json").data["run_id"]
    wt("feedback", run, "--score", 1)
    ended = wt("resume", run, "--json").data
    assert (ended["status"], ended["turns"]) == ("completed", 6)
    assert ended["metrics"] == whole["metrics"]
    kinds = wt("show", run, "--json").data["operations"]
    assert not {kind for kind in kinds if kind.startswith("mail")}
    assert [one["score"] for one in wt("show", run, "--json").data["feedback"]] == [1]
    assert wt("verify", run, "--json").data["intact"]


def test_garbage_of_that_kind_in_an_inbox_harms_nobody(wt, lake):
    run = wt("run", lake, "--turns", 6, "--until", 3, "--json").data
    store = SqliteStore(run["store"])
    for body in (b"{", b"[]", b'{"score": "high"}', b'{"score": 1e999}', b"{}"):
        store.post(run["run_id"], "feedback", body, "somebody", 1.0)
    store.close()
    assert wt("resume", run["run_id"], "--json").data["status"] == "completed"
    shown = wt("show", run["run_id"], "--json").data
    assert shown["feedback"] == []
    assert "mail_refused" not in shown["operations"]


def test_export_carries_it_to_jsonl_and_lists_it_in_html(wt, played, workspace):
    run = played["run_id"]
    wt("feedback", f"{run}:9", "--score", 0.25, "--comment", "<b>why</b> here", "--by", "kim")
    wt("export", run, "--to", "jsonl", "-o", "out.jsonl")
    rows = [json.loads(line) for line in (workspace / "out.jsonl").read_text().splitlines()]
    assert [row["seq"] for row in rows if "seq" in row] == list(range(75))
    (one,) = [row for row in rows if "feedback" in row]
    assert (one["feedback"], one["score"], one["by"], one["turn"]) == ("9", 0.25, "kim", 2)
    wt("export", run, "-o", "out.html")
    page = (workspace / "out.html").read_text()
    assert "<h2>Feedback</h2>" in page
    assert "&lt;b&gt;why&lt;/b&gt; here" in page


def test_it_travels_with_a_copy_and_a_fork_hears_of_the_past_it_shares(wt, played, tmp_path, monkeypatch):
    run = played["run_id"]
    wt("feedback", f"{run}:9", "--score", 1)
    wt("feedback", f"{run}:70", "--score", 2)
    wt("feedback", run, "--score", 3)
    (fork,) = wt("fork", run, "--at", 6, "--json").data["runs"]
    assert [one["score"] for one in wt("show", fork, "--json").data["feedback"]] == [1]
    wt("feedback", f"{fork}:9", "--score", 4)
    assert [one["score"] for one in wt("show", fork, "--json").data["feedback"]] == [1, 4]
    assert [one["score"] for one in wt("show", run, "--json").data["feedback"]] == [1, 2, 3]
    copy = tmp_path / "copy.sqlite"
    wt("backup", run, copy)
    home = tmp_path / "other"
    home.mkdir()
    monkeypatch.setenv("WINDTUNNEL_HOME", str(home))
    assert run in wt("import", copy, run, "--json").data["copied"]
    assert [one["score"] for one in wt("show", run, "--json").data["feedback"]] == [1, 2, 3]


def test_a_long_list_is_shown_by_its_end(wt, played):
    for number in range(12):
        wt("feedback", played["run_id"], "--comment", f"word-{number}.")
    told = wt("show", played["run_id"]).out
    assert "word-11." in told
    assert "word-1." not in told
    assert "of 12" in told


@pytest.mark.slow
def test_feedback_reaches_a_run_that_another_process_plays(wt, lake):
    """Posted again and again while it is played: the run ends as one that nobody judged."""
    import subprocess
    import sys

    from tests.cli.conftest import environment

    run = wt("run", lake, "--turns", 1500, "--until", 0, "--json").data["run_id"]
    child = subprocess.Popen(
        [sys.executable, "-m", "windtunnel", "resume", run, "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip
    given = 0
    while child.poll() is None and given < 60:
        assert wt("feedback", run, "--score", given).code == 0
        given += 1
    out, err = child.communicate(timeout=120)
    assert child.returncode == 0, err
    assert json.loads(out)["status"] == "completed"
    store = SqliteStore(json.loads(out)["store"], read_only=True)
    assert verify(store, run).intact
    store.close()
    shown = command("show", run, "--json").data
    assert len(shown["feedback"]) == given > 0
    assert "mail_taken" not in shown["operations"]
