import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.models.parsing import last_object

json_objects = st.dictionaries(
    st.text(max_size=5),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=10),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=6,
    ),
    max_size=4,
)


prose = st.text(st.characters(exclude_characters="{}"), max_size=30)


@pytest.mark.slow
@given(prose, json_objects, prose)
def test_an_object_is_found_whatever_stands_around_it(before, found, after):
    assert last_object(before + json.dumps(found) + after) == found


@pytest.mark.slow
@given(st.lists(json_objects, min_size=1, max_size=4))
def test_the_last_one_is_taken(objects):
    assert last_object(" or ".join(map(json.dumps, objects))) == objects[-1]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": "}"}', {"a": "}"}),
        ('{"a": "{"}', {"a": "{"}),
        ('{"a": "\\"{"} trailing }', {"a": '"{'}),
        ('{ so I say "{" then {"b": 1}', {"b": 1}),
        ('```json\n{"a": {"b": 2}}\n```', {"a": {"b": 2}}),
        ('{"whole": {"inner": 1}} {"cut": ', {"whole": {"inner": 1}}),
        ("[1, 2] and no object", None),
        ("{'single': 1}", None),
        ('{"a": NaN}', None),
        ('{"a": 1e999, "b": Infinity}', None),
        ("", None),
        ("{}", {}),
    ],
)
def test_what_is_no_json_is_not_mended(text, found):
    assert last_object(text) == found


@pytest.mark.parametrize(
    "hostile",
    [
        "{" * 500_000,
        "}" * 500_000,
        '{"a":' * 200_000,
        '{"a": "' * 100_000,
        '{"a":[' * 100_000 + "1",
        "{" + "9" * 900_000,
    ],
)
def test_hostile_text_ends(hostile):
    started = time.process_time()
    assert last_object(hostile) is None
    assert time.process_time() - started < 30  # work that grows with the square takes minutes
