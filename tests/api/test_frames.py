"""Metrics as columns and as frames."""

from __future__ import annotations

import sys

import pytest

from windtunnel.errors import NotFound, UsageError
from windtunnel.frames import Columns

ROWS = [
    (1, "ada", "wealth", 10.0),
    (1, "world", "gdp", 100),
    (2, "ada", "wealth", 12.5),
    (2, "world", "gdp", 104),
    (2, "bob", "wealth", 1.0),
]


def test_columns_have_names_lengths_and_rows():
    metrics = Columns(ROWS)
    assert len(metrics) == 5
    assert list(metrics) == ROWS
    assert metrics["turn"] == [1, 1, 2, 2, 2]
    assert (metrics.agents, metrics.names) == (["ada", "world", "bob"], ["wealth", "gdp"])
    with pytest.raises(NotFound, match="no column 'price'"):
        metrics["price"]


def test_where_takes_one_or_many_and_all_must_match():
    metrics = Columns(ROWS)
    assert list(metrics.where(agent="ada")) == [ROWS[0], ROWS[2]]
    assert list(metrics.where(agent=["ada", "bob"], turn=2)) == [ROWS[2], ROWS[4]]
    assert list(metrics.where(name="gdp", agent="ada")) == []
    assert metrics.where() == metrics


def test_final_is_the_last_of_each_also_of_who_left_early():
    assert Columns([*ROWS, (3, "ada", "wealth", 13.0)]).final() == {
        "ada": {"wealth": 13.0},
        "world": {"gdp": 104},
        "bob": {"wealth": 1.0},
    }


def test_a_series_is_turns_and_values():
    turns, values = Columns(ROWS).series("wealth", "ada")
    assert (turns, values) == ([1, 2], [10.0, 12.5])
    assert Columns(ROWS).series("gdp").values == [100, 104]
    with pytest.raises(NotFound) as caught:
        Columns(ROWS).series("wealth")
    assert "ada, bob" in str(caught.value.remedy)


@pytest.mark.slow
def test_frames_hold_the_same():
    metrics = Columns(ROWS)
    polars, pandas = metrics.to_polars(), metrics.to_pandas()
    assert [tuple(row) for row in polars.rows()] == ROWS
    assert [tuple(row) for row in pandas.itertuples(index=False)] == ROWS
    assert str(polars["value"].dtype) == "Float64"
    assert Columns().to_polars().shape == (0, 4)


@pytest.mark.parametrize("library", ["polars", "pandas"])
def test_a_library_that_is_missing_is_named_with_its_extra(library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(UsageError, match="frames") as caught:
        getattr(Columns(ROWS), f"to_{library}")()
    assert library in caught.value.message


def test_long_ones_show_their_ends_and_say_so():
    metrics = Columns((turn, "<b>", "wealth", turn / 3) for turn in range(1, 1001))
    said = repr(metrics)
    assert len(said.splitlines()) == 12
    assert "990 of 1,000 rows" in said
    assert "1000" in said
    assert "<b>" not in metrics._repr_html_()
    assert repr(Columns()) == "Columns(no rows)"
