"""What was done to a store in PostgreSQL with plain SQL is found as in a file."""

import pytest

from tests.journal.flights import edit, rows
from tests.journal.test_tampering import EDITS, told
from tests.sampling import sampled
from windtunnel.journal.verify import verify

# What a column of PostgreSQL cannot hold, or is written in SQLite's own words.
ELSEWHERE = {"entry body no text", "entry phase no text", "entry turn in halves", "checkpoint state"}

FORGED = """
CREATE OR REPLACE VIEW metric AS SELECT 'r1'::text COLLATE "C" AS run_id, 1::bigint AS turn,
    'a'::text AS agent, 'wealth'::text AS name, 1e9::double precision AS value
"""


@pytest.mark.parametrize("what", sampled(sorted(EDITS.keys() - ELSEWHERE), 8))
def test_an_edit_is_found_and_named(flown_there, what):
    sql, words = EDITS[what]
    edit(flown_there, sql)
    verdict = verify(flown_there, "r1")
    assert not verdict.intact
    assert words in told(verdict)


def test_a_sound_run_and_its_fork_are_intact_and_complete(flown_there):
    for run_id in ("r1", "f1"):
        verdict = verify(flown_there, run_id)
        assert (verdict.intact, verdict.complete, verdict.problems) == (True, True, [])


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("ALTER TABLE entry ADD COLUMN more text", "table entry"),
        ("DROP INDEX entry_scored", "index entry_scored"),
        (FORGED, "view metric"),
        ("CREATE RULE hide AS ON DELETE TO entry DO INSTEAD NOTHING", "rule hide of entry"),
    ],
)  # fmt: skip
def test_an_altered_table_is_named(flown_there, sql, named):
    import psycopg

    with psycopg.connect(flown_there._url, autocommit=True) as db:
        db.execute("SET search_path = journal")
        db.execute(sql)
    assert flown_there.altered() == [named]
    assert not verify(flown_there, "r1").intact


def test_the_views_tell_metrics_and_decisions(flown_there):
    found = rows(
        flown_there, "SELECT agent, name, value FROM metric WHERE run_id='r1' AND turn=1 ORDER BY agent"
    )
    assert [row[:2] for row in found] == [("a", "wealth"), ("b", "wealth")]
    assert all(isinstance(value, float) for _, _, value in found)
    decided = rows(flown_there, "SELECT actor FROM decision WHERE run_id='r1' AND turn=1 ORDER BY actor")
    assert decided == [("a",), ("b",)]
