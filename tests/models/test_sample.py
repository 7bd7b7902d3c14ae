import asyncio
import json

import pytest

from windtunnel.models.gateway import Gateway
from windtunnel.models.sample import instance
from windtunnel.models.talk import Ask, Message

CASES = [
    ({"type": "integer", "minimum": 3}, 3),
    ({"type": "integer", "maximum": -2}, -2),
    ({"type": "integer", "exclusiveMinimum": 3}, 4),
    ({"type": "integer", "minimum": 4, "multipleOf": 3}, 6),
    ({"type": "number"}, 0),
    ({"type": "string", "minLength": 3}, "aaa"),
    ({"enum": ["x", "y"]}, "x"),
    ({"const": 7}, 7),
    ({"type": "array", "items": {"type": "boolean"}, "minItems": 2}, [False, False]),
    ({"type": ["null", "integer"]}, None),
    ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, 0),
    ({"$ref": "#/$defs/A", "$defs": {"A": {"const": "deep"}}}, "deep"),
    (
        {"allOf": [{"required": ["a"], "properties": {"a": {"const": 1}}}], "type": "object"},
        {"a": 1},
    ),
    (
        {
            "type": "object",
            "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
            "required": ["a"],
        },
        {"a": "a"},
    ),
]


@pytest.mark.parametrize(("schema", "value"), CASES)
def test_the_smallest_value_that_a_schema_allows(schema, value):
    assert instance(schema) == value


def test_a_schema_that_refers_to_itself_comes_to_an_end():
    again = {"type": "object", "properties": {"n": {"$ref": "#/$defs/N"}}, "required": ["n"]}
    schema = {"$ref": "#/$defs/N", "$defs": {"N": again}}
    assert isinstance(instance(schema), dict)


def test_the_test_model_answers_without_a_network_and_for_nothing():
    schema = {"type": "object", "properties": {"go": {"type": "boolean"}}, "required": ["go"]}
    ask = Ask("test", (Message("user", "go?"),), schema=schema)
    reply = asyncio.run(Gateway(environ={"WINDTUNNEL_OFFLINE": "1"}).ask(ask, key="k"))
    assert json.loads(reply.text) == {"go": False}
    assert (reply.cost, reply.model) == (0, "test")
    assert reply.usage.output > 0
