"""Nodes held against types: the first thing that does not fit is named with place, field and cure.

msgspec decides what fits; this walks beside it, so that an error stands where the mistake is and not at the
top of the file, and refuses keys that a Struct does not have even where the Struct would let them pass.
"""

from __future__ import annotations

import enum
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple, TypeGuard, Union, get_args, get_origin

import msgspec

from windtunnel.errors import ScenarioError
from windtunnel.scenario.reading import Node
from windtunnel.scenario.shape import ID_PATTERN
from windtunnel.words import explain, mend, suggest

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[(\.\.\.)\]")


class Keys(NamedTuple):
    """What a Struct may be given: its fields by the names they have in a file, and its tag."""

    fields: dict[str, Any]
    required: tuple[str, ...]
    tag: str | None

    @property
    def names(self) -> list[str]:
        return [*([self.tag] if self.tag else []), *self.fields]


def is_struct(wanted: Any) -> TypeGuard[type[msgspec.Struct]]:
    return isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)


@lru_cache(512)  # the annotations of a Struct are evaluated anew at each look
def keys_of(wanted: type[msgspec.Struct]) -> Keys:
    found = msgspec.structs.fields(wanted)
    return Keys(
        {item.encode_name: item.type for item in found},
        tuple(item.encode_name for item in found if item.required),
        wanted.__struct_config__.tag_field,
    )


def bare(wanted: Any) -> Any:
    """A type without what is annotated to it and without `| None`."""
    while get_origin(wanted) is Annotated:
        wanted = get_args(wanted)[0]
    if get_origin(wanted) in {Union, types.UnionType}:
        others = [item for item in get_args(wanted) if item is not type(None)]
        if len(others) == 1:
            return bare(others[0])
    return wanted


def check(node: Node, wanted: Any, field: str = "") -> None:
    """Raise ScenarioError unless the node fits the type."""
    try:
        _walk(node, wanted, field)
        msgspec.convert(node.plain(), wanted, str_keys=True)
    except msgspec.ValidationError as error:
        culprit, name = _culprit(node, str(error), field)
        raise _misfit(culprit, str(error), name) from None


def _walk(node: Node, wanted: Any, field: str) -> None:
    kind = bare(wanted)
    if isinstance(node.value, dict) and (struct := _struct_for(node, kind, field)) is not None:
        _walk_struct(node, struct, field)
    elif isinstance(node.value, dict) and get_origin(kind) in {dict, Mapping}:
        for key, (_, item) in node.value.items():
            _walk(item, get_args(kind)[1], _join(field, key))
    elif isinstance(node.value, list) and get_origin(kind) in {list, tuple, Sequence}:
        for index, (item, of) in enumerate(zip(node.value, _item_types(kind, len(node.value)), strict=False)):
            _walk(item, of, _join(field, str(index)))
    elif (options := _options(kind)) and isinstance(node.value, str) and node.value not in options:
        raise node.place.error(f"{field}: {node.value!r} is not valid", suggest(node.value, options), field)
    else:
        try:
            msgspec.convert(node.plain(), wanted, str_keys=True)
        except msgspec.ValidationError as error:
            culprit, name = _culprit(node, str(error), field)
            raise _misfit(culprit, str(error), name) from None


def _walk_struct(node: Node, struct: type[msgspec.Struct], field: str) -> None:
    keys = keys_of(struct)
    for key, (place, item) in node.value.items():
        if key in keys.fields:
            _walk(item, keys.fields[key], _join(field, key))
        elif key != keys.tag:
            raise place.error(
                f"{f'{field} has' if field else 'there is'} no key {key!r}",
                suggest(key, keys.names),
                _join(field, key),
            )
    for name in keys.required:
        if name not in node.value:
            raise node.place.error(
                f"{field or 'the scenario'} lacks the key {name!r}", f"add {name}: …", _join(field, name)
            )


def _struct_for(node: Node, kind: Any, field: str) -> type[msgspec.Struct] | None:
    """The Struct that a mapping is meant to be: the only one, or the one its tag names."""
    if is_struct(kind):
        return None if kind.__struct_config__.array_like else kind
    if get_origin(kind) not in {Union, types.UnionType}:
        return None
    structs = [item for item in map(bare, get_args(kind)) if is_struct(item)]
    if len(structs) == 1:
        return structs[0]
    by_tag = {str(item.__struct_config__.tag): item for item in structs}
    tag = next((item.__struct_config__.tag_field for item in structs), None)
    if tag is None:
        return None
    if tag not in node.value:
        raise node.place.error(
            f"{field} lacks the key {tag!r}", f"one of: {', '.join(by_tag)}", _join(field, tag)
        )
    chosen = node.value[tag][1]
    if str(chosen.value) not in by_tag:
        raise chosen.place.error(
            f"{_join(field, tag)}: {chosen.value!r} is not valid",
            suggest(str(chosen.value), by_tag),
            _join(field, tag),
        )
    return by_tag[str(chosen.value)]


def _item_types(kind: Any, count: int) -> Iterator[Any]:
    inner = get_args(kind)
    if get_origin(kind) is tuple and not (len(inner) == 2 and inner[1] is Ellipsis):
        yield from inner
    else:
        yield from [inner[0]] * count


def _options(kind: Any) -> list[str]:
    if get_origin(kind) is Literal:
        return [str(item) for item in get_args(kind)]
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return [str(item.value) for item in kind]
    return []


def _culprit(node: Node, problem: str, field: str) -> tuple[Node, str]:
    """Where msgspec's path leads, as far as nodes go."""
    path = problem.rpartition(" - at `$")[2].rstrip("`") if " - at `$" in problem else ""
    for step in _STEP.finditer(path):
        name, index, _ = step.groups()
        if name is not None and isinstance(node.value, dict) and name in node.value:
            node, field = node.value[name][1], _join(field, name)
        elif index is not None and isinstance(node.value, list) and int(index) < len(node.value):
            node, field = node.value[int(index)], _join(field, index)
        else:
            break
    return node, field


def _misfit(node: Node, problem: str, field: str) -> ScenarioError:
    value = node.plain()
    wanted = re.match(r"Expected `(\w+)", problem)
    remedy = mend(wanted[1], value) if wanted else None
    if repr(ID_PATTERN) in problem:
        remedy = "letters, digits, _ and - only"
    message = explain(problem, value)
    return node.place.error(f"{field}: {message}" if field else message, remedy, field)


def _join(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name
