"""`approvals`: what waits in words, votes by name, and what came of them."""

from __future__ import annotations

import pytest

CAREFUL = """\
rules:
  - name: large catches
    types: [Catch]
    amount: amount
    over: 30
    do: hold
    approvers: 2
    expires_seconds: 10800
"""


@pytest.fixture
def held(wt, lake, tmp_path):
    """A run whose greedy fisher waits for two."""
    policy = tmp_path / "careful.yaml"
    policy.write_text(CAREFUL)
    said = wt("run", lake, "--turns", 1, "--set", f"approvals={policy}", "--json")
    assert said.code == 4
    return said.data["run_id"]


def test_what_waits_is_listed_in_words_and_for_scripts(wt, held):
    (one,) = wt("approvals", "--json").rows
    assert (one["run_id"], one["effect"], one["kind"]) == (held, "1.validate.cy.0", "approval")
    assert (one["needed"], one["by"], one["status"], one["rule"]) == (
        2,
        [],
        "waiting",
        "careful: large catches",
    )
    assert one["action"]["type"] == "Catch"
    told = wt("approvals").out
    for words in ("cy wants to act", "medium risk, 2 to approve", "0 of 2", "in 3 h", one["digest"]):
        assert words in told


def test_two_names_decide_and_the_run_goes_on(wt, held):
    first = wt("approvals", "approve", held, "--as", "kim", "--note", "fine", "--resume", "--json")
    assert (first.code, first.data["status"], first.data["by"], first.data["resume"]) == (
        0, "waiting", ["kim"], None,
    )  # fmt: skip
    assert "run" not in first.data
    again = wt("approvals", "reject", held, "--as", "Kim", "--json")
    assert (again.code, again.error["code"]) == (2, "vote_refused")
    assert wt("approvals", "approve", held, "--as", "cy", "--json").error["code"] == "vote_refused"
    second = wt("approvals", "approve", f"{held}:1.validate.cy.0", "--by", "lee", "--resume", "--json")
    assert (second.code, second.data["status"], second.data["resume"]) == (0, "approved", held)
    assert (second.data["run"]["status"], second.data["run"]["turns"]) == ("completed", 1)
    marks = [
        row["body"] for row in wt("show", held, "--operations", "--json").rows if "approve" in row["body"]
    ]
    assert [(mark["sender"], mark["outcome"]) for mark in marks] == [
        ("kim", "1 of 2"), ("Kim", "refused"), ("cy", "refused"), ("lee", "2 of 2"),
    ]  # fmt: skip
    assert all(mark["via"].startswith("cli: ") for mark in marks)
    assert wt("verify", held, "--json").data["intact"]
    assert wt("replay", held, "--json").data["identical"]


def test_a_no_is_told_and_resume_goes_on_in_words(wt, held):
    said = wt("approvals", "reject", held, "--as", "kim", "--note", "not now")
    assert (said.code, "denied by kim" in said.out) == (0, True)
    assert f"windtunnel resume {held}" in said.out
    shown = wt("approvals", "show", held, "1.validate.cy.0").out
    assert "kim said no, 'not now'" in shown
    assert "approvals approve" not in shown
    assert wt("resume", held).code == 0
    assert wt("approvals", "list", held).out.strip() == "nothing waits for anyone"
    assert "denied by kim" in wt("approvals", "list", held, "--all").out


def test_a_vote_for_what_was_seen_before_is_refused(wt, held):
    said = wt("approvals", "approve", held, "--as", "kim", "--digest", "0" * 16, "--json")
    assert (said.code, said.error["code"]) == (2, "vote_refused")
    assert "another action" in said.error["message"]
    assert wt("approvals", "show", held, "--json").data["by"] == []


def test_what_cannot_be_voted_on_is_named(wt, held, played):
    assert wt("approvals", "approve", "--json").error["where"] == "approvals"
    assert wt("approvals", "approve", held, "9.validate.cy.0", "--json").error["code"] == "not_found"
    assert wt("approvals", "approve", played["run_id"], "--json").error["code"] == "wrong_state"


def test_a_profile_that_is_not_there_is_named_with_the_nearest(wt, lake):
    error = wt("run", lake, "--set", "approvals=conservativ", "--json").error
    assert "conservative" in error["remedy"]
    assert error["where"] == "--set approvals=conservativ"
