"""`runs`, `show`, `compare`, `worlds`, `scenarios`, `schema`: from a result back to what caused it."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest


def test_runs_lists_the_newest_first_and_filters(wt, lake):
    ids = [wt("run", lake, "--turns", 2, "--json").data["run_id"] for _ in range(2)]
    paused = wt("run", lake, "--turns", 9, "--until", 3, "--json").data["run_id"]
    assert [row["run_id"] for row in wt("runs", "--json").rows] == [paused, *reversed(ids)]
    assert [row["run_id"] for row in wt("runs", "--status", "paused", "--json").rows] == [paused]
    assert len(wt("runs", "--limit", 1, "--json").rows) == 1
    assert wt("runs", "--world", "other", "--json").out == ""
    told = wt("runs").out
    assert paused in told
    assert "3/9" in told
    assert "s ago" in told


def test_runs_in_an_empty_workspace_says_how_to_begin(wt):
    assert "windtunnel run" in wt("runs").out
    assert wt("runs", "--json").out == ""


def test_show_gives_the_result_and_where_it_moved_most(wt, played):
    said = wt("show", played["run_id"])
    assert said.code == 0
    for piece in ("lake/first", "completed", "12 of 12", "ana, bo, cy", "moved most", "--turn", "75 entries"):
        assert piece in said.out, piece
    data = wt("show", played["run_id"], "--json").data
    assert data["metrics"] == played["metrics"]
    assert data["operations"] == {"started": 1, "completed": 1}


def test_show_turn_tells_six_phases_and_what_was_seen(wt, played):
    said = wt("show", played["run_id"], "--turn", 3)
    places = [said.out.index(f"{phase} ") for phase in
              ("analyze", "plan", "validate", "execute", "evaluate", "consolidate")]  # fmt: skip
    assert places == sorted(places)
    assert "ana saw  {fish" in said.out
    assert "Catch(amount" in said.out
    assert "--turn 2" in said.out
    assert "--turn 4" in said.out


def test_what_an_agent_saw_is_what_it_decided_by(wt, played):
    run = played["run_id"]
    (entry,) = wt("show", run, "--turn", 3, "--agent", "ana", "--phase", "plan", "--json").rows
    assert set(entry["body"]["actions"]) == {"ana"}
    amount = entry["body"]["actions"]["ana"]["amount"]
    seen = wt("show", run, "--turn", 3, "--agent", "ana", "--phase", "analyze").out
    fish = float(seen.split("fish ")[1].split(",")[0])
    assert amount == pytest.approx(fish / 30, rel=1e-3)


def test_entries_as_json_are_the_chain_itself(wt, played):
    entries = wt("show", played["run_id"], "--entries", "--json").rows
    assert [entry["seq"] for entry in entries] == list(range(len(entries)))
    assert all(later["prev"] == earlier["hash"] for earlier, later in pairwise(entries))
    assert entries[-1]["hash"] == played["head"]


def test_the_page_that_a_world_lays_out_is_shown_after_any_turn(wt, played):
    said = wt("show", played["run_id"], "--panels", "--turn", 4)
    assert "after turn 4" in said.out
    assert "Purses  coins" in said.out
    page = wt("show", played["run_id"], "--panels", "--turn", 4, "--json").data
    assert (page["turn"], [one["panel"]["id"] for one in page["panels"]]) == (4, ["purses"])
    ((part,),) = (one["parts"] for one in page["panels"])
    bars = {one["label"]: one["value"] for one in part["data"]["bars"]}
    entry = next(one for one in wt("show", played["run_id"], "--turn", 4, "--entries", "--json").rows
                 if one["kind"] == "scored")  # fmt: skip
    assert bars == {who: one["wealth"] for who, one in entry["body"]["metrics"].items() if who != "world"}
    assert list(bars) == ["ana", "bo", "cy"]


def test_an_injected_event_is_shown_where_it_came_in_and_what_it_did(wt, lake):
    run = wt("run", lake, "--turns", 6, "--until", 2, "--json").data["run_id"]
    assert wt("inject", run, "spill", '{"part": 0.9}', "--by", "kim", "--json").data["posted"]
    wt("resume", run, "--json")
    told = wt("show", run, "--turn", 3).out
    assert "mail: event from kim" in told
    assert "spill" in told
    assert "part 0.9" in told


def test_operations_tell_who_did_what(wt, lake):
    run = wt("run", lake, "--turns", 4, "--until", 2, "--json").data["run_id"]
    wt("resume", run, "--json")
    kinds = [row["kind"] for row in wt("show", run, "--operations", "--json").rows]
    assert kinds == ["started", "paused", "resumed", "completed"]


def test_ids_stay_whole_however_long_the_words_beside_them(wt, tmp_path):
    """At 80 columns: the words give way, in lines of their own or cut."""
    world = "pond_with_a_rather_long_name"
    wt("new", "world", world, "--in", tmp_path)
    scenario = tmp_path / world / world / "scenarios" / "first.yaml"
    run = wt("run", scenario, "--turns", 100, "--seed", 123456, "--json").data["run_id"]
    said = wt("fork", run, "--at", 50, "--inject", "spill={}")  # its world raises, in many words
    assert said.code == 3
    (child,) = [row["run_id"] for row in wt("runs", "--json").rows if row["parent"]]
    (told,) = [line for line in said.out.splitlines() if line.startswith(child)]
    assert "failed" in told
    assert "turn 51" in told
    assert "KeyError" in said.out
    listed = wt("runs").out
    assert f"{run} at 50" in listed
    assert listed.count(child) == 1
    for out in (said.out, listed, wt("show", child, "--operations").out):
        assert max(len(line) for line in out.splitlines()) <= 80
    wrapped = wt("show", child, "--operations").out
    assert "…" not in wrapped
    assert "KeyError: 'part'" in wrapped


def test_compare_names_the_difference_at_the_start(wt, lake, played):
    other = wt("run", lake, "--turns", 12, "--set", "price=3", "--json").data
    said = wt("compare", played["run_id"], other["run_id"], "--json").data
    (parting,) = said["partings"]
    assert (parting["seq"], parting["turn"]) == (0, 0)
    assert any("price" in difference for difference in parting["differences"])
    by_name = {(row["agent"], row["name"]): row for row in said["differences"]}
    row = by_name["ana", "wealth"]
    assert row["differences"][1] == pytest.approx(row["values"][1] - row["values"][0])
    assert row["differences"][1] > 0


def test_compare_finds_the_turn_in_which_a_fork_parts(wt, played):
    fork = wt("fork", played["run_id"], "--at", 7, "--agent", "cy=modest", "--json").data["runs"][0]
    said = wt("compare", played["run_id"], fork, "--json").data
    assert said["partings"][0]["turn"] == 7
    told = wt("compare", played["run_id"], fork).out
    assert "cy=modest" in told
    assert "turn 7" in told


def test_compare_of_equal_runs_says_that_they_are_equal(wt, lake, played):
    again = wt("run", lake, "--turns", 12, "--json").data["run_id"]
    assert "the same history" in wt("compare", played["run_id"], again).out


@pytest.mark.slow
def test_worlds_and_scenarios_list_what_windtunnel_toml_names(wt, lake, workspace):
    project = lake.parents[2]
    (workspace / "windtunnel.toml").write_text(f'[[worlds]]\nname = "lake"\npath = "{project}"\n')
    (mine,) = [row for row in wt("worlds", "--json").rows if row["name"] == "lake"]
    assert mine["roles"] == ["fisher"]
    assert "lake/first" in mine["scenarios"]
    names = [row["name"] for row in wt("scenarios", "lake", "--json").rows]
    assert names == ["lake/broken", "lake/first"]
    assert "lake/first" in wt("scenarios", "lake").out
    assert wt("run", "lake/first", "--turns", 2, "--json").data["scenario"] == "lake/first"


def test_schema_describes_the_parameters_of_a_world(wt, lake, workspace):
    project = lake.parents[2]
    (workspace / "windtunnel.toml").write_text(f'[[worlds]]\nname = "lake"\npath = "{project}"\n')
    made = json.loads(wt("schema", "lake").out)
    assert made["properties"]["world"]["const"] == "lake"
    assert "growth" in json.dumps(made)
    wt("schema", "lake", "--to", "lake.schema.json")
    assert json.loads((workspace / "lake.schema.json").read_text()) == made
