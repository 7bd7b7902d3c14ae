"""csv, parquet and jsonl say what the store says."""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
import sys

import pytest

from tests.export.odd import SCRIPT, WORLD_OF_WORDS, Talker, exported, played
from windtunnel.control import LocalExecutor
from windtunnel.control.executor import Job
from windtunnel.errors import UsageError
from windtunnel.export import export_run
from windtunnel.journal import GENESIS, SqliteStore
from windtunnel.run.fork import fork, read_point
from windtunnel.testing.lab import at_once


def stored(store, run_id="words"):
    db = sqlite3.connect(store)
    sql = (
        "SELECT turn, agent.key, metric.key, metric.value"
        " FROM entry, json_each(entry.body, '$.metrics') AS agent, json_each(agent.value) AS metric"
        " WHERE run_id=? AND kind='scored' ORDER BY seq, agent.id, metric.id"
    )
    rows = db.execute(sql, [run_id]).fetchall()
    db.close()
    return rows


def test_csv_is_what_sql_says(tmp_path):
    out = exported(tmp_path, "csv")
    with out.open(newline="", encoding="utf-8") as file:
        head, *rows = list(csv.reader(file))
    assert head == ["turn", "agent", "name", "value"]
    said = stored(tmp_path / "odd.sqlite")
    assert [(int(t), agent, name, float(value)) for t, agent, name, value in rows] == said
    assert said


@pytest.mark.slow
def test_parquet_is_what_sql_says_and_knows_its_head(tmp_path, monkeypatch):
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    from windtunnel.export import tables

    monkeypatch.setattr(tables, "ROW_GROUP", 7)  # several groups
    table = pq.read_table(exported(tmp_path, "parquet"))
    assert [tuple(row.values()) for row in table.to_pylist()] == stored(tmp_path / "odd.sqlite")
    assert table.schema.metadata[b"windtunnel.run_id"] == b"words"
    assert len(table.schema.metadata[b"windtunnel.head"]) == 64


def test_without_pyarrow_parquet_names_the_extra(tmp_path, monkeypatch):
    store, run_id = played(tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "pyarrow.parquet", raising=False)
    with pytest.raises(UsageError, match="pyarrow") as caught:
        export_run(store, run_id, "parquet", tmp_path / "x.parquet")
    assert "windtunnel[frames]" in str(caught.value.remedy)
    assert not (tmp_path / "x.parquet").exists()


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


def rehashed(path) -> str:
    """The head, computed from the file alone: the body is cut out of the line as it stands."""
    prev = GENESIS
    for line in path.read_bytes().split(b"\n")[:-1]:
        told = json.loads(line)
        body = line[line.index(b'"body":') + 7 : line.rindex(b',"prev":')]
        head = f"{told['seq']} {told['turn']} {told['phase']} {told['kind']} {told['actor']}\n".encode()
        assert told["prev"] == prev.hex()
        prev = hashlib.sha256(prev + head + body).digest()
        assert told["hash"] == prev.hex()
    return prev.hex()


def head_of(store, run_id):
    db = sqlite3.connect(store)
    ((head,),) = db.execute("SELECT head_hash FROM run WHERE run_id=?", [run_id]).fetchall()
    db.close()
    return head.hex()


def test_each_line_of_jsonl_carries_all_that_its_hash_covers(tmp_path):
    out = exported(tmp_path, "jsonl")
    assert rehashed(out) == head_of(tmp_path / "odd.sqlite", "words")
    assert [told["seq"] for told in lines(out)] == list(range(len(lines(out))))


def test_a_fork_exports_the_past_it_shares(tmp_path):
    path, run_id = played(tmp_path)
    players = {"ada": Talker()}
    store = SqliteStore(path)
    fork(store, WORLD_OF_WORDS, run_id, read_point("4"), "other", players=players)
    store.close()
    at_once(LocalExecutor().play([Job(str(path), "other", WORLD_OF_WORDS, players)]))
    out = export_run(path, "other", "jsonl", tmp_path / "fork.jsonl")
    assert rehashed(out) == head_of(path, "other")
    turns = [told["turn"] for told in lines(out) if told["kind"] == "scored"]
    assert turns == list(range(1, 11))
    page = export_run(path, "other", "html", tmp_path / "fork.html").read_text(encoding="utf-8")
    assert "other is a fork of words after turn 4" in page


def test_effects_and_operations_follow_when_asked_for(tmp_path):
    told = lines(exported(tmp_path, "jsonl", effects=True, operations=True))
    (effect,) = [one for one in told if "effect" in one]
    assert effect["kind"] == "echo"
    assert effect["result"]["of"] == {"say": SCRIPT}
    operations = [one for one in told if "operation" in one]
    assert [one["operation"] for one in operations] == list(range(len(operations)))
    assert operations[0]["kind"] == "started"
    assert "completed" in {one["kind"] for one in operations}


def test_a_body_broken_by_hand_stays_one_line(tmp_path):
    store, run_id = played(tmp_path)
    db = sqlite3.connect(store)
    db.execute("UPDATE entry SET body = '{\n\"x\": 1}' WHERE seq = 5")
    db.execute("UPDATE entry SET body = 'no json' WHERE seq = 6")
    db.commit()
    db.close()
    told = lines(export_run(store, run_id, "jsonl", tmp_path / "out.jsonl"))
    assert (told[5]["body"], told[6]["body"]) == ('{\n"x": 1}', "no json")
