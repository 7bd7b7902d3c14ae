"""/openapi.json, as a generator of clients reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.assembled import assembled

METHODS = {"get", "post", "put", "patch", "delete"}
OPEN = {"/health", "/ready"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch, assembled(tmp_path_factory.mktemp("api"), patch) as house:
        yield json.loads(json.dumps(house.app.openapi()))


def operations(api: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, one) for path, ways in api["paths"].items() for method, one in ways.items()]


@pytest.mark.slow
def test_every_operation_says_what_it_is(api: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in api["tags"]}
    for path, method, one in operations(api):
        assert method in METHODS, path
        assert {"operationId", "summary", "description", "tags"} <= one.keys(), path
        assert set(one["tags"]) <= tags, path
        assert one["operationId"].isidentifier()
        assert "api" not in one["operationId"].split("_"), f"{one['operationId']} is a name that was made up"


def test_no_name_is_given_twice(api: dict[str, Any]) -> None:
    names = [one["operationId"] for _, _, one in operations(api)]
    assert len(names) == len(set(names))
    components = api["components"]["schemas"]
    assert not [name for name in components if "-" in name or "__" in name or name.startswith("Body_")]
    assert not {"HTTPValidationError", "ValidationError"} & components.keys()


def test_every_parameter_and_field_has_a_type_and_a_bound(api: dict[str, Any]) -> None:
    for path, _, one in operations(api):
        for given in one.get("parameters", ()):
            kinds = given["schema"].get("anyOf", [given["schema"]])
            for kind in kinds:
                assert kind.get("type") or kind.get("$ref") or kind.get("enum"), (path, given["name"])
                bound = {"maxLength", "pattern", "enum", "format", "const"}
                assert kind.get("type") != "string" or bound & kind.keys(), (path, given["name"])
                assert kind.get("type") != "integer" or _bounded(kind), (path, given["name"])
            if given["in"] == "path":
                assert given["schema"].get("examples") or "enum" in given["schema"], (path, given["name"])


def _bounded(kind: dict[str, Any]) -> bool:
    return "minimum" in kind and bool({"maximum", "exclusiveMaximum"} & kind.keys())


def test_every_operation_tells_its_problems_with_an_example(api: dict[str, Any]) -> None:
    for path, _, one in operations(api):
        good = [status for status in one["responses"] if status.startswith("2")]
        assert len(good) == 1, path
        bad = {status: answer for status, answer in one["responses"].items() if status not in good}
        assert {"400", "403", "413", "421", "429"} <= bad.keys(), path
        assert ("401" in bad) == (path not in OPEN), path
        assert ("415" in bad) == ("requestBody" in one), path
        for status, answer in bad.items():
            if path == "/ready" and status == "503":
                continue  # tells what is wrong, as 200 tells that nothing is
            assert answer == {"$ref": f"#/components/responses/Problem{status}"}, path
    for name, answer in api["components"]["responses"].items():
        ((kind, content),) = answer["content"].items()
        assert kind == "application/problem+json"
        assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
        assert name == f"Problem{content['example']['status']}"
        assert content["example"]["detail"]


def test_what_is_told_is_told_whole(api: dict[str, Any]) -> None:
    """A client need not ask of each field whether it is there."""
    schemas = api["components"]["schemas"]
    for name in ("Run", "RunDetail", "Results", "Approval", "Schedule", "TurnDetail", "NewKey", "Decision"):
        assert schemas[name]["required"] == list(schemas[name]["properties"]), name
    assert schemas["StartRequest"].get("required") is None
    assert "remedy" not in schemas["Problem"]["required"]


def test_every_answer_has_a_schema_and_every_reference_is_there(api: dict[str, Any]) -> None:
    for path, _, one in operations(api):
        for status, answer in one["responses"].items():
            if "$ref" not in answer and status != "204":
                assert answer["content"], path
                assert all(content.get("schema") for content in answer["content"].values()), path
    for reference in _references(api):
        found: Any = api
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for one in node:
            yield from _references(one)


def test_whole_numbers_keep_all_their_digits(api: dict[str, Any]) -> None:
    seed = api["components"]["schemas"]["StartRequest"]["properties"]["seed"]["anyOf"][0]
    assert (seed["minimum"], seed["exclusiveMaximum"]) == (-(1 << 63), 1 << 63)


def test_it_says_who_may_ask(api: dict[str, Any]) -> None:
    assert api["security"] == [{"key": []}, {"header": []}, {}]
    assert api["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    assert api["paths"]["/health"]["get"]["security"] == []
