"""States come back exactly, say what they cannot hold, and Logs in them are stored by increments."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from windtunnel.codec import (
    Log,
    Segment,
    StateCodec,
    decode_state_plain,
    describe_type,
    schema_difference,
    schema_hash,
)
from windtunnel.errors import CodecError


class Line(msgspec.Struct, frozen=True):
    who: str
    cents: int


class State(msgspec.Struct):
    level: float
    grid: np.ndarray
    mask: np.ndarray
    ledger: Log[Line]
    names: dict[str, list[Line]]


def a_state() -> State:
    grid = np.arange(6, dtype=np.float64).reshape(2, 3)
    return State(1.5, grid, np.array([True, False]), Log([Line("a", 1)]), {"z": [Line("q", 1)], "a": []})


class Shelf:
    """Where increments go: what a store does."""

    def __init__(self) -> None:
        self.segments: dict[bytes, Segment] = {}

    def keep(self, codec: StateCodec[Any]) -> int:
        for log, segment in codec.logs:
            self.segments[segment.hash] = segment
            log.stored(segment)
        return len(codec.logs)


def test_a_state_comes_back_as_it_was() -> None:
    codec, shelf = StateCodec(State), Shelf()
    raw = codec.encode(a_state())
    shelf.keep(codec)
    back = codec.decode(raw, shelf.segments.get)
    assert back.grid.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert back.mask.dtype == np.bool_
    assert list(back.ledger) == [Line("a", 1)]
    assert list(back.names) == ["z", "a"]  # the order of a dict is part of the state
    assert codec.encode(back) == raw


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf"), -float("nan")])
def test_a_state_with_a_number_that_is_none_is_refused_by_field(bad: float) -> None:
    state = a_state()
    state.level = bad
    with pytest.raises(CodecError, match="level is"):
        StateCodec(State).encode(state)


def test_huge_but_finite_floats_are_kept() -> None:
    state = a_state()
    state.level = -1.7e308
    codec, shelf = StateCodec(State), Shelf()
    raw = codec.encode(state)
    shelf.keep(codec)
    assert codec.decode(raw, shelf.segments.get).level == -1.7e308


def test_a_nan_inside_an_array_is_refused() -> None:
    state = a_state()
    state.grid[1, 1] = np.nan
    with pytest.raises(CodecError, match="array"):
        StateCodec(State).encode(state)


def test_a_set_in_a_state_is_refused_before_anything_runs() -> None:
    class Loose(msgspec.Struct):
        members: set[str]

    with pytest.raises(CodecError, match="set"):
        describe_type(Loose)


def test_a_log_is_stored_by_what_was_added_since() -> None:
    codec, shelf = StateCodec(State), Shelf()
    state = a_state()
    codec.encode(state)
    shelf.keep(codec)
    state.ledger.append(Line("b", 2))
    state.ledger.append(Line("c", 3))
    raw = codec.encode(state)
    ((_, increment),) = codec.logs
    assert increment.items.count(b"\n") == 1  # two lines, not three
    shelf.keep(codec)
    assert [line.cents for line in codec.decode(raw, shelf.segments.get).ledger] == [1, 2, 3]
    codec.encode(state)
    assert shelf.keep(codec) == 0  # nothing grew


def test_what_is_appended_after_encoding_belongs_to_the_next_increment() -> None:
    codec, shelf = StateCodec(State), Shelf()
    state = a_state()
    raw = codec.encode(state)
    state.ledger.append(Line("late", 9))
    shelf.keep(codec)
    assert [line.who for line in codec.decode(raw, shelf.segments.get).ledger] == ["a"]
    raw = codec.encode(state)
    shelf.keep(codec)
    assert [line.who for line in codec.decode(raw, shelf.segments.get).ledger] == ["a", "late"]


def test_a_missing_increment_is_an_error_and_not_a_shorter_log() -> None:
    codec = StateCodec(State)
    raw = codec.encode(a_state())
    with pytest.raises(CodecError, match="missing"):
        list(codec.decode(raw, Shelf().segments.get).ledger)


def test_logs_hash_their_content_in_order() -> None:
    assert Log([Line("a", 1), Line("b", 2)]) == Log([Line("a", 1), Line("b", 2)])
    assert Log([Line("a", 1), Line("b", 2)]) != Log([Line("b", 2), Line("a", 1)])


def test_a_changed_field_is_named() -> None:
    before = describe_type(State)
    after = {**before, "Line": {**before["Line"], "cents": "float"}}
    assert schema_hash(before) != schema_hash(after)
    assert schema_difference(before, after) == "Line.cents was int, now is float"
    assert "Line was removed" in schema_difference(before, {"State": before["State"]})


def test_a_state_can_be_read_without_its_types() -> None:
    plain = decode_state_plain(StateCodec(State).encode(a_state()))
    assert plain["level"] == 1.5
    assert plain["grid"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert plain["names"]["z"] == [{"who": "q", "cents": 1}]
